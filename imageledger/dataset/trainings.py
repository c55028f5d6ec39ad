"""What train does as methods of a dataset: names and defaults are those of the commands."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from imageledger.dataset.legs import Reached, name_of
from imageledger.dataset.run import Run, Runs
from imageledger.notebook import Rows

if TYPE_CHECKING:
    from imageledger.types import Row


class Trainings(Reached):
    """The commands of `train`. A setting that is None comes from imageledger.toml, or else is the command's default."""

    @property
    def runs(self) -> Runs:
        """The finished runs by name, the one finished last at the end.

        >>> "first" in faces.runs
        True
        """
        return Runs(self.root, progress=self.progress)

    def train(
        self,
        manifest: Path | str | None = None,
        *,
        folder: Path | str | None = None,
        name: str | None = None,
        recipe: str | None = None,
        arch: str | None = None,
        weights: Path | str | None = None,
        epochs: int | None = None,
        size: int | None = None,
        batch_size: int | None = None,
        early_stopping: bool | None = None,
        seed: int | None = None,
        workers: int | None = None,
        precision: str | None = None,
        devices: str | None = None,
    ) -> Run:
        """Train on a manifest (default: final) and judge the model on the valid pictures.

        This is the command `train run`. The same call carries on where it was interrupted.

        >>> faces.train(arch="squeezenet1_1", weights="none", epochs=1, size=32, batch_size=4, name="small")
        run small
          accuracy: ...
        """
        return self._train("train", locals())

    def cross_validate(
        self,
        manifest: Path | str | None = None,
        *,
        folder: Path | str | None = None,
        folds: int = 5,
        repeats: int = 1,
        name: str | None = None,
        recipe: str | None = None,
        arch: str | None = None,
        weights: Path | str | None = None,
        epochs: int | None = None,
        size: int | None = None,
        batch_size: int | None = None,
        early_stopping: bool | None = None,
        seed: int | None = None,
        workers: int | None = None,
        precision: str | None = None,
        devices: str | None = None,
    ) -> Run:
        """Judge every picture by a model that has not seen it, and train a final model on all of them.

        >>> crossed = faces.cross_validate(folds=2, arch="squeezenet1_1", weights="none", epochs=1, size=32,
        ...                                batch_size=4, name="crossed")
        >>> len(crossed.predictions())
        20
        """
        return self._train("cross_validate", locals())

    def hold_out(
        self,
        manifest: Path | str | None = None,
        *,
        by: str = "generator",
        name: str | None = None,
        recipe: str | None = None,
        arch: str | None = None,
        weights: Path | str | None = None,
        epochs: int | None = None,
        size: int | None = None,
        batch_size: int | None = None,
        early_stopping: bool | None = None,
        seed: int | None = None,
        workers: int | None = None,
        precision: str | None = None,
        devices: str | None = None,
    ) -> Run:
        """Test a model on each generator (or source) that it was not trained on.

        >>> faces.hold_out()
        Traceback (most recent call last):
        imageledger.errors.RunError: 10 of 10 ai pictures do not say what made them, ...
        """
        return self._train("hold_out", locals())

    def compare(self, *runs: Run | str, seed: int | None = None) -> Rows:
        """Compare runs with the first one, on the pictures that both judged without having trained on them.

        Returns a row per comparison; its "conclusion" says what is shown and what is not.

        >>> [row["conclusion"] for row in faces.compare("crossed", "small")]
        ['no difference shown between crossed and small: ...']
        """
        rows: Sequence[Row] = self._call("train", "compare", {"runs": [name_of(run) for run in runs], "seed": seed})
        return Rows(rows)

    def predict(
        self,
        model: Run | Path | str,
        *paths: Path | str,
        matte_model: Path | str | None = None,
        stability: bool = True,
        workers: int | None = None,
    ) -> Rows:
        """Ask a model about new pictures, or about folders of them; returns a row per picture.

        `model` is a run, its name or folder, or what `export` wrote. `stability=False` leaves out the five
        re-encodings and is six times as fast.

        >>> rows = faces.predict("small", "photos/real/001.png", stability=False)
        >>> rows[0]["status"]
        'ok'
        """
        arguments = {"model": name_of(model), "paths": [str(path) for path in paths], "matte_model": matte_model,
                     "stability": stability, "workers": workers}  # fmt: skip
        return Rows(self._call("train", "predict", arguments))

    def export(
        self, run: Run | Path | str | None = None, *, onnx: bool = False, output: Path | str | None = None
    ) -> Path:
        """Write a run's model (default: that of the run finished last) as one zip or folder that needs no project.

        >>> faces.export("small", output="model.zip").name
        'model.zip'
        """
        path: Path = self._call("train", "export", {"run": name_of(run), "onnx": onnx, "output": output})
        return path

    def _train(self, name: str, arguments: Mapping[str, object]) -> Run:
        return Run(self.root, self._call("train", name, arguments), progress=self.progress)
