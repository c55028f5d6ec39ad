"""The models of YuNet: where they come from, what they are, and whether a file is one of them."""

import hashlib
import logging
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from imageledger.errors import ModelError

logger = logging.getLogger(__name__)

PATIENCE = 10
"""Seconds without an answer after which a download is given up."""

CASCADE = "--detector cascade needs no model, and finds fewer faces"


@dataclass(frozen=True, slots=True, kw_only=True)
class FaceModel:
    """A face model: its name, sha256 and licence go into every row; `urls` are tried in turn."""

    name: str
    sha256: str
    licence: str = "MIT"
    urls: tuple[str, ...] = ()


def _published(name: str, sha256: str) -> FaceModel:
    places = (
        "https://huggingface.co/opencv/face_detection_yunet/resolve/main",
        "https://github.com/opencv/opencv_zoo/raw/main/models/face_detection_yunet",
    )
    return FaceModel(name=name, sha256=sha256, urls=tuple(f"{place}/{name}.onnx" for place in places))


MODELS = (
    _published("face_detection_yunet_2023mar", "8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4"),
    _published("face_detection_yunet_2026may", "ebafce4e3c118d6554634be5c27ab333b4c047a9a8c3faf1d7cf93101c22f0f0"),
)
"""The first is downloaded where no file is named. The second has the same weights and takes pictures of any size."""

BY_DIGEST: Mapping[str, FaceModel] = {model.sha256: model for model in MODELS}


def find_model(file: Path | None = None, sha256: str = "") -> tuple[FaceModel, Path]:
    """Find, or download once, a face model; return it and where its file lies.

    `file` is one of the user's own; a copy is kept beside downloads, so that later commands find it by its sha256.
    `sha256` is the digest that it must have, "" for any that is known. Raises ModelError when it cannot be had.
    """
    if file is not None:
        model = _of(file, sha256)
        _keep(file, model)
        return model, file
    if sha256 and sha256 not in BY_DIGEST:
        raise ModelError(f"no face model with the sha256 {sha256} is known", f"{_known()}; {CASCADE}")
    wanted = [BY_DIGEST[sha256]] if sha256 else list(MODELS)
    for model in wanted:
        if (kept := place_of(model)).is_file():
            return _of(kept, model.sha256, "delete it and run the command again"), kept
    return wanted[0], _download(wanted[0])


def place_of(model: FaceModel) -> Path:
    """Return where a model is kept on this machine: in the cache folder of the user, for all projects."""
    import pooch

    return Path(pooch.os_cache("imageledger")) / f"{model.name}.onnx"


def _of(file: Path, sha256: str, hint: str = "") -> FaceModel:
    try:
        seen = hashlib.sha256(file.read_bytes()).hexdigest()
    except OSError as error:
        raise ModelError(
            f"there is no face model at {file}", f"name the file with --face-model FILE; {CASCADE}"
        ) from error
    if seen not in BY_DIGEST:
        raise ModelError(
            f"{file} is not a face model that is known: its sha256 is {seen}", hint or f"{_known()}; {CASCADE}"
        )
    if sha256 and seen != sha256:
        raise ModelError(
            f"{file} is {BY_DIGEST[seen].name}; the model with the sha256 {sha256} is asked for",
            hint or "name the right file with --face-model FILE",
        )
    return BY_DIGEST[seen]


def _keep(file: Path, model: FaceModel) -> None:
    """Keep a copy of the user's own file; where that cannot be written, the file has to be named again."""
    kept = place_of(model)
    if not kept.exists():
        with suppress(OSError):
            kept.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, draft := kept.with_suffix(f".{model.sha256[:8]}.part"))
            draft.replace(kept)


def _download(model: FaceModel) -> Path:
    import pooch

    kept = place_of(model)
    pooch.get_logger().setLevel(logging.WARNING)
    logger.info("Downloading the face model %s (0.2 MB, %s), once, to %s.", model.name, model.licence, kept.parent)
    why = ""
    for url in model.urls:
        try:
            return Path(
                pooch.retrieve(
                    url, f"sha256:{model.sha256}", fname=kept.name, path=kept.parent,
                    downloader=pooch.HTTPDownloader(timeout=PATIENCE),
                )
            )  # fmt: skip
        except (OSError, ValueError) as error:  # requests' errors are OSErrors; pooch raises ValueError on a digest
            why = type(error).__name__
    raise ModelError(
        f"the face model {model.name} could not be downloaded ({why})",
        f"put the file at {kept}, or name one with --face-model FILE (MIT, opencv_zoo); {CASCADE}",
    )


def _known() -> str:
    return f"known are {' and '.join(f'{model.name}.onnx' for model in MODELS)} of opencv_zoo"
