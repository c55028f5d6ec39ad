"""Ask about a picture of a run the models that had not seen it: those of the folds that held it out."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from itertools import islice
from pathlib import Path

import numpy as np
from PIL import Image

from imageledger.types import Key
from train.answers import Answers
from train.evaluation.metrics import mean_of
from train.network import attention, predicting
from train.network.attention import Attention
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
    places = models_by_key(answers)
    for folder in dict.fromkeys(folder for folders in places.values() for folder in folders):
        load(folder)

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


def models_by_key(answers: Answers) -> dict[Key, list[Path]]:
    """Return the folders of the models that had not seen each picture, one per repeat; of a split the one there is.

    Raises RunError when nobody may be asked about a picture, because the models of its folds are gone.
    """
    if answers.run.kind == SPLIT:
        return {key: [answers.folder] for key in answers.keys}
    places: dict[Key, list[Path]] = defaultdict(list)
    for folder, rows in answers.by_model():
        for row in rows:
            places[answers.predictions[row].key].append(folder)
    return places


def attend_held_out(answers: Answers, keys: Sequence[Key], images: Iterable[Image.Image]) -> Iterator[Attention]:
    """Yield where the models that had not seen each picture looked in it; over repeats the mean of their maps.

    Raises RunError or ModelError where a model cannot be loaded, or has no map of places.
    """
    load, places = cache(predicting.load), models_by_key(answers)
    for key, image in zip(keys, images, strict=True):
        maps = [next(attention.attend(load(folder), [image])) for folder in places[key]]
        signed = np.stack([one.signed for one in maps]).mean(axis=0).astype(np.float32)
        yield Attention(signed=signed, positive=sum(one.positive for one in maps) * 2 >= len(maps))
