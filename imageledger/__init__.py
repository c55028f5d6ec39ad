"""imageledger: curate, train on and audit a small two-class image dataset, with the provenance of every row.

From Python, begin with `open` or `create`; both return a Dataset:

    import imageledger as il

    faces = il.create("faces")
    faces.fetch("folder:photos", label="real")
"""

import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from imageledger.dataset.anywhere import shortcuts as shortcuts
    from imageledger.dataset.dataset import Dataset as Dataset
    from imageledger.dataset.dataset import create as create
    from imageledger.dataset.dataset import open as open
    from imageledger.dataset.picture import Picture as Picture
    from imageledger.dataset.run import Run as Run
    from imageledger.errors import LedgerError as LedgerError

__version__ = "0.1.0"

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # else onnxruntime writes a device id into the home folder

_HOMES = {
    "Dataset": "imageledger.dataset.dataset",
    "LedgerError": "imageledger.errors",
    "Picture": "imageledger.dataset.picture",
    "Run": "imageledger.dataset.run",
    "create": "imageledger.dataset.dataset",
    "open": "imageledger.dataset.dataset",
    "shortcuts": "imageledger.dataset.anywhere",
}
"""Where the public names live. Each is loaded on its first use, so that the import loads nothing heavy."""

__all__ = ["Dataset", "LedgerError", "Picture", "Run", "__version__", "create", "open", "shortcuts"]


def __getattr__(name: str) -> Any:
    from imageledger.extras import load

    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return load(f"{_HOMES[name]}:{name}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
