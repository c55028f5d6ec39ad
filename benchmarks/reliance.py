"""Claim: `audit reliance` tells models that read the file from models that read a trace in the face, and says when not.

    python benchmarks/reliance.py [--seeds 20] [--portraits FOLDER]

Toy models whose truth is known: each reads one thing (or two) of a picture and nothing else. Portraits (drawn, or those
of a folder) get one of two deliveries that differ in JPEG quality, size and brightness, by chance and anew for each
seed; those called "ai" also carry a fine pattern in the face, which nuisance numbers see too. Half of the candidates
are chosen as `curate manifest` chooses, and the models judge the chosen ones. Printed is how often each verdict came,
beside that of the rules before: a rank correlation with the joint probe inside the set. Every figure is measured in
this run.
"""

import argparse
import io
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps
from threadpoolctl import threadpool_limits

from audit.reliance.explained import explained
from audit.reliance.judge import CANNOT, INCONCLUSIVE, INDEPENDENT, RELIES, judge
from audit.reliance.swaps import swap
from audit.self_test.portraits import draw
from curate.evidence.measure import Table, measure
from curate.evidence.probe import probe
from curate.evidence.verdict import Probe
from curate.manifest.balance import Wanted
from curate.manifest.chosen import Chosen, judged_elsewhere
from curate.manifest.matched import select
from curate.nuisance import FAMILIES, apart, matched
from curate.pictures import pixels
from imageledger.config import Project, open_project
from imageledger.console import table as show
from imageledger.engines.local import cores, ordered_map
from imageledger.project import init
from imageledger.record import Record, groups_of
from imageledger.types import Bools, Floats, Key

SITTERS, EACH, SIDE = 240, 60, 300
LABELS = ("real", "ai")
DELIVERIES = {"real": (72, 1.00, -12.0), "ai": (86, 0.85, 12.0)}
"""JPEG quality, size and brightness by class; every picture lies around them."""
SPREADS = (8.0, 0.10, 12.0)
TRACE = 5.0
"""Grey levels of the pattern in the face."""

Model = Callable[[Image.Image], float]


def brightness(image: Image.Image) -> float:
    """Read the mean grey level."""
    return float(np.asarray(image.convert("L"), dtype=float).mean())


def grid(image: Image.Image) -> float:
    """Read how much the edges of 8 x 8 blocks stand out."""
    steps = np.abs(np.diff(np.asarray(image.convert("L"), dtype=float), axis=1))
    return float(-np.log(steps[:, 7::8].mean() / max(steps.mean(), 1e-6)))


def size(image: Image.Image) -> float:
    """Read the shorter side."""
    return -float(np.log(min(image.size)))


def trace(image: Image.Image) -> float:
    """Read how strong the pattern is in the middle of the picture."""
    values = np.asarray(image.convert("L"), dtype=float)
    height, width = (side // 4 for side in values.shape)
    face = values[height : 3 * height, width : 3 * width]
    return abs(float((face * checkers(face.shape)).mean()))


def coarse(image: Image.Image) -> float:
    """Read something coarse that a picture shows, which the numbers of the thumbnail see too."""
    small = np.asarray(image.convert("L").resize((6, 6)), dtype=float)
    return float(small[2, 2] + small[3, 3] - small[2, 3] - small[3, 2])


def person(_: Image.Image) -> float:
    """Know who it is, whatever the file: filled in by the member's name, which stands for the person."""
    return 0.0


READS: dict[str, tuple[Sequence[Model], tuple[str, ...]]] = {
    "brightness": ((brightness,), (RELIES,)),
    "the JPEG grid": ((grid,), (RELIES,)),
    "the size": ((size,), (RELIES,)),
    "a trace in the face, which numbers see too": ((trace,), (INDEPENDENT, INCONCLUSIVE)),
    "what a picture shows, which numbers see too": ((coarse,), (INDEPENDENT, INCONCLUSIVE)),
    "the person, which no number sees": ((person,), (INDEPENDENT, INCONCLUSIVE)),
    "brightness and the trace": ((brightness, trace), (RELIES,)),
    "the JPEG grid and the trace": ((grid, trace), (RELIES,)),
}
"""What each toy model reads, and the verdicts that are right for it."""


def checkers(shape: Sequence[int]) -> Floats:
    """Return a pattern of ±1 that changes with every pixel."""
    return np.where(np.add.outer(np.arange(shape[0]), np.arange(shape[1])) % 2, 1.0, -1.0)


def sitters(folder: Path | None) -> list[Image.Image]:
    """Return portraits, drawn or those of a folder, square and SIDE pixels large."""
    if folder is None:
        return list(ordered_map(_drawn, ((n, None) for n in range(SITTERS)), workers=cores()))
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in (".jpg", ".jpeg", ".png", ".webp"))
    return [ImageOps.fit(Image.open(path).convert("RGB"), (SIDE, SIDE)) for path in paths[:SITTERS]]


def _drawn(number: int) -> Image.Image:
    return draw(number, 42, SIDE).image


def delivered(image: Image.Image, label: str, seed: int) -> bytes:
    """Deliver a portrait as its class comes."""
    rng = np.random.default_rng(seed)
    quality, scale, light = (middle + spread * rng.normal() for middle, spread in
                             zip(DELIVERIES[label], SPREADS, strict=True))  # fmt: skip
    side = max(120, round(SIDE * scale))
    values = np.asarray(image.resize((side, side), Image.Resampling.LANCZOS), dtype=float) + light
    if label == "ai":
        quarter = side // 4
        face = values[quarter : 3 * quarter, quarter : 3 * quarter]
        face += TRACE * checkers(face.shape[:2])[..., None]
    target = io.BytesIO()
    Image.fromarray(np.clip(values, 0, 255).astype(np.uint8)).save(
        target, "JPEG", quality=int(np.clip(quality, 40, 97))
    )
    return target.getvalue()


