"""Read what may have come from anywhere: whatever is wrong with it is a ValueError, or a sentence."""

import json
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from imageledger.errors import LedgerError


def json_of(content: str | bytes) -> Any:
    """Parse JSON in UTF-8; raise ValueError for anything else: deep nesting, endless numbers, half characters.

    >>> json_of(b'{"a": 1}')
    {'a': 1}
    """
    text = content.decode("utf-8-sig") if isinstance(content, bytes) else content
    try:
        value = json.loads(text)
        if "\\u" in text:
            json.dumps(value, ensure_ascii=False).encode()  # a lone surrogate could be read, but never written again
        return value
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def toml_of(content: bytes) -> dict[str, Any]:
    """Parse TOML in UTF-8, with or without a byte order mark; raise ValueError for anything else."""
    try:
        return tomllib.loads(content.decode("utf-8-sig"))
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


@contextmanager
def understood(where: str, hint: str, kind: type[LedgerError]) -> Iterator[None]:
    """Turn what goes wrong over values from a file into one sentence: a value that is missing, or of another type.

    For values too many to check one by one before they are used; the error that was first stays the cause.
    """
    try:
        yield
    except (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError) as error:
        why = f"{error} is missing" if isinstance(error, KeyError) else str(error)
        raise kind(f"{where} does not hold what it should: {why[:200]}", hint) from error
