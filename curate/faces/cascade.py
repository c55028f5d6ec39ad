"""Find the face of a portrait with scikit-image's frontal-face cascade: nothing to download, no network.

Local binary patterns after Ahonen, Hadid and Pietikäinen (2006), cascade after Viola and Jones (2001).
"""

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from curate.faces.face import Face

SEARCH_SIDE = 160
"""The picture is searched at this many pixels on its longer side."""

MARGIN = 0.25
"""Border repeated around the picture, as a share of its shorter side: finds faces that fill the frame."""

SMALLEST = 24
"""The window of the cascade, in pixels of the searched picture."""

FACES_FROM = (2 * SMALLEST, SMALLEST)
"""Small faces are looked for only where there is no large one: they take most of the time."""


def find(image: Image.Image) -> Sequence[Face]:
    """Return the largest frontal face of a picture, without points, or nothing.

    Misses real profiles and hats more often than faces made by AI: absence should not reject a picture.
    """
    scale = min(1.0, SEARCH_SIDE / max(image.size))
    small = image.convert("L").resize((max(1, round(image.width * scale)), max(1, round(image.height * scale))))
    margin = round(MARGIN * min(small.size))
    searched = np.pad(np.asarray(small), margin, mode="edge")
    hit = next(filter(None, (_largest(searched, smallest) for smallest in FACES_FROM)), None)
    if hit is None:
        return []
    edges = (hit["c"], hit["r"], hit["c"] + hit["width"], hit["r"] + hit["height"])
    limits = (image.width, image.height) * 2
    box = [min(max(0, round((edge - margin) / scale)), limit) for edge, limit in zip(edges, limits, strict=True)]
    return [Face(box=(box[0], box[1], box[2], box[3]))]


def _largest(searched: NDArray[np.uint8], smallest: int) -> dict[str, int] | None:
    if min(searched.shape) < smallest:
        return None
    hits = _cascade().detect_multi_scale(
        img=searched, scale_factor=1.2, step_ratio=1, min_size=(smallest, smallest), max_size=searched.shape
    )
    return max(hits, key=lambda hit: (hit["width"], -hit["r"], -hit["c"]), default=None)


@cache
def _cascade() -> Any:
    import skimage.data
    from skimage.feature import Cascade

    return Cascade(skimage.data.lbp_frontal_face_cascade_filename())
