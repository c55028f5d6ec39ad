"""From what a disk or an archive calls its files to the names of members: NFC, valid Unicode, and each its own."""

import hashlib
import re
import unicodedata
from collections.abc import Container, Iterable

_LONE = re.compile("[\ud800-\udfff]")
"""Half a character: how Python keeps a byte that is no UTF-8, and how Windows keeps what is no UTF-16."""


def member_name(raw: str) -> str:
    """Return a path as a member's name: NFC; bytes that are no UTF-8 (surrogate escapes) as %XX.

    >>> member_name("u" + chr(0x308) + "ber.jpg"), member_name("caf" + chr(0xDCE9) + ".jpg")
    ('über.jpg', 'caf%E9.jpg')
    """
    return unicodedata.normalize("NFC", _LONE.sub(lambda found: f"%{ord(found[0]) - 0xDC00 & 0xFFFF:02X}", raw))


def named_apart(raws: Iterable[str]) -> dict[str, str]:
    """Return member name -> raw name; raw names that would fold into one each get a part of their digest.

    The raw name that is its own member name keeps it, so that a second spelling moves no row of the first.

    >>> sorted(named_apart(["a" + chr(0xDCE9), "a%E9"]))
    ['a%E9', 'a%E9~52c715d4']
    """
    folded: dict[str, list[str]] = {}
    for raw in dict.fromkeys(raws):
        folded.setdefault(member_name(raw), []).append(raw)
    apart = {name: sorted(own, key=lambda raw: (raw != name, _bytes(raw)))[0] for name, own in folded.items()}
    for name, own in folded.items():
        for raw in own:
            if apart[name] != raw:
                apart[_distinct(name, raw, apart)] = raw
    return apart


def _distinct(name: str, raw: str, taken: Container[str]) -> str:
    folder, slash, last = name.rpartition("/")
    stem, dot, suffix = last.rpartition(".") if "." in last else (last, "", "")
    digest = hashlib.sha256(_bytes(raw)).hexdigest()
    others = (f"{folder}{slash}{stem}~{digest[:length]}{dot}{suffix}" for length in range(8, len(digest) + 1))
    return next(other for other in others if other not in taken)


def _bytes(raw: str) -> bytes:
    return raw.encode("utf-8", "surrogatepass")
