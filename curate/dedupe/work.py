"""Find exact and near copies, keep the best of each cluster: the dedupe stage, which judges the originals."""

import logging
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image

from curate.dedupe import judge as clusters
from curate.dedupe.judge import Match, Pair, Picture, Plan
from curate.dedupe.parts import MOST, NOTHING, Part, part, parts
from curate.dedupe.prints import Reductions, prints_of
from curate.dedupe.told import told
from curate.history import fetched, normalized, on_original
from curate.pictures import likeness, pixels
from curate.pictures.hashers import to_int
from curate.pictures.likeness import View
from curate.pictures.overlap import Grey
from curate.pictures.pixels import Box
from imageledger import config, decisions, manifest
from imageledger.config import Project
from imageledger.decisions import Decisions
from imageledger.errors import ConfigError, ManifestError, StoreError
from imageledger.record import OK, Record
from imageledger.stage import Outcome, Stage, Work, run_set
from imageledger.store import Store
from imageledger.types import Track, untracked

logger = logging.getLogger(__name__)

VERSION = 3
PACKAGES = ("pillow", "numpy", "opencv-python-headless")
VIEWS_HELD = 8192
"""Views kept in memory, 16-32 KiB each; each original is decoded once unless more than these are candidates."""

CONFLICT = "conflict: "
KEEP, REJECT = "keep", "reject"

