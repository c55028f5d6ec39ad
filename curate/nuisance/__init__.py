"""Nuisance features: numbers about a picture that have nothing to do with the face. One family a file.

A family measures one picture at a time and never sees a label; `curate.evidence.probe` tells what its numbers give
away. Listing the names loads nothing heavy. Other packages add families by the entry point group of the list.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from curate.nuisance.spelling import spelled
from imageledger.errors import ConfigError
from imageledger.extras import load
from imageledger.plugins import Registry

if TYPE_CHECKING:
    from curate.nuisance.seen import Family

FAMILIES = Registry(
    group="imageledger.families",
    kind="probe family",
    builtin={
        name: f"curate.nuisance.{name}:FAMILY"
        for name in (
            "container",
            "metadata",
            "geometry",
            "jpeg_history",
            "resampling",
            "chroma",
            "tone",
            "border",
            "matte",
            "face_geometry",
            "thumbnail",
            "naming",
        )
    },
)
"""The families that are probed; the order is that of every table."""

TOGETHER = "all"
"""The name under which all families are probed side by side."""

ASIDE = {name: f"curate.nuisance.{name}:FAMILY" for name in ("skin", "fineness", "head")}
"""Families that describe faces: measured and kept like the others to sort and explain pictures by, and never
probed."""


def family(name: str) -> "Family":
    """Load a family by its name; raise ConfigError for an unknown one."""
    from curate.nuisance.seen import Family

    loaded = load(ASIDE[name]) if name in ASIDE else FAMILIES.load(name, Family)
    assert isinstance(loaded, Family)
    return loaded


def in_words(name: str, feature: str) -> str:
    """Name a feature of a family as people read it; of all families together, "family.feature" comes with its family.

    >>> in_words("resampling", "still_h")
    'share of pixels equal to the next one across'
    >>> in_words("all", "jpeg_history.comb first step")
    "jpeg-history: coarseness of the rounding of a JPEG (logarithm); of the file's own 8×8 grid"
    >>> in_words("gone", "some_number")
    'some number'
    """
    if name == TOGETHER:
        name, _, feature = feature.partition(".")
        return f"{spelled(name)}: {in_words(name, feature)}"
    if name not in FAMILIES and name not in ASIDE:
        return feature.replace("_", " ")
    return family(name).feature_in_words(feature)


def matched() -> tuple[str, ...]:
    """Return the families in which `curate manifest` lets the classes agree, unless it is told otherwise."""
    return tuple(name for name in FAMILIES if family(name).of != "name" and name not in apart())


def for_files() -> tuple[str, ...]:
    """Return the families that go by how a file was made rather than by what it shows."""
    return tuple(name for name in FAMILIES if family(name).speaks_for_file)


def apart() -> tuple[str, ...]:
    """Return the families that are judged by themselves alone."""
    return tuple(name for name in FAMILIES if family(name).apart)


def known(names: Iterable[str]) -> tuple[str, ...]:
    """Return families by name, however they are spelled: with dashes, underscores or spaces, in any case.

    >>> known(["jpeg-history", "Face geometry", "jpeg_history"])
    ('jpeg_history', 'face_geometry')

    Raises ConfigError for an unknown name.
    """
    by_name = {spelled(name): name for name in FAMILIES}
    wanted = list(names)
    if unknown := [name for name in wanted if spelled(name) not in by_name]:
        raise ConfigError(f"there is no family {unknown[0]!r}", f"one of {', '.join(by_name)}")
    return tuple(dict.fromkeys(by_name[spelled(name)] for name in wanted))
