"""Look at the pictures of a stage: read its manifest, choose, and open only what is shown."""

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from PIL import Image

from curate.look import figure, judge, pictures
from curate.look.judge import SIMILARITY, Section
from curate.look.settings import EVERYTHING, MATTES, LookSettings
from imageledger import manifest
from imageledger.config import MANIFEST_OF, Project
from imageledger.errors import ConfigError, ManifestError
from imageledger.record import STATUSES, Record
from imageledger.store import write_whole
from imageledger.types import Track, untracked


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """A sheet, what it shows in one sentence, and how its file is called."""

    picture: Image.Image
    sentence: str
    name: str


def look(
    project: Project, stage: str | None = None, *, settings: LookSettings = EVERYTHING, track: Track = untracked
) -> Looked:
    """Draw a sheet of the pictures of a stage (default: the furthest that was made).

    Raises ConfigError for an unknown stage or label, and ManifestError where there is nothing of what was asked for.
    """
    path = _manifest(project, stage)
    name = path.name.partition(".jsonl")[0]
    sections = _sections(project, path, settings)
    shown = [record for section in sections for record in section.records]
    if not shown:
        raise _nothing(project, path, name, settings)
    frames, words, shape, heading = _ways(project, path, name, settings, shown)
    places = track(range(len(shown)), len(shown), "opening pictures")
    opened = {shown[place].key: frames(shown[place]) for place in places}
    lines = [HOW[shape]] if shape in HOW else []
    picture = figure.drawn(
        sections, lambda record: opened[record.key], words,
        columns=settings.columns or shape.columns, shape=shape, heading=heading, lines=lines,
    )  # fmt: skip
    of = sum(section.of for section in sections)
    return Looked(picture=picture, sentence=f"{heading}: {len(shown)} of {of}.", name=f"{name}{settings.name}.png")


def worst_mattes(project: Project) -> Path | None:
    """Write data/audit/mattes.png, the worst mattes of the whiten stage; None where no picture has a matte."""
    settings = LookSettings(worst=MATTES)
    if not any(record.matte for record in manifest.read(project.manifest("whiten"))):
        return None
    return write(look(project, "whitened", settings=settings), project.root / "data" / "audit" / "mattes.png")


def write(looked: Looked, path: Path) -> Path:
    """Write a sheet as a PNG and return its path."""
    target = io.BytesIO()
    looked.picture.save(target, "PNG")
    write_whole(path, target.getvalue())
    return path


HOW: Mapping[figure.Shape, str] = {
    figure.BEFORE_AND_AFTER: "Where faces are torn, try another --matting, or --region face.",
    figure.BESIDE: "A difference is white where both are equal. Decide about pairs at the desk: audit review.",
}
"""How a sheet is read, and what to do about what it shows."""


def _sections(project: Project, path: Path, settings: LookSettings) -> Sequence[Section]:
    records = judge.of_interest(manifest.read(path), settings.status, settings.label)
    if settings.worst:
        return judge.worst_mattes(records, settings.n)
    if settings.pairs:
        records = judge.copies(records, project.declared.labels)
    sort = settings.sort or (SIMILARITY if settings.pairs else None)
    if sort is None:
        return judge.spread(records, settings.n)
    return judge.ordered(records, sort, settings.n, reverse=settings.reverse)


Ways = tuple[figure.Frames, Callable[[Record], Sequence[str]], figure.Shape, str]
"""How the pictures of a record are opened, what is said below them, how both are laid out, and the heading."""


def _ways(project: Project, path: Path, name: str, settings: LookSettings, shown: Sequence[Record]) -> Ways:
    store = project.store
    if settings.worst:
        heading = f"The worst mattes of {project.dataset}"
        return partial(pictures.before_and_after, store), figure.of_matte, figure.BEFORE_AND_AFTER, heading
    if settings.pairs:
        names = {record.key: judge.partner_of(record, project.declared.labels) for record in shown}
        kept = _called(path, set(names.values()))
        return (
            lambda record: pictures.side_by_side(store, record, kept.get(names[record.key])),
            lambda record: figure.of_pair(record, names[record.key]),
            figure.BESIDE,
            f"Copies in {project.dataset}, {name}",
        )
    words = partial(figure.of_sorted, sort=settings.sort) if settings.sort else figure.of_picture
    return partial(pictures.as_it_is, store), words, figure.SINGLE, f"Pictures of {project.dataset}, {name}"


def _called(path: Path, names: set[str]) -> Mapping[str, Record]:
    return {record.name: record for record in manifest.read(path) if record.name in names}


def _manifest(project: Project, stage: str | None) -> Path:
    order = project.declared.order
    made = {MANIFEST_OF[each]: project.manifest(each) for each in order if project.manifest(each).is_file()}
    if stage is None:
        if not made:
            raise ManifestError(f"dataset {project.dataset} has no pictures yet", "curate fetch brings them")
        return made[list(made)[-1]]
    name = MANIFEST_OF.get(stage, stage)
    if name not in MANIFEST_OF.values():
        raise ConfigError(f"there is no stage {stage!r}", f"one of {', '.join(MANIFEST_OF.values())}")
    if name not in made:
        raise ManifestError(
            f"dataset {project.dataset} has no {name} pictures yet", f"made so far: {', '.join(made) or 'nothing'}"
        )
    return made[name]


def _nothing(project: Project, path: Path, name: str, settings: LookSettings) -> ManifestError:
    """Say what was asked for and not found, and what there is."""
    counts = judge.counted(manifest.read(path))
    if settings.label and settings.label not in counts:
        return ManifestError(f"no picture of {name} has the label {settings.label!r}", f"labels: {', '.join(counts)}")
    kind = " that is a copy of another" if settings.pairs else " with a matte" if settings.worst else ""
    parts = [part for part in (settings.label, settings.status) if part]
    there = "; ".join(
        f"{label} {', '.join(f'{count[status]} {status}' for status in STATUSES if count[status])}"
        for label, count in sorted(counts.items())
    )
    hint = "curate whiten makes mattes" if settings.worst and not parts else f"there are: {there or 'no pictures'}"
    return ManifestError(f"{name} has no {' '.join([*reversed(parts), 'picture'])}{kind}", hint)
