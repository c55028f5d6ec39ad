"""Load a heavy or optional package late, or say which extra brings it."""

from importlib import import_module
from types import ModuleType

from imageledger.errors import MissingExtra


def need(module: str, extra: str) -> ModuleType:
    """Import a module of an extra; raise MissingExtra with the install command when it is absent."""
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        raise MissingExtra(
            f"{module} cannot be imported: no module named {error.name!r}",
            f"pip install 'imageledger[{extra}]'",
        ) from error


def load(address: str) -> object:
    """Return the object at "module:attribute"; its module is imported now and not before."""
    module, _, attribute = address.partition(":")
    return getattr(import_module(module), attribute)
