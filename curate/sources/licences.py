"""Licences: names made comparable, and what a licence forbids or leaves open."""

import re
from collections.abc import Iterable

UNKNOWN = "unknown"

_KNOWN = {
    "cc0: public domain": "CC0-1.0",
    "cc0": "CC0-1.0",
    "public domain": "CC0-1.0",
    "apache 2.0": "Apache-2.0",
    "mit": "MIT",
    "mit license": "MIT",
    "gpl 2": "GPL-2.0",
    "gpl 3": "GPL-3.0",
    "database: open database, contents: database contents": "ODbL-1.0",
    "u.s. government works": "US-Government-Works",
}
_COMMONS = re.compile(r"\bcc[ -]((?:by|nc|nd|sa)(?:[ -](?:by|nc|nd|sa))*)[ -](\d\.\d)", re.IGNORECASE)
_UNSAID = re.compile(r"unknown|other|unspecified|see |error|data files ©|copyright", re.IGNORECASE)


def spdx(names: Iterable[str]) -> str:
    """Return licences as one SPDX expression; an unknown licence keeps its name.

    >>> spdx(["Attribution-NonCommercial 4.0 International (CC BY-NC 4.0)"]), spdx([])
    ('CC-BY-NC-4.0', 'unknown')
    """
    return " AND ".join(dict.fromkeys(_one(name) for name in names if name.strip())) or UNKNOWN


def concern(licence: str) -> str:
    """Say in a few words what a licence forbids or leaves open; "" when there is nothing to say."""
    if not licence or _UNSAID.search(licence):
        return "no source says what may be done with these pictures"
    parts = set(re.split(r"[ -]", licence.upper()))
    if {"NC", "ND"} <= parts:
        return "no commercial use, and no changed copies may be passed on"
    if "NC" in parts or "NONCOMMERCIAL" in parts:
        return "no commercial use"
    return "no changed copies may be passed on" if parts & {"ND", "NODERIVATIVES", "NODERIVS"} else ""


def is_allowed(licence: str, allowed: Iterable[str]) -> bool:
    """Tell whether an allow-list (empty: everything) admits a licence; of several licences, it must admit each."""
    known = {spdx([name]).casefold() for name in allowed}
    return not known or all(part.casefold() in known for part in licence.split(" AND "))


def _one(name: str) -> str:
    text = name.strip()
    if match := _COMMONS.search(text):
        return f"CC-{match[1].upper().replace(' ', '-')}-{match[2]}"
    return _KNOWN.get(text.lower(), UNKNOWN if text.lower() in ("unknown", "other") else text)
