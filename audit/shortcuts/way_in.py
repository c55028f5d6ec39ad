"""How pictures that have no project came into an audit, in sentences: labels, what was left out, what is asked."""

from collections.abc import Mapping, Sequence

from audit.words import family_in_words
from curate.fetch.in_place import AI, NO_FILE, REAL, InPlace
from curate.fetch.labels import WORDS
from curate.fetch.select import NO_LABEL, NO_PICTURE
from curate.nuisance import FAMILIES, for_files
from imageledger.letters import visible

NAMED = 3
REASONS = 6

WORDED = {
    NO_LABEL: "no label",
    NO_PICTURE: "by content no picture",
    NO_FILE: "named in the table, and not there",
}
"""How the reasons are put for which files were left out before anything was read."""


def sentences(found: InPlace, broken: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """Say where the labels come from, which files were left out, what are copies, and what is not asked here."""
    left_out = {**found.left_out, **broken}
    return tuple(line for line in (_said(found), _left_out(left_out), _copies(found), _not_asked(found)) if line)


def _said(found: InPlace) -> str:
    if not found.said:
        return ""
    pairs = " and ".join(f"{visible(glob)} is {visible(label)}" for glob, label in found.said.items())
    return f"The names of two folders gave the labels: {pairs}. --labels gives others."


def _left_out(left_out: Mapping[str, Sequence[str]]) -> str:
    if not left_out:
        return ""
    by_count = sorted(left_out.items(), key=lambda pair: (-len(pair[1]), pair[0]))
    parts = [f"{_some(names)} ({visible(WORDED.get(why, why))})" for why, names in by_count[:REASONS]]
    if more := sum(len(names) for _, names in by_count[REASONS:]):
        parts.append(f"{more} for other reasons")
    total = sum(map(len, left_out.values()))
    return f"{'1 file was' if total == 1 else f'{total} files were'} left out: {'; '.join(parts)}."


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(visible(name) for name in names[:NAMED])
    return shown + (f" and {len(names) - NAMED} more" if len(names) > NAMED else "")


def _copies(found: InPlace) -> str:
    labels: dict[str, set[str]] = {}
    for record in found.records:
        labels.setdefault(record.origin, set()).add(record.label)
    copies = len(found.records) - len(labels)
    if not copies:
        return ""
    both = sum(len(held) > 1 for held in labels.values())
    noun = "picture is a byte copy" if copies == 1 else "pictures are byte copies"
    return f"{copies} {noun} of another, and copies stay together in every fold" + (
        f"; {both} stand under both labels, so one label of each is wrong." if both else "."
    )


def _not_asked(found: InPlace) -> str:
    negative, positive = (label.lower() for label in found.labels)
    photographs, generated = WORDS
    if negative in {REAL, *photographs} and positive in {AI, *generated}:
        return (
            "Not asked without a project: near-duplicates, mattes, and how often these pictures have been looked at "
            "before."
        )
    files = ", ".join(family_in_words(name) for name in for_files() if name in FAMILIES)
    return (
        f"{' and '.join(map(visible, found.labels))} need not be photographs and generated pictures, so what separates "
        f"them may be what they show. Only {files} go by how a file was made; of the other families it is not asked "
        "whether what they find is a shortcut or the answer. Near-duplicates and mattes are not looked at either."
    )
