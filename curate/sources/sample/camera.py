"""A model of a camera: lens, sensor and demosaicing, from a drawing to a photograph without any planted trace.

Noise and its correlations follow the usual model of a Bayer sensor with bilinear demosaicing. All of it is integer
arithmetic: equal on every processor.
"""

import numpy as np
from PIL import Image, ImageChops, ImageFilter

from curate.sources.sample.figure import portrait
from curate.sources.sample.person import Manner, Person
from curate.sources.sample.scene import scene

STRAY = 0.05
"""How far a picture's looks stray (standard deviation) from those of a photograph, which lie at 0."""


def photograph(person: Person, size: tuple[int, int]) -> Image.Image:
    """Return a sitter as a camera shows them: RGB, `size` pixels."""
    image = portrait(person, manner_of(person), scene(person, size))
    rng = person.rng("camera")
    scale = min(image.size) / 700
    image = image.filter(ImageFilter.GaussianBlur(scale * rng.uniform(0.5, 1.0)))
    image = ImageChops.multiply(image, _vignette(image.size, rng.uniform(0.05, 0.22)))
    cast, noise = rng.uniform(-0.05, 0.05, 2), rng.uniform(3.0, 9.0)
    image = image.point(curve(1 + cast[0]) + curve(1.0) + curve(1 + cast[1]))
    return _demosaic(_sensor(image, noise, rng))


def manner_of(person: Person) -> Manner:
    """Return how a camera renders a sitter: graded, so that some pictures are harder than others."""
    rng = person.rng("manner real")
    lean = _between(STRAY * _bell(rng))
    strays = [_between(lean + 0.10 * _bell(rng)) for _ in range(7)]
    crooked, folds, blemish = (1 - value for value in strays[:3])
    gloss, polish, tint, mismatch = strays[3:]
    return Manner(
        crooked=crooked, folds=folds, blemish=blemish, gloss=gloss, polish=polish, tint=tint, mismatch=mismatch
    )


def curve(gain: float) -> list[int]:
    """Return a tone curve of 256 levels: a gain, then a gentle S."""
    levels = (min(1.0, value * gain / 255) for value in range(256))
    return [round(255 * (0.75 * t + 0.25 * t * t * (3 - 2 * t))) for t in levels]


def grain(rng: np.random.Generator, shape: tuple[int, int], strength: int) -> np.ndarray:
    """Return int16 noise with a standard deviation of about `strength` grey levels."""
    raw = np.frombuffer(rng.bytes(shape[0] * shape[1] * 2), dtype=np.uint8).reshape(*shape, 2).astype(np.int16)
    return (raw[:, :, 0] + raw[:, :, 1] - 255) * strength // 104


def _bell(rng: np.random.Generator) -> float:
    """Return a number that is near enough normal (mean 0, deviation 1): the sum of twelve uniform numbers."""
    return sum(rng.random() for _ in range(12)) - 6.0


def _between(value: float) -> float:
    return min(1.0, max(0.0, value))


def _vignette(size: tuple[int, int], depth: float) -> Image.Image:
    """Return a picture to multiply with: white in the middle, darker by `depth` (0..1) in the corners."""
    cells = 32
    squares = [((2 * n + 1 - cells) / cells) ** 2 / 2 for n in range(cells)]
    levels = bytes(round(255 * (1 - depth * (x + y))) for y in squares for x in squares)
    fall = Image.frombytes("L", (cells, cells), levels).resize(size, Image.Resampling.BICUBIC)
    return Image.merge("RGB", (fall, fall, fall))


def _sensor(image: Image.Image, noise: float, rng: np.random.Generator) -> np.ndarray:
    """Return the raw mosaic (RGGB, int16, height × width) with noise that grows with the square root of the light."""
    pixels = np.asarray(image)
    mosaic = pixels[:, :, 1].astype(np.int16)
    mosaic[0::2, 0::2] = pixels[0::2, 0::2, 0]
    mosaic[1::2, 1::2] = pixels[1::2, 1::2, 2]
    gain = np.array(
        [round(noise * 256 * (0.35 + 0.65 * (level / 255) ** 0.5) / 104) for level in range(256)], dtype=np.int32
    )
    raw = grain(rng, mosaic.shape, 104)
    return np.clip(mosaic + (raw * gain[mosaic] >> 8), 0, 255).astype(np.int16)


def _demosaic(mosaic: np.ndarray) -> Image.Image:
    """Return the RGB picture of an RGGB mosaic by bilinear interpolation."""
    high, wide = mosaic.shape
    rows, columns = np.arange(high)[:, None] % 2, np.arange(wide)[None, :] % 2
    planes = (
        _spread(np.where((rows == 0) & (columns == 0), mosaic, 0), 4),
        _spread(np.where(rows != columns, mosaic, 0), 2),
        _spread(np.where((rows == 1) & (columns == 1), mosaic, 0), 4),
    )
    return Image.fromarray(np.clip(np.stack(planes, axis=2), 0, 255).astype(np.uint8))


def _spread(plane: np.ndarray, share: int) -> np.ndarray:
    """Fill the gaps of a sparse plane with the tent filter 1 2 1 × 1 2 1, scaled to one sample in `share`."""
    tall = np.pad(plane, 1, mode="reflect")
    tall = tall[:-2] + 2 * tall[1:-1] + tall[2:]
    return (tall[:, :-2] + 2 * tall[:, 1:-1] + tall[:, 2:] + 8 // share) * share // 16
