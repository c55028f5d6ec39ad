"""How the Python calls reach the legs: each leg announces its functions as an entry point; none is imported by name."""

from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from imageledger.config import Project, open_project
from imageledger.dataset.progress import track_for
from imageledger.plugins import Registry
from imageledger.types import Track

DOORS = Registry(group="imageledger.door", kind="leg")
"""The modules of Python calls. All are plug-ins, even our own, because this package imports no leg."""


class Reached:
    """What lies in a project folder and calls the functions of the legs."""

    def __init__(self, root: Path, *, progress: bool = True) -> None:
        self.root = root
        self.progress = progress

    @property
    def project(self) -> Project:
        """What imageledger.toml declares now; it is read anew each time, because stages and people change it."""
        return open_project(self.root)

    @property
    def track(self) -> Track:
        """What shows progress: a bar on a terminal and in a notebook, nothing elsewhere."""
        return track_for(self.progress)

    def _call(self, leg: str, name: str, arguments: Mapping[str, Any]) -> Any:
        """Call a function of a leg with the project, the progress, and the arguments of a method."""
        given = {key: value for key, value in arguments.items() if key != "self"}
        return getattr(DOORS.load(leg, ModuleType), name)(self.project, track=self.track, **given)


def name_of(run: Any) -> str | None:
    """Return what the legs call a run or model: the path of a Run's folder, or the name or path that was given."""
    return None if run is None else str(getattr(run, "folder", run))