Place = tuple[str, str, Box | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class DedupeSettings:
    """Settings of dedupe; `distance` is how many of the 64 bits of a hash candidates may differ in.

    Up to `most` different pictures are also searched for turned, cropped and framed copies; 0 turns that off.
    `pairs` says what pictures of both labels are that are alike and not the same: "reject" takes them for a conflict,
    "keep" for a photograph and its twin. Declared pairs are kept in either case.
    """

    distance: int = 6
    pairs: str = REJECT
    most: int = MOST

    def __post_init__(self) -> None:
        """Refuse distances at which everything is a candidate."""
        if not 0 <= self.distance <= 24:
            raise ConfigError(f"dedupe: distance lies between 0 and 24, not {self.distance}", "6 is the default")
        if self.most < 0:
            raise ConfigError(f"dedupe: most is a number of pictures, not {self.most}", f"{MOST} is the default")
        if self.pairs not in (KEEP, REJECT):
            raise ConfigError(f"dedupe: pairs are kept or rejected, not {self.pairs!r}", f"{KEEP} or {REJECT}")


def dedupe(
    project: Project,
    settings: DedupeSettings | None = None,
    *,
    source: Path | None = None,
    workers: int | None = None,
    track: Track = untracked,
) -> Outcome:
    """Run the stage over the manifest before it; decisions of people are applied first.

    Without settings those of imageledger.toml hold. Keypoints are looked for by `workers` processes; pairs are compared
    in this one. Conflicts, and decisions that are not applied, go to the logger.
    """
    chosen = settings or settings_of(project)
    decided = decisions.read(project.folder / decisions.FILE, project.declared.labels)

    def plan(rows: Callable[[], Iterator[Record]]) -> Work:
        judged = plan_for(rows(), decided, project.store, chosen, track, workers=workers)
        return lambda record: judge(decisions.apply(record, decided), judged)

    outcome = run_set(
        Stage(name="dedupe", version=VERSION, settings=asdict(chosen), packages=PACKAGES),
        plan,
        source=source or project.before("dedupe"),
        output=project.manifest("dedupe"),
        dataset=project.dataset,
        extra_input=decisions.digest(decided, "dedupe"),
    )
    for line in remarks(project, manifest.read(outcome.path)):
        logger.info(line)
    return outcome


def settings_of(project: Project, **options: Any) -> DedupeSettings:
    """Return the settings of imageledger.toml, overruled by options that are not None."""
    return config.settings(DedupeSettings, project.tables.get("dedupe", {}), options)


def plan_for(
    rows: Iterable[Record], decided: Decisions, store: Store, chosen: DedupeSettings, track: Track = untracked,
    *, workers: int | None = None,
) -> Plan:  # fmt: skip
    """Compare the `ok` rows with each other and say what becomes of those that have a copy."""
    pictures, seen = [], {}
    for row in rows:
        record = decisions.apply(row, decided)
        if record.status == OK:
            pictures.append(picture_of(record, decisions.keeps(record, decided)))
            seen[record.key] = place_of(record)
    views = Originals(store, seen)
    said = told(decisions.pairs_of(decided, {picture.key: picture.origin for picture in pictures}))
    folded = clusters.fold(pictures, said)
    heads = [same[0] for same in folded]
    pairs = clusters.candidates(heads, chosen.distance)
    matches = clusters.verified(heads, track(pairs, len(pairs), "comparing pairs"), views.alike, likeness.ALIKE)
    sharing: clusters.Sharing | None = None
    if len(heads) <= chosen.most:
        shared = Shared(heads, store, workers=workers, track=track)
        matches |= shared.beyond(matches)
        sharing = shared.between
    elif chosen.most:
        logger.info(
            "%d different pictures are more than --most %d: turned, cropped and framed copies were not looked for",
            len(heads), chosen.most,
        )  # fmt: skip
    return clusters.decide(
        folded, matches, views.alike, likeness.ALIKE, keep_pairs=chosen.pairs == KEEP, sharing=sharing, told=said
    )


def judge(record: Record, plan: Plan) -> Record:
    """Return what becomes of a row; rows without a copy pass unchanged."""
    verdict = plan.verdicts.get(record.key)
    if verdict is not None:
        return replace(record, **asdict(verdict))
    return replace(record, group=plan.groups.get(record.group, record.group))


def remarks(project: Project, records: Iterable[Record]) -> list[str]:
    """Say what a person should look at in a deduped manifest: conflicts, and decisions that are not applied."""
    rows = list(records)
    conflicts = [
        f"Conflict: {row.name} is labelled {row.label}, but {row.reason.removeprefix(CONFLICT)}"
        for row in rows
        if row.reason.startswith(CONFLICT)
    ]
    paired = {row.pair for row in rows if row.pair and row.status == OK}
    if paired:
        conflicts.append(
            f"{len(paired)} pairs of both labels are kept: each stays in one fold and on one side of the split"
        )
    decided = decisions.read(project.folder / decisions.FILE)
    lost = [f"Decision without a row: no record is called {name}" for name in decisions.without_row(decided, rows)]
    return [*conflicts, *lost, *decisions.not_applied(decided, decisions.concerned(decided, rows))]


def picture_of(record: Record, kept: bool = False) -> Picture:
    """Return what comparing needs to know of a row; raise ManifestError when it has no perceptual hashes."""
    note = normalized(record)
    try:
        phash, mirrored = to_int(record.phash), to_int(note.mirrored or "")
    except ValueError as error:
        raise ManifestError(
            f"{record.name} has no perceptual hash: {error}", "dedupe reads what curate normalize has written"
        ) from error
    width, height = note.size or (0, 0)
    weight = (fetched(record).bytes or 0) / max(1, width * height)
    return Picture(
        key=record.key,
        label=record.label,
        group=record.group,
        pair=record.pair,
        origin=record.origin,
        pixels=note.pixels or "",
        phash=phash,
        mirrored=mirrored,
        rank=(-width * height, note.tables or 0, -weight, record.origin),
        kept=kept,
    )


def place_of(record: Record) -> Place:
    """Return where the original of a row lies, its matte, and what of the original the matte belongs to."""
    return record.origin, record.matte, normalized(record).crop


class Shared:
    """The parts that originals share; raises StoreError when one is missing or damaged."""

    def __init__(
        self, heads: Sequence[Picture], store: Store, *, workers: int | None = None, track: Track = untracked
    ) -> None:
        self.heads = heads
        self.track = track
        self.reductions = Reductions(store)
        found = prints_of(store, [head.origin for head in heads], workers=workers, track=track)
        for problem in found.problems.values():
            raise StoreError(problem, "curate run makes missing objects again")
        self.prints = [found.of.get(head.origin, NOTHING) for head in heads]

    def beyond(self, known: Mapping[Pair, Match]) -> dict[Pair, Match]:
        """Find the pairs that share a part and are not known to be alike as a whole."""
        alike = {(pair.one, pair.other) for pair in known}
        found = parts(self.prints, self.grey, lambda i, j: (i, j) not in alike, self.track)
        return dict(map(self._match, found))

    def between(self, one: int, other: int) -> Match | None:
        """Say how two pictures share a part, or None."""
        found = part(self.prints, self.grey, one, other)
        return None if found is None else self._match(found)[1]

    def grey(self, place: int) -> Grey:
        """Return the picture at a place as its keypoints saw it."""
        return self.reductions.of(self.heads[place].origin)

    def _match(self, found: Part) -> tuple[Pair, Match]:
        one, other = self.heads[found.one], self.heads[found.other]
        distance = (one.phash ^ (other.mirrored if found.mirrored else other.phash)).bit_count()
        shared = found.overlap
        match = Match(distance, found.mirrored, shared.similarity, shared.words, shared.outer)
        return Pair(found.one, found.other, distance, found.mirrored), match


class Originals:
    """The originals of candidates, reduced for comparison, each decoded when first asked for."""

    def __init__(self, store: Store, seen: Mapping[clusters.Key, Place]) -> None:
        self.store = store
        self.seen = seen
        self.held: OrderedDict[clusters.Key, View] = OrderedDict()

    def alike(self, one: Picture, other: Picture, mirrored: bool) -> float:
        """Return how alike two originals are, -1..1; raise StoreError when one is missing or damaged."""
        second = self.of(other)
        return likeness.likeness(self.of(one), second.mirrored() if mirrored else second)

    def of(self, picture: Picture) -> View:
        """Return the view of a picture, from memory where it is still held."""
        if picture.key not in self.held:
            if len(self.held) >= VIEWS_HELD:
                self.held.popitem(last=False)
            self.held[picture.key] = self._read(*self.seen[picture.key])
        self.held.move_to_end(picture.key)
        return self.held[picture.key]

    def _read(self, origin: str, matte: str, crop: Box | None) -> View:
        try:
            image = pixels.decode(self.store.read(origin)).image
        except pixels.CannotDecode as error:
            raise StoreError(
                f"object {origin} can no longer be decoded: {error}", "imageledger verify names what is damaged"
            ) from error
        if not matte or crop is None:
            return likeness.view(image)
        alpha = Image.open(BytesIO(self.store.read(matte)))
        return likeness.view(image, on_original(alpha, crop, image.size))
