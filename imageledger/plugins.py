"""Registries that other packages can extend: built-ins are listed by name, plug-ins announce themselves.

A plug-in is an entry point in the registry's group. Listing names loads only the metadata of packages.
"""

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from imageledger.errors import ConfigError, LedgerError
from imageledger.extras import load

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Registry:
    """Named things of one kind: built-ins as name -> "module:attribute", and plug-ins of an entry point group.

    `kind` is the noun for such a thing in errors, such as "probe family". A plug-in cannot replace a built-in.
    """

    group: str
    kind: str
    builtin: Mapping[str, str] = field(default_factory=dict)

    def __iter__(self) -> Iterator[str]:
        """Go through the names."""
        return iter(self.names())

    def __contains__(self, name: object) -> bool:
        """Tell whether a name is known."""
        return name in self.names()

    def __len__(self) -> int:
        """Count the names."""
        return len(self.names())

    def names(self) -> tuple[str, ...]:
        """Return the names of the built-ins in their order, then those of the plug-ins by alphabet; loads nothing."""
        return (*self.builtin, *self._plugins())

    def load(self, name: str, wanted: type = object) -> Any:
        """Return the thing of this name; raise ConfigError for an unknown name.

        Raises LedgerError, naming the package, when a plug-in cannot be loaded or is no instance of `wanted`.
        """
        if name in self.builtin:
            return load(self.builtin[name])
        offers = self._plugins().get(name)
        if not offers:
            raise self._unknown(name)
        if len(offers) > 1:
            owners = " and ".join(_package(offer) for offer in offers)
            raise LedgerError(f"{owners} both provide a {self.kind} called {name!r}", "uninstall one of them")
        return self._opened(offers[0], wanted)

    def address(self, name: str) -> str:
        """Return where a thing lies, as "module:attribute", and load nothing; raise ConfigError for an unknown name."""
        if name in self.builtin:
            return self.builtin[name]
        if offers := self._plugins().get(name):
            return offers[0].value
        raise self._unknown(name)

    def _unknown(self, name: str) -> ConfigError:
        return ConfigError(f"{name!r} is not a {self.kind}", f"one of {', '.join(self.names())}")

    def _opened(self, offer: EntryPoint, wanted: type) -> Any:
        try:
            plugin = offer.load()
        except Exception as error:  # a foreign module may raise anything
            raise self._broken(offer, f"{type(error).__name__}: {error}") from error
        if not isinstance(plugin, wanted):
            raise self._broken(offer, f"{offer.value} is not a {wanted.__name__}")
        return plugin

    def _broken(self, offer: EntryPoint, why: str) -> LedgerError:
        package = _package(offer)
        return LedgerError(
            f"the {self.kind} {offer.name!r} of the package {package} cannot be loaded: {why}",
            f"pip install --upgrade {package}, or pip uninstall {package}",
        )

    def _plugins(self) -> Mapping[str, list[EntryPoint]]:
        offered = announced(self.group)
        for name in sorted(offered.keys() & self.builtin.keys()):
            _ignore(_package(offered[name][0]), f"{self.kind} {name!r}")
        return {name: offers for name, offers in offered.items() if name not in self.builtin}


LEGS = Registry(group="imageledger.legs", kind="group of commands")
"""The groups of commands. All are plug-ins, even our own, because this package imports no leg."""


@lru_cache
def announced(group: str) -> Mapping[str, list[EntryPoint]]:
    """Return the entry points of a group by name, sorted; they are read once per process."""
    offers: dict[str, list[EntryPoint]] = {}
    for offer in sorted(entry_points(group=group), key=lambda offer: (offer.name, _package(offer))):
        offers.setdefault(offer.name, []).append(offer)
    return offers


@lru_cache
def _ignore(package: str, what: str) -> None:
    """Warn, once per process, that a plug-in is ignored."""
    logger.warning("%s: a plug-in cannot replace the built-in %s", package, what)


def _package(offer: EntryPoint) -> str:
    return offer.dist.name if offer.dist else offer.module
