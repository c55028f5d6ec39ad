"""Queues that are made while the desk is open already: whoever opens one waits for it, and for no other."""

import threading
from collections.abc import Callable, Iterable, Mapping

from audit.review.queues import Queue
from imageledger.errors import LedgerError

Maker = Callable[[], Queue]


class Queues:
    """The queues by name, in the order given; those not yet made are made by one thread in the background."""

    def __init__(self, makers: Mapping[str, Maker]) -> None:
        self.names = tuple(makers)
        self._makers, self._made = makers, dict[str, Queue]()
        self._locks = {name: threading.Lock() for name in makers}

    def __contains__(self, name: str) -> bool:
        return name in self._makers

    def __getitem__(self, name: str) -> Queue:
        """Return a queue, and make it first where that has not been done."""
        with self._locks[name]:
            if name not in self._made:
                self._made[name] = _made(name, self._makers[name])
            return self._made[name]

    def at_once(self, name: str) -> Queue | None:
        """Return a queue that is there, or None while it is being made."""
        return self._made.get(name)

    def renew(self, names: Iterable[str]) -> None:
        """Make queues anew that depend on what has been decided since."""
        for name in names:
            with self._locks[name]:
                self._made[name] = _made(name, self._makers[name])

    def begin(self) -> None:
        """Make the queues in the background, in their order."""
        threading.Thread(target=lambda: [self[name] for name in self.names], daemon=True).start()


def _made(name: str, make: Maker) -> Queue:
    try:
        return make()
    except (LedgerError, OSError) as error:
        what, hint = getattr(error, "what", str(error)), getattr(error, "hint", "")
        return Queue(name, name.replace("-", " ").capitalize(), missing=f"{what}.", command=hint)
