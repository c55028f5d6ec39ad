"""Skin of the face: a tone estimate by ITA and a smoothness estimate. Described, never probed (see `ASIDE`).

The individual typology angle (Chardon, Cretois and Hourseau 1991) is the angle of lightness L* - 50 over yellowness b*
(CIELAB, D65), in degrees: above 55 very light, 41 to 55 light, 28 to 41 intermediate, 10 to 28 tan, -30 to 10 brown,
below dark. It was made for a colorimeter on skin. In a photograph it also measures the light, the exposure, the white
balance and the make-up, so that it says how a face was pictured and nothing about a person; grey pictures have none.

Smoothness is how little fine detail skin has: fine over coarse contrast of lightness, in pixels of a face of FACE px.
Retouching removes just that (Kee and Farid 2011 measure it against the original, which nobody has here), but soft
focus, strong compression, a generator and young skin look the same. An estimate, to sort pictures by.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from curate.nuisance.seen import Family, Seen
from curate.nuisance.spelling import LOG
from curate.pictures.pixels import Box
from curate.pictures.regions import inner_square

FACE = 160
"""Side of the inner face at which skin is looked at; smaller faces are looked at as they are."""
SMALLEST = 32
FINE, COARSE = 1.0, 6.0
"""Spreads, in pixels, of the Gaussians between which contrast counts as fine detail, and as the shape of the face."""
COLOURLESS = 2.5
"""A face of less chroma (CIELAB) than this is grey: it has no skin tone."""
TONES = (0.35, 0.9)
"""Skin is the part of the face between these quantiles of lightness: below are eyes, brows, lips and beards, above
are highlights."""


def measure(seen: Seen) -> dict[str, float]:
    """Measure the tone (ITA, degrees) and the smoothness (larger is smoother) of the inner face; NaN without a face."""
    values = {"ita": float("nan"), "smoothness": float("nan")}
    if seen.face is None:
        return values
    lab = _lab(seen, seen.face.box)
    if lab is None:
        return values
    light = lab[..., 0]
    low, high = np.quantile(light, TONES)
    skin = (light >= low) & (light <= high)
    tone = np.median(lab[skin], axis=0)
    if float(np.hypot(tone[1], tone[2])) >= COLOURLESS:
        values["ita"] = float(np.degrees(np.arctan2(tone[0] - 50, tone[2])))
    fine = light - cv2.GaussianBlur(light, (0, 0), FINE)
    coarse = cv2.GaussianBlur(light, (0, 0), FINE) - cv2.GaussianBlur(light, (0, 0), COARSE)
    values["smoothness"] = float(np.log((_spread(coarse[skin]) + 0.1) / (_spread(fine[skin]) + 0.02)))
    return values


def _lab(seen: Seen, face: Box) -> NDArray[np.float32] | None:
    """Return the inner face as CIELAB, height x width x 3, at most FACE px; None when it is too small."""
    crop = inner_square(face, seen.image.size)
    side = crop[2] - crop[0]
    if side < SMALLEST:
        return None
    part = np.asarray(seen.image.crop(crop), dtype=np.float32) / 255
    size = (min(side, FACE), min(side, FACE))
    return np.asarray(cv2.cvtColor(cv2.resize(part, size, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2LAB))


def _spread(values: NDArray[np.float32]) -> float:
    """Return a standard deviation that a few edges do not decide: from the median absolute deviation."""
    return float(1.4826 * np.median(np.abs(values - np.median(values))))


WORDS = {
    "ita": "skin tone, ITA (degrees; above 41 light, below 10 dark)",
    "smoothness": f"smoothness of the skin {LOG}",
}

FAMILY = Family(
    name="skin",
    version=1,
    measure=measure,
    words=WORDS,
    goes_by_face=True,
    advice="Add pictures of the skin tones and of the retouching that the model fails on, to both classes alike.",
)
