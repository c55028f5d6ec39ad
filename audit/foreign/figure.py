"""The figure of foreign pictures: what the model says of the set's own pictures, and of those from elsewhere."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from imageledger.figure import FAINT, NEGATIVE, POSITIVE, UNDECIDED, drawn, key, styled
from train.answers import Answers

if TYPE_CHECKING:
    from audit.foreign.work import Picture

SIZE = (8.6, 3.4)


def png(answers: Answers, label: str, pictures: Sequence["Picture"], title: str) -> bytes:
    """Draw one strip of dots for either label of the set and one for the pictures from elsewhere."""
    elsewhere = np.array([picture.share for picture in pictures if picture.share is not None])
    own = [answers.shares[answers.positive == side] for side in (False, True)]
    strips = [
        (f"{answers.labels[0]}, this set", own[0], NEGATIVE),
        (f"{answers.labels[1]}, this set", own[1], POSITIVE),
        (f"{label}, elsewhere", elsewhere, UNDECIDED),
    ]

    def draw(figure: Any) -> None:
        axes = figure.subplots()
        for row, (_, shares, colour) in enumerate(strips):
            spread = np.random.default_rng(row).uniform(-0.28, 0.28, len(shares))
            axes.scatter(shares, row + spread, s=16, color=colour, alpha=0.6, lw=0, zorder=3)
            axes.plot([np.median(shares)] * 2, [row - 0.36, row + 0.36], color=colour, lw=2.5, zorder=4)
        axes.axvline(0.5, color=FAINT, lw=1, ls=":", zorder=1)
        axes.set_yticks(range(3), [f"{name}\n{len(shares)} pictures" for name, shares, _ in strips])
        axes.set_ylim(2.5, -0.5)
        axes.set_xlim(-0.02, 1.02)
        styled(axes, x=f"P({answers.labels[1]})", grid="x")
        key(figure, [("median", FAINT, "|")])

    note = f"Run {answers.run.name}: {answers.one_by_one}."
    return drawn(SIZE, draw, title=title, note=note)
