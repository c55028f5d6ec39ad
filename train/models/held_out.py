"""Ask about a picture of a run the models that had not seen it: those of the folds that held it out."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from itertools import islice
from pathlib import Path

from PIL import Image

from imageledger.types import Key
from train.answers import Answers
from train.evaluation.metrics import mean_of
from train.network import predicting
from train.runs import SPLIT

Ask = Callable[[Iterable[Key], Iterable[Image.Image]], Iterator[float]]
"""Keys of pictures, and upright RGB pictures to be asked about in their place -> P(positive), 0..1, of each."""


def ask_held_out(answers: Answers) -> Ask:
    """Return what asks about each picture the models that had not seen it, over repeats the mean of their logits.

    Raises RunError or ModelError where a model cannot be loaded.
    """
    load = cache(predicting.load)
    if answers.run.kind == SPLIT:
        return lambda keys, images: predicting.predict(load(answers.folder), images)
    places: dict[Key, list[Path]] = defaultdict(list)
    for folder, rows in answers.by_model():
        load(folder)
        for row in rows:
            places[answers.predictions[row].key].append(folder)

    def ask(keys: Iterable[Key], images: Iterable[Image.Image]) -> Iterator[float]:
        pairs = zip(keys, images, strict=True)
        while batch := list(islice(pairs, predicting.BATCH)):
            said: list[list[float]] = [[] for _ in batch]
            for place in dict.fromkeys(place for key, _ in batch for place in places[key]):
                own = [number for number, (key, _) in enumerate(batch) if place in places[key]]
                shares = predicting.predict(load(place), (batch[number][1] for number in own))
                for number, share in zip(own, shares, strict=True):
                    said[number].append(share)
            yield from map(mean_of, said)

    return ask
