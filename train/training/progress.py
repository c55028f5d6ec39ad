"""Show how far a training is: it pushes counts of batches, and a `Track` pulls rows."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from imageledger.types import Track

if TYPE_CHECKING:
    from train.network.fit import Tell


@contextmanager
def batches(track: Track, doing: str = "training") -> "Iterator[Tell]":
    """Hand out what a training reports its batches to: done, in all, and the epoch that has ended, or None."""
    rows: Iterator[int] | None = None
    shown = 0

    def tell(done: int, total: int, _: Any) -> None:
        nonlocal rows, shown
        if rows is None:
            rows = iter(track(range(total), total, doing))
        while shown < done:
            next(rows, None)
            shown += 1

    try:
        yield tell
        if rows is not None:
            next(rows, None)  # a bar ends when it finds no further row
    finally:
        if close := getattr(rows, "close", None):
            close()
