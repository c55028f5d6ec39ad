"""What the name of the file and its place in the archive give away.

Collections are named by what made them: `00012.png` beside `IMG_2044.JPG`, numbers of one range, one folder, one
source (Torralba and Efros 2011, "Unbiased look at dataset bias", for sources as such). An object is called by the hash
of its content, which says nothing.
"""

import math
import re
from pathlib import PurePosixPath

from curate.nuisance.header import fingerprints, hashed
from curate.nuisance.seen import Family, Seen
from curate.nuisance.spelling import LOG, YES
from imageledger.record import OBJECT_NAME

SEPARATORS = "-_. ()"

LARGEST = 18
"""Longer numbers are cut to this many digits: they are times or hashes."""


def measure(seen: Seen) -> dict[str, float]:
    """Return pattern, number, folder, source and place; of an object's name only its suffix, the rest NaN."""
    if OBJECT_NAME.fullmatch(seen.name):
        return dict.fromkeys(_measured("", 0.0), math.nan) | _suffix(PurePosixPath(seen.name).suffix)
    return _measured(seen.name, seen.place)


def _measured(name: str, place: float) -> dict[str, float]:
    source, _, member = name.partition("#") if "#" in name else ("", "", name)
    path = PurePosixPath(member)
    folder = str(path.parent) if member else ""
    return {
        **_pattern(path.stem),
        **_number(path.stem),
        **_suffix(path.suffix),
        "depth": float(len(path.parts)),
        **hashed("source", source.encode(errors="replace"), 2),
        **hashed("folder", folder.encode(errors="replace"), 2),
        "place": float(place),
    }


def _pattern(stem: str) -> dict[str, float]:
    digits = sum(sign.isdigit() for sign in stem)
    letters = sum(sign.isalpha() for sign in stem)
    pattern = re.sub(r"[^\W\d_]+", "a", re.sub(r"\d+", "0", stem))
    return {
        "length": float(len(stem)),
        "digits": float(digits),
        "letters": float(letters),
        "upper case": float(sum(sign.isupper() for sign in stem)),
        "beyond ASCII": float(not stem.isascii()),
        **{f"separator {sign!r}": float(stem.count(sign)) for sign in SEPARATORS},
        "hexadecimal": float(len(stem) >= 8 and bool(re.fullmatch(r"[0-9a-fA-F-]+", stem))),
        **hashed("pattern", pattern.encode(errors="replace"), 2),
        **hashed("first word", "".join(re.findall(r"^[^\W\d_]+", stem)).encode(errors="replace"), 2),
    }


def _number(stem: str) -> dict[str, float]:
    """Look at the last run of digits: its value as a logarithm, how long it is, and how many zeros lead it."""
    runs = re.findall(r"[0-9]+", stem)
    last = runs[-1] if runs else ""
    return {
        "numbers": float(len(runs)),
        "number": math.log1p(int(last[:LARGEST] or 0)),
        "digits of number": float(len(last)),
        "leading zeros": float(len(last) - len(last.lstrip("0"))),
    }


def _suffix(suffix: str) -> dict[str, float]:
    return {
        "suffix length": float(len(suffix)),
        "suffix upper case": float(any(sign.isupper() for sign in suffix)),
        **hashed("suffix", suffix.lower().encode(errors="replace"), 2),
    }


WORDS = {
    "length": "length of the file name (characters)",
    "digits": "digits in the file name",
    "letters": "letters in the file name",
    "upper case": "capital letters in the file name",
    "beyond ASCII": f"whether the file name has letters beyond a to z {YES}",
    **{f"separator {sign!r}": f"how often {sign!r} stands in the file name" for sign in SEPARATORS},
    "hexadecimal": f"whether the file name is one hexadecimal number {YES}",
    **fingerprints("pattern", "pattern of the file name", 2),
    **fingerprints("first word", "first word of the file name", 2),
    "numbers": "numbers in the file name",
    "number": f"last number in the file name {LOG}",
    "digits of number": "digits of the last number in the file name",
    "leading zeros": "zeros that lead the last number in the file name",
    "suffix length": "length of the extension (characters)",
    "suffix upper case": f"whether the extension has capital letters {YES}",
    **fingerprints("suffix", "which extension the name has", 2),
    "depth": "folders on the way to the file",
    **fingerprints("source", "which source it comes from", 2),
    **fingerprints("folder", "which folder it lies in", 2),
    "place": "place among the files of its source (0 first, 1 last)",
}

FAMILY = Family(
    name="naming",
    version=1,
    measure=measure,
    words=WORDS,
    advice=(
        "Nothing that is trained on sees a name: objects are called by their content. Names that tell the classes "
        "apart say that they were collected apart; mix the sources of both, and split by source."
    ),
    of="name",
    apart=True,
)
