"""Choose the balanced dataset and hand it over as final.jsonl, final.csv and a folder tree: the manifest stage."""

import logging
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from functools import partial
from pathlib import Path
from typing import Any

from curate.evidence.measure import WHITENED, Table, measure
from curate.faces.words import faces_said
from curate.history import normalized
from curate.manifest.balance import TRAIN, VALID, Choice, Key, NoSplit, Wanted, divide, missing
from curate.manifest.given import GIVEN, is_given, kept
from curate.manifest.matched import Selection, choice_of, select
from curate.nuisance import family, known, matched
from imageledger import config, decisions, manifest, spreadsheet
from imageledger.config import Project
from imageledger.decisions import Decisions, Persons
from imageledger.errors import ConfigError, ManifestError
from imageledger.record import DUPLICATE, OK, UNUSED, Record
from imageledger.stage import Outcome, Stage, Work, run_set
from imageledger.store import write_whole
from imageledger.types import Track, untracked

logger = logging.getLogger(__name__)

VERSION = 2
MATCHERS = ("scipy", "scikit-learn")
"""Packages on whose versions a matched choice depends."""

NOTE = (
    "Where there were more candidates than places, the pictures were chosen on these numbers (match). No figure that "
    "they reach inside the set is to be quoted; audit shortcuts judges it by probes that share no picture with it."
)
"""What the card says of a choice by numbers, for whoever reads it without this program."""

