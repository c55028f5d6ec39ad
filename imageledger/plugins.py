"""Registries that other packages can extend: built-ins are listed by name, plug-ins announce themselves.

A plug-in is an entry point in the registry's group. To list names loads nothing but the metadata of packages.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from imageledger.errors import ConfigError, LedgerError
from imageledger.extras import load

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Registry:
    """Things of one kind by name: built-ins as name -> "module:attribute", and plug-ins of an entry point group.

    `kind` is what errors call such a thing, such as "probe family". A plug-in cannot replace a built-in.
    """

    group: str
    kind: str
    builtin: Mapping[str, str] = field(default_factory=dict)

    def names(self) -> tuple[str, ...]:
        """Return the names of the built-ins in their order, then those of the plug-ins by alphabet; loads nothing."""
        return (*self.builtin, *self._plugins())

    def load(self, name: str, wanted: type = object) -> Any:
        """Return what has this name; raise ConfigError for an unknown name.

        Raises LedgerError, naming the package, when a plug-in cannot be loaded or is not a `wanted`.
        """
        if name in self.builtin:
            return load(self.builtin[name])
        offers = self._plugins().get(name)
        if not offers:
            raise ConfigError(f"{name!r} is not a {self.kind}", f"one of {', '.join(self.names())}")
        if len(offers) > 1:
            owners = " and ".join(_package(offer) for offer in offers)
            raise LedgerError(f"{owners} both bring a {self.kind} called {name!r}", "uninstall one of them")
        return self._opened(offers[0], wanted)

    def _opened(self, offer: EntryPoint, wanted: type) -> Any:
        try:
            plugin = offer.load()
        except Exception as error:  # a stranger's module raises anything
            raise self._broken(offer, f"{type(error).__name__}: {error}") from error
        if not isinstance(plugin, wanted):
            raise self._broken(offer, f"{offer.value} is no {wanted.__name__}")
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
"""The groups of commands: all are plug-ins, ours too, because this package imports none of them."""


@lru_cache
def announced(group: str) -> Mapping[str, list[EntryPoint]]:
    """Return the entry points of a group by name, sorted; read once in a process."""
    found: dict[str, list[EntryPoint]] = {}
    for offer in sorted(entry_points(group=group), key=lambda offer: (offer.name, _package(offer))):
        found.setdefault(offer.name, []).append(offer)
    return found


@lru_cache
def _ignore(package: str, what: str) -> None:
    """Say, once in a process, that a plug-in is ignored."""
    logger.warning("%s: a plug-in cannot replace the built-in %s", package, what)


def _package(offer: EntryPoint) -> str:
    return offer.dist.name if offer.dist else offer.module
