"""The audits as methods: names and defaults are those of the commands. Each returns a Report."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from imageledger.dataset.legs import Reached, name_of

if TYPE_CHECKING:
    from audit.findings import Report
    from imageledger.dataset.run import Run


class Audits(Reached):
    """The commands of `audit`, for a dataset (`faces.audit`) or for one of its runs (`run.audit`).

    A Report has a verdict, findings, sentences, `frame()` and `figure()`, and a notebook shows it as a page. Its files
    are written into the folder `output`, or later by `report.write(folder)`. Without `run`, an audit looks at the run
    that it was called on, or else at the run finished last.
    """

    def __init__(self, root: Path, *, run: str | None = None, progress: bool = True) -> None:
        super().__init__(root, progress=progress)
        self.run = run

    def __repr__(self) -> str:
        """Name the dataset or run, and its audits."""
        names = [name for name in vars(Audits) if not name.startswith("_")]
        return f"audits of {Path(self.run).name if self.run else self.project.dataset}: {', '.join(names)}"

    def top_losses(
        self,
        run: "Run | str | None" = None,
        *,
        actual: str | None = None,
        predicted: str | None = None,
        split: str = "valid",
        k: int | None = None,
        all: bool = False,
        output: Path | str | None = None,
    ) -> "Report":
        """Show the real portraits that the model called AI, highest loss first.

        >>> len(faces.audit.top_losses("first", all=True, k=3).frame())
        3
        """
        return self._audit("top_losses", locals())

    def shortcuts(
        self,
        manifest: Path | str | None = None,
        *,
        labels: str | Path | Mapping[str, str] | None = None,
        stage: str | None = None,
        family: str | Sequence[str] = (),
        seed: int | None = None,
        permutations: int = 2000,
        most: int = 3000,
        fail_on: str | None = None,
        output: Path | str | None = None,
    ) -> "Report":
        """Test whether the classes can be told apart without looking at a face.

        `manifest` may also be a folder of pictures or a table, with `labels`, as `il.shortcuts` takes them. With
        `fail_on="shortcut"`, it raises GateFailed if they can.

        >>> report = faces.audit.shortcuts(family="tone", permutations=100)
        >>> report.verdict in ("SHORTCUT", "CLEAN", "INCONCLUSIVE")
        True
        """
        return self._audit("shortcuts", locals())

    def leaks(
        self,
        manifest: Path | str | None = None,
        *,
        distance: int = 12,
        fail_on: str | None = None,
        output: Path | str | None = None,
    ) -> "Report":
        """Find pictures that are on both sides of the split, or under both labels.

        >>> faces.audit.leaks().sentences[0]
        '20 pictures (16 train, 4 valid) were compared across the split and across the labels.'
        """
        return self._audit("leaks", locals())

    def reliance(
        self, run: "Run | str | None" = None, *, beside: "Run | str | None" = None, output: Path | str | None = None
    ) -> "Report":
        """Test whether a model relies on what the file gives away, rather than on the face.

        With `beside`, another run, it also tests which of the two models follows the file more closely.
        """
        return self._audit("reliance", {**locals(), "beside": name_of(beside)})

    def calibration(self, run: "Run | str | None" = None, *, output: Path | str | None = None) -> "Report":
        """Measure how often a model's probabilities come true, and store the temperature that corrects them."""
        return self._audit("calibration", locals())

    def robustness(self, run: "Run | str | None" = None, *, output: Path | str | None = None) -> "Report":
        """Recompress, resize, blur and otherwise change the pictures, and count which answers change with them."""
        return self._audit("robustness", locals())

    def foreign(
        self,
        source: str,
        *,
        label: str,
        run: "Run | str | None" = None,
        limit: int = 200,
        matte_model: Path | str | None = None,
        output: Path | str | None = None,
    ) -> "Report":
        """Ask the models of a run about pictures of the same label from elsewhere, such as `folder:photos`."""
        return self._audit("foreign", locals())

    def slices(self, run: "Run | str | None" = None, *, output: Path | str | None = None) -> "Report":
        """Find the kinds of pictures on which a model is wrong more often."""
        return self._audit("slices", locals())

    def labels(
        self,
        run: "Run | str | None" = None,
        *,
        k: int = 20,
        with_file: bool = False,
        output: Path | str | None = None,
    ) -> "Report":
        """Rank the labels that are most likely wrong, and say how many would seem so if none were.

        With `with_file`, the files as fetched are a second witness, where they tell the classes apart.
        """
        return self._audit("labels", locals())

    def report(self, run: "Run | str | None" = None, *, output: Path | str | None = None) -> "Report":
        """Write one page that shows the dataset, the run, and what is proved about both; `output` is its file.

        >>> report = faces.audit.report("first")
        >>> len(report.sentences)
        4
        """
        return self._audit("report", locals())

    def review(
        self,
        subject: "Run | Path | str | None" = None,
        *,
        queue: str | None = None,
        port: int = 0,
        open: bool = False,
        who: str = "",
    ) -> str:
        """Serve a desk on this machine, at which people decide about pictures by key, until it is interrupted.

        `subject` is a run, a stage or a manifest. Returns how much was decided; `faces.run()` applies it.
        """
        given = {"queue": queue, "port": port, "open": open, "who": who}
        said: str = self._call("audit", "review", {**given, "subject": name_of(subject) or self.run})
        return said

    def recipes(
        self,
        manifest: Path | str | None = None,
        *,
        sample: int = 100,
        weights: Path | str | None = None,
        workers: int | None = None,
        output: Path | str | None = None,
    ) -> "Report":
        """Try the recipes of `normalize` on a sample: how much shortcut each leaves, how much signal it keeps."""
        return self._audit("recipes", locals())

    def self_test(
        self, *, quick: bool = False, thorough: bool = False, output: str | Path | None = None, seed: int = 42
    ) -> "Report":
        """Plant known shortcuts into this dataset, and none, and count what `shortcuts` finds."""
        return self._audit("self_test", locals())

    def _audit(self, name: str, arguments: dict[str, Any]) -> "Report":
        if "run" in arguments:
            arguments = {**arguments, "run": name_of(arguments["run"]) or self.run}
        report: Report = self._call("audit", name, arguments)
        return report
