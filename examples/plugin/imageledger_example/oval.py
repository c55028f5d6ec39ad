"""A matting backend: an oval around the face, or in the middle of the picture. `curate whiten --matting oval`."""

import numpy as np
from PIL import Image, ImageDraw

from curate.matting.matte import Asked, Backend, Cutter, Matte
from curate.pictures.pixels import Box


def cut(image: Image.Image, face: Box | None) -> Matte:
    """Return an oval twice as large as the face; it knows nothing about hair and shoulders."""
    width, height = image.size
    left, top, right, bottom = face or (0.3 * width, 0.3 * height, 0.7 * width, 0.7 * height)
    across, down = (right - left) / 2, (bottom - top) / 2
    mask = Image.new("L", image.size)
    ImageDraw.Draw(mask).ellipse((left - across, top - down, right + across, bottom + down), fill=255)
    return Matte(alpha=np.array(mask))


def prepare(asked: Asked) -> Cutter:
    """Return the cutter; nothing is downloaded, and no model is used."""
    return Cutter(cut=cut)


BACKEND = Backend(name="oval", prepare=prepare)
