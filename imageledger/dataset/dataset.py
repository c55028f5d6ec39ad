"""A dataset as Python code sees it: open or create a project, run its stages, look at its pictures."""

import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from imageledger import damages as rot
from imageledger import manifest, notebook, overview
from imageledger.config import MANIFEST_OF, open_project
from imageledger.dataset.audits import Audits
from imageledger.dataset.picture import Picture
from imageledger.dataset.stages import Stages
from imageledger.dataset.trainings import Trainings
from imageledger.errors import ConfigError, ManifestError
from imageledger.project import init
from imageledger.record import OK, STATUSES, Record
from imageledger.types import Key

if TYPE_CHECKING:
    import pandas
    from PIL import Image

NEAREST = 5
COLUMNS, SIDE = 5, 128


class Dataset(Stages, Trainings):
    """The dataset of a project folder: its stages, trainings and audits as methods, its pictures by member.

    >>> faces
    dataset portraits
      fetched: 24 ok
      normalized: 24 ok
      deduped: 24 ok
      whitened: 24 ok
      final: 20 ok, 4 unused
      runs: first
    >>> faces["real/001.png"]
    <Picture folder:...photos#real/001.png, real, ok>
    """

    @property
    def name(self) -> str:
        """The name of the dataset, which imageledger.toml declares."""
        return self.project.dataset

    @property
    def audit(self) -> Audits:
        """The audits, such as `faces.audit.shortcuts()` and `faces.audit.leaks()`."""
        return Audits(self.root, progress=self.progress)

    def records(self, stage: str | None = None) -> list[Record]:
        """Return the records of a manifest, by its name or that of its stage (default: the furthest stage).

        >>> faces.records("fetched")[0].member
        'ai/000.png'
        """
        return list(manifest.read(self._manifest(stage)))

    def frame(self, stage: str | None = None) -> "pandas.DataFrame":
        """Return a manifest as a pandas DataFrame, a row per picture, with the path of each picture's file.

        `stage` is "fetched", "normalized", "deduped", "whitened" or "final" (default: the furthest stage).

        >>> faces.frame("final").query("status == 'ok'").groupby("label").size().to_dict()
        {'ai': 10, 'real': 10}
        """
        store = self.project.store
        rows = [
            {**{name: getattr(record, name) for name in SHOWN}, "path": str(store.path(record.file or record.origin))}
            for record in self.records(stage)
        ]
        return notebook.frame(rows, columns=[*SHOWN, "path"])

    def show_batch(
        self, max_n: int = 10, *, stage: str | None = None, seed: int = 0, columns: int = COLUMNS, size: int = SIDE
    ) -> "Image.Image":
        """Return a sheet of `max_n` usable pictures, each `size` px wide, drawn at random, equally many per label.

        >>> faces.show_batch(4).mode
        'RGB'
        """
        from imageledger.sheet import Cell, Frame, sheet

        chosen = self._some(self.records(stage), max_n, seed)
        cells = [
            Cell(frames=(Frame(picture=picture.image()),), title=picture.label, lines=(picture.record.member,))
            for picture in chosen
        ]
        return sheet(cells, columns=columns, heading=self.name, size=size)

    def status(self) -> notebook.Rows:
        """Return a row per stage and label: whether it is current, and how many pictures have each status.

        >>> faces.status()[0]["state"]
        'current'
        """
        return notebook.Rows(overview.stages(self.project))

    def verify(self, models: Sequence[Path | str] = (), *, remove_damaged: bool = False) -> notebook.Rows:
        """Check all that was derived against what was noted when it was made; return what is damaged.

        With `models`, exported ones, these are checked instead. With `remove_damaged`, it removes damaged objects,
        features and numbers, so that they are made again.

        >>> len(faces.verify())
        0
        """
        project = self.project
        if models:
            return notebook.Rows(rot.plain(damage) for damage in rot.of_exports(map(Path, models)))
        damages = list(rot.damages(project))
        if damages and remove_damaged:
            rot.mend(project, damages)
        return notebook.Rows(rot.plain(damage) for damage in damages)

    def __getitem__(self, key: str | Key) -> Picture:
        """Find a picture by its member, the end of its path, `source#member`, or the tuple (source, member)."""
        matches = self._matching(key)
        if len(matches) == 1:
            return Picture(matches[0], self.project.store)
        if not matches:
            raise ManifestError(f"no picture of {self.name} is called {key!r}", self._nearest(str(key)))
        names = ", ".join(repr(record.name) for record in matches[:NEAREST])
        more = f" and {len(matches) - NEAREST} more" if len(matches) > NEAREST else ""
        raise ManifestError(
            f"{len(matches)} pictures of {self.name} are called {key!r}", f"choose one of {names}{more}"
        )

    def __iter__(self) -> Iterator[Picture]:
        store = self.project.store
        return (Picture(record, store) for record in self.records())

    def __len__(self) -> int:
        return len(self.records())

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str | tuple) and len(self._matching(key)) == 1

    def __bool__(self) -> bool:
        return True

    def __repr__(self) -> str:
        """Name the dataset, its manifests and its runs."""
        lines = [f"{name}: {_counts(path)}" for name, path in self._made().items()] or ["nothing fetched yet"]
        runs = [repr(self.runs)] if self.runs else []
        return "\n  ".join([f"dataset {self.name}", *lines, *runs])

    def _repr_html_(self) -> str:
        project = self.project
        stages = notebook.table(overview.stages(project), title=f"dataset {project.dataset}")
        return stages + (notebook.table(overview.runs(project), title="runs") if self.runs else "")

    def _made(self) -> dict[str, Path]:
        """Return the manifests made so far by name, in the order of the stages."""
        project = self.project
        paths = {MANIFEST_OF[stage]: project.manifest(stage) for stage in project.declared.order}
        return {name: path for name, path in paths.items() if path.is_file()}

    def _manifest(self, stage: str | None) -> Path:
        made = self._made()
        if stage is None:
            if not made:
                raise ManifestError(f"dataset {self.name} has no pictures yet", 'faces.fetch("folder:photos")')
            return made[list(made)[-1]]
        name = MANIFEST_OF.get(stage, stage)
        if name not in MANIFEST_OF.values():
            raise ConfigError(f"there is no stage {stage!r}", f"manifests: {', '.join(MANIFEST_OF.values())}")
        if name not in made:
            raise ManifestError(f"dataset {self.name} has no {name} pictures yet", f"made so far: {', '.join(made)}")
        return made[name]

    def _matching(self, key: str | Key) -> list[Record]:
        records = self.records()
        if isinstance(key, tuple):
            return [record for record in records if record.key == key]
        if exact := [record for record in records if key in (record.name, record.member)]:
            return exact
        return [record for record in records if f"{record.source}/{record.member}".endswith(f"/{key}")]

    def _nearest(self, key: str) -> str:
        from difflib import get_close_matches

        names = [record.member for record in self.records()]
        near = get_close_matches(key, names, n=NEAREST, cutoff=0.5) or names[:NEAREST]
        return f"for example {', '.join(dict.fromkeys(near))}"

    def _some(self, records: Sequence[Record], most: int, seed: int) -> list[Picture]:
        by_label = {label: [record for record in records if (record.label, record.status) == (label, OK)]
                    for label in self.project.declared.labels}  # fmt: skip
        if not any(by_label.values()):
            raise ManifestError(f"dataset {self.name} has no usable pictures to show", "faces.status() counts them")
        each, drawn = -(-most // len(by_label)), random.Random(seed)
        chosen = [record for group in by_label.values() for record in drawn.sample(group, min(each, len(group)))]
        return [Picture(record, self.project.store) for record in chosen[:most]]


SHOWN = tuple(name for name in Record.__dataclass_fields__ if name != "steps")
"""The columns of a frame: all fields of a record but its steps."""


def open(folder: Path | str | None = None, *, progress: bool = True) -> Dataset:
    """Open the project that a folder (default: the working directory) belongs to.

    Raises ConfigError where there is none. With `progress=False`, no call shows a bar.

    >>> il.open("faces").name
    'portraits'
    """
    return Dataset(open_project(Path(folder) if folder is not None else None).root, progress=progress)


def create(folder: Path | str | None = None, *, dataset: str = "portraits", progress: bool = True) -> Dataset:
    """Make a folder (default: the working directory) a project, and open it.

    Raises ConfigError when it is a project already.

    >>> il.create("more-faces", dataset="students")
    dataset students
      nothing fetched yet
    """
    init(Path(folder) if folder is not None else Path(), dataset)
    return open(folder, progress=progress)


def _counts(path: Path) -> str:
    counts = manifest.Card.read(manifest.card_path(path)).counts.values()
    total = {status: sum(label.get(status, 0) for label in counts) for status in STATUSES}
    return ", ".join(f"{number} {status}" for status, number in total.items() if number) or "no pictures"
