"""What a family of nuisance features is, and what it sees of a picture."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from curate.faces.face import Face, Points
from curate.nuisance.spelling import spelled
from curate.pictures.pixels import Box

Values = Mapping[str, float]

WINDOW = 1024
"""Side of the largest part of a picture that is looked at pixel by pixel."""

SMALL = 256
"""Longer side of the small version of the whole picture."""


@dataclass(frozen=True, kw_only=True)
class Seen:
    """One picture as a stage left it, for families to measure; what several of them need is computed once.

    `content` are the bytes of the file, `image` the decoded upright RGB picture, `name` what the file is called at
    this stage, `place` where it stands among the files of its source (0..1), `alpha` its matte (uint8, height x
    width of the picture) where there is one. `box` is the face (left, top, right, bottom) as an earlier stage found
    it, None where that found none, and "unknown" where nobody has looked yet; `points` are its eyes, nose and mouth,
    where they are known.
    """

    content: bytes
    image: Image.Image
    name: str = ""
    place: float = 0.0
    alpha: NDArray[np.uint8] | None = None
    box: Box | Literal["unknown"] | None = "unknown"
    points: Points | None = None

    @cached_property
    def face(self) -> Face | None:
        """The face in pixels of the picture, or None; where nobody has looked yet, the cascade looks."""
        if self.box == "unknown":
            from curate.faces import cascade

            return next(iter(cascade.find(self.image)), None)
        return Face(box=self.box, points=self.points) if self.box else None

    @cached_property
    def part(self) -> Box:
        """Where the window lies in the picture: its middle, at most WINDOW a side.

        It starts at a multiple of 16 pixels, so that the blocks of an old JPEG stay where they were.
        """
        across, down = (max(0, side - WINDOW) // 2 // 16 * 16 for side in self.image.size)
        return across, down, min(across + WINDOW, self.image.width), min(down + WINDOW, self.image.height)

    @cached_property
    def pixels(self) -> NDArray[np.uint8]:
        """The `part` of the picture at its own resolution, height x width x 3."""
        return np.asarray(self.image.crop(self.part))

    @cached_property
    def window(self) -> NDArray[np.float32]:
        """The same pixels as floats, 0..255."""
        return self.pixels.astype(np.float32)

    @cached_property
    def grey(self) -> NDArray[np.float32]:
        """Luma of the window (ITU-R BT.601), height x width, 0..255."""
        return self.window @ np.array([0.299, 0.587, 0.114], dtype=np.float32)

    @cached_property
    def small(self) -> NDArray[np.uint8]:
        """The whole picture, its longer side at most SMALL pixels, height x width x 3."""
        little = self.image.copy()
        little.thumbnail((SMALL, SMALL), Image.Resampling.BOX)
        return np.asarray(little)


@dataclass(frozen=True, kw_only=True)
class Family:
    """A named family of nuisance features.

    `measure` returns the same keys for every picture, as plain floats; NaN where a number does not apply, so that a
    family that does not apply at all is NaN throughout. `advice` says which setting or command removes such a
    shortcut. `of` is what it looks at: "pixels" (they survive to the model), the "file" (bytes and header), or the
    "name". `version` goes up whenever a number changes, because numbers are kept by the name of the object.

    `removed_by` names the steps that the advice asks for ("normalize", "forensic", "whiten", "match", "face": see
    `curate.history`): what has been done is not recommended again.

    A family that `speaks_for_file` goes by how a file was made rather than by what it shows: `audit labels --with-file`
    asks it. One that stands `apart` is judged by itself alone, never together with others. One that `goes_by_face` is
    measured anew where another detector looked for the face, one that `goes_by_matte` where another matte was made.

    `words` names each of its numbers for people, with a unit; a number without words is called by its key.
    """

    name: str
    version: int
    measure: Callable[[Seen], Values]
    advice: str
    removed_by: tuple[str, ...] = ()
    of: Literal["pixels", "file", "name"] = "pixels"
    speaks_for_file: bool = False
    apart: bool = False
    goes_by_face: bool = False
    goes_by_matte: bool = False
    words: Mapping[str, str] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """The name as people read and type it: with dashes."""
        return spelled(self.name)

    def feature_in_words(self, feature: str) -> str:
        """Name one of its numbers as people read it."""
        return self.words.get(feature, feature.replace("_", " "))