class World:
    """Portraits in both deliveries, measured once; a seed says who is of which class."""

    def __init__(self, project: Project, portraits: Sequence[Image.Image]) -> None:
        self.project, self.count = project, len(portraits)
        records = [
            self._record(project.store.put(delivered(image, label, 2 * number + place), "jpg"), label, number)
            for number, image in enumerate(portraits) for place, label in enumerate(LABELS)
        ]  # fmt: skip
        self.table = measure(project, records, list(FAMILIES))

    @staticmethod
    def _record(name: str, label: str, number: int) -> Record:
        return Record(source=f"folder:{label}", member=f"{number:04}", label=label, origin=name, file=name)

    def candidates(self, seed: int) -> Table:
        """Return the measured candidates of a seed: half of the sitters of either class."""
        of_ai = np.random.default_rng(seed).permutation(self.count) < self.count // 2
        return self.table.take([2 * number + int(own) for number, own in enumerate(of_ai)])


def verdicts(seed: int, world: World) -> list[tuple[str, str]]:
    """Choose among the candidates of a seed and judge every model: the verdict, and that of the rules before."""
    given = world.candidates(seed)
    with threadpool_limits(1):
        selection = select(given.only(matched()), "ai", Wanted(per_class=EACH, valid_fraction=0.2, seed=seed))
    assert selection is not None
    rows = [row for row, record in enumerate(given.records) if record.key in selection.split]
    others = [row for row in range(len(given.records)) if row not in set(rows)]
    table, own = given.take([*rows, *others]), given.take(rows)
    chosen = Chosen(
        families=matched(), parts=selection.parts, others=tuple(given.records[row] for row in others)
    )  # fmt: skip
    positive, whole = (np.array([record.label == "ai" for record in some.records]) for some in (own, table))
    inside = probe(
        own.columns, own.values, positive, groups_of(own.records), seed=seed, permutations=100, apart=apart()
    )
    probes = judged_elsewhere(
        inside, table, chosen, len(rows), whole, groups_of(table.records), seed=seed, permutations=100, workers=1,
        apart=apart(),
    )  # fmt: skip
    images = [pixels.decode(world.project.store.read(record.origin)).image for record in own.records]
    kept: dict[str, list[dict[Model, float]]] = {}
    return [_judged(name, own, positive, inside, probes, images, table.records, world, seed, kept) for name in READS]


def _judged(
    name: str, own: Table, positive: Bools, inside: Sequence[Probe], probes: Sequence[Probe],
    images: Sequence[Image.Image], outside: Sequence[Record], world: World, seed: int,
    kept: dict[str, list[dict[Model, float]]],
) -> tuple[str, str]:  # fmt: skip
    models = READS[name][0]
    seen = [_read(image, record.key) for image, record in zip(images, own.records, strict=True)]
    scales = [(np.mean(read), np.std(read) + 1e-9) for read in ([one[model] for one in seen] for model in models)]
    noise = np.random.default_rng([seed, len(name)])

    def said(seen: dict[Model, float]) -> float:
        parts = [(seen[model] - middle) / spread for model, (middle, spread) in zip(models, scales, strict=True)]
        return float(1 / (1 + np.exp(-2 * np.mean(parts))))

    def ask(keys: Sequence[Key], pictures: Iterable[Image.Image]) -> list[float]:
        if "swapped" not in kept:
            kept["swapped"] = [_read(picture, key) for picture, key in zip(pictures, keys, strict=True)]
        return [said(seen) for seen in kept["swapped"]]

    answers = np.array([said(one) for one in seen])
    answers = 1 / (1 + np.exp(-(np.log(answers / (1 - answers)) + 0.2 * noise.normal(size=len(answers)))))
    groups = groups_of(own.records)
    result = judge(answers, positive, probes, range(len(answers)), groups)
    told = explained(answers, positive, own.values, own.columns, groups, seed=seed)
    swaps = swap(own.records, answers.tolist(), LABELS, outside, world.project.store, ask)
    result = replace(result, explained=tuple(told), swaps=swaps)
    old = judge(answers, positive, inside, range(len(answers)), groups)
    before = (
        RELIES if any(link.p < 0.01 for link in old.links) else INDEPENDENT if old.joint.high < 0.3 else INCONCLUSIVE
    )
    return result.verdict, before


def _read(image: Image.Image, key: Key) -> dict[Model, float]:
    known = float(np.random.default_rng(int(key[1])).normal())
    return {**{model: model(image) for model in (brightness, grid, size, trace, coarse)}, person: known}


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--portraits", type=Path, help="a folder of portraits to use instead of drawn ones")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        world = World(open_project(init(Path(place), "toys").parent), sitters(asked.portraits))
        work = partial(verdicts, world=world)
        results = list(ordered_map(work, ((seed, None) for seed in range(asked.seeds)), workers=cores()))
    rows = []
    for number, (name, (_, right)) in enumerate(READS.items()):
        now, before = (Counter(result[number][which] for result in results) for which in (0, 1))
        rows.append({
            "the model reads": name,
            **{verdict: str(now[verdict]) for verdict in (RELIES, INDEPENDENT, INCONCLUSIVE, CANNOT)},
            "right": f"{sum(now[verdict] for verdict in right)} of {asked.seeds}",
            "right before": f"{sum(before[verdict] for verdict in right)} of {asked.seeds}",
        })  # fmt: skip
    show(rows, title=f"Verdicts on toy models, {EACH} pictures per class chosen of {world.count // 2}")


if __name__ == "__main__":
    main()
