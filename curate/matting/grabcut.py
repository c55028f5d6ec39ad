"""GrabCut: a cut-out from the face box alone, with no model and no download."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from curate.matting.matte import Asked, Backend, Cutter, Matte
from curate.pictures.pixels import Box

GRABCUT_SIDE = 192
GRABCUT_ROUNDS = 2


def grabcut(image: Image.Image, face: Box | None) -> Matte:
    """Cut out with GrabCut, the face box (or the middle of the picture) saying where the person stands.

    Rother, Kolmogorov and Blake (2004). "GrabCut": interactive foreground extraction using iterated graph cuts.
    """
    import cv2

    scale = GRABCUT_SIDE / max(image.size)
    small = image.resize((round(image.width * scale), round(image.height * scale)), Image.Resampling.BOX)
    guess = _person_prior(small.size, tuple(scale * edge for edge in face) if face else None)
    begun = (guess == cv2.GC_FGD) | (guess == cv2.GC_PR_FGD)
    models = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.setRNGSeed(0)
    cv2.setNumThreads(1)
    cv2.grabCut(np.asarray(small), guess, (0, 0, 1, 1), *models, GRABCUT_ROUNDS, cv2.GC_INIT_WITH_MASK)
    kept = (guess == cv2.GC_FGD) | (guess == cv2.GC_PR_FGD)
    overlap = float((kept & begun).sum() / (kept | begun).sum())
    person = np.where(kept, 255, 0).astype(np.uint8)
    soft = cv2.resize(cv2.medianBlur(person, 5), image.size, interpolation=cv2.INTER_CUBIC)
    alpha = np.asarray(cv2.GaussianBlur(soft, (0, 0), 0.75 / scale), dtype=np.uint8)
    return Matte(alpha=alpha, begun_with=overlap)


def _person_prior(size: tuple[int, int], face: tuple[float, ...] | None) -> NDArray[np.uint8]:
    """Paint what is surely or probably background (0, 2) and person (1, 3) around a face box."""
    import cv2

    width, height = size
    left, top, right, bottom = face or (0.34 * width, 0.28 * height, 0.66 * width, 0.6 * height)
    x, y, w, h = (left + right) / 2, (top + bottom) / 2, right - left, bottom - top
    guess = np.full((height, width), cv2.GC_PR_BGD, np.uint8)
    _ellipse(guess, (x, y - 0.1 * h), (0.75 * w, 0.95 * h), cv2.GC_PR_FGD)
    shoulders = [(x - 0.45 * w, bottom), (x + 0.45 * w, bottom), (x + 1.5 * w, height), (x - 1.5 * w, height)]
    cv2.fillPoly(guess, [np.rint(shoulders).astype(np.int32)], cv2.GC_PR_FGD)
    edge = max(2, round(0.02 * width))
    for side in (guess[:, :edge], guess[:, -edge:]):
        side[: round(min(height, bottom))] = cv2.GC_BGD
    guess[: max(1, round(min(edge, top))), :] = cv2.GC_BGD
    _ellipse(guess, (x, y - 0.15 * h), (0.36 * w, 0.6 * h), cv2.GC_FGD)  # with the hair above the forehead
    neck = [(x - 0.2 * w, y), (x + 0.2 * w, y), (x + 0.3 * w, height), (x - 0.3 * w, height)]
    cv2.fillPoly(guess, [np.rint(neck).astype(np.int32)], cv2.GC_FGD)
    return guess


def _ellipse(mask: NDArray[np.uint8], centre: tuple[float, float], axes: tuple[float, float], value: int) -> None:
    import cv2

    at, reach = tuple(round(c) for c in centre), tuple(max(1, round(a)) for a in axes)
    cv2.ellipse(mask, at, reach, 0, 0, 360, value, -1)


def prepare(asked: Asked) -> Cutter:
    """Nothing has to be prepared, and no model is used."""
    return Cutter(cut=grabcut)


BACKEND = Backend(name="grabcut", prepare=prepare)
