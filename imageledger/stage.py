"""The loop that every stage runs: manifest in, manifest out, resumable at any line."""

import hashlib
import json
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, Any

from imageledger import manifest
from imageledger.engines.local import cores, ordered_map
from imageledger.errors import ManifestError
from imageledger.manifest import Card, Tally
from imageledger.record import OK, STATUSES, Record, Step
from imageledger.store import Store, write_whole
from imageledger.types import Track, untracked

Work = Callable[[Record], Record]

MADE_BY_A_STEP = ("origin", "file", "width", "height", "phash", "matte", "status", "reason")
"""What reuse copies from an older row; its label, licence, group and split may since have been corrected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A stage's name and version, its settings, and the packages whose versions change its pixels."""

    name: str
    version: int
    settings: Mapping[str, Any] = field(default_factory=dict)
    packages: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Hold the settings as a card returns them (lists, not tuples), so that they equal those of a card."""
        object.__setattr__(self, "settings", json.loads(json.dumps(dict(self.settings), allow_nan=False)))

    @property
    def did(self) -> str:
        """How the stage signs a step, such as "normalize@1"."""
        return f"{self.name}@{self.version}"

    def step(self, record: Record, **noted: Any) -> Step:
        """Return the step that this stage adds to a record, with what it noted."""
        return Step(did=self.did, on=record.file, settings=self.settings, found=noted)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Outcome:
    """What a stage did: where the manifest lies, its counts, and how many rows needed work.

    `before` are the counts of the rows as they came in.
    """

    stage: str
    path: Path
    tally: Tally
    worked: int
    reused: int
    before: Tally = field(default_factory=Tally)

    @property
    def reasons(self) -> dict[str, Counter[str]]:
        """Why pictures were set aside, by label: the reasons that this stage gave, not those of the stages before."""
        given = {
            label: counts - self.before.reasons.get(label, Counter()) for label, counts in self.tally.reasons.items()
        }
        return {label: counts for label, counts in given.items() if counts}

    def rows(self) -> list[dict[str, Any]]:
        """Return a row per label: how many pictures have each status, and how many there are in all."""
        return [
            {"label": label, **{status: counts[status] for status in STATUSES}, "total": counts.total()}
            for label, counts in sorted(self.tally.by_label.items())
        ]

    def __str__(self) -> str:
        """Say in one line what became of the pictures."""
        became = ", ".join(f"{self.tally.total(status)} {status}" for status in STATUSES if self.tally.total(status))
        return f"{self.stage}: {became or 'no pictures'} ({self.worked} worked on, {self.reused} reused)"

    __repr__ = __str__

    def _repr_html_(self) -> str:
        from imageledger import notebook, reasons

        table = notebook.table(self.rows(), title=str(self))
        return table + "".join(map(notebook.paragraph, reasons.lines(self.reasons)))


def run_rows(
    stage: Stage,
    work: Work,
    *,
    source: Path,
    output: Path,
    dataset: str,
    store: Store,
    seen_as: Work = lambda record: record,
    extra_input: str = "",
    reusable: Callable[[Record], bool] = lambda _: True,
    workers: int | None = None,
    track: Track = untracked,
) -> Outcome:
    """Map `work` over the `ok` rows of a manifest; all other rows pass unchanged.

    After a kill at any moment, the same call carries on and ends with the same bytes. Rows that an earlier run of the
    same stage and settings made from the same object are copied. `seen_as` changes rows as they are read;
    `extra_input` is the digest of whatever it goes by, and rows that are not `reusable` are worked on again. Raises
    ManifestError for a source that does not match its card.
    """
    found = manifest.sound_digest(source)
    return run_seeds(
        stage, work, lambda: map(seen_as, manifest.read(source)),
        input_digest=found + extra_input, count=Card.read(manifest.card_path(source)).rows,
        output=output, dataset=dataset, store=store, workers=workers, reusable=reusable, track=track,
    )  # fmt: skip


def run_seeds(
    stage: Stage,
    work: Work,
    rows: Callable[[], Iterable[Record]],
    *,
    count: int,
    input_digest: str,
    output: Path,
    dataset: str,
    store: Store,
    workers: int | None = None,
    threads: bool = False,
    reusable: Callable[[Record], bool] = lambda _: True,
    track: Track = untracked,
) -> Outcome:
    """Do what `run_rows` does for rows that are not in a manifest yet (fetch)."""
    card = Card(
        dataset=dataset, stage=stage.did, input=input_digest, settings=stage.settings,
        versions=manifest.versions_of(stage.packages), rows=count, digest="",
    )  # fmt: skip
    part = output.with_name(f".{output.name}.{_job(card)}.part")
    output.parent.mkdir(parents=True, exist_ok=True)
    tally, before = Tally(), Tally()
    with _carry_on(part, tally) as draft:
        done = tally.rows
        jobs = _jobs(stage, card, map(before.add, rows()), done, output, store, reusable)
        counted = _Counting(jobs)
        results = ordered_map(work, counted, workers=workers or cores(), threads=threads)
        for record in track(results, count - done, stage.name):
            draft.write(f"{tally.add(record).to_line()}\n".encode())
            draft.flush()
        os.fsync(draft.fileno())
    _publish(part, output, replace(card, rows=tally.rows, digest=manifest.digest(part), counts=tally.plain()))
    reused = tally.rows - counted.worked - counted.passed
    return Outcome(stage=stage.name, path=output, tally=tally, worked=counted.worked, reused=reused, before=before)


def run_set(
    stage: Stage,
    plan: Callable[[Callable[[], Iterator[Record]]], Work],
    *,
    source: Path,
    output: Path,
    dataset: str,
    extra_input: str = "",
) -> Outcome:
    """Run a whole-set stage: `plan` reads the rows as often as it likes and returns what becomes of each.

    When the same job has been done before, its manifest is kept and nothing is planned again.
    `extra_input` is the digest of anything else the plan depends on, such as the decisions of people. Raises
    ManifestError for a source that does not match its card.
    """
    found = manifest.sound_digest(source)
    card = Card(
        dataset=dataset, stage=stage.did, input=found + extra_input, settings=stage.settings,
        versions=manifest.versions_of(stage.packages), rows=0, digest="",
    )  # fmt: skip
    tally, before = Tally(), Tally()
    if _stands(output, card):
        for record, came in zip(manifest.read(output), manifest.read(source), strict=True):
            tally.add(record)
            before.add(came)
        return Outcome(stage=stage.name, path=output, tally=tally, worked=0, reused=tally.rows, before=before)
    decide = plan(lambda: manifest.read(source))
    part = output.with_name(f".{output.name}.{_job(card)}.part")
    with part.open("wb") as draft:
        for record in manifest.read(source):
            draft.write(f"{tally.add(decide(before.add(record))).to_line()}\n".encode())
        draft.flush()
        os.fsync(draft.fileno())
    _publish(part, output, replace(card, rows=tally.rows, digest=manifest.digest(part), counts=tally.plain()))
    return Outcome(stage=stage.name, path=output, tally=tally, worked=tally.rows, reused=0, before=before)


class _Counting:
    """Count, while jobs stream past, how many need work and how many pass because they were set aside before."""

    def __init__(self, jobs: Iterable[tuple[Record, Record | None]]) -> None:
        self.jobs = jobs
        self.worked = self.passed = 0

    def __iter__(self) -> Iterator[tuple[Record, Record | None]]:
        for record, ready in self.jobs:
            self.worked += ready is None
            self.passed += ready is record
            yield record, ready


def _job(card: Card) -> str:
    identity = [card.dataset, card.stage, card.input, dict(card.settings), dict(card.versions)]
    return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:16]


def _same_work(old: Card, new: Card) -> bool:
    return (old.stage, dict(old.settings), dict(old.versions)) == (new.stage, dict(new.settings), dict(new.versions))


def _stands(output: Path, card: Card) -> bool:
    try:
        old = Card.read(manifest.card_path(output))
    except ManifestError:
        return False
    same = _same_work(old, card) and (old.input, old.dataset) == (card.input, card.dataset)
    return same and output.is_file() and manifest.digest(output) == old.digest


def _jobs(
    stage: Stage,
    card: Card,
    rows: Iterable[Record],
    done: int,
    output: Path,
    store: Store,
    reusable: Callable[[Record], bool],
) -> Iterator[tuple[Record, Record | None]]:
    older = _older(output, card)
    old = next(older, None)
    for number, record in enumerate(rows):
        while old is not None and old.key < record.key:
            old = next(older, None)
        if number < done:
            continue
        if record.status != OK:
            yield record, record
        elif old is not None and old.key == record.key and reusable(record):
            yield record, _reuse(stage, record, old, store)
        else:
            yield record, None


def _older(output: Path, card: Card) -> Iterator[Record]:
    """Stream an earlier output of the same stage, settings and versions; nothing when it is not sound."""
    try:
        old = Card.read(manifest.card_path(output))
        if _same_work(old, card) and manifest.digest(output) == old.digest:
            yield from manifest.read(output)
    except (ManifestError, FileNotFoundError):
        return


def _reuse(stage: Stage, record: Record, old: Record, store: Store) -> Record | None:
    depth = len(record.steps)
    if len(old.steps) <= depth or record.steps != old.steps[:depth]:
        return None
    step = old.steps[depth]
    if (step.did, step.on, step.settings) != (stage.did, record.file, stage.settings):
        return None
    if not all(store.has(name) for name in (old.file, old.matte) if name):
        return None
    return record.after(step, **{name: getattr(old, name) for name in MADE_BY_A_STEP})


def _carry_on(part: Path, tally: Tally) -> IO[bytes]:
    """Open the half-written output, count its whole lines and cut off a torn last one."""
    for stale in part.parent.glob(f"{part.name.rpartition('.')[0].rpartition('.')[0]}.*.part"):
        if stale != part:
            stale.unlink()
    part.touch()
    draft = part.open("r+b")
    whole = 0
    for line in draft:
        try:
            record = Record.from_line(line.decode())
        except (ManifestError, UnicodeDecodeError):
            break
        if not line.endswith(b"\n"):
            break
        tally.add(record)
        whole += len(line)
    draft.seek(whole)
    draft.truncate()
    return draft


def _publish(part: Path, output: Path, card: Card) -> None:
    """Put card and manifest in place; after a kill in between, the next run publishes the complete part again."""
    write_whole(manifest.card_path(output), card.to_json().encode())
    os.replace(part, output)
