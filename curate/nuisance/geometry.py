"""Size and shape of the picture as the file has it, turned upright.

Generators draw squares whose sides are multiples of 64 or powers of two, cameras do not (Grommelt et al. 2024, "Fake
or JPEG? Revealing common biases in generated image detection datasets"). What is left of a former size in resized
pixels belongs to the family `resampling`.
"""

import math

from curate.nuisance.seen import Family, Seen
from curate.nuisance.spelling import PIXELS, POWER, YES

MULTIPLES = (8, 64, 128)


def measure(seen: Seen) -> dict[str, float]:
    """Return sides, area and aspect as logarithms to base 2, and what is special about the numbers as 0 or 1."""
    width, height = seen.image.size
    shorter, longer = sorted((width, height))
    values = {
        "width": math.log2(width),
        "height": math.log2(height),
        "longer side": math.log2(longer),
        "shorter side": math.log2(shorter),
        "area": math.log2(width * height),
        "aspect": math.log2(width / height),
        "elongation": math.log2(longer / shorter),
        "square": float(width == height),
        "powers of two": float(all(side & (side - 1) == 0 for side in (width, height))),
    }
    return values | {f"multiples of {of}": float(width % of == 0 and height % of == 0) for of in MULTIPLES}


WORDS = {
    "width": f"width {PIXELS}",
    "height": f"height {PIXELS}",
    "longer side": f"longer side {PIXELS}",
    "shorter side": f"shorter side {PIXELS}",
    "area": f"number of pixels {POWER}",
    "aspect": f"width over height {POWER}, 0 for a square",
    "elongation": f"longer over shorter side {POWER}, 0 for a square",
    "square": f"whether it is a square {YES}",
    "powers of two": f"whether both sides are powers of two {YES}",
    **{f"multiples of {of}": f"whether both sides are multiples of {of} px {YES}" for of in MULTIPLES},
}

FAMILY = Family(
    name="geometry",
    version=1,
    speaks_for_file=True,
    measure=measure,
    words=WORDS,
    removed_by=("normalize",),
    advice="`curate normalize` crops every picture to a square and shrinks it to one size; it never enlarges.",
    of="file",
)
