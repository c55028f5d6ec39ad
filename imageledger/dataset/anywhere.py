"""The one audit that needs no project: pictures where they lie."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from imageledger.dataset.legs import DOORS
from imageledger.dataset.progress import track_for

if TYPE_CHECKING:
    from audit.findings import Report


def shortcuts(
    pictures: Path | str,
    *,
    labels: str | Path | Mapping[str, str] | None = None,
    family: str | Sequence[str] = (),
    seed: int | None = None,
    permutations: int = 2000,
    most: int = 3000,
    fail_on: str | None = None,
    output: Path | str | None = None,
    progress: bool = True,
) -> "Report":
    """Test whether two classes of pictures can be told apart without looking at a face; no project is needed.

    `pictures` is a folder, or a .csv, .tsv or .parquet with the columns path and label. `labels` are patterns, such as
    `"real/**=real,ai/**=ai"` or `{"real/**": "real", "ai/**": "ai"}`, or the path of such a table; without them, the
    names of two folders are the labels. At most `most` pictures of each are measured. Nothing is written but the
    report's files, into `output`.

    Raises SourceError for what holds no pictures, ConfigError for labels that name anything but two classes, and with
    `fail_on="shortcut"` GateFailed.

    >>> report = il.shortcuts("photos", labels="real/**=real,ai/**=ai", family="tone", permutations=100)
    >>> report.verdict in ("SHORTCUT", "CLEAN", "INCONCLUSIVE")
    True
    """
    report: Report = DOORS.load("audit", ModuleType).shortcuts(
        None, track=track_for(progress), manifest=pictures, labels=labels, stage=None, family=family, seed=seed,
        permutations=permutations, most=most, fail_on=fail_on, output=output,
    )  # fmt: skip
    return report
