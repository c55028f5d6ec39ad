"""The same people in both classes, delivered in two ways: clean cut-outs cannot tell the classes apart."""

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from curate.matting import compositing, judge, rembg
from curate.matting.compositing import Alpha
from curate.matting.models import Model
from curate.normalize.recipes import EDGE, GRID
from curate.pictures import pixels
from imageledger.types import Floats

SIDE = 256
FULL = 512

DELIVERIES = (75, 100)
"""JPEG quality of the real and of the AI pictures of ffhq-vs-stylegan2; all have the subsampling 4:2:0."""


@dataclass(frozen=True)
class Job:
    """One picture to composite in all ways: `positive` is its class, `who` the person in it."""

    image: Image.Image
    alpha: Alpha
    positive: bool
    who: str
    truth: Image.Image | None = None
    side: int = 0
    early: tuple[Image.Image, Alpha] | None = None
    face: Image.Image | None = None


def first(folder: Path, count: int) -> list[Path]:
    """Return the first files of a folder, by name."""
    return sorted(folder.iterdir())[:count]


def matte_of(image: Image.Image, model: Model) -> Alpha:
    """Cut out with the model and clean, as whiten does."""
    return compositing.clean(rembg.cut(model, image, None).alpha)


def before_walls(files: Sequence[Path], walls: Sequence[Path], model: Model) -> Iterator[Job]:
    """Yield the same people before a pale wall (one class) and before other photographs (the other class)."""
    for number, file in enumerate(files):
        rng = np.random.default_rng(number)
        person = pixels.decode(file.read_bytes()).image.resize((SIDE, SIDE), Image.Resampling.LANCZOS)
        alpha = matte_of(person, model)
        if judge.fault(alpha, None):
            continue
        share, front = alpha[..., None] / 255, np.asarray(person, dtype=np.float64)
        scene = pixels.decode(walls[number % len(walls)].read_bytes()).image.resize((SIDE, SIDE))
        wall = rng.uniform(232, 250) + rng.normal(0, 1.5, (SIDE, SIDE, 3))
        truth = Image.fromarray(np.rint(front * share + 255 * (1 - share)).astype(np.uint8))
        for positive, behind in ((False, np.asarray(scene, dtype=np.float64)), (True, wall)):
            laid = np.clip(np.rint(front * share + behind * (1 - share)), 0, 255).astype(np.uint8)
            yield Job(image=Image.fromarray(laid), alpha=alpha, positive=positive, who=file.name, truth=truth)


def at_two_sizes(files: Sequence[Path], model: Model) -> Iterator[Job]:
    """Yield the same pictures at 1024 px, and at 512 px with a JPEG history, cut out at these sizes."""
    for file in files:
        large = pixels.decode(file.read_bytes()).image
        half = large.resize((large.width // 2, large.height // 2), Image.Resampling.LANCZOS)
        small = pixels.decode(pixels.encode(half, "jpeg", 90)).image
        for positive, image in ((False, large), (True, small)):
            little = pixels.downscale(image, (0, 0, *image.size), SIDE)
            early = little, matte_of(little, model)
            alpha = matte_of(image, model)
            yield Job(image=image, alpha=alpha, positive=positive, who=file.name, side=SIDE, early=early)


def delivered(reals: Sequence[Path], fakes: Sequence[Path], model: Model) -> Iterator[Job]:
    """Yield the same people, real and AI, delivered as real pictures are (one class) or as AI pictures are (the other).

    They are laid before the background of another picture of that class, saved as that class was, brought to 512 px as
    normalize does, and cut out anew. The people come from the first half of the files, the backgrounds from the other.
    """
    half = len(reals) // 2
    for number, file in enumerate([*reals[:half], *fakes[:half]]):
        image = pixels.decode(file.read_bytes()).image
        alpha = matte_of(image, model)
        if judge.fault(alpha, None):
            continue
        share = alpha[..., None] / 255
        front = compositing.foreground(np.asarray(image, dtype=np.float64), alpha / 255)
        scenes = reals[half + number % half], fakes[half + number % half]
        for positive, (scene, quality) in enumerate(zip(scenes, DELIVERIES, strict=True)):
            laid = front * share + behind(scene, model, image.size) * (1 - share)
            target = io.BytesIO()
            Image.fromarray(np.rint(laid).clip(0, 255).astype(np.uint8)).save(
                target, "JPEG", quality=quality, subsampling="4:2:0"
            )
            small = normal(pixels.decode(target.getvalue()).image, np.random.default_rng(number))
            yield Job(image=small, alpha=matte_of(small, model), positive=bool(positive), who=file.name)


def behind(file: Path, model: Model, size: tuple[int, int]) -> Floats:
    """Return a picture without its person: the colours beside them are carried into where they stood."""
    image = pixels.decode(file.read_bytes()).image.resize(size)
    away = compositing.standard_edge(matte_of(image, model)) == 0
    values = np.asarray(image, dtype=np.float64)
    return np.where(away[..., None], values, compositing.carried(values, away))


def normal(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Leave the edges out, move the square within a block of an old JPEG, and shrink."""
    left, top = (round(EDGE * image.width) + int(move) for move in rng.integers(0, GRID, 2))
    side = image.width - 2 * round(EDGE * image.width) - GRID
    return pixels.downscale(image, (left, top, left + side, top + side), FULL)
