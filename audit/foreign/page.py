"""The page of pictures from elsewhere: where the answers lie, and the pictures that were called the other class."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from audit.audit_page import Drawing, Gallery
from audit.charts.spread import spread
from audit.words import other_label
from imageledger.sheet import Cell, Frame
from train.answers import Answers

if TYPE_CHECKING:
    from audit.foreign.work import Picture

SHOWN = 24


def drawings(answers: Answers, label: str, pictures: Sequence["Picture"]) -> list[Drawing]:
    """Draw the answers about the set's own pictures of the label, and about those from elsewhere."""
    own = answers.shares[answers.positive == (label == answers.labels[1])]
    elsewhere = np.array([picture.share for picture in pictures if picture.share is not None])
    where = np.repeat([False, True], [len(own), len(elsewhere)])
    name = f"P({answers.labels[1]})"
    drawn = spread(np.concatenate([own, elsewhere]), where, ("this set", "elsewhere"), name=name)
    note = f"{name} of {label} pictures: those of this set above the line, those from elsewhere below it."
    return [Drawing(title="What the model answers", drawn=drawn, note=note)] if drawn else []


def galleries(answers: Answers, label: str, pictures: Sequence["Picture"]) -> list[Gallery]:
    """Show the pictures from elsewhere that the model got wrong, the surest first."""
    positive = label == answers.labels[1]
    wrong = [picture for picture in pictures if picture.share is not None and (picture.share >= 0.5) != positive]
    worst = sorted(wrong, key=lambda picture: (-abs((picture.share or 0.0) - 0.5), picture.member))
    cells = [
        Cell(frames=(Frame(picture=picture.image, missing="not kept"),), title=picture.member,
             lines=(f"P({answers.labels[1]}) {picture.share:.2f}",))
        for picture in worst[:SHOWN]
    ]  # fmt: skip
    return [Gallery(title=f"From elsewhere: {label} pictures called {other_label(answers.labels, label)}", cells=cells,
                    note="As the model saw them.", of=len(wrong))]  # fmt: skip
