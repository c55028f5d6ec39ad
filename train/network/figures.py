"""The three figures of a fine-tuned run: a batch, the learning curve and the confusion matrix."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from imageledger.figure import INK, drawn
from imageledger.store import write_whole
from train.evaluation.figures import confusion, learning_curve, recall_ends
from train.network.fit import FROZEN, Epoch

SHOWN, ACROSS = 9, 3
"""Pictures of a batch that are shown, and how many side by side."""


def draw_all(folder: Path, learn: Any, history: Sequence[Epoch], metrics: Mapping[str, Any], chosen: int = 0) -> None:
    """Write batch.png, learning_curve.png (see there for `chosen`) and confusion_matrix.png into a folder."""
    counts = metrics["confusion"]
    trained = f"{len(learn.dls.train_ds)} training pictures"
    judged = f"{sum(sum(row.values()) for row in counts.values())} validation pictures"
    frozen = sum(row.phase == FROZEN for row in history)
    write_whole(folder / "batch.png", batch(learn))
    curve = learning_curve([asdict(row) for row in history], f"{trained}, {judged}", frozen, chosen)
    write_whole(folder / "learning_curve.png", curve)
    write_whole(folder / "confusion_matrix.png", confusion(counts, judged, recall_ends(metrics)))


def batch(learn: Any) -> bytes:
    """Draw nine pictures of one training batch as the network sees them, each under its label, as a PNG."""

    def draw(figure: Any) -> None:
        places = list(figure.subplots(SHOWN // ACROSS, ACROSS).flat)
        for axes in places:
            axes.axis("off")
        learn.dls.show_batch(max_n=SHOWN, ctxs=places)
        for axes in places:
            axes.title.set_color(INK)

    shown = min(SHOWN, learn.dls.train.bs)
    note = f"{shown} of {len(learn.dls.train_ds)} training pictures"
    return drawn((7, 7), draw, title="A training batch, as the network sees it", note=note)
