"""What leaks, written for people: sentences, a table, a CSV file and a contact sheet of the pairs."""

import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from audit.leaks.work import Found, Leak
from audit.pictures import look_at_object
from imageledger.record import Record
from imageledger.sheet import Cell, Frame, sheet, visible
from imageledger.spreadsheet import as_csv
from imageledger.store import Store, write_whole

SHOWN = 60
"""At most so many pairs stand on the sheet; the CSV file has them all."""

COLUMNS = 2
FIELDS = (
    "kind", "similarity", "why", "source", "member", "label", "split", "origin",
    "other_source", "other_member", "other_label", "other_split", "other_origin",
)  # fmt: skip
REMEDY = (
    "curate dedupe --distance 12 and then curate manifest keep what is alike on one side; a person settles a "
    "conflict by a line in decisions.jsonl."
)


def sentences(found: Found) -> list[str]:
    """Say what was compared, what lies across the split or under both labels, and what to do about it."""
    crossing = [leak for leak in found.leaks if leak.crosses]
    conflicts = [leak for leak in found.leaks if leak.conflicts]
    said = [_compared(found)]
    if found.divided:
        said.append(
            f"{_pairs(crossing)} across the split: validation counts what training has seen."
            if crossing
            else "Nothing lies on both sides of the split."
        )
    said.append(
        f"{_pairs(conflicts)} under both labels: one of them is wrong."
        if conflicts
        else "No picture stands under both labels."
    )
    return [*said, *([f"What to do: {REMEDY}"] if found.leaks else []), *sources_in_words(found)]


def sources_in_words(found: Found) -> list[str]:
    """Say which sources hold only one class, what that means, and what would help."""
    if not found.sources:
        return []
    held = ", ".join(f"{one.source} only {one.label} ({one.pictures})" for one in found.sources)
    return [
        f"One class a source: {held}. There the classes differ by source, and no audit can tell the face from the "
        "source. What would help: a source that holds both classes; or, with several sources a class, training on "
        "some of them and validating on one that the model has never seen."
    ]


def warnings(found: Found, shown: int = 3) -> list[str]:
    """Say what could not be compared, the first few by name."""
    if not found.unchecked:
        return []
    first = [f"{one.name}: {one.reason}" for one in found.unchecked[:shown]]
    more = [f"and {len(found.unchecked) - shown} more"] if len(found.unchecked) > shown else []
    what = "picture or pair" if len(found.unchecked) == 1 else "pictures or pairs"
    return [f"{len(found.unchecked)} {what} could not be compared", *first, *more]


def refusal(found: Found) -> tuple[str, str]:
    """Say why a gate does not let a manifest pass, and what to do: what could not be compared may leak too."""
    if found.leaks:
        return f"{_pairs(found.leaks)} leak, and --fail-on leak is set", REMEDY
    return (
        f"{len(found.unchecked)} pictures or pairs could not be compared, and --fail-on leak is set",
        "curate run makes missing objects again",
    )


def table(found: Found) -> list[dict[str, Any]]:
    """Return one row a pair for the terminal, the names safe to print."""
    return [
        {"what": leak.kind, "one": _named(leak.one), "other": _named(leak.other),
         "similarity": leak.similarity, "why": visible(leak.why)}
        for leak in found.leaks
    ]  # fmt: skip


def plain(found: Found, manifest: str, files: dict[str, Path]) -> dict[str, Any]:
    """Return the whole audit as one object for --json."""
    return {
        "manifest": manifest,
        "compared": dict(sorted(found.sides.items())),
        "sentences": sentences(found),
        "warnings": [{"name": one.name, "reason": one.reason} for one in found.unchecked],
        "pairs": [
            {"across_the_split": leak.crosses, "under_both_labels": leak.conflicts, **_row(leak)}
            for leak in found.leaks
        ],
        "one_class_sources": [
            {"source": one.source, "label": one.label, "pictures": one.pictures} for one in found.sources
        ],
        "files": {kind: str(path) for kind, path in files.items()},
    }  # fmt: skip


def write(found: Found, store: Store, folder: Path) -> dict[str, Path]:
    """Write leaks.csv and leaks.png when there are pairs and return their paths; take older ones away when not."""
    files = {kind: folder / f"leaks.{kind}" for kind in ("csv", "png")}
    if not found.leaks:
        for path in files.values():
            path.unlink(missing_ok=True)
        return {}
    text = as_csv(FIELDS, (_row(leak) for leak in found.leaks))
    write_whole(files["csv"], text.encode("utf-8", errors="backslashreplace"))
    write_whole(files["png"], _png(found, store))
    return files


def _png(found: Found, store: Store) -> bytes:
    shown = found.leaks[:SHOWN]
    rest = f" Shown are the first {SHOWN}; leaks.csv has them all." if len(found.leaks) > SHOWN else ""
    drawn = sheet(
        [_cell(leak, store) for leak in shown], columns=COLUMNS, heading="Leaks",
        lines=[f"{_pairs(found.leaks)} that must not stand where they stand.{rest}", *sentences(found)[1:3]],
    )  # fmt: skip
    target = io.BytesIO()
    drawn.save(target, "PNG")
    return target.getvalue()


def _cell(leak: Leak, store: Store) -> Cell:
    alike = "" if leak.similarity is None else f"   {leak.similarity:.2f}"
    frames = tuple(_frame(record, store) for record in (leak.one, leak.other))
    return Cell(frames=frames, title=f"{leak.kind}{alike}", lines=(leak.one.name, leak.other.name, leak.why))


def _frame(record: Record, store: Store) -> Frame:
    look = look_at_object(store, record.origin)
    return Frame(picture=look.image, caption=_place(record), missing=look.missing)


def _row(leak: Leak) -> dict[str, Any]:
    one, other = leak.one, leak.other
    return {
        "kind": leak.kind, "similarity": leak.similarity, "why": leak.why,
        "source": one.source, "member": one.member, "label": one.label, "split": one.split, "origin": one.origin,
        "other_source": other.source, "other_member": other.member, "other_label": other.label,
        "other_split": other.split, "other_origin": other.origin,
    }  # fmt: skip


def _named(record: Record) -> str:
    return visible(f"{_place(record)}: {record.name}")


def _place(record: Record) -> str:
    return f"{record.split} {record.label}".strip()


def _compared(found: Found) -> str:
    count = sum(found.sides.values())
    if not found.divided:
        return f"{count} pictures without a split were compared across the labels."
    sides = ", ".join(f"{found.sides[side]} {side}" for side in sorted(found.sides))
    return f"{count} pictures ({sides}) were compared across the split and across the labels."


def _pairs(leaks: Sequence[Leak] | Iterable[Leak]) -> str:
    count = len(list(leaks))
    return f"{count} pair{'' if count == 1 else 's'}"
