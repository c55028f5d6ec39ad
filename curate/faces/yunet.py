"""Find faces with YuNet through OpenCV: boxes and five points, also of turned, tilted and half-hidden faces.

Wu, Peng and Yu (2023). "YuNet: A tiny millisecond-level face detector", Machine Intelligence Research 20.
"""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from curate.faces.face import Face
from imageledger.errors import ModelError

SIDE = 320
"""The picture is searched at this many pixels on its longer side."""

SCORE = 0.6
"""Least score of a face, 0..1. A face is found in 551 of 560 portraits; the others show a back, a dog, a far figure."""

OVERLAP = 0.3
"""Boxes that overlap by more are one face."""

MOST = 50
NARROWEST = 16
"""A strip of fewer pixels than this on its shorter side, when searched, holds no face."""

HIGH, RAISED = 0.9, 0.073
"""Side of our box in heights of YuNet's, and how far its middle lies above that of eyes and mouth, in its sides.

Medians over 419 faces that YuNet and the frontal-face cascade find alike, so that a rule that goes by the box means the
same face with either: 90 % of the sides lie between 0.85 and 1.13 of the cascade's.
"""


def find(path: Path, image: Image.Image) -> Sequence[Face]:
    """Return the faces of a picture, the largest first; raise ModelError when OpenCV cannot use the model's file."""
    scale = SIDE / max(image.size)
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    if min(size) < NARROWEST:
        return []
    small = np.asarray(image.convert("RGB").resize(size, Image.Resampling.BOX))[..., ::-1]
    net = _net(path)
    net.setInputSize(size)
    rows = net.detect(np.ascontiguousarray(small))[1]
    rows = np.zeros((0, 15)) if rows is None else rows[np.isfinite(rows).all(axis=1)]
    faces = [_face(row, scale, image.size) for row in rows]
    return sorted(faces, key=lambda face: (-face.side, face.box))


def _face(row: NDArray[np.floating], scale: float, size: tuple[int, int]) -> Face:
    """Read a row of YuNet's: x, y, width, height, five points and the score, in pixels of the searched picture."""
    points = row[4:14].astype(np.float64).reshape(5, 2) / scale
    side = HIGH * float(row[3]) / scale
    x, y = (points[[0, 1]].mean(axis=0) + points[[3, 4]].mean(axis=0)) / 2
    y -= RAISED * side
    box = [
        min(max(0, round(edge)), limit)
        for edge, limit in zip((x - side / 2, y - side / 2, x + side / 2, y + side / 2), size * 2, strict=True)
    ]
    return Face(box=(box[0], box[1], box[2], box[3]), points=tuple(round(float(at)) for at in points.ravel()))  # type: ignore[arg-type]


@cache
def _net(path: Path) -> Any:
    """Open the model once in this process; OpenCV's warning about targets means nothing on a processor."""
    import cv2

    level = cv2.utils.logging.getLogLevel()
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_ERROR)
    try:
        return cv2.FaceDetectorYN.create(str(path), "", (SIDE, SIDE), SCORE, OVERLAP, MOST)
    except cv2.error as error:
        raise ModelError(
            f"OpenCV {cv2.__version__} cannot use the face model {path.name}: {error.err or error}",
            "name another with --face-model FILE; --detector cascade needs no model, and finds fewer faces",
        ) from error
    finally:
        cv2.utils.logging.setLogLevel(level)
