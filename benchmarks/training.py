"""Claim: `fine-tune` on 200 pictures takes no longer than plain fastai, and `frozen` less than three times as long.

    python benchmarks/training.py [--weights FILE] [--pictures 200] [--side 512] [--rounds 1] [FOLDER]

Trains squeezenet1_1 at 224 px as `train run` does (recipes fine-tune and frozen, without probes of the file) and as a
fastai user does (ImageDataLoaders.from_folder, vision_learner, fine_tune(3)), on the same pictures in FOLDER
({train,valid}/{real,ai}/; default: pictures drawn here). Prints the seconds beside those of plain fastai in the same
run; frozen is timed twice, first computing its features, then reading the kept ones.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from train import pictures as listing
from train.config import TrainSettings
from train.network.fastai_seam import torch, vision
from train.training import task as training

LABELS = ("real", "ai")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--weights", default="")
    parser.add_argument("--pictures", type=int, default=200)
    parser.add_argument("--side", type=int, default=512)
    parser.add_argument("--rounds", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as root:
        folder = options.folder or drawn(Path(root) / "drawn", options.pictures, options.side)
        weights = options.weights or random_weights(Path(root) / "random.safetensors")
        cache = Path(root) / "features"
        ways: dict[str, Callable[[], object]] = {
            "plain fastai": lambda: plain(folder, weights),
            "fine-tune": lambda: ours(folder, weights, "fine-tune", Path(root), None),
            "frozen": lambda: ours(folder, weights, "frozen", Path(root), cache),
            "frozen, features kept": lambda: ours(folder, weights, "frozen", Path(root), cache),
        }
        first = 0.0
        for name, way in ways.items():
            seconds = min(timed(way) for _ in range(1 if name == "frozen" else options.rounds))
            first = first or seconds
            print(f"{name:24}{seconds:7.1f} s   {seconds / first:5.2f} of plain fastai", flush=True)


def timed(way: Callable[[], object]) -> float:
    """Return the seconds that a training takes."""
    begun = time.perf_counter()
    way()
    return time.perf_counter() - begun


def drawn(folder: Path, count: int, side: int) -> Path:
    """Write noisy pictures of both classes, a fifth of them to validate on."""
    for number in range(count):
        label, split = LABELS[number % 2], "valid" if number % 5 == 0 else "train"
        target = folder / split / label / f"{number:04}.png"
        target.parent.mkdir(parents=True, exist_ok=True)
        noise = np.random.default_rng(number).integers(0, 256, (side // 8, side // 8, 3), dtype=np.uint8)
        Image.fromarray(noise).resize((side, side), Image.Resampling.BICUBIC).save(target)
    return folder


def random_weights(path: Path) -> str:
    """Write random weights of squeezenet1_1: what is timed does not depend on them."""
    from safetensors.torch import save_file

    from train.network.fastai_seam import models

    state = models.squeezenet1_1(weights=None).features.state_dict()
    save_file({f"features.{key}": value for key, value in state.items()}, path)
    return str(path)


def ours(folder: Path, weights: str, recipe: str, root: Path, cache: Path | None) -> None:
    """Train as train run does; pictures of a folder are named by their path, so that features can be kept."""
    pictures = listing.from_folder(folder, "folder:drawn", LABELS)
    named = [replace(picture, file=f"{number:064x}.png") for number, picture in enumerate(pictures)]
    todo = training.Task(pictures=named, cache=cache)
    settings = TrainSettings(recipe=recipe, arch="squeezenet1_1", weights=weights)
    with tempfile.TemporaryDirectory(dir=root) as run:
        training.fill(Path(run), "run", LABELS, todo, settings, lambda *_: None, figures=False)


def plain(folder: Path, weights: str) -> None:
    """Train as a fastai user does, with the same weights in the body."""
    from safetensors.torch import load_file

    from train.network.fastai_seam import models

    dls = vision.ImageDataLoaders.from_folder(
        folder, train="train", valid="valid", item_tfms=vision.Resize(224), batch_tfms=vision.aug_transforms(), bs=16,
        num_workers=0,
    )  # fmt: skip
    learn = vision.vision_learner(dls, models.squeezenet1_1, pretrained=False, metrics=vision.error_rate)
    state = list(load_file(weights).values())
    with torch.no_grad():
        for own, known in zip(learn.model[0].state_dict().values(), state, strict=True):
            if own.shape == known.shape:
                own.copy_(known)
    with learn.no_bar(), learn.no_logging():
        learn.fine_tune(3)
        learn.get_preds(dl=learn.dls.valid)
        learn.get_preds(dl=learn.dls.test_dl(learn.dls.train_ds.items))


if __name__ == "__main__":
    main()
