"""The pictures that the self-test works on: a project's own, or portraits drawn for it, both without any nuisance.

Labels play no part here: own pictures of both classes are taken alike, and the drawn ones all by one pipeline.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from curate.pictures import pixels
from imageledger import manifest
from imageledger.config import Project
from imageledger.record import OK, Record, groups_of

SIDE = 360
"""Side of a sitter's picture in pixels, before any delivery makes it smaller."""

LARGEST = 1.5
"""Portraits are drawn at up to so many times SIDE and then shrunk: cameras are not all alike either."""

LEAST_SIDE = 240
"""Own pictures smaller than this are too small to be shrunk again, as every delivery does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sitter:
    """One square RGB picture of at most SIDE pixels, and its matte (uint8, as large) where there is one."""

    number: int
    image: Image.Image
    alpha: NDArray[np.uint8] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sitters:
    """So many sitters, opened or drawn one by one when asked for; safe to send to other processes.

    `groups` names for each what it must share a fold with; `own` tells pictures of the project from drawn ones.
    """

    groups: Sequence[str]
    records: Sequence[Record] = ()
    project: Project | None = None
    seed: int = 42

    @property
    def own(self) -> bool:
        """Whether these are the project's own pictures."""
        return bool(self.records)

    @property
    def with_mattes(self) -> bool:
        """Whether every sitter has a matte."""
        return not self.own or all(record.matte for record in self.records)

    def sitter(self, number: int) -> Sitter:
        """Open or draw one of them."""
        if self.project is None or not self.records:
            return draw(number, self.seed)
        return _opened(number, self.records[number], self.project)


def sitters(project: Project | None, count: int, seed: int) -> Sitters:
    """Choose `count` of the project's own pictures by chance; where it has fewer, portraits are drawn instead."""
    own = _own(project) if project is not None else []
    if project is None or len(own) < count:
        return Sitters(groups=[f"sitter {number}" for number in range(count)], seed=seed)
    rng = np.random.default_rng([seed, count])
    chosen = [own[place] for place in sorted(rng.permutation(len(own))[:count].tolist())]
    return Sitters(groups=groups_of(chosen), records=chosen, project=project, seed=seed)


def draw(number: int, seed: int, side: int = SIDE) -> Sitter:
    """Draw a portrait as a camera would show it, with its exact matte; the same number gives the same one.

    The matte comes from drawing the same person twice more, before black and before a bright wall: what of the
    wall does not show through is person.
    """
    from curate.sources.sample.camera import manner_of, photograph
    from curate.sources.sample.figure import portrait
    from curate.sources.sample.person import invent
    from curate.sources.sample.plan import chance
    from curate.sources.sample.scene import scene

    person = invent(chance("self-test", seed, number))
    size = (round(side * np.random.default_rng([seed, number]).uniform(1, LARGEST)),) * 2
    dark, bright = (replace(person, backdrop=(level,) * 3, scene="plain") for level in (0, 255))
    manner = manner_of(person)
    wall, *drawn = (
        np.asarray(picture, dtype=np.float64)
        for picture in (scene(bright, size), *(portrait(who, manner, scene(who, size)) for who in (dark, bright)))
    )
    through = ((drawn[1] - drawn[0]) / wall).mean(axis=2)
    alpha = Image.fromarray(np.rint(255 * np.clip(1 - through, 0, 1)).astype(np.uint8))
    image = photograph(person, size).resize((side, side), Image.Resampling.LANCZOS)
    return Sitter(number=number, image=image, alpha=np.asarray(alpha.resize((side, side), Image.Resampling.BOX)))


def _own(project: Project) -> list[Record]:
    """Return the `ok` rows of the last stage that has run, when their normalised pictures are large enough."""
    for stage in reversed(project.declared.order):
        if stage not in ("fetch", "manifest") and project.manifest(stage).is_file():
            rows = manifest.read(project.manifest(stage))
            return [row for row in rows if row.status == OK and min(row.width, row.height) >= LEAST_SIDE]
    return []


def _opened(number: int, record: Record, project: Project) -> Sitter:
    """Open the normalised picture: what whiten cut out, or the file itself where nothing was cut out."""
    cut = [step.on for step in record.steps if step.did.startswith("whiten@")]
    image = pixels.decode(project.store.read(cut[-1] if cut else record.file)).image
    size = (min(SIDE, *image.size),) * 2
    alpha = None
    if record.matte:
        matte = Image.open(io.BytesIO(project.store.read(record.matte))).convert("L")
        alpha = np.asarray(ImageOps.fit(matte, size, Image.Resampling.BOX))
    return Sitter(number=number, image=ImageOps.fit(image, size, Image.Resampling.LANCZOS), alpha=alpha)
