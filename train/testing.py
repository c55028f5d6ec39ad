"""The battery behind `imageledger.testing` for what can be added to train: recipes."""

import math
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from imageledger.errors import LedgerError
from imageledger.testing.claims import claim, leaving_no_trace
from train.config import SCRATCH, TrainSettings
from train.pictures import TRAIN, VALID, Picture
from train.recipes import Recipe, Trained, recipe_named
from train.runs import Prediction

LABELS = ("real", "ai")
SIDE = 72
SMALL = {"weights": SCRATCH, "epochs": 1, "size": 32, "batch_size": 4, "devices": "cpu"}


def check_recipe(recipe: Recipe | str, **settings: Any) -> None:
    """Check everything that `Recipe` promises, on twelve drawn pictures; raises AssertionError for what fails."""
    checked = recipe_named(recipe) if isinstance(recipe, str) else recipe
    claim(isinstance(checked, Recipe), f"{checked!r} is no Recipe")
    who = f"the recipe {recipe!r}" if isinstance(recipe, str) else "the recipe"
    chosen = TrainSettings(**{**SMALL, **settings})
    _check_facts(checked, chosen, who)
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        pictures = _drawn(place)
        _warmed(checked, pictures, chosen)
        with leaving_no_trace(who, place):
            trained = _trained(checked, pictures, chosen, place / "first")
        _check_answers(trained.predictions, pictures, who)
        _check_network(checked, trained, chosen, who)
        again = _trained(checked, pictures, chosen, place / "second")
        claim(_said(trained) == _said(again), f"{who} answers otherwise when it is trained again with the same seed")
        _check_peeking(checked, pictures, trained, chosen, place, who)


def _check_facts(recipe: Recipe, settings: TrainSettings, who: str) -> None:
    known = set(TrainSettings.__slots__) - {"recipe"}
    claim(recipe.unused <= known, f"{who} leaves settings unused that there are not: {sorted(recipe.unused - known)}")
    stated = recipe.stated(settings)
    claim({"schedule", "transforms", "views"} <= set(stated), f"{who} states no schedule, transforms or views")


def _drawn(folder: Path) -> list[Picture]:
    """Draw discs and bars: two classes that differ in plain sight, with four pictures to validate on."""
    pictures = []
    for number in range(12):
        label, split = LABELS[number % 2], VALID if number >= 8 else TRAIN
        chance = np.random.default_rng(number)
        image = Image.fromarray(chance.integers(0, 150, (SIDE, SIDE, 3), dtype=np.uint8))
        corner = int(chance.integers(4, 20))
        draw = ImageDraw.Draw(image).ellipse if label == "ai" else ImageDraw.Draw(image).rectangle
        draw((corner, 16, corner + (36 if label == "ai" else 9), 52), fill=(230, 120, 60))
        path = folder / f"{number:02}.png"
        image.save(path)
        pictures.append(Picture(source="drawn:", member=path.name, label=label, split=split, path=path, file=path.name))
    return pictures


def _warmed(recipe: Recipe, pictures: Sequence[Picture], settings: TrainSettings) -> None:
    """Import what a training imports, which may write caches of its own."""
    with tempfile.TemporaryDirectory() as folder:
        _trained(recipe, [*pictures[:4], *pictures[8:10]], settings, Path(folder))


def _trained(recipe: Recipe, pictures: Sequence[Picture], settings: TrainSettings, place: Path) -> Trained:
    from train.network import backbones, weights

    place.mkdir(exist_ok=True)
    backbone = backbones.find(settings.arch)
    body = weights.of_body(settings.weights, backbone)
    return recipe.train(pictures, LABELS, settings, backbone, body, tell=lambda *_: None, place=place)


def _check_answers(predictions: Sequence[Prediction], pictures: Sequence[Picture], who: str) -> None:
    asked = [(picture.key, picture.label, picture.split) for picture in pictures]
    answers = [((each.source, each.member), each.label, each.split) for each in predictions]
    claim(answers == asked, f"{who} does not answer once per picture, in their order")
    for each in predictions:
        claim(type(each.probability) is float and 0 <= each.probability <= 1,
              f"{who} gives {each.member} the probability {each.probability!r}")  # fmt: skip
        claim(each.predicted in LABELS and math.isfinite(each.loss), f"{who} calls {each.member} {each.predicted!r}")


def _check_network(recipe: Recipe, trained: Trained, settings: TrainSettings, who: str) -> None:
    from train.network import backbones

    network = recipe.network(backbones.find(settings.arch), len(LABELS))
    fits = set(network.state_dict()) == set(trained.state)
    claim(fits, f"{who} leaves tensors that its network does not take")
    claim(len(trained.history) >= 1, f"{who} leaves no history")


def _check_peeking(
    recipe: Recipe, pictures: Sequence[Picture], trained: Trained, settings: TrainSettings, place: Path, who: str
) -> None:
    """Claim that the labels of the validation pictures change no answer: swap them, and train again."""
    other = dict(zip(LABELS, reversed(LABELS), strict=True))
    swapped = [replace(each, label=other[each.label]) if each.split == VALID else each for each in pictures]
    try:
        peeked = _trained(recipe, swapped, settings, place / "swapped")
    except LedgerError as error:
        raise AssertionError(f"{who} refuses what it was trained on before: {error}") from error
    claim(_said(trained) == _said(peeked), f"{who} goes by the labels of the validation pictures")


def _said(trained: Trained) -> list[float]:
    return [each.probability for each in trained.predictions]