NOT_CHOSEN = "not chosen"
REASONS_SHOWN = 5
COLUMNS = (
    *(spec.name for spec in fields(Record) if spec.name != "steps"),
    "native_width",
    "native_height",
    "native_format",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ManifestSettings:
    """Settings of manifest: pictures of each label, the share of them for validation, and the seed of all chance.

    `match` are the families of nuisance features in which the classes should agree; none is the plain choice.
    """

    per_class: int = 100
    valid_fraction: float = 0.2
    seed: int = 42
    match: tuple[str, ...] = field(default_factory=matched)

    def __post_init__(self) -> None:
        """Refuse numbers that leave a side without pictures."""
        if self.per_class < 2 or not 0 < self.wanted.valid < self.per_class:
            raise ConfigError(
                f"manifest: {self.per_class} pictures of each class and a valid_fraction of {self.valid_fraction} "
                "leave nothing to train on or nothing to validate with",
                "per_class 100 and valid_fraction 0.2 are the defaults",
            )
        object.__setattr__(self, "match", known(self.match))

    @property
    def wanted(self) -> Wanted:
        """The same as the choice takes them."""
        return Wanted(per_class=self.per_class, valid_fraction=self.valid_fraction, seed=self.seed)


def choose(
    project: Project,
    settings: ManifestSettings | None = None,
    *,
    source: Path | None = None,
    workers: int | None = None,
    track: Track = untracked,
    hear: Callable[[Selection], None] = lambda _: None,
) -> Outcome:
    """Run the stage over the manifest before it and write final.csv beside final.jsonl.

    Without settings those of imageledger.toml hold. `hear` is told of a choice by numbers that was made. Raises
    ManifestError, and writes nothing, when there are too few `ok` pictures or no split keeps groups whole.
    """
    chosen = settings or settings_of(project)
    decided = decisions.read(project.folder / decisions.FILE, project.declared.labels)
    source = source or project.before("manifest")
    concerned = decisions.concerned(decided, manifest.read(source))
    seen = partial(as_decided, decided=decided, persons=decisions.persons_of(decided, concerned))
    given = is_given(map(seen, manifest.read(source)))
    for line in said_of(concerned, decided):
        logger.info(line)
    if given:
        logger.info("the split is the one that the table gives: it is kept, and pictures are not chosen by numbers")

    def plan(rows: Callable[[], Iterator[Record]]) -> Work:
        measured = partial(measure, project, families=chosen.match, stage=WHITENED, workers=workers, track=track)
        split = split_of(lambda: map(seen, rows()), project.declared.labels, chosen, measured, hear, track)
        return lambda record: judge(seen(record), split)

    outcome = run_set(
        Stage(
            name="manifest",
            version=VERSION,
            settings=asdict(chosen) | ({"split": GIVEN} if given else {"note": NOTE} if chosen.match else {}),
            packages=MATCHERS if chosen.match and not given else (),
        ),
        plan,
        source=source,
        output=project.manifest("manifest"),
        dataset=project.dataset,
        extra_input=decisions.digest(decided, "manifest") + _versions(chosen.match),
    )
    write_whole(outcome.path.with_suffix(".csv"), as_csv(manifest.read(outcome.path)).encode())
    return outcome


def settings_of(project: Project, **options: Any) -> ManifestSettings:
    """Return the settings of imageledger.toml, overruled by options that are not None."""
    declared = {name: getattr(project.declared, name) for name in ("per_class", "valid_fraction", "seed")}
    return config.settings(ManifestSettings, {**declared, **project.tables.get("manifest", {})}, options)


def split_of(
    rows: Callable[[], Iterable[Record]],
    labels: tuple[str, ...],
    chosen: ManifestSettings,
    measured: Callable[[Sequence[Record]], Table],
    hear: Callable[[Selection], None] = lambda _: None,
    track: Track = untracked,
) -> Mapping[Key, str]:
    """Choose among the `ok` rows; raise ManifestError when there are too few, or no split keeps groups whole.

    `measured` looks at the candidates, where there is something to choose and something to match; `hear` is told of a
    choice by numbers. A split that the rows have already is kept.
    """
    choices, side = [], {}
    for record in rows():
        if record.status == OK and record.label not in labels:
            raise ManifestError(
                f"{record.name} is labelled {record.label!r}", f"the labels of this project are {', '.join(labels)}"
            )
        if record.status == OK:
            choices.append(choice_of(record))
            side[record.key] = record.split
    if lacking := missing(choices, labels, chosen.per_class):
        raise _too_few(rows(), lacking, labels, chosen.per_class)
    try:
        if any(side.values()):
            return kept(choices, side, chosen.wanted)
        plain = divide(choices, chosen.wanted)
        if not chosen.match or not selective(choices, chosen.per_class):
            return plain
        table = measured([record for record in rows() if record.status == OK])
        if (selection := select(table, labels[-1], chosen.wanted, track)) is None:
            return plain
        hear(selection)
        return selection.split
    except NoSplit as error:
        hint = "correct the column split of the table, leave pictures out (audit review), or change --per-class"
        more = "fetch more pictures of small groups, or lower --per-class"
        raise ManifestError(str(error), hint if any(side.values()) else more) from error


def selective(choices: Iterable[Choice], per_class: int) -> bool:
    """Tell whether any class has more candidates than places, so that there is something to choose."""
    return any(count > per_class for count in Counter(choice.label for choice in choices).values())


def as_decided(record: Record, decided: Decisions, persons: Persons) -> Record:
    """Return a row as people decided: its label, whether it stays, and the group of a person."""
    return replace(decisions.apply(record, decided), group=persons.group_of(record))


def said_of(concerned: Mapping[Key, Record], decided: Decisions) -> list[str]:
    """Say about how many pictures in use people are unsure, and which decisions are not applied."""
    fates = (decisions.fate(record, decided) for record in concerned.values() if record.status == OK)
    unsure = sum(made is not None and made.decision == decisions.UNSURE for made in fates)
    which = "1 picture, which stays" if unsure == 1 else f"{unsure} pictures, which stay"
    lines = [f"People are unsure about {which}: audit review --queue unsure shows them."] if unsure else []
    return [*lines, *decisions.not_applied(decided, concerned)]


def judge(record: Record, split: Mapping[Key, str]) -> Record:
    """Return the row with its side of the split, or as `unused` when it was not chosen."""
    if record.key in split and record.status == OK:
        return replace(record, split=split[record.key])
    record = replace(record, split="")
    return record.failed(NOT_CHOSEN, UNUSED) if record.status == OK else record


def candidates(records: Iterable[Record]) -> list[Record]:
    """Return the rows of a final manifest among which was chosen: those chosen and those that were not."""
    return [record for record in records if record.split or (record.status, record.reason) == (UNUSED, NOT_CHOSEN)]


def summary(records: Iterable[Record]) -> str:
    """Say how many pictures of each label and source stand on each side, and how many faces they show."""
    sides: dict[str, Counter[tuple[str, str]]] = {TRAIN: Counter(), VALID: Counter()}
    chosen = [record for record in records if record.split]
    for record in chosen:
        sides[record.split][record.label, record.source] += 1
    lines = [
        f"{side}: " + ", ".join(f"{count} {label} from {source}" for (label, source), count in sorted(cells.items()))
        for side, cells in sides.items()
    ]
    return "\n".join([*lines, *filter(None, [faces_said(chosen)])])


def as_csv(records: Iterable[Record]) -> str:
    """Write rows as CSV for people, spreadsheets and `pandas.read_csv`; JSON Lines stay the truth.

    Text that a spreadsheet would run as a formula gets an apostrophe in front.
    """
    return spreadsheet.as_csv(COLUMNS, map(_flat, records))


def _versions(families: Sequence[str]) -> str:
    """Return what the stage adds to its input for the numbers it matches on: newer ones mean another choice."""
    return f"+{','.join(f'{name}@{family(name).version}' for name in families)}" if families else ""


def _flat(record: Record) -> dict[str, Any]:
    note = normalized(record)
    width, height = note.size or ("", "")
    native = {"native_width": width, "native_height": height, "native_format": note.format or ""}
    return {name: getattr(record, name) for name in COLUMNS if name not in native} | native


def _too_few(rows: Iterable[Record], lacking: dict[str, int], labels: tuple[str, ...], per_class: int) -> ManifestError:
    """Say how many pictures are missing, by class, and what became of the rows of that class."""
    statuses: dict[str, Counter[str]] = {label: Counter() for label in labels}
    reasons: dict[str, Counter[str]] = {label: Counter() for label in labels}
    for record in rows:
        if record.label in statuses:
            statuses[record.label][record.status] += 1
            if record.status not in (OK, DUPLICATE):
                reasons[record.label][f"{record.status}: {re.sub('[0-9]+', '…', record.reason)}"] += 1
    lines = []
    for label, count in lacking.items():
        known = statuses[label]
        lines.append(f"{label}: {count} of {per_class} are missing: {known.total()} rows, {known[OK]} ok")
        if known[DUPLICATE]:
            lines.append(f"  {known[DUPLICATE]} × duplicate")
        lines.extend(f"  {number} × {reason}" for reason, number in reasons[label].most_common(REASONS_SHOWN))
        if hidden := sum(number for _, number in reasons[label].most_common()[REASONS_SHOWN:]):
            lines.append(f"  {hidden} × other reasons, which stand in the manifest")
    most = min(statuses[label][OK] for label in labels)
    hint = "fetch more pictures" + (f", or take --per-class {most}" if most > 1 else "")
    return ManifestError("too few pictures for a balanced dataset\n" + "\n".join(lines), hint)
