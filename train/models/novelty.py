"""Is a new picture like those that the model was trained on? A few nuisance numbers, and two simple rules.

Far: the Mahalanobis distance of NUMBERS of the picture as the network gets it is larger than that of 99 % of the
training pictures, each measured without itself. Upscaled: the original has less power above 0.7 of the Nyquist
frequency than any training picture's original. Both are hints: they know tone, sharpness, noise and where the face
lies, and nothing of who or what made a picture.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, Self

import numpy as np
from PIL import Image

from curate.faces.face import Face
from curate.nuisance import family
from curate.nuisance.seen import Seen
from imageledger.types import Floats

NUMBERS: Mapping[str, tuple[str, ...]] = {
    "tone": ("brightness", "contrast", "saturation", "cast_red", "cast_blue"),
    "resampling": ("above_7", "slope_middle", "noise_typical", "residual_h1"),
    "face_geometry": ("centre_x", "centre_y", "width", "symmetry"),
}
"""Family -> the numbers of it that are compared. A number that does not apply counts as the training median."""

FINE = "above_7"
"""Logarithm of the power above 0.7 of Nyquist, against that of the coarse part. Of 40 portraits of 1024 px enlarged by
1.25, 1.5 and 2, 97, 100 and 100 % lay below every native one, and 100 % after a JPEG of quality 90; of 300 px 85, 100,
100 and 82 %. Shrunk to 0.9, 10 % do, too."""

LEVEL = 0.99
FEWEST = 50
"""With fewer training pictures there is no 99th percentile to speak of, and no rule is made."""
MOST = 1000
"""More training pictures make the rules no better."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Familiar:
    """What the training pictures are like, as model.json holds it.

    `names` are the numbers compared, `median`, `mean` and `inverse` (of their covariance) those of `n` training
    pictures, `limit` the distance beyond which a picture is far; `fine` the least FINE of their originals, None where
    the originals could not be measured.
    """

    names: tuple[str, ...]
    median: tuple[float, ...]
    mean: tuple[float, ...]
    inverse: tuple[tuple[float, ...], ...]
    limit: float
    n: int
    fine: float | None = None

    def distance(self, numbers: Sequence[float]) -> float:
        """Return the Mahalanobis distance of one picture from the training pictures."""
        values = np.array(numbers, dtype=np.float64)
        away = np.where(np.isfinite(values), values, self.median) - np.array(self.mean)
        return math.sqrt(max(0.0, float(away @ np.array(self.inverse) @ away)))

    def plain(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return asdict(self)

    @classmethod
    def of_json(cls, values: Any) -> Self:
        """Make one of parsed JSON; ValueError or TypeError for anything that it cannot be."""
        known = {spec.name for spec in fields(cls)}
        if not isinstance(values, dict) or set(values) != known:
            raise ValueError(f"it must be an object with {', '.join(sorted(known))}, and nothing else")
        names = [f"{of}.{number}" for of, ones in NUMBERS.items() for number in ones]
        if values["names"] != names:
            raise ValueError("it compares other numbers than this version of imageledger")
        k = len(names)
        rows = [values["median"], values["mean"], *values["inverse"], [values["limit"]]]
        shapes = [len(row) if isinstance(row, list) else -1 for row in rows]
        if shapes != [k] * (k + 2) + [1] or not all(_number(value) for row in rows for value in row):
            raise ValueError(f"it must hold finite numbers, {k} in a row")
        if not (
            values["limit"] > 0 and type(values["n"]) is int and (values["fine"] is None or _number(values["fine"]))
        ):
            raise ValueError("limit must be positive, n a count, fine a number")
        inverse = tuple(tuple(map(float, row)) for row in values["inverse"])
        return cls(names=tuple(names), median=tuple(values["median"]), mean=tuple(values["mean"]), inverse=inverse,
                   limit=values["limit"], n=values["n"], fine=values["fine"])  # fmt: skip


def fit(table: Floats, originals: Sequence[float]) -> Familiar | None:
    """Describe training pictures by their numbers (one row each, in the order of NUMBERS); None for too few of them.

    The covariance is shrunk after Ledoit and Wolf (2004). `originals` are the FINE of their originals.
    """
    if len(table) < FEWEST:
        return None
    with np.errstate(all="ignore"):
        median = np.nan_to_num(np.array([np.median(column[np.isfinite(column)]) if np.isfinite(column).any() else 0.0
                                         for column in table.T]))  # fmt: skip
    whole = np.where(np.isfinite(table), table, median)
    rest = np.ones(len(whole), dtype=bool)
    distances = []
    for number, row in enumerate(whole):
        rest[number] = False
        mean, inverse = _described(whole[rest])
        distances.append(math.sqrt((row - mean) @ inverse @ (row - mean)))
        rest[number] = True
    mean, inverse = _described(whole)
    known = [value for value in originals if math.isfinite(value)]
    return Familiar(
        names=tuple(f"{of}.{number}" for of, ones in NUMBERS.items() for number in ones),
        median=tuple(median.tolist()),
        mean=tuple(mean.tolist()),
        inverse=tuple(tuple(row) for row in inverse.tolist()),
        limit=float(np.quantile(distances, LEVEL)),
        n=len(whole),
        fine=min(known) if known else None,
    )


def numbers_of(content: bytes, image: Image.Image, face: Face | None, looked: bool) -> list[float]:
    """Measure NUMBERS of a picture as the network gets it; `face` is its face, if somebody looked."""
    box, points = (face.box, face.points) if face else (None, None)
    seen = Seen(content=content, image=image, box=box if looked else "unknown", points=points)
    measured = {of: family(of).measure(seen) for of in NUMBERS}
    return [float(measured[of][number]) for of, ones in NUMBERS.items() for number in ones]


def fine_of(original: Image.Image) -> float:
    """Measure FINE of an original; NaN where it cannot be."""
    return float(family("resampling").measure(Seen(content=b"", image=original, box=None))[FINE])


def _described(rows: Floats) -> tuple[Floats, Floats]:
    from sklearn.covariance import ledoit_wolf

    spread = rows.std(axis=0)
    spread[spread < 1e-6] = 1.0  # a number that never varied has no scale of its own
    mean = rows.mean(axis=0)
    shrunk, _ = ledoit_wolf((rows - mean) / spread)
    return mean, np.linalg.inv(shrunk) / np.outer(spread, spread)


def _number(value: Any) -> bool:
    return type(value) in (int, float) and math.isfinite(value)
