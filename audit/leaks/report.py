"""What leaks, written for people: findings, a table, a CSV file and a contact sheet of the pairs."""

import io
from collections.abc import Iterable
from pathlib import Path

from audit.audit_page import Gallery
from audit.findings import Finding, Report, Severity, csv_bytes, notes
from audit.leaks.leak import Comparison, Leak
from audit.leaks.pairs import DISTANCE
from audit.pictures import show_object
from curate.dedupe.parts import LOOKED_AT, LOOKED_FOR, MOST, UNSEEN
from imageledger.letters import visible
from imageledger.record import Record
from imageledger.sheet import Cell, Frame, sheet
from imageledger.store import Store
from imageledger.types import Row

SHOWN = 60
"""At most so many pairs stand on the sheet; the CSV file has all of them."""

COLUMNS = 2
FIELDS = (
    "kind", "similarity", "why", "source", "member", "label", "split", "origin",
    "other_source", "other_member", "other_label", "other_split", "other_origin",
)  # fmt: skip
FILES = ("leaks.csv", "leaks.png")


def remedy(deduped: int | None) -> str:
    """Say what to do about copies; `deduped` is the distance at which curate dedupe looked, None before it has."""
    person = "audit review leaves a picture out, or settles a conflict of labels."
    if deduped is None:
        return f"curate dedupe and then curate manifest keep copies on one side; {person}"
    if deduped < DISTANCE:
        return f"curate dedupe --distance {DISTANCE}, and then curate manifest, finds more copies; {person}"
    return f"curate dedupe has looked as closely as it can; {person}"


def report(comparison: Comparison, store: Store, manifest: str, folder: Path, deduped: int | None = None) -> Report:
    """Write a comparison as a report; with pairs, its files go into `folder`, without pairs old files go away."""
    rows = [_row(leak) for leak in comparison.leaks]
    return Report(
        audit="leaks",
        subject=manifest,
        verdict="LEAKS" if rows else "",
        findings=findings(comparison, deduped),
        tables={"pairs": table(comparison)},
        rows=rows,
        data=data(comparison, manifest),
        contents={
            "leaks.csv": lambda: csv_bytes(FIELDS, rows),
            "leaks.png": lambda: _png(comparison, store),
        } if rows else {},
        stale=() if rows else FILES,
        folder=folder,
        warnings=warnings(comparison),
        refusal=refusal(comparison, deduped),
        galleries=lambda: galleries(comparison, store),
    )  # fmt: skip


def findings(comparison: Comparison, deduped: int | None = None) -> list[Finding]:
    """Say what was compared, what lies across the split or under both labels, and what to do about it."""
    crossing = [leak for leak in comparison.leaks if leak.crosses]
    conflicts = [leak for leak in comparison.leaks if leak.conflicts]
    lines = notes(_compared(comparison))
    if comparison.divided:
        lines.append(
            _finding(f"{_pairs(crossing)} across the split: validation counts what training has seen.", crossing)
            if crossing
            else _finding(f"Nothing was found on both sides of the split among {_compared_pairs(comparison)}.")
        )
    lines.append(
        _finding(f"{_pairs(conflicts)} under both labels: one label of each is wrong.", conflicts)
        if conflicts
        else _finding("No picture stands under both labels.")
    )
    lines += notes(looked_for(comparison))
    return [*lines, *notes(f"What to do: {remedy(deduped)}" if comparison.leaks else "", *sources_in_words(comparison))]


def looked_for(comparison: Comparison) -> str:
    """Say which copies were looked for, in which pictures and at which size, and what cannot be seen."""
    where = "the originals and the pictures trained on" if comparison.trained else "the originals"
    if not comparison.parts:
        return (
            "Looked for in the originals: the same bytes or pixels, and resized, recompressed, recoloured and mirrored "
            f"copies. Not looked for, because there are more than {MOST} pictures: copies {LOOKED_FOR}."
        )
    return (
        "Looked for in the originals: the same bytes or pixels, and resized, recompressed and recoloured copies; in "
        f"{where}, {LOOKED_AT}: copies {LOOKED_FOR}. {UNSEEN}."
    )


def sources_in_words(comparison: Comparison) -> list[str]:
    """Say which sources hold a single class, what that means, and what would help."""
    if not comparison.sources:
        return []
    held = ", ".join(f"{source.source} only {source.label} ({source.pictures})" for source in comparison.sources)
    return [
        f"Sources with a single class: {held}. There the classes differ by source, and no audit can tell face from "
        "source. Either a source that holds both classes would help, or several sources per class: train on some, and "
        "validate on one that the model has never seen."
    ]


