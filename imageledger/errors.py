"""Errors, in words for the person who can correct them. This module imports nothing."""


class LedgerError(Exception):
    """An error that a person can correct: what happened, and what to do next."""

    exit_code = 1

    def __init__(self, what: str, hint: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.hint = hint
        if hint:
            self.add_note(f"Try: {hint}")  # notebooks and scripts show it below the error

    def __reduce__(self) -> tuple[type["LedgerError"], tuple[str, str]]:
        """Keep both sentences when the error crosses a process boundary."""
        return type(self), (self.what, self.hint)


class ConfigError(LedgerError):
    """imageledger.toml, or an option, holds something that cannot be used."""


class ManifestError(LedgerError):
    """A manifest, card or record does not hold what it must."""


class SourceError(LedgerError):
    """A source cannot be opened, read or downloaded."""


class StoreError(LedgerError):
    """An object is missing or does not match its name."""


class ModelError(LedgerError):
    """A model or its weights are missing, damaged or do not fit."""


class RunError(LedgerError):
    """A training run cannot start or cannot be read."""


class BusyError(LedgerError):
    """Another process is working on the same dataset."""


class MissingExtra(LedgerError):
    """A package that an extra brings is not installed."""


class GateFailed(LedgerError):
    """An audit gate found more than allowed, or --strict saw unreadable images."""

    exit_code = 3
