"""Which files of a source become rows, and under which label: pure functions over names."""

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

from imageledger.errors import ConfigError

_PIECES = re.compile(r"\*\*/|\*\*|\*|\?|\[!?\]?[^\]/]*\]|.", re.DOTALL)


@lru_cache(maxsize=256)
def compiled(glob: str) -> re.Pattern[str]:
    """Translate a glob over whole member paths: `*` and `?` stay within a folder, `**` crosses folders.

    >>> bool(compiled("real/**").fullmatch("real/a/1.jpg")), bool(compiled("*.jpg").fullmatch("real/1.jpg"))
    (True, False)
    """
    wild = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    parts = []
    for piece in _PIECES.findall(unicodedata.normalize("NFC", glob).removeprefix("./")):
        if piece in wild:
            parts.append(wild[piece])
        elif len(piece) > 2 and piece[0] == "[":
            negated = piece[1] == "!"
            parts.append(f"[{'^/' if negated else ''}{re.escape(piece[1 + negated : -1]).replace(chr(92) + '-', '-')}]")
        else:
            parts.append(re.escape(piece))
    try:
        return re.compile("".join(parts), re.DOTALL)
    except re.error as error:
        raise ConfigError(f"{glob!r} is not a pattern: {error}", "such as 'real/**' or '**/*.jpg'") from error


def matches(glob: str, name: str) -> bool:
    """Tell whether a member's path matches a glob; the backslashes of a zip made on Windows count as slashes."""
    return compiled(glob).fullmatch(name.replace("\\", "/")) is not None


def is_hidden(name: str) -> bool:
    """Tell whether a member is a hidden file, or was left behind by an operating system."""
    parts = name.replace("\\", "/").split("/")
    return any(part == "__MACOSX" or (part.startswith(".") and part not in (".", "..")) for part in parts)


def wanted(name: str, include: Sequence[str], exclude: Sequence[str]) -> bool:
    """Tell whether a member passes the include globs (none: all) and no exclude glob."""
    if any(matches(glob, name) for glob in exclude):
        return False
    return not include or any(matches(glob, name) for glob in include)


def label_of(name: str, labels: Mapping[str, str]) -> tuple[str, str]:
    """Return the first glob of a table that matches, and its label; two empty strings when none does."""
    for glob, label in labels.items():
        if matches(glob, name):
            return glob, label
    return "", ""


def parse_labels(text: str) -> dict[str, str]:
    """Read `real/**=real,fake/**=ai` as a table of glob -> label, in the order given."""
    table = {}
    for piece in text.split(","):
        glob, equals, label = piece.strip().rpartition("=")
        if not (glob and equals and label):
            raise ConfigError(f"{piece.strip()!r} is not GLOB=LABEL", "such as --labels 'real/**=real,fake/**=ai'")
        table[glob.strip()] = label.strip()
    return table


def sample(names: Iterable[str], limit: int, seed: int) -> set[str]:
    """Choose `limit` names (0: all) by the sha256 of seed and name, so that new names move few others."""
    if not limit:
        return set(names)
    return set(sorted(names, key=lambda name: _rank(name, seed))[:limit])


def _rank(name: str, seed: int) -> bytes:
    return hashlib.sha256(f"{seed}\0{name}".encode()).digest()
