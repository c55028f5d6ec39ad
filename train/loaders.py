"""Pictures to batches: the same transforms for both classes, fastai's defaults and nothing clever."""

from collections.abc import Sequence
from operator import attrgetter
from pathlib import Path
from typing import Any

from PIL import Image, ImageOps

from imageledger.errors import RunError, StoreError
from train.backbones import Backbone
from train.config import TrainSettings
from train.fastai_seam import vision
from train.pictures import TRAIN, VALID, Picture

TRANSFORMS = ("Resize(size)", "aug_transforms() in training only", "Normalize(mean and std of the backbone)")
"""What happens to a picture, as run.json states it; none of it looks at a label."""


class Portrait(vision.PILImage):  # type: ignore[name-defined, misc]
    """A picture opened upright and in RGB; a file that cannot be decoded is named."""

    @classmethod
    def create(cls, fn: Any, **kwargs: Any) -> Any:
        """Open a path; raise StoreError when it is no picture. Anything but a path is left to fastai."""
        if not isinstance(fn, str | Path):
            return super().create(fn, **kwargs)
        try:
            with Image.open(fn) as opened:
                return cls(ImageOps.exif_transpose(opened).convert("RGB"))
        except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
            raise StoreError(
                f"{fn} cannot be decoded: {error}", "imageledger verify names what is damaged and what mends it"
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
    loading = {"bs": settings.batch_size, "num_workers": settings.workers, "device": vision.default_device()}
    if folder is not None:
        return vision.ImageDataLoaders.from_folder(
            folder, train=TRAIN, valid=VALID, vocab=list(labels),
            img_cls=Portrait, item_tfms=item_tfms, batch_tfms=batch_tfms, **loading,
        )  # fmt: skip
    block = vision.DataBlock(
        blocks=(vision.ImageBlock(Portrait), vision.CategoryBlock(list(labels), sort=False)),
        get_x=attrgetter("path"),
        get_y=attrgetter("label"),
        splitter=vision.IndexSplitter([n for n, picture in enumerate(pictures) if picture.split == VALID]),
        item_tfms=item_tfms,
        batch_tfms=batch_tfms,
    )
    return block.dataloaders(list(pictures), **loading)
