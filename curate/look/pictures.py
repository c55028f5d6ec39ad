"""Open the pictures of a sheet: as they are now, before and after they were cut out, and copies beside the original."""

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from curate.history import made_by_normalize
from curate.look.figure import SIDE
from curate.matting import compositing
from curate.pictures.keypoints import print_of, reduced
from curate.pictures.placing import Placed, placed
from curate.pictures.shown import Shown, show_object
from imageledger.record import DUPLICATE, OK, Record
from imageledger.sheet import Frame
from imageledger.store import Store
from imageledger.types import Bools

TIMES = 3
"""The difference of two pictures is drawn so many times as strong: copies often differ by a few grey levels."""

OUTSIDE = 225
"""Grey level of what a copy does not show."""

PART, WHOLE = "near-duplicate: ", "near-duplicate: pHash"
"""How dedupe's reasons begin for a copy of a part, unless they go on as those for a copy of the whole."""

Grey = NDArray[np.int16]


def as_it_is(store: Store, record: Record) -> tuple[Frame, ...]:
    """Show a picture as the stage left it, or why it cannot be shown."""
    return (_frame(_opened(store, record.file or record.origin), ""),)


def before_and_after(store: Store, record: Record) -> tuple[Frame, ...]:
    """Show a picture as it was cut out from, and the person on white, also where the matte was refused."""
    before = _opened(store, made_by_normalize(record))
    if record.status == OK or before.image is None:
        after = _opened(store, record.file)
    else:
        after = _laid(before.image, _opened(store, record.matte))
    return _frame(before, "before"), _frame(after, "on white")


def side_by_side(store: Store, record: Record, kept: Record | None) -> tuple[Frame, ...]:
    """Show what was kept, the copy, and where they differ, as they were fetched; of two labels, both of them."""
    copy = _opened(store, record.origin or record.file)
    other = _opened(store, kept.origin or kept.file) if kept else Shown(missing="not in this manifest")
    part = record.reason.startswith(PART) and not record.reason.startswith(WHOLE)
    apart = where_they_differ(other, copy, part=part)
    names = ("kept", "copy") if record.status == DUPLICATE else (kept.label if kept else "", record.label)
    return _frame(other, names[0]), _frame(copy, names[1]), _frame(apart, f"difference × {TIMES}")


def where_they_differ(kept: Shown, copy: Shown, *, part: bool) -> Shown:
    """Draw where a copy differs from what was kept, or from a `part` of it, or say why that cannot be drawn."""
    if copy.image is None or kept.image is None:
        return Shown(missing="one of them is missing")
    drawn = difference(kept.image, copy.image, part=part)
    return Shown(image=drawn, missing="" if drawn else "the two cannot be laid on each other")


def difference(kept: Image.Image, copy: Image.Image, *, part: bool = False) -> Image.Image | None:
    """Lay a copy on what was kept and draw where they differ: white where they are equal, dark where they are not.

    The copy is mirrored where that fits better. As a `part` of the other, turned or cropped, it is moved to where
    keypoints find it, and what lies outside of it is grey; None where they do not find it.
    """
    still = _grey(kept)
    if part:
        found = _placed(copy, kept)
        if found is None:
            return None
        laid, seen = _moved(copy, kept, found)
    else:
        ways = [_grey(way.resize(kept.size, Image.Resampling.LANCZOS)) for way in (copy, ImageOps.mirror(copy))]
        laid, seen = min(ways, key=lambda way: float(np.abs(still - way).mean())), np.full(still.shape, True)
    apart = np.minimum(np.abs(still - laid) * TIMES, 255)
    return Image.fromarray(np.where(seen, 255 - apart, OUTSIDE).astype(np.uint8))


def _placed(copy: Image.Image, kept: Image.Image) -> Placed | None:
    one, other = print_of(copy), print_of(kept)
    found = [place for flag in (False, True) if (place := placed(one, other, mirrored=flag))]
    return max(found, key=lambda place: place.points, default=None)


def _moved(copy: Image.Image, kept: Image.Image, found: Placed) -> tuple[Grey, Bools]:
    """Move a copy to where it lies in what was kept; return its grey levels there, and where it lies."""
    grey, size = reduced(copy), reduced(kept).shape[::-1]
    parts = [cv2.warpAffine(part, found.matrix, size) for part in (grey, np.full_like(grey, 255))]
    flipped = [np.ascontiguousarray(part[:, ::-1]) if found.mirrored else part for part in parts]
    laid, seen = (_grey(Image.fromarray(part).resize(kept.size)) for part in flipped)
    return laid, seen > 127


def _grey(image: Image.Image) -> Grey:
    return np.asarray(image.convert("L"), dtype=np.int16)


def _laid(image: Image.Image, matte: Shown) -> Shown:
    if matte.image is None:
        return matte
    alpha = np.asarray(matte.image.convert("L").resize(image.size, Image.Resampling.BILINEAR))
    return Shown(image=compositing.white_composite(image, alpha, compositing.standard_edge(alpha)))


def _opened(store: Store, name: str) -> Shown:
    return show_object(store, name) if name else Shown(missing="never fetched")


def _frame(shown: Shown, caption: str) -> Frame:
    if shown.image is not None:
        shown.image.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)  # all of them are held until the sheet is drawn
    return Frame(picture=shown.image, caption=caption, missing=shown.missing)
