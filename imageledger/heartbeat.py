"""Progress where there is no terminal: a line now and then with the remaining time, and one at the end."""

import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

FIRST = 2.0
"""Seconds after which work that has not ended says what it is doing."""

LATER = 15.0
"""Seconds to the next such line; each pause is half as long again as the one before,"""

LONGEST = 30.0
"""and no longer than this."""


class Heartbeat:
    """Says how far work has come, even while one step of it takes long: `beat` counts a step that is done."""

    def __init__(self, doing: str, total: int, say: Callable[[str], None]) -> None:
        self.doing, self.total, self.say = doing, total, say
        self.done = self.bad = 0
        self._ended = threading.Event()
        self._begun = time.monotonic()
        self._thread = threading.Thread(target=self._now_and_then, daemon=True)

    def __enter__(self) -> Self:
        """Begin to watch the clock."""
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Say what it came to, if it came to its end."""
        self._ended.set()
        self._thread.join()
        if kind is None and self.done:
            self.say(self.line())

    def beat(self, *, refused: bool = False) -> None:
        """Count a step that is done."""
        self.done += 1
        self.bad += refused

    def line(self, seconds: float = 0.0) -> str:
        """Say how far the work has come and, after so many seconds, how long the rest will take."""
        words = [f"{self.doing}: {self.done}/{self.total}"]
        words += [f"{self.bad} refused"] if self.bad else []
        if seconds and self.done:
            words.append(f"about {in_words(max(1.0, seconds * (self.total - self.done) / self.done))} left")
        return ", ".join(words)

    def _now_and_then(self) -> None:
        pause = FIRST
        while not self._ended.wait(pause):
            if self.done < self.total:
                self.say(self.line(time.monotonic() - self._begun))
            pause = LATER if pause == FIRST else min(1.5 * pause, LONGEST)


def in_words(seconds: float) -> str:
    """Write a time that is only guessed.

    >>> in_words(3.2), in_words(75), in_words(5400)
    ('3 s', '75 s', '90 min')
    """
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"
