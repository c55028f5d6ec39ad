"""A training run as Python code sees it: its results, its predictions as a table, and its audits."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from imageledger import notebook
from imageledger.dataset.audits import Audits
from imageledger.dataset.legs import Reached
from imageledger.errors import RunError

if TYPE_CHECKING:
    import pandas
    from PIL import Image

    from audit.findings import Report
    from train.runs import Run as Facts


class Run(Reached):
    """One finished training run of a project: `faces.train()` returns one, `faces.runs["name"]` finds one.

    >>> run = faces.runs["first"]
    >>> run.facts.kind
    'split'
    """

    def __init__(self, root: Path, folder: Path, *, progress: bool = True) -> None:
        super().__init__(root, progress=progress)
        self.folder = folder

    @property
    def name(self) -> str:
        """The name of the run, which is also that of its folder."""
        return self.folder.name

    @property
    def facts(self) -> "Facts":
        """What run.json holds: settings, versions, metrics, and how the pictures were judged."""
        facts: Facts = self._call("train", "facts", {"folder": self.folder})
        return facts

    @property
    def audit(self) -> Audits:
        """The audits of this run, such as `run.audit.reliance()` and `run.audit.calibration()`.

        >>> run.audit
        audits of first: top_losses, shortcuts, ...
        """
        return Audits(self.root, run=str(self.folder), progress=self.progress)

    def predictions(self) -> notebook.Rows:
        """Return the model's predictions, a row per picture, in the order of the manifest."""
        return notebook.Rows(self._call("train", "predictions", {"folder": self.folder}))

    def frame(self) -> "pandas.DataFrame":
        """Return the predictions as a pandas DataFrame.

        >>> list(run.frame().columns)[:4]
        ['source', 'member', 'file', 'label']
        """
        return self.predictions().frame()

    def top_losses(
        self,
        *,
        actual: str | None = None,
        predicted: str | None = None,
        split: str = "valid",
        k: int | None = None,
        all: bool = False,
        output: Path | str | None = None,
    ) -> "Report":
        """Show the real portraits that the model called AI, highest loss first: `run.audit.top_losses()`.

        >>> run.top_losses(all=True, k=2).frame().shape[0]
        2
        """
        return self.audit.top_losses(
            actual=actual, predicted=predicted, split=split, k=k, all=all, output=output
        )  # fmt: skip

    def figure(self, name: str | None = None) -> "Image.Image":
        """Return a figure that the training drew, such as "confusion_matrix" (default: the first)."""
        from PIL import Image

        drawn = {path.stem: path for path in sorted((self.folder / "figures").glob("*.png"))}
        path = drawn.get(name or next(iter(drawn), ""))
        if path is None:
            raise RunError(f"run {self.name} has no figure {name or ''}".rstrip(), f"figures: {', '.join(drawn)}")
        with Image.open(path) as image:
            image.load()
        return image

    def _summary(self) -> notebook.Rows:
        return notebook.Rows(self._call("train", "summary", {"folder": self.folder}))

    def __repr__(self) -> str:
        """Name the run and its results, a line per result."""
        lines = [": ".join(map(str, list(row.values())[:2])) for row in self._summary()]
        return "\n  ".join([f"run {self.name}", *lines])

    def _repr_html_(self) -> str:
        return notebook.table(self._summary(), title=f"run {self.name}")


class Runs(Mapping[str, Run]):
    """The finished runs of a project by name, the one finished last at the end."""

    def __init__(self, root: Path, *, progress: bool = True) -> None:
        self.root, self.progress = root, progress

    def __getitem__(self, name: str) -> Run:
        folder = self._folders().get(name)
        if folder is None:
            known = ", ".join(self._folders()) or "none yet"
            raise RunError(f"there is no finished run {name!r}", f"runs here: {known}")
        return Run(self.root, folder, progress=self.progress)

    def __iter__(self) -> Iterator[str]:
        return iter(self._folders())

    def __len__(self) -> int:
        return len(self._folders())

    def __contains__(self, name: object) -> bool:
        return name in self._folders()

    def __repr__(self) -> str:
        return f"runs: {', '.join(self._folders()) or 'none yet'}"

    def _folders(self) -> dict[str, Path]:
        paths = (self.root / "data" / "runs").glob("*/run.json")
        return {path.parent.name: path.parent for path in sorted(paths, key=lambda path: (path.stat().st_mtime, path))}
