"""The figure of a hold-out: what becomes of each generator, or source, that the model has never met. No torch."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from imageledger.figure import FAINT, FINE, PROBLEM, drawn, key, styled, whisker
from imageledger.letters import visible
from imageledger.store import write_whole
from train.runs import Run

UNSEEN, SEEN = (PROBLEM, "D"), (FINE, "o")
WIDE = 36
"""Letters of a name in one line."""


def write(folder: Path, run: Run) -> None:
    """Write hold_out.png: a dot with its 95 % interval for each part, unseen and once it is known."""
    parts = run.evaluation["parts"]
    by = run.evaluation["by"]
    content = drawn(
        (8.2, 1.0 + 0.62 * len(parts)), lambda figure: _draw(figure, parts), title=f"Leaving out one {by} at a time",
        note=f"Run {run.name}: {sum(part['pictures'] for part in parts)} pictures of {len(parts)} {by}s",
    )  # fmt: skip
    write_whole(folder / "hold_out.png", content)


def _draw(figure: Any, parts: list[Mapping[str, Any]]) -> None:
    axes = figure.subplots()
    for row, part in enumerate(parts):
        for away, kind, mark in ((-0.11, "unseen", UNSEEN), (0.11, "seen", SEEN)):
            if "value" in (share := part[kind]):
                whisker(axes, row + away, share["value"], (share["low"], share["high"]), *mark)
    names = [f"{_wrapped(visible(part['name']))}\n{part['pictures']} {visible(part['label'])}" for part in parts]
    axes.set_yticks(range(len(parts)), names)
    axes.set_ylim(len(parts) - 0.5, -0.5)
    axes.set_xlim(-0.02, 1.02)
    axes.axvline(0.5, color=FAINT, lw=1, ls=":", zorder=1)
    styled(axes, x="share of the pictures that the model recognises, with its 95 % interval", grid="x")
    key(figure, [("never met in training", *UNSEEN), ("known from other pictures", *SEEN)])


def _wrapped(name: str) -> str:
    return "\n".join(name[begun : begun + WIDE] for begun in range(0, len(name), WIDE))
