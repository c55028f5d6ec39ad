"""The rim of a cut-out: how the picture behaves within some pixels of the edge of the person. Pure functions."""

import itertools
from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from curate.nuisance.spelling import LOG
from imageledger.types import Floats32

Alpha = NDArray[np.uint8]
Pixels = NDArray[np.uint8]

REACH = 10
"""Distances from the edge that are looked at, in pixels, on both sides."""

DEEP = (12, 20)
"""Distances, inside, of what the rim is compared with."""

COARSER = 4
"""The colours inside are averaged on a grid this many times coarser."""

LEAST_TRUST = 0.05
"""Share of sure person that must be near a soft pixel for its colour to be compared."""

DARKER = 12
"""Grey levels by which a pixel of the rim must be darker than what lies behind it to count as dark."""

COLOURED = 25
"""Grey levels between the channels of a colour that can be seen to turn grey."""

OPACITIES = ((0.15, 0.4), (0.4, 0.6), (0.6, 0.85))
UNMIXED = [f"unmixed_{what}_{number}" for what in ("darker", "tinted") for number in range(len(OPACITIES))]
INSIDE = [f"inside_{distance:02d}" for distance in range(1, REACH + 1)]
OUTSIDE = [f"outside_{distance:02d}" for distance in range(1, REACH + 1)]
DARK = [f"dark_{distance:02d}" for distance in range(1, REACH + 1)]
MIXED = ["lag", "lag_heavy"]
RIM = [*MIXED, *INSIDE, *DARK, *OUTSIDE, "dip", "dip_at", "rim_tint", "rim_steepness", "grain_near", "grain_outside"]
DISTANCES = range(1, REACH + 1)
RIM_WORDS = {
    **{f"unmixed_darker_{n}": f"brightness of the person where the edge is {100 * low:.0f} to {100 * high:.0f} % "
       "opaque, less that inside (grey levels)" for n, (low, high) in enumerate(OPACITIES)},
    **{f"unmixed_tinted_{n}": f"tint of the edge where it is {100 * low:.0f} to {100 * high:.0f} % opaque (grey levels)"
       for n, (low, high) in enumerate(OPACITIES)},
    "lag": "how far the edge turns grey rather than pale (0: not at all)",
    "lag_heavy": "how far the greyest parts of the edge turn grey rather than pale",
    **{f"inside_{at:02d}": f"brightness {at} px inside the edge, less that further in (grey levels)"
       for at in DISTANCES},
    **{f"dark_{at:02d}": f"share of dark pixels {at} px inside the edge" for at in DISTANCES},
    **{f"outside_{at:02d}": f"brightness {at} px outside the edge, less white (grey levels)" for at in DISTANCES},
    "dip": "darkest line along the edge, less the brightness further in (grey levels)",
    "dip_at": "distance of the darkest line from the edge (px)",
    "rim_tint": "tint of the edge (grey levels)",
    "rim_steepness": "how fast the brightness changes at the edge (grey levels in 3 px)",
    "grain_near": f"fine detail beside the edge against that further in {LOG}",
    "grain_outside": f"remnants of detail on the white {LOG}",
}  # fmt: skip


