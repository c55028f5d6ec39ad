"""Suspected labels, written for people: sentences, a table, CSV, a page, and decisions that wait for a person."""

import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from audit import page
from audit.labels.work import Audit, Suspect, proposed, within
from audit.pictures import Entry, entry_of
from audit.words import DRAWN_NOTE
from imageledger.config import Project
from imageledger.intervals import share_in_words
from imageledger.sheet import visible
from imageledger.spreadsheet import as_csv
from imageledger.store import write_whole

PROPOSED = "labels-proposed.jsonl"
SHOWN = 100
"""At most so many suspects stand on the page; the CSV file and the proposals have all."""

CSV_FIELDS = (
    "rank", "label", "suggested", "quality", "probability", "by_file", "flagged", "source", "member", "file", "fold",
)  # fmt: skip

Track = Callable[[Iterable[Suspect], int], Iterable[Suspect]]


def open_pictures(project: Project, audit: Audit, track: Track) -> list[Entry]:
    """Open the pictures of the first suspects, at most SHOWN; what cannot be shown says why."""
    shown = track(audit.suspects[:SHOWN], min(SHOWN, len(audit.suspects)))
    return [
        entry_of(project, audit.judged.run, one.rank, one.prediction, audit.judged.records.get(one.prediction.key))
        for one in shown
    ]


def write(project: Project, audit: Audit, entries: Sequence[Entry], folder: Path, who: str = "") -> dict[str, Path]:
    """Write labels.csv, labels.html and the proposals into a folder and return their paths by kind."""
    files = {"csv": folder / "labels.csv", "html": folder / "labels.html", "jsonl": folder / PROPOSED}
    lines = [json.dumps(line, ensure_ascii=False) for line in proposed(audit.suspects, audit.judged.run.name, who)]
    told = notes(audit, within(project, files["jsonl"]))
    texts = {
        "csv": as_csv(CSV_FIELDS, map(_row, audit.suspects)),
        "html": page.render(
            "labels.html", audit=audit, run=audit.judged.run, heading=headline(audit), lines=told,
            cards=list(zip(audit.suspects, entries, lines, strict=False)), positive=audit.judged.run.labels[1],
        ),
        "jsonl": "".join(f"{line}\n" for line in lines),
    }  # fmt: skip
    for kind, text in texts.items():
        write_whole(files[kind], text.encode("utf-8", errors="backslashreplace"))
    return files


def sentences(audit: Audit, proposals: str) -> list[str]:
    """Say how many labels are suspected, what that means, and how a person decides."""
    return [headline(audit), *notes(audit, proposals)]


def headline(audit: Audit) -> str:
    """Say in one sentence how many labels confident learning suspects."""
    n = len(audit.judged.predictions)
    if not audit.suspects:
        who = "model and files agree" if audit.witness else "the model agrees"
        return f"No label is suspected: {who} with all {n}, or a person has decided."
    noun = "label" if audit.flagged == 1 else "labels"
    who = ", of the model or of the file" if audit.witness else ""
    return (
        f"{audit.flagged} {noun} of {n} counted as wrong by confident learning{who}; {len(audit.suspects)} suspects in "
        "all."
    )


def notes(audit: Audit, proposals: str) -> list[str]:
    """Say what a person must know before deciding, and how to decide."""
    drawn = [DRAWN_NOTE] if audit.judged.drawn else []
    total = len(audit.judged.predictions)
    said = (
        f"The model is wrong, or the label is, on {share_in_words(audit.mistaken, total)}: pictures that it finds hard "
        "look like wrong labels to it, so look at each before you decide."
    )
    asked = [
        f"The files as fetched were asked as well (AUC {audit.witness.auc:.2f} on these labels), and the quality is "
        "that of the witness who doubts more. A file knows where a picture was filed: it finds those under the wrong "
        "label, and knows nothing of pictures of the other class within a source."
    ] if audit.witness else []  # fmt: skip
    before = [f"{audit.decided} more were decided on before, and are left out."] if audit.decided else []
    if not audit.suspects:
        return [*drawn, *before]
    return [
        *drawn, said, *asked, *before,
        "Nothing has been changed. To take over suspects 1 and 3, in the project folder: "
        f"sed -n '1p;3p' {proposals} >> {audit.decisions}; "
        'put your name into "who" there (or have it written by --who NAME), then curate manifest. A line without a '
        'name is refused. A label that is right: write "keep" for "label", take the new label away, and it is not '
        "asked about again.",
    ]  # fmt: skip


def table(audit: Audit, most: int) -> list[dict[str, Any]]:
    """Return the first suspects as rows for the terminal; names are safe to print."""
    return [
        {
            "rank": str(one.rank),
            "label": one.prediction.label,
            "suggested": one.suggested,
            "quality": f"{one.quality:.3f}",
            **({} if one.by_file is None else {"by its file": f"{one.by_file:.3f}"}),
            "flagged": "yes" if one.flagged else "",
            "source": visible(one.prediction.source),
            "member": visible(one.prediction.member),
        }
        for one in audit.suspects[:most]
    ]


def plain(project: Project, audit: Audit, files: dict[str, Path]) -> dict[str, Any]:
    """Return the whole audit as one object for --json."""
    return {
        "run": audit.judged.run.name,
        "labels": list(audit.judged.run.labels),
        "pictures": len(audit.judged.predictions),
        "flagged": audit.flagged,
        "decided": audit.decided,
        "file_auc": audit.witness.auc if audit.witness else None,
        "sentences": sentences(audit, within(project, files["jsonl"])),
        "warnings": list(audit.warnings),
        "suspects": [_row(one) for one in audit.suspects],
        "files": {kind: str(path) for kind, path in files.items()},
    }


def _row(one: Suspect) -> dict[str, Any]:
    said = one.prediction
    return {
        "rank": one.rank, "label": said.label, "suggested": one.suggested, "quality": one.quality,
        "probability": said.probability, "by_file": one.by_file, "flagged": one.flagged, "source": said.source,
        "member": said.member,
        "file": said.file, "fold": said.fold,
    }  # fmt: skip
