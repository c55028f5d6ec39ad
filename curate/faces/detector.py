"""A detector that is ready to find faces, by its name. One dataset goes through one detector."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from PIL.Image import Image

from curate.faces.face import Face
from curate.faces.models import FaceModel, find_model

YUNET, CASCADE = "yunet", "cascade"
DETECTORS = (YUNET, CASCADE)

PACKAGES: Mapping[str, tuple[str, ...]] = {YUNET: ("opencv-python-headless",), CASCADE: ("scikit-image",)}
"""The packages, beside Pillow and NumPy, on whose versions the boxes depend."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Detector:
    """What finds faces: `find` returns those of an RGB picture, the largest first. Can be sent to workers.

    `model` is what it finds them with, None for the cascade, which comes with scikit-image.
    """

    name: str
    find: Callable[[Image], Sequence[Face]]
    model: FaceModel | None = None

    @property
    def key(self) -> str:
        """What numbers that depend on faces are kept by, see `key_of`."""
        return key_of(self.name, self.model.sha256 if self.model else "")

    def largest(self, image: Image) -> Face | None:
        """Return the largest face of a picture, or None."""
        return next(iter(self.find(image)), None)

    def recorded(self) -> Mapping[str, Any]:
        """Return what a step states of the detector: its name, and of a model sha256 and licence."""
        stated = {"detector": self.name}
        if self.model is None:
            return stated
        return {
            **stated,
            "face_model": self.model.name,
            "face_licence": self.model.licence,
            "face_sha256": self.model.sha256,
        }


def key_of(name: str, sha256: str) -> str:
    """Return the short name of a detector: its name, and the beginning of the sha256 of its model, where it has one.

    >>> key_of("cascade", ""), key_of("yunet", "8f2383e4dd3cfbb4")
    ('cascade', 'yunet-8f2383e4')
    """
    return f"{name}-{sha256[:8]}" if sha256 else name


def detector(name: str, file: Path | None = None, sha256: str = "") -> Detector:
    """Return a detector by its name, ready to use.

    `file` and `sha256` are those of YuNet's model, see `find_model`. Raises ModelError when that cannot be had.
    """
    if name == CASCADE:
        from curate.faces import cascade

        return Detector(name=name, find=cascade.find)
    from curate.faces import yunet

    model, path = find_model(file, sha256)
    return Detector(name=name, find=partial(yunet.find, path.resolve()), model=model)
