"""Import rembg without the minute in which numba compiles alpha matting, which is never called here."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def uncompiled() -> Iterator[None]:
    """Leave functions that numba would compile as they are, as long as this is open.

    rembg imports pymatting, whose functions are compiled at import and kept in the folder of the package, where that
    can be written. Imported in here, they work and are slow.
    """
    import numba

    settings: Any = numba.config
    before, settings.DISABLE_JIT = settings.DISABLE_JIT, True
    try:
        yield
    finally:
        settings.DISABLE_JIT = before
