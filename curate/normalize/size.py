"""The size for `--size auto`, from the headers of the pictures alone, and what it means for a model of them."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from curate.normalize import recipes
from curate.normalize.recipes import RECIPES
from curate.normalize.settings import AUTO, NormalizeSettings
from curate.pictures import pixels
from imageledger import manifest
from imageledger.config import Project
from imageledger.errors import ConfigError, ManifestError
from imageledger.manifest import Card
from imageledger.record import OK, Record
from imageledger.stage import Outcome
from imageledger.store import Store

LEAST_AUTO = 64
"""A smaller size is never chosen without being asked for: a few icons among the pictures would decide it."""

TOO_SMALL = "too small"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitting:
    """The size that fits a dataset: `sides` are the shorter sides that 95 % of the pictures of each label reach.

    `size` is 0 when even LEAST_AUTO is too large; `before` is the size of the last run, 0 when there was none.
    """

    size: int
    sides: Mapping[str, int]
    needs: int
    recipe: str
    before: int = 0

    @property
    def why(self) -> str:
        """Say in one sentence why it is this size."""
        share, each = f"{recipes.SHARE:.0%}".replace("%", " %"), ", ".join(
            f"{label} {side} px" for label, side in sorted(self.sides.items())
        )  # fmt: skip
        most = ", the largest that auto chooses" if self.size == recipes.MOST else ""
        return (
            f"--size auto chose {self.size} px{most}: {self.recipe} needs {self.needs} px on the shorter side for it, "
            f"and {share} of the pictures of each label have at least: {each or 'unknown'}"
        )

    @property
    def change(self) -> str:
        """Say what follows when the size is another one than before; empty when it is not."""
        if self.before in (0, self.size):
            return ""
        return (
            f"The size was {self.before} px before, so this stage and all later ones make every picture again. "
            f"--size {self.before} keeps the old size."
        )


def fitting(project: Project, chosen: NormalizeSettings, source: Path | None = None) -> Fitting:
    """Find the size for `--size auto` from the headers of the pictures alone; nothing is decoded.

    The largest multiple of 8 up to 224 at which 95 % of the pictures of each label are large enough for the recipe.
    Files whose header cannot be read do not count. Raises ConfigError when that would be less than LEAST_AUTO.
    """
    sides = shorter_sides(manifest.read(source or project.before("normalize")), project.store)
    recipe = RECIPES[chosen.recipe]
    size = recipes.largest_size(recipe, min(sides.values(), default=recipe.needs(recipes.MOST)))
    if size < LEAST_AUTO:
        each = ", ".join(f"{label} {side} px" for label, side in sorted(sides.items()))
        raise ConfigError(
            f"no size from {LEAST_AUTO} px keeps 95 % of each label: {recipe.name} needs {recipe.needs(LEAST_AUTO)} px "
            f"on the shorter side, and 95 % have at least: {each}",
            "--size N rejects what is too small for N; --recipe plain needs no more than N pixels; or leave the small "
            "pictures out of the source",
        )
    return Fitting(size=size, sides=sides, needs=recipe.needs(size), recipe=recipe.name, before=_size_before(project))


def sized(
    project: Project, chosen: NormalizeSettings, source: Path | None = None
) -> tuple[NormalizeSettings, list[str]]:
    """Return settings whose size is a number, and what a person should know about how it came about."""
    if chosen.size != AUTO:
        return chosen, []
    fit = fitting(project, chosen, source)
    lines = [f"{fit.why}."] + [fit.change] * bool(fit.change)
    return replace(chosen, size=fit.size), lines


def advice(project: Project, outcome: Outcome, chosen: NormalizeSettings, source: Path | None = None) -> str:
    """Say which size would keep 95 % of both labels, when a size that was asked for rejected pictures as too small."""
    if not any(reason.startswith(TOO_SMALL) for reasons in outcome.tally.reasons.values() for reason in reasons):
        return ""
    try:
        fit = fitting(project, chosen, source)
    except ConfigError as error:
        return f"{error.what[0].upper()}{error.what[1:]}."
    return f"{fit.why}." if fit.size < int(chosen.size) else ""


def shorter_sides(records: Iterable[Record], store: Store) -> dict[str, int]:
    """Return, for each label, the shorter side in pixels that 95 % of its pictures reach; streams the records."""
    counted: dict[str, Counter[int]] = {}
    for record in records:
        if record.status == OK and (side := pixels.shorter_side(store.path(record.file))):
            counted.setdefault(record.label, Counter())[side] += 1
    return {label: recipes.side_of_most(sides) for label, sides in counted.items()}


def ask_about(recipe: str, size: int) -> str:
    """Say which pictures a model of normalised ones can be asked about."""
    least = RECIPES[recipe].needs(size)
    return f"A model of these pictures can be asked about pictures of at least {least} px on the shorter side."


def asked_of(record: Record | None) -> str:
    """Say the same of a model that learns from a record and its like; "" where normalize has not made them."""
    stated = record.stated("normalize") if record else {}
    recipe, size = stated.get("recipe"), stated.get("size")
    return ask_about(recipe, size) if isinstance(recipe, str) and recipe in RECIPES and isinstance(size, int) else ""


def _size_before(project: Project) -> int:
    try:
        size = Card.read(manifest.card_path(project.manifest("normalize"))).settings.get("size", 0)
    except ManifestError:
        return 0
    return size if isinstance(size, int) else 0
