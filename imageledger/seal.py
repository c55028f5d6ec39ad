"""Seals: digests that are written when something is finished, so that damage is found before it is believed.

A finished folder has a SHA256SUMS, which `sha256sum --check` reads too. A small JSON object carries the digest of its
own values as its last value, a line of numbers that of its text, and a file of numbers that of its bytes at its end.
What was made before there were seals has none, and stays readable.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from imageledger.errors import StoreError
from imageledger.foreign import json_of
from imageledger.store import write_whole

FILE = "SHA256SUMS"
KEY = "seal"

MARK = b"sha256:"
"""Stands before the digest at the end of a sealed file."""

_LINE = re.compile(r"([0-9a-f]{64})  ([^/\0].*)")
_BROKEN = "does not match its seal"


def write(folder: Path, *, leave_out: Iterable[str] = ()) -> None:
    """Seal a finished folder: every file in it, hidden ones and those of sealed folders within excepted.

    Of a sealed folder within only the SHA256SUMS is named, which names the rest.

    >>> import tempfile; place = Path(tempfile.mkdtemp()); _ = (place / "a.txt").write_text("a")
    >>> write(place); list(check(place))
    []
    >>> _ = (place / "a.txt").write_text("b"); list(check(place))
    [('a.txt', 'does not match its seal')]
    """
    names = sorted(path.relative_to(folder).as_posix() for path in _files(folder))
    sums = (f"{_digest((folder / name).read_bytes())}  {name}\n" for name in names if name not in set(leave_out))
    write_whole(folder / FILE, "".join(sums).encode())


def has(folder: Path) -> bool:
    """Tell whether a folder is sealed; one made before there were seals is not."""
    return (folder / FILE).is_file()


def read(path: Path) -> bytes:
    """Return the bytes of a file in a folder that may be sealed; raise StoreError when they do not match the seal.

    Raises FileNotFoundError when the file is missing.
    """
    content = path.read_bytes()
    if has(path.parent) and sums(path.parent).get(path.name) != _digest(content):
        raise StoreError(
            f"{path} is damaged, or was changed: its sha256 is not the one in {path.with_name(FILE)}",
            "put it back from a copy, or make it again; imageledger verify lists all that is damaged",
        )
    return content


def sums(folder: Path) -> dict[str, str]:
    """Return the sha256 of each file that a folder's seal names; raise StoreError for a seal that is damaged."""
    found = {}
    for line in (folder / FILE).read_bytes().decode("utf-8", "replace").split("\n")[:-1]:
        match = _LINE.fullmatch(line)
        if not match:
            raise StoreError(f"{folder / FILE} is damaged", "put it back from a copy, or make the folder again")
        found[match[2]] = match[1]
    return found


def check(folder: Path, needed: Iterable[str] = ()) -> Iterator[tuple[str, str]]:
    """Yield the name of each file that does not match the seal of its folder, with what is wrong, in order.

    `needed` are files that must be sealed where they are there. Folders within are named, not entered.
    """
    try:
        known = sums(folder)
    except StoreError:
        yield FILE, "is damaged"
        return
    for name, digest in known.items():
        try:
            if _digest((folder / name).read_bytes()) != digest:
                yield name, _BROKEN
        except OSError:
            yield name, "is missing"
    yield from ((name, "is not in the seal") for name in needed if name not in known and (folder / name).exists())


def sealed(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return JSON values with their own digest as the last one.

    >>> list(sealed({"rows": 5})), opened(sealed({"rows": 5}))
    (['rows', 'seal'], {'rows': 5})
    """
    return {**values, KEY: _of_values(values)}


def opened(values: Any) -> dict[str, Any]:
    """Return JSON values without their seal; raise ValueError where it does not match, or they are no object."""
    if not isinstance(values, dict):
        raise ValueError("it is no object")
    bare = {name: value for name, value in values.items() if name != KEY}
    if KEY in values and values[KEY] != _of_values(bare):
        raise ValueError(f"it {_BROKEN}: it is damaged, or was changed")
    return bare


def line_of(values: Mapping[str, Any]) -> str:
    """Write values as one line of JSON that ends with the digest of its text.

    >>> of_line(line_of({"n": 1}))
    {'n': 1}
    """
    text = json.dumps(values)
    return f'{text[:-1]}, "{KEY}": "{_short(text)}"}}'


def of_line(line: str) -> Any:
    """Read a line of JSON, with or without a seal; raise ValueError for one that is torn or damaged."""
    text, mark, rest = line.rstrip("\n").rpartition(f', "{KEY}": "')
    if not mark:
        return json_of(line)
    if rest != f'{_short(text + "}")}"}}':
        raise ValueError(_BROKEN)
    return json_of(text + "}")


def sealed_bytes(content: bytes) -> bytes:
    """Return bytes with their digest at the end."""
    return content + MARK + hashlib.sha256(content).digest()


def opened_bytes(content: bytes) -> tuple[bytes, bool]:
    """Return bytes without their seal, and whether they had one; raise ValueError where it does not match."""
    place = len(content) - len(MARK) - hashlib.sha256().digest_size
    if place < 0 or content[place : place + len(MARK)] != MARK:
        return content, False
    if sealed_bytes(content[:place]) != content:
        raise ValueError(_BROKEN)
    return content[:place], True


def _files(folder: Path) -> Iterator[Path]:
    for path in folder.iterdir():
        if path.name.startswith(".") or path.name == FILE:
            continue
        if path.is_dir():
            yield from [path / FILE] if has(path) else _files(path)
        else:
            yield path


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _short(text: str) -> str:
    return _digest(text.encode())[:16]


def _of_values(values: Mapping[str, Any]) -> str:
    return f"sha256:{_digest(json.dumps(values, sort_keys=True).encode())}"
