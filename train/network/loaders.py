"""Pictures to batches: the same transforms for both classes, fastai's defaults and nothing clever."""

from collections.abc import Sequence
from operator import attrgetter
from pathlib import Path
from typing import Any, Self

from curate.pictures import pixels
from imageledger.errors import RunError, StoreError
from imageledger.store import sound
from train.config import TrainSettings
from train.network import devices
from train.network.backbones import Backbone
from train.network.fastai_seam import vision
from train.pictures import TRAIN, VALID, Picture

TRANSFORMS = ("Resize(size)", "aug_transforms() in training only", "Normalize(mean and std of the backbone)")
"""What happens to a picture, as run.json states it; none of it looks at a label."""


KEPT = 1 << 29
"""Bytes of decoded pictures to hold on to: 200 of 512 px need 160 MB, and decoding them anew each epoch, a third
of the time that a small network takes."""


class Album:
    """Opens pictures upright and in sRGB, each one decoded once as long as there is room for it."""

    __name__ = "album"  # fasttransform wants functions, and takes a callable with a name for one

    def __init__(self, room: int = KEPT) -> None:
        self.room = room
        self.kept: dict[Path, Any] = {}

    @property
    def create(self) -> Self:
        """What fastai's ImageBlock calls to open a picture."""
        return self

    def __call__(self, path: Path) -> Any:
        """Return a picture as fastai's PILImage; raise StoreError, naming the file, when it cannot be decoded."""
        image = self.kept.get(path)
        if image is None:
            image = decoded(path)
            size = 3 * image.width * image.height
            if size <= self.room:
                self.room -= size
                self.kept[path] = image
        return image


def decoded(path: Path) -> Any:
    """Return a picture as fastai's PILImage, upright and sRGB; raise StoreError, naming the file, when it cannot be.

    Decoded as curate decodes: a deep picture is scaled, alpha lies over white, a profile is applied.
    """
    try:
        return vision.PILImage(pixels.decode(sound(path)).image)
    except (OSError, pixels.CannotDecode) as error:
        raise StoreError(
            f"{path}: {error}", "imageledger verify lists what is damaged and how to restore it"
        ) from error


def dataloaders(
    pictures: Sequence[Picture],
    labels: Sequence[str],
    settings: TrainSettings,
    backbone: Backbone,
    folder: Path | None = None,
) -> Any:
    """Return fastai DataLoaders of the pictures, or of the folder they were listed from.

    A batch is a float32 tensor of shape (batch_size, 3, size, size), normalised, and the indices of its labels.
    """
    if (n := sum(picture.split == TRAIN for picture in pictures)) < settings.batch_size:
        raise RunError(
            f"{n} training pictures do not fill one batch of {settings.batch_size}", f"--batch-size {max(2, n // 2)}"
        )
    item_tfms = [vision.Resize(settings.size)]
    batch_tfms = [*vision.aug_transforms(), vision.Normalize.from_stats(backbone.mean, backbone.std)]
    loading = {"bs": settings.batch_size, "num_workers": settings.workers, "device": devices.chosen(settings)}
    if folder is not None:
        return vision.ImageDataLoaders.from_folder(
            folder, train=TRAIN, valid=VALID, vocab=list(labels),
            img_cls=Album(), item_tfms=item_tfms, batch_tfms=batch_tfms, **loading,
        )  # fmt: skip
    block = vision.DataBlock(
        blocks=(vision.ImageBlock(Album()), vision.CategoryBlock(list(labels), sort=False)),
        get_x=attrgetter("path"),
        get_y=attrgetter("label"),
        splitter=vision.IndexSplitter([n for n, picture in enumerate(pictures) if picture.split == VALID]),
        item_tfms=item_tfms,
        batch_tfms=batch_tfms,
    )
    return block.dataloaders(list(pictures), **loading)