def unmixed(pixels: Pixels, alpha: Alpha) -> dict[str, float]:
    """Ask what colour the person must have at the edge for a linear composite on white, and compare with the inside.

    `pixels` are height x width x 3, `alpha` height x width, both 0..255. A composite that multiplied by alpha twice
    is some 50 grey levels darker; one that kept the old background is tinted by it.
    """
    values = dict.fromkeys(UNMIXED, float("nan"))
    sure = (alpha == 255).astype(np.uint8)
    soft = (alpha > 0) & (alpha < 255)
    if not sure.any() or not soft.any():
        return values
    inside, trust = _inside(pixels, sure)
    rows, columns = np.nonzero(soft)
    near = trust[rows // COARSER, columns // COARSER]
    rows, columns = rows[near > LEAST_TRUST], columns[near > LEAST_TRUST]
    share = alpha[rows, columns].astype(np.float32)[:, None] / 255
    person = (pixels[rows, columns] - 255 * (1 - share)) / share
    apart = person - inside[rows // COARSER, columns // COARSER]
    for number, (low, high) in enumerate(OPACITIES):
        chosen = (share[:, 0] >= low) & (share[:, 0] < high)
        if chosen.sum() < 12:
            continue
        away = apart[chosen]
        luma = away @ np.array([0.299, 0.587, 0.114], dtype=np.float32)
        values[f"unmixed_darker_{number}"] = float(np.median(luma))
        values[f"unmixed_tinted_{number}"] = float(np.median(np.abs(away - luma[:, None]).mean(axis=1)))
    return values


def _inside(pixels: Pixels, sure: Alpha, least: int = 4) -> tuple[Floats32, Floats32]:
    """Carry the colours of the sure person outwards, on a grid of COARSER pixels; and how much of it was near.

    They are carried over 2 % of the picture, `least` pixels at least.
    """
    size = (-(-sure.shape[1] // COARSER), -(-sure.shape[0] // COARSER))
    bare = cv2.bitwise_and(pixels, pixels, mask=sure)
    known = cv2.resize(bare, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    weight = cv2.resize(255 * sure, size, interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    reach = 2 * max(-(-least // COARSER), round(0.02 * max(size))) + 1
    trust: Floats32 = cv2.blur(weight, (reach, reach)).astype(np.float32, copy=False)
    inside: Floats32 = (cv2.blur(known, (reach, reach)) / np.maximum(trust, 1e-3)[..., None]).astype(np.float32)
    return inside, trust


def rim(pixels: Pixels, person: Alpha) -> dict[str, float]:
    """Follow the picture from outside to inside across the edge of a silhouette (1 inside, 0 outside).

    Inside, every pixel is compared with what lies at DEEP from the edge near it: medians of luma, and the share that
    is darker than that by DARKER. Outside, means of luma less 255.
    """
    values = dict.fromkeys(RIM, float("nan"))
    luma = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY).astype(np.float32)
    within: Floats32 = cv2.distanceTransform(person, cv2.DIST_L2, 3).astype(np.float32, copy=False)
    beyond: Floats32 = cv2.distanceTransform(1 - person, cv2.DIST_L2, 3).astype(np.float32, copy=False)
    values |= _grain(luma, within, beyond)
    out = (beyond > 0) & (beyond < REACH + 0.5)
    if out.any():
        values |= dict(zip(OUTSIDE, (_profile(luma[out], beyond[out], np.mean) - 255).tolist(), strict=True))
    deep = cv2.inRange(within, (float(DEEP[0]),), (float(DEEP[1]),)) // 255
    inside, trust = _inside(pixels, deep.astype(np.uint8), 2 * DEEP[1])
    rows, columns = np.nonzero((within > 0) & (within < REACH + 0.5))
    known = trust[rows // COARSER, columns // COARSER] > LEAST_TRUST
    rows, columns = rows[known], columns[known]
    if len(rows) < 32:
        return values
    here, behind = pixels[rows, columns].astype(np.float32), inside[rows // COARSER, columns // COARSER]
    return values | _away(here - behind, within[rows, columns]) | _mixed(here, behind)


def _away(away: Floats32, distance: Floats32) -> dict[str, float]:
    luma = away @ np.array([0.299, 0.587, 0.114], dtype=np.float32)
    profile, dark = (
        _profile(luma, distance, np.median),
        _profile((luma < -DARKER).astype(np.float32), distance, np.mean),
    )
    tint = np.abs(away - luma[:, None]).mean(axis=1)
    values = dict(zip([*INSIDE, *DARK], [*profile.tolist(), *dark.tolist()], strict=True))
    values |= {"rim_tint": float(np.median(tint[distance < 3.5])), "rim_steepness": float(profile[0] - profile[3])}
    if np.isfinite(profile).all():
        values |= {"dip": float(profile.min()), "dip_at": float(profile.argmin() + 1)}
    return values


def _mixed(here: Floats32, behind: Floats32) -> dict[str, float]:
    """Compare how far the channels have moved from the colour inside towards white; a linear composite moves alike.

    Where colours were multiplied by alpha twice, the brightest channel lags behind: the edge is grey, not pale.
    """
    rows, lowest, highest = np.arange(len(here)), behind.argmin(axis=1), behind.argmax(axis=1)
    low, high = (
        (255 - here[rows, channel]) / np.maximum(255 - behind[rows, channel], 8) for channel in (lowest, highest)
    )
    coloured = behind[rows, highest] - behind[rows, lowest] > COLOURED
    chosen = coloured & (low > 0.1) & (low < 0.85)
    if chosen.sum() < 12:
        return {}
    lag = (high - low)[chosen]
    return dict(zip(MIXED, (float(np.median(lag)), float(np.percentile(lag, 80))), strict=True))


def _profile(values: Floats32, distance: Floats32, middle: Callable[[Floats32], np.floating]) -> NDArray[np.float64]:
    at = np.rint(distance).astype(np.uint8)
    order = np.argsort(at, kind="stable")
    edges = np.searchsorted(at[order], np.arange(1, REACH + 2))
    parts = (values[order[low:high]] for low, high in itertools.pairwise(edges))
    return np.array([middle(part) if len(part) else np.nan for part in parts])


def _grain(luma: Floats32, within: Floats32, beyond: Floats32) -> dict[str, float]:
    """Compare fine detail beside the edge with that deep inside, and look for remnants on the white."""
    fine = np.abs(cv2.Laplacian(luma, cv2.CV_32F, ksize=1))
    near, deep = fine[(within > 3) & (within < 8)], fine[within >= DEEP[0]]
    outside = fine[(beyond > 4) & (beyond < 16)]
    values = {}
    if len(near) and len(deep):
        values["grain_near"] = float(np.log((near.mean() + 0.5) / (deep.mean() + 0.5)))
    if len(outside):
        values["grain_outside"] = float(np.log(outside.mean() + 0.1))
    return values