def warnings(comparison: Comparison, shown: int = 3) -> list[str]:
    """Say what could not be compared, the first few by name."""
    unchecked = comparison.unchecked
    if not unchecked:
        return []
    first = [f"{each.name}: {each.reason}" for each in unchecked[:shown]]
    more = [f"and {len(unchecked) - shown} more"] if len(unchecked) > shown else []
    what = "picture or pair" if len(unchecked) == 1 else "pictures or pairs"
    return [f"{len(unchecked)} {what} could not be compared", *first, *more]


def galleries(comparison: Comparison, store: Store) -> list[Gallery]:
    """Show the pairs that leak, both pictures beside each other."""
    leaks = comparison.leaks
    return [Gallery(title="Pairs across the split or under both labels",
                    cells=[_cell(leak, store) for leak in leaks[:SHOWN]], of=len(leaks))]  # fmt: skip


def refusal(comparison: Comparison, deduped: int | None = None) -> tuple[str, str] | None:
    """Say why a gate does not let a manifest pass, and what to do: what could not be compared may leak too."""
    if comparison.leaks:
        return f"{_pairs(comparison.leaks)} {'leaks' if len(comparison.leaks) == 1 else 'leak'}", remedy(deduped)
    if comparison.unchecked:
        what = f"{len(comparison.unchecked)} pictures or pairs could not be compared, and any of them may leak"
        return what, "curate run makes missing objects again"
    return None


def table(comparison: Comparison) -> list[Row]:
    """Return one row per pair for the terminal, the names safe to print."""
    return [
        {"what": leak.kind, "picture": _named(leak.one), "other picture": _named(leak.other),
         "similarity": _similarity(leak), "why": visible(leak.why)}
        for leak in comparison.leaks
    ]  # fmt: skip


def data(comparison: Comparison, manifest: str) -> Row:
    """Return the whole audit as one object for --json."""
    return {
        "manifest": manifest,
        "compared": dict(sorted(comparison.sides.items())),
        "sentences": [finding.sentence for finding in findings(comparison)],
        "warnings": [{"name": each.name, "reason": each.reason} for each in comparison.unchecked],
        "pairs": [
            {"across_the_split": leak.crosses, "under_both_labels": leak.conflicts, **_row(leak)}
            for leak in comparison.leaks
        ],
        "one_class_sources": [
            {"source": source.source, "label": source.label, "pictures": source.pictures}
            for source in comparison.sources
        ],
    }


def _finding(sentence: str, leaks: Iterable[Leak] = ()) -> Finding:
    records = [record.key for leak in leaks for record in (leak.one, leak.other)]
    return Finding(severity=Severity.PROBLEM if records else Severity.NOTE, sentence=sentence, records=records)


def _png(comparison: Comparison, store: Store) -> bytes:
    leaks, shown = comparison.leaks, comparison.leaks[:SHOWN]
    rest = f" The first {SHOWN} are shown; leaks.csv has all." if len(leaks) > SHOWN else ""
    lines = [f"{_pairs(leaks)} across the split or under both labels.{rest}"]
    lines += [finding.sentence for finding in findings(comparison)[1:3]]
    target = io.BytesIO()
    cells = [_cell(leak, store) for leak in shown]
    sheet(cells, columns=COLUMNS, heading="Leaks", lines=lines).save(target, "PNG")
    return target.getvalue()


def _cell(leak: Leak, store: Store) -> Cell:
    frames = tuple(_frame(record, store) for record in (leak.one, leak.other))
    title = f"{leak.kind}   {_similarity(leak)}".rstrip()
    return Cell(frames=frames, title=title, lines=(leak.one.name, leak.other.name, leak.why))


def _similarity(leak: Leak) -> str:
    return "" if leak.similarity is None else f"{leak.similarity:.2f}"


def _frame(record: Record, store: Store) -> Frame:
    shown = show_object(store, record.origin)
    return Frame(picture=shown.image, caption=_place(record), missing=shown.missing)


def _row(leak: Leak) -> Row:
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


def _compared_pairs(comparison: Comparison) -> str:
    return f"{comparison.pairs:,} pairs of pictures"


def _compared(comparison: Comparison) -> str:
    count = sum(comparison.sides.values())
    if not comparison.divided:
        return f"{count} pictures without a split were compared across the labels."
    sides = ", ".join(f"{comparison.sides[side]} {side}" for side in sorted(comparison.sides))
    return f"{count} pictures ({sides}) were compared across the split and across the labels."


def _pairs(leaks: Iterable[Leak]) -> str:
    count = len(list(leaks))
    return f"{count} pair{'' if count == 1 else 's'}"
