"""Types that all legs share; it imports numpy, so commands import it inside their functions."""

from collections.abc import Iterable
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

Item = TypeVar("Item")

Floats = NDArray[np.float64]
Floats32 = NDArray[np.float32]
Bools = NDArray[np.bool_]
Ints = NDArray[np.intp]
Row = dict[str, Any]
"""One row of a table for people or for JSON."""

Key = tuple[str, str]
"""The key of a record: the source of a picture and its member there."""


class Track(Protocol):
    """Shows progress while rows are pulled through it; `imageledger.console.track` is one."""

    def __call__(self, rows: Iterable[Item], total: int, doing: str = ..., /) -> Iterable[Item]:
        """Hand the rows on; `total` is how many there are, `doing` names the phase."""


def untracked(rows: Iterable[Item], total: int, doing: str = "", /) -> Iterable[Item]:
    """Hand the rows on and show nothing."""
    return rows
