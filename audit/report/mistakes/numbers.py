"""The numbers of a mistaken picture that lie far from those of its class, in words."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from audit.report.mistakes.causes import ENOUGH, Usual
from audit.report.mistakes.facts import usual_of
from audit.report.mistakes.section import Number
from curate.evidence.measure import FETCHED, FINAL, measured_before
from curate.nuisance import family
from imageledger.config import Project
from imageledger.types import Floats
from train.answers import Answers

SHOWN, LEAST = 5, 1.0
"""So many numbers are shown, the farthest first, none within one spread of the median."""

FAR = 20.0
"""Spreads beyond which a number is only said to be far: a spread near 0 divides anything."""

COMPARED: dict[str, dict[str, tuple[str, ...]]] = {
    FINAL: {
        "tone": ("brightness", "contrast", "saturation", "cast_red", "cast_blue", "colourless"),
        "resampling": ("above_7", "noise_typical"),
        "face_geometry": ("centre_x", "centre_y", "width"),
        "matte": ("coverage", "roughness"),
        "head": ("kept", "dent", "scale"),
    },
    FETCHED: {
        "container": ("bits per pixel", "quality"),
        "geometry": ("megapixels", "shorter", "aspect"),
        "tone": ("brightness", "contrast"),
        "fineness": ("edges", "texture", "side"),
    },
}
"""The numbers that are compared, by stage and family: those that a person can see in a picture or read of a file."""


@dataclass(frozen=True, slots=True)
class Beside:
    """The numbers of all pictures beside those of their classes."""

    words: Sequence[str]
    values: Floats
    usual: tuple[Sequence[Usual | None], Sequence[Usual | None]]
    positive: Sequence[bool]

    def of(self, row: int) -> Sequence[Number]:
        """Return the numbers of a picture that lie farthest from the median of its class."""
        found = []
        for words, value, usual in zip(self.words, self.values[row], self.usual[self.positive[row]], strict=True):
            if usual is None or usual.count < ENOUGH or usual.spread <= 0:
                continue
            away = usual.away(float(value))
            if abs(away) >= LEAST:
                found.append(Number(words=words, value=float(value), median=usual.median,
                                    away=max(-FAR, min(FAR, away))))  # fmt: skip
        return sorted(found, key=lambda one: -abs(one.away))[:SHOWN]


def beside(project: Project, answers: Answers) -> Beside:
    """Read the numbers that were measured before; pictures without a record have none."""
    rows = [row for row, record in enumerate(answers.records) if record]
    records = [record for record in answers.records if record]
    words, columns = [], []
    for stage, families in COMPARED.items():
        table, _ = measured_before(project, records, list(families), stage=stage)
        for name, wanted in families.items():
            for column in (one for one in wanted if one in table.columns[name]):
                where = "the original: " if stage == FETCHED else ""
                words.append(where + family(name).feature_in_words(column))
                values = np.full(len(answers.records), np.nan)
                values[rows] = table.values[name][:, list(table.columns[name]).index(column)]
                columns.append(values)
    values = np.stack(columns, axis=1) if columns else np.empty((len(answers.records), 0))
    usual = [[usual_of(column[answers.positive == side]) for column in columns] for side in (False, True)]
    return Beside(words, values, (usual[0], usual[1]), answers.positive.tolist())
