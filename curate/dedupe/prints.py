"""What pictures are found again by: measured once per object on all cores, and kept by its name under `data/`."""

from collections import OrderedDict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cv2

from curate.pictures import keypoints, pixels
from curate.pictures.keypoints import Print
from curate.pictures.overlap import Grey
from imageledger import seal
from imageledger.engines.local import cores, ordered_map
from imageledger.errors import LedgerError, StoreError
from imageledger.store import Store
from imageledger.types import Track, untracked

HELD = 1024
"""Reduced pictures kept in memory, up to 100 KiB each."""


@dataclass(frozen=True, slots=True)
class Prints:
    """The prints of objects by name, and for those that could not be read, why."""

    of: Mapping[str, Print]
    problems: Mapping[str, str]


def prints_of(
    store: Store, names: Sequence[str], *, workers: int | None = None, track: Track = untracked
) -> Prints:  # fmt: skip
    """Return the prints of some objects; those that were measured before are read from the file beside the store."""
    path = store.root.parent / "prints" / f"keypoints@{keypoints.VERSION}-opencv-{cv2.__version__}.jsonl"
    wanted = list(dict.fromkeys(names))
    found, torn = _kept(path, set(wanted))
    missing = [name for name in wanted if name not in found]
    problems: dict[str, str] = {}
    jobs: Iterator[tuple[str, tuple[str, str] | None]] = ((name, None) for name in missing)
    measured = ordered_map(partial(_measured, store=store), jobs, workers=workers or cores())
    lines = zip(missing, track(measured, len(missing), "looking for keypoints"), strict=True) if missing else ()
    for name, (text, problem) in lines:
        if problem:
            problems[name] = problem
            continue
        found[name] = keypoints.unpacked(text)
        torn = _added(path, name, text, torn)
    return Prints(found, problems)


class Reductions:
    """The pictures of objects, grey and reduced as keypoints saw them, each decoded when first asked for."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.held: OrderedDict[str, Grey] = OrderedDict()

    def of(self, name: str) -> Grey:
        """Return the reduced picture of an object; raise StoreError when it is missing or damaged."""
        if name not in self.held:
            if len(self.held) >= HELD:
                self.held.popitem(last=False)
            try:
                self.held[name] = keypoints.reduced(pixels.decode(self.store.read(name)).image)
            except pixels.CannotDecode as error:
                raise StoreError(
                    f"object {name} can no longer be decoded: {error}", "imageledger verify names what is damaged"
                ) from error
        self.held.move_to_end(name)
        return self.held[name]


def _measured(name: str, *, store: Store) -> tuple[str, str]:
    """Return the print of an object as text, or why there is none."""
    try:
        return keypoints.print_of(pixels.decode(store.read(name)).image).packed(), ""
    except pixels.CannotDecode as error:
        return "", f"object {name} can no longer be decoded: {error}"
    except LedgerError as error:
        return "", error.what


def _kept(path: Path, wanted: Collection[str]) -> tuple[dict[str, Print], bytes]:
    """Read the prints that were kept of some objects; a line torn by a kill is passed over and measured again."""
    found: dict[str, Print] = {}
    torn = b""
    if not path.is_file():
        return found, torn
    with path.open("rb") as lines:
        for line in lines:
            torn = b"" if line.endswith(b"\n") else b"\n"
            try:
                row = seal.of_line(line.decode("utf-8"))
                if row["object"] in wanted:
                    found[row["object"]] = keypoints.unpacked(row["print"])
            except (ValueError, KeyError, TypeError, AttributeError):
                continue
    return found, torn


def _added(path: Path, name: str, text: str, torn: bytes) -> bytes:
    """Append one line in one write, so that two processes do not mix theirs."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab", buffering=0) as lines:
        lines.write(torn + seal.line_of({"object": name, "print": text}).encode("utf-8") + b"\n")
    return b""
