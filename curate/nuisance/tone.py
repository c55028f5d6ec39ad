"""Tone and colour: brightness, contrast, saturation, hue, cast, greyness, and what an edit left in the histogram.

Colourfulness after Hasler and Suesstrunk (2003). A contrast or brightness edit leaves peaks and gaps in a histogram,
which smooth ones do not have (Stamm and Liu 2010). A flat white background is left out.
"""

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import median_filter

from curate.nuisance.backdrop import white_backdrop
from curate.nuisance.seen import Family, Seen
from curate.nuisance.spelling import YES

PERCENTILES = (1, 5, 25, 50, 75, 95, 99)
LUMA = np.array([0.299, 0.587, 0.114], dtype=np.float32)

COLOURLESS = 4
"""A pixel whose channels differ by no more than this has no colour: JPEG noise in a grey picture stays below."""

GREY_PICTURE = 0.98
"""Share of colourless pixels from which a picture counts as grey."""

LEAST_COUNT = 40
"""Pixels a level must usually have for a gap to be no accident."""

FAR = 1.8
"""How many times rarer or more frequent than its neighbours a level must be to count as a gap or a peak."""

TONE = ["brightness", "contrast", "skew", *(f"luma_{rank}" for rank in PERCENTILES), "dark_share", "bright_share"]
COLOUR = [
    *("red", "green", "blue", "cast_red", "cast_blue", "spread_red", "spread_blue", "colourfulness"),
    *("saturation", "saturation_spread", "saturation_90", "hue_sin", "hue_cos", "hue_together"),
    *("colourless", "grey_picture", "clipped_low", "clipped_high"),
]
HISTOGRAM = ["levels", "gaps", "peaks"]


def measure(seen: Seen) -> dict[str, float]:
    """Measure tone and colour of the small version, and the comb of the histogram at full resolution."""
    white = white_backdrop(seen.small)
    pixels = seen.small.reshape(-1, 3) if white is None else seen.small[~white]
    values = dict.fromkeys([*TONE, *COLOUR, *HISTOGRAM], float("nan"))
    if len(pixels):
        colours = pixels.astype(np.float32)
        values |= _tone(colours @ LUMA) | _colour(colours)
    return values | _histogram(seen.pixels)


def _tone(luma: NDArray[np.float32]) -> dict[str, float]:
    mean, spread = float(luma.mean()), float(luma.std())
    skew = float(((luma - mean) ** 3).mean()) / (spread**3 + 1.0)
    shares = {"dark_share": float((luma < 32).mean()), "bright_share": float((luma > 224).mean())}
    levels = np.percentile(luma, PERCENTILES).tolist()
    named = {f"luma_{rank}": float(level) for rank, level in zip(PERCENTILES, levels, strict=True)}
    return {"brightness": mean, "contrast": spread, "skew": skew} | named | shares


def _colour(colours: NDArray[np.float32]) -> dict[str, float]:
    high, low = (of(of(colours[:, 0], colours[:, 1]), colours[:, 2]) for of in (np.maximum, np.minimum))
    chroma = high - low
    saturation = chroma / np.maximum(high, 1)
    red, green, blue = (float(mean) for mean in colours.mean(axis=0))
    first = colours[:, 0] - colours[:, 1]
    second = (colours[:, 0] + colours[:, 1]) / 2 - colours[:, 2]
    angle = np.arctan2(np.sqrt(3) * (colours[:, 1] - colours[:, 2]), 2 * colours[:, 0] - colours[:, 1] - colours[:, 2])
    weight = float(chroma.sum()) + 1.0
    sine, cosine = float((np.sin(angle) * chroma).sum()) / weight, float((np.cos(angle) * chroma).sum()) / weight
    colourless = float((chroma <= COLOURLESS).mean())
    spread = np.hypot(float(first.std()), float(second.std()))
    return {
        "red": red,
        "green": green,
        "blue": blue,
        "cast_red": red - green,
        "cast_blue": blue - green,
        "spread_red": float(first.std()),
        "spread_blue": float(second.std()),
        "colourfulness": float(spread + 0.3 * np.hypot(float(first.mean()), float(second.mean()))),
        "saturation": float(saturation.mean()),
        "saturation_spread": float(saturation.std()),
        "saturation_90": float(np.percentile(saturation, 90)),
        "hue_sin": sine,
        "hue_cos": cosine,
        "hue_together": float(np.hypot(sine, cosine)),
        "colourless": colourless,
        "grey_picture": float(colourless >= GREY_PICTURE),
        "clipped_low": float((low <= 1).mean()),
        "clipped_high": float((high >= 254).mean()),
    }


def _histogram(pixels: NDArray[np.uint8]) -> dict[str, float]:
    """Return the share of levels that are far rarer or far more frequent than those beside them, and of used ones."""
    counts = np.stack([cv2.calcHist([pixels], [channel], None, [256], [0, 256]).ravel() for channel in range(3)])
    inner = counts[:, 2:254].astype(np.float64)
    usual = median_filter(inner, size=(1, 5))
    judged = usual >= LEAST_COUNT
    values = {"levels": float((counts > 0).mean()), "gaps": float("nan"), "peaks": float("nan")}
    if judged.any():
        values["gaps"] = float((inner < usual / FAR)[judged].mean())
        values["peaks"] = float((inner > usual * FAR)[judged].mean())
    return values


WORDS = {
    "brightness": "mean brightness (0 to 255)",
    "contrast": "contrast: spread of brightness (0 to 128)",
    "skew": "lean of the brightness (below 0: mostly bright, above 0: mostly dark)",
    **{f"luma_{rank}": f"brightness that {rank} % of the pixels stay below (0 to 255)" for rank in PERCENTILES},
    "dark_share": "share of very dark pixels",
    "bright_share": "share of very bright pixels",
    **{name: f"mean {name} (0 to 255)" for name in ("red", "green", "blue")},
    "cast_red": "red cast: mean red less green (levels of 255)",
    "cast_blue": "blue cast: mean blue less green (levels of 255)",
    "spread_red": "spread between red and green (levels of 255)",
    "spread_blue": "spread between yellow and blue (levels of 255)",
    "colourfulness": "colourfulness (0 grey, above 60 colourful)",
    "saturation": "mean saturation (0 to 1)",
    "saturation_spread": "spread of the saturation (0 to 0.5)",
    "saturation_90": "saturation that nine pixels in ten stay below (0 to 1)",
    "hue_sin": "mean hue, yellow-green (above 0) against blue-violet (below 0)",
    "hue_cos": "mean hue, red (above 0) against cyan (below 0)",
    "hue_together": "how much all colours are of one hue (0 to 1)",
    "colourless": "share of pixels without colour",
    "grey_picture": f"whether the picture is grey {YES}",
    "clipped_low": "share of pixels with a channel at black",
    "clipped_high": "share of pixels with a channel at white",
    "levels": "share of the 256 levels that occur",
    "gaps": "share of levels that are missing between others, as after an edit",
    "peaks": "share of levels that stick out between others, as after an edit",
}

FAMILY = Family(
    name="tone",
    version=1,
    measure=measure,
    words=WORDS,
    removed_by=("match",),
    advice="Choose pictures that agree in brightness and colour (curate manifest --match tone) and leave grey "
    "pictures out of both classes; never correct one class alone.",
)
