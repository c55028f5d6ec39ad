"""Which files of a source become rows, and under which label: pure functions over names."""

import hashlib
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
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
    for piece in _PIECES.findall(_plain(glob)):
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


def _plain(glob: str) -> str:
    return unicodedata.normalize("NFC", glob).removeprefix("./")


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


def labeller(labels: Mapping[str, str]) -> Callable[[str], tuple[str, str]]:
    """Return what finds, for a name, the first glob of a table that matches, and its label; "" and "" for none.

    Globs that name one file each are looked up rather than tried in turn.

    >>> labeller({"a.jpg": "real", "*": "ai"})("a.jpg"), labeller({})("a.jpg")
    (('a.jpg', 'real'), ('', ''))
    """
    ranks = {glob: rank for rank, glob in enumerate(labels)}
    plain = {_plain(glob): glob for glob in reversed(list(labels)) if not set("*?[") & set(glob)}
    wild = [(glob, compiled(glob)) for glob in labels if set("*?[") & set(glob)]

    def label(name: str) -> tuple[str, str]:
        path = name.replace("\\", "/")
        found = plain.get(path), next((glob for glob, form in wild if form.fullmatch(path)), None)
        glob = min((glob for glob in found if glob), key=ranks.__getitem__, default="")
        return glob, labels.get(glob, "")

    return label


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
