"""The pictures of the desk as small WebP files, made ahead of the person who looks at them."""

import io
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from pathlib import Path
from queue import LifoQueue

import numpy as np

from audit.report.mistakes.attended import overlay_name
from curate.matting import compositing
from curate.pictures.shown import Shown, show
from imageledger.errors import LedgerError
from imageledger.record import OBJECT_NAME
from imageledger.store import Store

SIDES = {"large": 1024, "small": 192}
"""Longer side in pixels of what the browser gets."""

HELD, THREADS = 600, 2
QUALITY = 88

Name = tuple[str, ...]
"""What to show: ("object", name), ("white", picture, matte) or ("heat", object); and the size."""


class Pictures:
    """Pictures from the store, by validated names alone; the last HELD are kept in memory."""

    def __init__(self, store: Store, heat: Path | None = None) -> None:
        self.store, self.heat = store, heat
        self._held: OrderedDict[tuple[Name, str], bytes] = OrderedDict()
        self._lock = threading.Lock()
        self._wanted: LifoQueue[tuple[Name, str]] = LifoQueue()
        for _ in range(THREADS):
            threading.Thread(target=self._work, daemon=True).start()

    def webp(self, name: Name, size: str) -> bytes:
        """Return a picture as WebP; raise LedgerError where it cannot be shown."""
        with self._lock:
            if (name, size) in self._held:
                self._held.move_to_end((name, size))
                return self._held[name, size]
        content = self._made(name, SIDES[size])
        with self._lock:
            self._held[name, size] = content
            while len(self._held) > HELD:
                self._held.popitem(last=False)
        return content

    def ahead(self, names: Iterable[Name], size: str = "large") -> None:
        """Make pictures in the background, the first of them first."""
        for name in reversed(list(names)):
            if (name, size) not in self._held:
                self._wanted.put((name, size))

    def has_heat(self, name: str) -> bool:
        """Tell whether a heat map of an object was drawn."""
        return bool(self.heat and OBJECT_NAME.fullmatch(name) and (self.heat / overlay_name(name)).is_file())

    def _work(self) -> None:
        while True:
            name, size = self._wanted.get()
            try:
                self.webp(name, size)
            except (LedgerError, OSError):
                continue  # whoever asks for it is told why

    def _made(self, name: Name, side: int) -> bytes:
        kinds: dict[str, Callable[..., Shown]] = {"object": self._object, "white": self._white, "heat": self._heat}
        if not all(OBJECT_NAME.fullmatch(part) for part in name[1:]):
            raise LedgerError("that is not the name of an object")
        shown = kinds[name[0]](*name[1:], side=side)
        if shown.image is None:
            raise LedgerError(shown.missing)
        target = io.BytesIO()
        shown.image.save(target, "WEBP", quality=QUALITY, method=1)
        return target.getvalue()

    def _object(self, name: str, *, side: int) -> Shown:
        return show(self.store.read(name), side)

    def _white(self, picture: str, matte: str, *, side: int) -> Shown:
        """Lay a person on white though the matte was refused, to show what is wrong with it."""
        seen, alpha = show(self.store.read(picture), side), show(self.store.read(matte), side)
        if seen.image is None or alpha.image is None:
            return seen if seen.image is None else alpha
        mask = np.asarray(alpha.image.convert("L").resize(seen.image.size))
        return Shown(image=compositing.white_composite(seen.image, mask, compositing.standard_edge(mask)))

    def _heat(self, name: str, *, side: int) -> Shown:
        if not self.has_heat(name) or self.heat is None:
            return Shown(missing="no heat map was drawn")
        return show((self.heat / overlay_name(name)).read_bytes(), side)
