"""A download that drips without end: each piece of it must arrive in time, or the connection is cut."""

import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

PIECE = 1 << 16

Stream = Callable[..., Iterator[bytes]]


class TooSlow(Exception):
    """A piece of a download did not arrive in time. It is no error of the network, so that nobody tries again."""


def watched(answer: Any, patience: float, slowest: float) -> Stream:
    """Return the method `stream` of an answer of urllib3, which raises TooSlow for a piece that takes too long.

    A piece of n bytes may take `patience` seconds and n / `slowest` more. Time limits of sockets do not notice a server
    that sends a byte now and then.
    """
    stream: Stream = answer.stream

    def pieces(amount: int = PIECE, decode_content: bool | None = None) -> Iterator[bytes]:
        source = stream(amount, decode_content)
        while True:
            late = threading.Event()
            alarm = threading.Timer(patience + amount / slowest, _cut, [answer, late])
            alarm.daemon = True
            alarm.start()
            try:
                piece = next(source, None)
            except Exception as error:  # of a socket that was shut while it was read
                if late.is_set():
                    raise TooSlow from error
                raise
            finally:
                alarm.cancel()
            if late.is_set():
                raise TooSlow
            if piece is None:
                return
            yield piece

    return pieces


def _cut(answer: Any, late: threading.Event) -> None:
    late.set()
    with suppress(OSError, RuntimeError, ValueError):  # it has ended by itself meanwhile
        getattr(answer, "shutdown", answer.close)()
