"""Ask about a picture of a run the models that had not seen it: those of the folds that held it out."""

from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path

from PIL import Image

from train import predicting
from train.metrics import mean_of
from train.pictures import VALID
from train.run import FOLDS, HOLD_OUT, SPLIT, Run, fold_folder, read_predictions

Key = tuple[str, str]


def asker(folder: Path) -> Callable[[Iterable[Key], Iterable[Image.Image]], Iterator[float]]:
    """Return what yields P(positive), 0..1, of upright RGB pictures, given the key of the record each belongs to.

    A run of one split has one model; else it is that of the fold which held the picture out, over repeats the mean of
    the logits. Raises RunError or ModelError where a model cannot be loaded.
    """
    run = Run.load(folder)
    if run.kind == SPLIT:
        only = predicting.load(folder)
        return lambda keys, images: predicting.predict(only, images)
    places, load = models_of(folder, run), cache(predicting.load)
    for place in {place for found in places.values() for place in found}:
        load(place)

    def ask(keys: Iterable[Key], images: Iterable[Image.Image]) -> Iterator[float]:
        for key, image in zip(keys, images, strict=True):
            yield mean_of([next(predicting.predict(load(place), [image])) for place in places[key]])

    return ask


def models_of(folder: Path, run: Run) -> dict[Key, list[Path]]:
    """Return for each picture that a run has judged the folders of the models which its predictions speak of."""
    judged = {one.key: one.fold for one in read_predictions(folder)}
    if run.kind == HOLD_OUT:
        return {key: [fold_folder(folder, fold)] for key, fold in judged.items() if fold is not None}
    places: dict[Key, list[Path]] = {key: [] for key in judged}
    for place in sorted(path.parent for path in (folder / FOLDS).glob("*/run.json")):
        for one in read_predictions(place):
            if one.split == VALID and one.key in places:
                places[one.key].append(place)
    return places
