"""Border and background: corners, exact white, letterboxes and border lines, and small print along the edges.

A watermark is a region that is the same in most pictures of one class: every strip along the border is compared
with the strips just inside it, so that small strokes in a quiet neighbourhood stand out. The features of the corners
are those that Torralba and Efros (2011) and every background shortcut since would look at: level, spread, colour.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from curate.nuisance.seen import Family, Seen
from curate.nuisance.spelling import LOG

Grey = NDArray[np.uint8]

LARGEST = 1024
"""Longer side at which the whole picture is looked at; larger ones are shrunk by a whole number first."""

DEPTH = 1 / 40
"""Depth of a strip along the border, as a share of the shorter side: a line of small print."""

CELLS = 8
"""Cells along each border."""

CORNER = 1 / 12
"""Side of a corner patch, as a share of the shorter side."""

LINES = 1 / 4
"""How far in constant rows are counted, and how far the rows that are compared for a border line reach."""

STILL = 1.5
"""A row whose grey levels spread less than this is of one colour."""

SIDES = ("top", "bottom", "left", "right")
CORNERS = ("top_left", "top_right", "bottom_left", "bottom_right")
PATCH = ("mean", "std", "saturation", "white", "near_white")
EDGE = ("white", "near_white", "mean", "still_lines", "line_std", "jump")
STRIP = ("std", "strokes", "stands_out", "stands_out_inside")


def measure(seen: Seen) -> dict[str, float]:
    """Measure the border of the whole picture, at most LARGEST pixels a side."""
    times = -(-max(seen.image.size) // LARGEST)
    pixels = np.asarray(seen.image if times == 1 else seen.image.reduce(times))
    low = np.minimum(np.minimum(pixels[..., 0], pixels[..., 1]), pixels[..., 2])
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY).astype(np.uint8, copy=False)
    values = {"white": float((low == 255).mean()), "near_white": float((low >= 250).mean())}
    values |= _corners(pixels, low, grey) | _frame(low, grey)
    sides = {"top": (grey, low), "bottom": (grey[::-1], low[::-1])}
    sides |= {"left": (grey.T, low.T), "right": (grey.T[::-1], low.T[::-1])}
    for side, (turned, lowest) in sides.items():
        measured = _edge(turned, lowest) | _strips(turned)
        values |= {f"{side}_{what}": value for what, value in measured.items()}
    for what in ("near_white", "mean"):
        values[f"{what}_top_less_bottom"] = values[f"top_{what}"] - values[f"bottom_{what}"]
        values[f"{what}_left_less_right"] = values[f"left_{what}"] - values[f"right_{what}"]
    return values


def _corners(pixels: Grey, low: Grey, grey: Grey) -> dict[str, float]:
    side = max(1, round(CORNER * min(grey.shape)))
    first, last = slice(None, side), slice(-side, None)
    places = ((first, first), (first, last), (last, first), (last, last))
    values: dict[str, float] = {}
    levels = []
    for corner, place in zip(CORNERS, places, strict=True):
        patch, lowest = grey[place], low[place]
        high = pixels[place].max(axis=2).astype(np.float32)
        levels.append(float(patch.mean()))
        numbers = (
            *(levels[-1], float(patch.std()), float(((high - lowest) / np.maximum(high, 1)).mean())),
            *(float((lowest == 255).mean()), float((lowest >= 250).mean())),
        )
        values |= {f"{corner}_{what}": number for what, number in zip(PATCH, numbers, strict=True)}
    return values | {"corners_differ": float(np.std(levels))}


def _frame(low: Grey, grey: Grey) -> dict[str, float]:
    """Look at the outermost pixels alone: their level, how many of them share one, and how white they are."""
    outer = np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])
    lowest = np.concatenate([low[0], low[-1], low[:, 0], low[:, -1]])
    counts = np.bincount(outer, minlength=256)
    return {
        "frame_mean": float(outer.mean()),
        "frame_std": float(outer.std()),
        "frame_white": float((lowest == 255).mean()),
        "frame_near_white": float((lowest >= 250).mean()),
        "frame_commonest": float(counts.argmax()),
        "frame_commonest_share": float(counts.max() / len(outer)),
    }


def _edge(grey: Grey, low: Grey) -> dict[str, float]:
    """Look at the rows nearest to an edge; `grey` is turned so that the edge is its first row.

    `jump` is how much more the level changes at one of the first rows than rows usually change: a border line.
    """
    rows = max(1, round(grey.shape[0] * DEPTH))
    near = grey[: max(2, round(grey.shape[0] * LINES))].astype(np.float32)
    spread, levels = near.std(axis=1), near.mean(axis=1)
    still = spread < STILL
    steps = np.abs(np.diff(near, axis=0)).mean(axis=1)
    outer = min(len(steps), rows)
    usual = float(np.median(steps)) if len(steps) else 0.0
    numbers = (
        float((low[:rows] == 255).mean()),
        float((low[:rows] >= 250).mean()),
        float(levels[:rows].mean()),
        float(len(still) if still.all() else still.argmin()) / grey.shape[0],
        float(spread[0]),
        float(np.log((steps[:outer].max() + 1) / (usual + 1))) if outer else float("nan"),
    )
    return dict(zip(EDGE, numbers, strict=True))


def _strips(grey: Grey) -> dict[str, float]:
    """Compare the cells of the two outermost strips with those inside; strokes are logarithms of fine detail."""
    depth = max(2, round(DEPTH * min(grey.shape)))
    values = {f"{cell}_{what}": float("nan") for cell in range(CELLS) for what in STRIP}
    if grey.shape[0] < 4 * depth or grey.shape[1] < 4 * CELLS:
        return values
    part = np.ascontiguousarray(grey[: 4 * depth]).astype(np.float32)
    fine = np.abs(cv2.Laplacian(part, cv2.CV_32F, ksize=1))
    edges = np.linspace(0, part.shape[1], CELLS + 1).round().astype(int)
    for cell in range(CELLS):
        across = slice(edges[cell], edges[cell + 1])
        strokes = [np.log(fine[ring * depth : (ring + 1) * depth, across].mean() + 0.5) for ring in range(4)]
        inside = float(np.mean(strokes[2:]))
        values[f"{cell}_std"] = float(part[:depth, across].std())
        values[f"{cell}_strokes"] = float(strokes[0])
        values[f"{cell}_stands_out"] = float(strokes[0]) - inside
        values[f"{cell}_stands_out_inside"] = float(strokes[1]) - inside
    return values


PLACED = {
    "mean": "brightness of {} (0 to 255)",
    "std": "spread of the brightness of {} (grey levels)",
    "saturation": "saturation of {} (0 to 1)",
    "white": "share of pure white in {}",
    "near_white": "share of almost white in {}",
    "still_lines": "share of the picture that plain lines take up at {}",
    "line_std": "spread of the brightness along {} (grey levels)",
    "jump": f"how far a line stands out at {{}} {LOG}",
    "strokes": f"fine strokes at {{}} {LOG}",
    "stands_out": f"how far small print stands out at {{}} {LOG}",
    "stands_out_inside": f"how far small print stands out just inside {{}} {LOG}",
}
WORDS = {
    "white": "share of pure white pixels",
    "near_white": "share of almost white pixels",
    **{f"{at}_{what}": PLACED[what].format(f"the {at.replace('_', ' ')} corner") for at in CORNERS for what in PATCH},
    "corners_differ": "how much the four corners differ in brightness (grey levels)",
    **{f"frame_{what}": PLACED[what].format("the outermost pixels") for what in ("mean", "std", "white", "near_white")},
    "frame_commonest": "commonest brightness of the outermost pixels (0 to 255)",
    "frame_commonest_share": "share of the outermost pixels that are of one brightness",
    **{f"{side}_{what}": PLACED[what].format(f"the {side} edge") for side in SIDES for what in EDGE},
    **{f"{side}_{cell}_{what}": PLACED[what].format(f"the {side} edge, part {cell + 1} of {CELLS}")
       for side in SIDES for cell in range(CELLS) for what in STRIP},
    **{f"{what}_{one}_less_{other}": f"{words} the {one} edge less that of the {other} edge"
       for what, words in (("near_white", "share of almost white in"), ("mean", "brightness of"))
       for one, other in (("top", "bottom"), ("left", "right"))},
}  # fmt: skip

FAMILY = Family(
    name="border",
    version=1,
    measure=measure,
    words=WORDS,
    removed_by=("forensic", "whiten", "match", "face"),
    advice="Crop both classes around the face, so that borders and small print stay outside (curate normalize "
    "--recipe forensic), and give both the same background (curate whiten, or --region face).",
)
