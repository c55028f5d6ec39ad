"""`--log`: what fastai's own callbacks write of a training into the run's folder."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

from imageledger.errors import MissingExtra
from imageledger.extras import need
from train.config import CSV, TENSORBOARD, TrainSettings
from train.network.fastai_seam import Callback, vision

CSV_NAME = "log.csv"


class CsvLog(vision.CSVLogger):  # type: ignore[misc, name-defined]
    """fastai's CSVLogger, whose names of columns stand once in the file though `fine_tune` fits twice.

    Columns are fastai's: its epochs count from 0 in each fit, and the last column is the time of the epoch.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path, append=True)
        path.unlink(missing_ok=True)

    def before_fit(self) -> None:
        """Open the file."""
        before = self._text()
        super().before_fit()
        if before:
            self._write(before)

    def kept(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the text so far, for a checkpoint."""
        return {"text": self._text()}, {}

    def take(self, values: dict[str, Any], tensors: dict[str, Any]) -> None:
        """Write the text of a checkpoint back."""
        self._write(values["text"])

    def _text(self) -> str:
        return self.fname.read_text(encoding="utf-8") if self.fname.is_file() else ""

    def _write(self, text: str) -> None:
        self.file.flush()
        self.file.truncate(0)
        self.file.write(text)
        self.file.flush()


def made(settings: TrainSettings, folder: Path | None) -> list[Callback]:
    """Return the callbacks that the settings ask for, which write into a folder: log.csv, or tensorboard/FIT/.

    Raises MissingExtra where tensorboard is not installed. No picture goes into the log of TensorBoard, nor the graph
    of the network: fastai draws batches for these, and with them other random numbers for the training.
    """
    if not settings.log or folder is None:
        return []
    if settings.log == CSV:
        return [CsvLog(folder / CSV_NAME)]
    refuse(settings)
    inside = folder / TENSORBOARD
    base = need("fastai.callback.tensorboard", "train").TensorBoardCallback

    class TensorBoardLog(base):  # type: ignore[misc, valid-type]
        """fastai's TensorBoardCallback, each fit in a folder of its own, because steps begin anew in each."""

        def __init__(self) -> None:
            super().__init__(trace_model=False, log_preds=False)
            self.fits = 0

        def before_fit(self) -> None:
            self.fits += 1
            self.log_dir = inside / str(self.fits)
            super().before_fit()

    return [TensorBoardLog()]


def refuse(settings: TrainSettings) -> None:
    """Raise MissingExtra where what the settings ask for is not installed."""
    if settings.log == TENSORBOARD and find_spec("tensorboard") is None:
        raise MissingExtra("--log tensorboard needs the package tensorboard", "pip install tensorboard")
