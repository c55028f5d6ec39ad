"""Which label each file of a source gets: one for all, by patterns over its path, or from a table."""

import logging
import shlex
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from curate.sources import Member, table
from curate.sources.choose import labeller
from curate.sources.table import Facts
from imageledger.config import Project, SourceEntry

logger = logging.getLogger(__name__)

SHOWN = 8

SPLIT_FOLDERS = {"train", "training", "test", "testing", "val", "valid", "validation"}
"""What folders that hold a split rather than a class are called."""

WORDS = (
    {"real", "reals", "photo", "photos", "photograph", "photographs", "human", "humans", "genuine", "natural"},
    {"ai", "fake", "fakes", "generated", "synthetic", "artificial", "gan", "stylegan", "stylegan2", "diffusion", "sd"},
)  # fmt: skip
"""What folders of photographs, and of generated pictures, are called."""


def labelled(
    address: str, members: Sequence[Member], entry: SourceEntry, project: Project
) -> tuple[dict[str, str], dict[str, Facts]]:
    """Return the label of each member that has one, and what a table says of it.

    Says how many members have none, and which patterns and rows match nothing. Raises ConfigError for a table that
    cannot be read.
    """
    if entry.table:
        path = (project.root / Path(entry.table).expanduser()).resolve()
        facts, lost = table.by_member(table.read(path), [member.name for member in members])
        translated = labeller(entry.labels)
        labels = {
            name: translated(fact.label)[1] if fact.label and entry.labels else fact.label or entry.label
            for name, fact in facts.items()
        }
        labels = {name: label for name, label in labels.items() if label}
        if lost:
            logger.warning("%s: no file for %d × a row of %s: %s", address, len(lost), path.name, few(lost))
        _say_skipped(address, members, labels, f"have no label in {path.name}")
        return labels, facts
    if entry.label:
        return {member.name: entry.label for member in members}, {}
    label_of = labeller(entry.labels)
    labels, used = {}, Counter[str]()
    for member in members:
        glob, label = label_of(member.name)
        if label:
            labels[member.name] = label
            used[glob] += 1
    for glob in entry.labels:
        if not used[glob]:
            logger.warning("%s: nothing matches %r; %s", address, glob, folders(members))
    _say_skipped(address, members, labels, "match no label pattern")
    return labels, {}


def proposal(members: Sequence[Member], labels: Sequence[str]) -> str:
    """Propose the options that label the files of a source: by folders whose names say a class, or one for all.

    >>> proposal([Member("set/0_real/1.jpg", 1), Member("set/1_fake/1.jpg", 1)], ("real", "ai"))
    "--labels 'set/0_real/**=real,set/1_fake/**=ai'"
    """
    said: dict[str, str] = {}
    for folder in sorted({name.rpartition("/")[0] for name, _ in members if "/" in name}):
        parts = folder.split("/")
        for depth, part in enumerate(parts, 1):
            if label := _meant(part, labels):
                said["/".join((*parts[:depth], "**"))] = label
                break
    if len(set(said.values())) == len(labels) and len(said) <= SHOWN:
        return f"--labels {shlex.quote(','.join(f'{glob}={label}' for glob, label in said.items()))}"
    one, other = labels
    return f"--label {one}, or --labels '{one}/**={one},{other}/**={other}'; {folders(members)}"


def guessed(names: Sequence[str]) -> dict[str, str]:
    """Return the labels, by pattern, of pictures that lie in exactly two folders; {} where they do not.

    A folder around both is looked through, and so are train and test folders that each hold the same two.

    >>> guessed(["set/cats/1.jpg", "set/dogs/1.jpg"])
    {'set/cats/**': 'cats', 'set/dogs/**': 'dogs'}
    >>> guessed(["train/ai/1.jpg", "train/real/1.jpg", "test/ai/2.jpg", "test/real/2.jpg"])
    {'*/ai/**': 'ai', '*/real/**': 'real'}
    """
    paths = [name.split("/")[:-1] for name in names]
    around = ""
    while paths:
        tops = sorted({path[0] for path in paths if path})
        if len(tops) != 1:
            break
        around += f"{_literal(tops[0])}/"
        paths = [path[1:] for path in paths if path]
    else:
        return {}
    if tops and {top.lower() for top in tops} <= SPLIT_FOLDERS:
        around, tops = f"{around}*/", sorted({path[1] for path in paths if len(path) > 1})
    return {f"{around}{_literal(top)}/**": top for top in tops} if len(tops) == 2 else {}


def in_order(labels: Iterable[str]) -> tuple[str, ...]:
    """Put the label of photographs first where the names say which it is; else keep the order.

    >>> in_order(["fake", "real"]), in_order(["cats", "dogs"])
    (('real', 'fake'), ('cats', 'dogs'))
    """
    given = tuple(dict.fromkeys(labels))
    photographs, generated = WORDS
    return tuple(sorted(given, key=lambda label: (label.lower() in generated) - (label.lower() in photographs)))


def _literal(folder: str) -> str:
    """Write the name of a folder as a pattern that matches it alone."""
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in folder)


def folders(members: Sequence[Member]) -> str:
    """Describe where the members lie, for a person whose pattern missed them."""
    if not members:
        return "there are no files in it"
    tops = Counter(f"{name.rpartition('/')[0]}/" if "/" in name else "(top)" for name, _ in members)
    shown = [f"{folder} ({count})" for folder, count in tops.most_common(SHOWN)]
    return f"its files lie in {', '.join(shown)}" + (" …" if len(tops) > SHOWN else "")


def _say_skipped(address: str, members: Sequence[Member], labels: Mapping[str, str], why: str) -> None:
    if names := [name for name, _ in members if name not in labels]:
        logger.warning("%s: %d of %d files %s, skipped: %s", address, len(names), len(members), why, few(names))


def _meant(folder: str, labels: Sequence[str]) -> str:
    """Return the label that the name of a folder says, or ""."""
    words = set(folder.lower().replace("-", "_").replace(" ", "_").split("_"))
    meant = [label for label, known in zip(labels, WORDS, strict=True) if words & {label.lower(), *known}]
    return meant[0] if len(meant) == 1 else ""


def few(names: Sequence[str]) -> str:
    """List the first few names, and say that there are more."""
    return ", ".join(names[:3]) + (", …" if len(names) > 3 else "")
