"""Recipes by name: the ways to train. Each is one file here, or a plug-in (entry points `imageledger.recipes`)."""

import ast
import logging
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

from imageledger.plugins import Registry
from train.recipes.recipe import Recipe, Trained

__all__ = ["RECIPES", "Recipe", "Trained", "current", "described", "recipe_named"]

logger = logging.getLogger(__name__)

RECIPES = Registry(
    group="imageledger.recipes",
    kind="training recipe",
    builtin={"fine-tune": "train.recipes.fine_tune:RECIPE", "frozen": "train.recipes.frozen:RECIPE"},
)

OLD_NAMES = {"seed": "fine-tune", "strong": "frozen"}
"""What recipes were called before: accepted for one more version."""


def recipe_named(name: str) -> Recipe:
    """Return a recipe by its name of today or before; raise ConfigError when there is none."""
    recipe: Recipe = RECIPES.load(current(name), Recipe)
    return recipe


def current(name: str) -> str:
    """Return the name a recipe has today, and announce once in a process that an old name will go."""
    if name not in OLD_NAMES:
        return name
    _announce(name)
    return OLD_NAMES[name]


def described() -> dict[str, str]:
    """Return what each recipe does, by name: the first line of its module's docstring. Imports no recipe."""
    return {name: _first_line(RECIPES.address(name)) for name in RECIPES.names()}


def _first_line(address: str) -> str:
    try:
        spec = find_spec(address.partition(":")[0])
    except ImportError:  # of a plug-in whose package is broken; who asks for it will hear why
        spec = None
    if spec is None or spec.origin is None:
        return ""
    text = ast.get_docstring(ast.parse(Path(spec.origin).read_text(encoding="utf-8"))) or ""
    return text.partition("\n")[0]


@lru_cache
def _announce(name: str) -> None:
    logger.warning(
        "the recipe %r is now called %r; the old name will not be known to the next version", name, OLD_NAMES[name]
    )
