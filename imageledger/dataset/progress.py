"""A bar on a terminal and in a notebook; nothing elsewhere, so that the output of a script stays its own."""

import sys
import time
from collections.abc import Iterable, Iterator
from html import escape
from typing import Any

from imageledger.notebook import STYLE
from imageledger.types import Item, Track, untracked

EVERY = 0.2
"""Seconds between two updates of a bar in a notebook: each is a message to the browser."""


def track_for(progress: bool) -> Track:
    """Return what shows progress where this process runs; `untracked` when progress is not wanted."""
    if not progress:
        return untracked
    if in_notebook():
        return shown_in_notebook
    if sys.stderr is not None and sys.stderr.isatty():
        from imageledger.console import track

        return track
    return untracked


def in_notebook() -> bool:
    """Tell whether this process is the kernel of a notebook."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return type(shell).__name__ == "ZMQInteractiveShell"


def shown_in_notebook(rows: Iterable[Item], total: int, doing: str = "", /) -> Iterator[Item]:
    """Hand the rows on and show a bar under the cell, which disappears at the end."""
    if total <= 0:
        yield from rows
        return
    shown, last = _display(bar(0, total, doing)), time.monotonic()
    try:
        for done, row in enumerate(rows, 1):
            if time.monotonic() - last > EVERY:
                shown.update(_html(bar(done, total, doing)))
                last = time.monotonic()
            yield row
    finally:
        shown.update(_html(""))


def bar(done: int, total: int, doing: str) -> str:
    """Write a bar as HTML."""
    words = f"{escape(doing)} {done}/{total}"
    return f"<span style='{STYLE}'><progress value='{done}' max='{total}'></progress> {words}</span>"


def _display(html: str) -> Any:
    from IPython.display import display

    return display(_html(html), display_id=True)


def _html(text: str) -> Any:
    from IPython.display import HTML

    return HTML(text)
