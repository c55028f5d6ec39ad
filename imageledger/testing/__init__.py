"""Checks for what other packages add: call them in your tests, as ours do for what is built in.

    from imageledger.testing import check_family
    check_family("my-family")               # by the name of an entry point, or the object itself

Each check returns nothing, or raises AssertionError with the sentence that does not hold. The batteries lie in the leg
that owns what they check (`curate/testing/`, `train/testing.py`), because they draw its pictures and use its types,
and this package imports no leg: they are reached as the Python door reaches the stages, through entry points.
"""

from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from curate.matting.matte import Backend
    from curate.nuisance.seen import Family
    from curate.sources import Opener
    from train.recipes import Recipe


def check_family(family: "Family | str") -> None:
    """Check a family of nuisance features: the same keys for every picture, plain floats, blind and repeatable."""
    _battery("curate", "check_family")(family)


def check_source(opener: "Opener | str", address: str, *, root: Path | None = None) -> None:
    """Check a source on what lies at an address: sorted members, the same bytes however they are read, true errors.

    `root` is the project folder from which a relative path in the address counts; by default it is an empty folder.
    """
    _battery("curate", "check_source")(opener, address, root=root)


def check_matting(backend: "Backend | str", *, model: str = "", path: Path | None = None) -> None:
    """Check a matting backend: a mask of the picture's own size for every picture, blind and repeatable.

    `model` and `path` are the values of `--model` and `--model-path`.
    """
    _battery("curate", "check_matting")(backend, model=model, path=path)


def check_recipe(recipe: "Recipe | str", **settings: Any) -> None:
    """Check a training recipe by training it on drawn pictures: one answer per picture, repeatable, not peeking.

    `settings` are those of `train run`, such as `arch` or `weights`; the defaults are one epoch and small pictures.
    """
    _battery("train", "check_recipe")(recipe, **settings)


def _battery(leg: str, name: str) -> Any:
    from imageledger.dataset.legs import DOORS

    return getattr(DOORS.load(leg, ModuleType), name)
