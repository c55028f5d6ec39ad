"""How the Python calls reach the legs: each announces its functions as an entry point, and none is imported by name."""

from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from imageledger.config import Project, open_project
from imageledger.dataset.progress import track_for
from imageledger.plugins import Registry
from imageledger.types import Track

DOORS = Registry(group="imageledger.door", kind="leg")
"""The modules of Python calls: all are plug-ins, ours too, because this package imports none of them."""


class Reached:
    """Something in a project folder, with the functions of the legs at hand."""

    def __init__(self, root: Path, *, progress: bool = True) -> None:
        self.root = root
        self.progress = progress

    @property
    def project(self) -> Project:
        """What imageledger.toml declares now; it is read anew each time, because stages and people write it."""
        return open_project(self.root)

    @property
    def track(self) -> Track:
        """What shows progress: a bar on a terminal and in a notebook, nothing elsewhere."""
        return track_for(self.progress)

    def _call(self, leg: str, name: str, arguments: Mapping[str, Any]) -> Any:
        """Call a function of a leg with the project, the progress, and the arguments of a method."""
        given = {key: value for key, value in arguments.items() if key != "self"}
        return getattr(DOORS.load(leg, ModuleType), name)(self.project, track=self.track, **given)
