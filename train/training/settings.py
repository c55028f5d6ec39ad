"""Fill the settings of a training, and refuse those that its recipe does not heed."""

import logging
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from imageledger import config
from imageledger.config import Project
from imageledger.errors import ConfigError
from train.config import IMAGENET, MIXED, SCRATCH, TrainSettings
from train.recipes import current, recipe_named

logger = logging.getLogger(__name__)


def train_settings(project: Project, options: Mapping[str, Any]) -> TrainSettings:
    """Fill the settings: options first, then [train] of imageledger.toml, then the project's seed, then defaults.

    Raises ConfigError for settings with which no training can start, and options that the recipe does not heed.
    """
    table = {"seed": project.declared.seed, **project.tables.get("train", {})}
    settings = ready(project, config.settings(TrainSettings, table, options, where=f"{config.FILE}: [train]"))
    for name in sorted(recipe_named(settings.recipe).unused):
        if options.get(name):
            raise _useless(name, settings.recipe)
    return settings


def ready(project: Project, settings: TrainSettings) -> TrainSettings:
    """Return settings with the recipe's name of today, and with weights where they lie.

    A weights file named in imageledger.toml lies beside it; one named as an option, in the working directory. Raises
    ConfigError for an unknown recipe, and for early stopping or mixed precision of a recipe that has no use for it.
    """
    if "torch" not in sys.modules:
        logger.info("loading what the recipe %s needs", settings.recipe)
    unused = recipe_named(settings.recipe).unused
    for name, given in {"early_stopping": settings.early_stopping, "precision": settings.precision == MIXED}.items():
        if given and name in unused:
            raise _useless(name, current(settings.recipe))
    settings = replace(settings, recipe=current(settings.recipe))
    beside = project.root / settings.weights
    if settings.weights in (IMAGENET, SCRATCH) or Path(settings.weights).is_file() or not beside.is_file():
        return settings
    return replace(settings, weights=str(beside))


def _useless(name: str, recipe: str) -> ConfigError:
    option = f"--{name.replace('_', '-')}"
    return ConfigError(f"the recipe {recipe} has no use for {option}", f"drop {option}, or choose another --recipe")
