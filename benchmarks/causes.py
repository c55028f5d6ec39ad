"""Claim: nine of ten causes planted in the pixels of portraits are named rightly by `audit report`.

These are: no face, low resolution, retouched, tight crop, dark, grey. Small tears of a matte, wrong labels and other
deliveries are named less often; the table says how often.

    python benchmarks/causes.py [--run crossed] [--each 40] PROJECT...

Into portraits of each curated PROJECT (copied first) one cause at a time is planted, and the stages' own code makes of
each what it makes of a picture that comes so; what a stage refuses could not have become a mistake and is left out. The
rest of the set stays as it is. Each planted picture is judged by a model of the cross-validated run that had not seen
its original. A swapped label is planted in the pictures of the other class; the models, whose training labels are
right, must call the picture what it is, or there is no mistake to explain. The same holds for another delivery. Prints
planted × named, the cause named first counting, and how often an untouched portrait, and one that the run mistook, gets
a cause other than "simply hard". The limits were set on unsplash and stock portraits, so that FFHQ judges them.
"""

import argparse
import io
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from audit.labels import file_witness
from audit.reliance import delivery
from audit.report.mistakes import facts as gathered
from audit.report.mistakes.causes import NUMBERS, Cause, causes
from audit.report.mistakes.near import nearest
from curate.evidence.measure import measure
from curate.history import face_of, found_face_of, made_by_normalize, normalized
from curate.matting import backend, compositing
from curate.matting.judge import judged
from curate.matting.matte import Asked, Matte
from curate.normalize import work as normalizing
from curate.normalize.settings import of_recorded, recorded
from curate.pictures import pixels
from curate.pictures.pixels import Box
from curate.whiten import work as whitening
from imageledger.config import Project, open_project
from imageledger.record import OK, Record
from imageledger.stage import Stage
from train.answers import Answers
from train.models.held_out import ask_held_out, models_by_key
from train.network.described import described
from train.pictures import Picture
from train.runs import read_predictions

Chance = np.random.Generator
Plant = Callable[[Image.Image, Box, Chance], Image.Image]
BATCH, MEASURED = 8, 20
"""Planted pictures that the probe of files sees at a time (more would teach it), and pictures of a class by which it is
known how they came."""


def anonymised(image: Image.Image, face: Box, chance: Chance) -> Image.Image:
    """Blur the face away, as newspapers do."""
    return Image.composite(image.filter(ImageFilter.GaussianBlur((face[2] - face[0]) / 3)), image, oval(image, face))


def grey(image: Image.Image, face: Box, chance: Chance) -> Image.Image:
    """Take the colour away."""
    return image.convert("L").convert("RGB")


def dark(image: Image.Image, face: Box, chance: Chance) -> Image.Image:
    """Underexpose by about two stops."""
    factor = float(chance.uniform(0.22, 0.32))
    return image.point(lambda value: round(value * factor))


def tight(image: Image.Image, face: Box, chance: Chance) -> Image.Image:
    """Cut forehead and chin off."""
    side = (face[2] - face[0]) * float(chance.uniform(0.62, 0.72))
    x, y = (face[0] + face[2]) / 2, 0.46 * face[1] + 0.54 * face[3]
    return image.crop((
        max(0, round(x - side / 2)), max(0, round(y - side / 2)),
        min(image.width, round(x + side / 2)), min(image.height, round(y + side / 2)),
    ))  # fmt: skip


def enlarged(image: Image.Image, face: Box, chance: Chance) -> Image.Image:
    """Enlarge from 64 pixels."""
    times = 64 / min(image.size)
    small = image.resize((round(image.width * times), round(image.height * times)), Image.Resampling.LANCZOS)
    return small.resize(image.size, Image.Resampling.BICUBIC)


def retouched(image: Image.Image, face: Box, chance: Chance) -> Image.Image:
    """Smooth the skin and keep its edges, as a beauty filter does."""
    left, top, right, bottom = (max(0, face[0]), max(0, face[1]), face[2], face[3])
    smooth, side = np.asarray(image.crop((left, top, right, bottom))), face[2] - face[0]
    for _ in range(3):
        smooth = cv2.bilateralFilter(smooth, 0, 40, max(2.0, side / 60))
    whole = image.copy()
    whole.paste(Image.fromarray(smooth), (left, top))
    return Image.composite(whole, image, oval(image, face).filter(ImageFilter.GaussianBlur(side / 25)))


def oval(image: Image.Image, face: Box) -> Image.Image:
    """Mark a face and its forehead."""
    mask, x, y, side = Image.new("L", image.size), face[0] + face[2], face[1] + face[3], face[2] - face[0]
    across, down = 0.5 * side, 0.6 * side
    ImageDraw.Draw(mask).ellipse((x / 2 - across, y / 2 - down, x / 2 + across, y / 2 + down), 255)
    return mask


PLANTS: dict[Cause, Plant] = {
    Cause.NO_FACE: anonymised, Cause.LOW: enlarged, Cause.RETOUCHED: retouched, Cause.TIGHT: tight, Cause.DARK: dark,
    Cause.GREY: grey,
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Planted:
    """A picture with a planted cause, and the row of its original among the answers."""

    cause: Cause
    record: Record
    row: int


def main() -> None:
    """Plant, name and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("projects", nargs="+", type=Path)
    parser.add_argument("--run", default="crossed")
    parser.add_argument("--each", type=int, default=40)
    options = parser.parse_args()
    for place in options.projects:
        with tempfile.TemporaryDirectory() as scratch:
            copy = Path(shutil.copytree(place, Path(scratch) / place.name))
            table(open_project(copy), options.run, options.each)


def table(project: Project, run: str, each: int) -> None:
    """Print planted × named for one project, and how often untouched portraits get a cause."""
    answers = Answers.of(project, run).held_out()
    planted, refused = plant(project, answers, each)
    named = name(project, answers, planted)
    print(f"\n{project.root.name}: {len(planted)} planted, by the cause named first")
    print("| planted | a mistake | refused by a stage | named rightly | otherwise |\n|---|---|---|---|---|")
    for cause in Cause:
        first = [said for one, said in zip(planted, named, strict=True) if one.cause == cause and said]
        if cause != Cause.HARD and (first or refused[cause]):
            right = sum(said == cause for said in first)
            others = ", ".join(f"{said} {count}" for said, count in Counter(first).most_common() if said != cause)
            share = f"{right}/{len(first)} = {right / max(len(first), 1):.0%}"
            print(f"| {cause} | {len(first)} | {refused[cause]} | {share} | {others} |", flush=True)
    mistaken = (answers.shares >= 0.5) != answers.positive
    untouched = [Planted(cause=Cause.HARD, record=record, row=row) for row, record in enumerate(answers.known())]
    said = name(project, answers, untouched)
    for what, rows in (("untouched", ~answers.positive), ("untouched and mistaken", ~answers.positive & mistaken)):
        counts = Counter(str(said[row]) for row in np.flatnonzero(rows))
        print(f"{what}, {answers.labels[0]}: " + ", ".join(f"{cause} {count}" for cause, count in counts.most_common()))


def plant(project: Project, answers: Answers, each: int) -> tuple[list[Planted], Counter[Cause]]:
    """Plant every cause in as many portraits; return what the stages accepted, and how many they refused."""
    chance = np.random.default_rng(7)
    reals = chance.permutation(np.flatnonzero(~answers.positive))[:each]
    planted, refused, records = [], Counter[Cause](), answers.known()
    came = [came_as(project, records, label) for label in answers.labels]
    for row in sorted(reals.tolist()):
        for cause, record in of_one(project, records[row], came, chance):
            if record is None or record.status != OK:
                refused[cause] += 1
            else:
                planted.append(Planted(cause=cause, record=record, row=row))
    others = chance.permutation(np.flatnonzero(answers.positive))[:each]
    swapped = [replace(records[row], label=answers.labels[0]) for row in others]
    planted += [Planted(cause=Cause.MISLABELLED, record=record, row=int(row))
                for record, row in zip(swapped, others, strict=True)]  # fmt: skip
    return planted, refused


def of_one(
    project: Project, record: Record, came: Sequence[delivery.Delivery], chance: Chance
) -> Iterator[tuple[Cause, Record | None]]:
    """Yield one portrait with each cause planted in it, None where that cannot be."""
    original, face = pixels.decode(project.store.read(record.origin)).image, found_face_of(record)
    for cause, change in PLANTS.items() if face else ():
        quality = delivery.quality_of(normalized(record).tables or 0)
        changed = change(original, face.box, chance) if face else original
        yield cause, staged(project, record, changed, quality, faceless=cause == Cause.NO_FACE)
    yield Cause.TORN, torn(project, record, chance)
    if {"quality", "side"} & set(delivery.differing(*came)):
        other, _ = delivery.redelivered(original, delivery.Delivery(side=came[1].side))
        yield Cause.SHORTCUT, staged(project, record, other, came[1].quality or 0)


def came_as(project: Project, records: Sequence[Record], label: str) -> delivery.Delivery:
    """Say how the pictures of a class came."""
    some = [record for record in records if record.label == label][:MEASURED]
    return delivery.delivery_of([delivery.measured(record, store=project.store) for record in some])[0]


def staged(project: Project, record: Record, image: Image.Image, quality: int, faceless: bool = False) -> Record:
    """Let the stages of a record work on another original; `quality` 0 is PNG."""
    settings = of_recorded(record.stated("normalize"))
    settings = replace(settings, require_face=False) if faceless else settings
    content, suffix = io.BytesIO(), "jpg" if quality else "png"
    image.save(content, "JPEG" if quality else "PNG", **({"quality": quality} if quality else {}))
    name = project.store.put(content.getvalue(), suffix)
    finder = normalizing.finder_for(record)
    stage = Stage(name="normalize", version=normalizing.VERSION, settings=recorded(settings, finder), packages=())
    fresh = replace(record, origin=name, file=name, matte="", width=image.width, height=image.height, steps=())
    made = normalizing.normalize_record(fresh, stage=stage, settings=settings, finder=finder, store=project.store)
    if made.status != OK:
        return made
    stated = record.stated("whiten")
    cutter = backend(str(stated["matting"])).prepare(Asked(model=str(stated.get("model", ""))))
    stage = Stage(name="whiten", version=whitening.VERSION, settings=stated, packages=())
    return whitening.whiten_record(made, stage=stage, cutter=cutter, store=project.store)


def torn(project: Project, record: Record, chance: Chance) -> Record | None:
    """Bite a piece out of the head that whiten would not refuse; None where that cannot be had in a few trials."""
    image, face = pixels.decode(project.store.read(made_by_normalize(record))).image, face_of(record)
    alpha = np.asarray(Image.open(io.BytesIO(project.store.read(record.matte))).convert("L"))
    y, x = np.mgrid[: image.height, : image.width]
    edge = (alpha >= 128) & (cv2.erode((alpha >= 128).astype(np.uint8), np.ones((3, 3), np.uint8)) == 0)
    edge &= (x > 2) & (x < image.width - 3) & (y > 2) & (y < (face.box[3] if face else 0))
    for _ in range(10 if face and edge.any() else 0):
        place = chance.choice(np.argwhere(edge))
        reach = (face.box[2] - face.box[0]) * float(chance.uniform(0.25, 0.35)) if face else 0
        bite = (y - place[0]) ** 2 + (x - place[1]) ** 2 < reach**2
        bitten = compositing.clean(np.where(bite, 0, alpha).astype(np.uint8))
        lost = float(((alpha >= 128) & (bitten < 128)).sum() / (alpha >= 128).sum())
        if lost < 0.05 or judged(image, Matte(alpha=bitten), bitten, face).fault:
            continue
        white = compositing.white_composite(image, bitten, compositing.standard_edge(bitten))
        made = project.store.put(pixels.encode(white, "png", 0), "png")
        matte = project.store.put(pixels.encode(Image.fromarray(bitten), "png", 0), "png")
        return replace(record, file=made, matte=matte)
    return None


def name(project: Project, answers: Answers, planted: Sequence[Planted]) -> list[Cause | None]:
    """Name the cause of each planted picture; None where label or file were swapped and no model is mistaken."""
    records, count = [*answers.known(), *(one.record for one in planted)], len(answers.predictions)
    shares = asked(project, answers, planted)
    tables = {stage: measure(project, records, sorted({family for at, family, _ in NUMBERS.values() if at == stage}),
                             stage=stage) for stage in ("fetched", "final")}  # fmt: skip
    numbers = gathered.numbers_of(tables)
    reals = np.append(~answers.positive, np.zeros(len(planted), dtype=bool))
    described_class = gathered.class_of(numbers, reals)
    near, by_file = neighbours(project, answers, planted), files(project, answers, planted)
    named: list[Cause | None] = []
    for number, one in enumerate(planted):
        share = float(shares[number])
        if one.cause in (Cause.MISLABELLED, Cause.SHORTCUT) and share < 0.5:
            named.append(None)
            continue
        others = np.delete(answers.shares, one.row)[np.delete(answers.positive, one.row)]
        known = gathered.facts(
            one.record, count + number, numbers, described_class, actual=answers.labels[0],
            called=answers.labels[1], sure=share, typical=gathered.typical_of(share, others), near=near[number],
            by_file=by_file[number][0], file_auc=by_file[number][1],
        )  # fmt: skip
        named.append(causes(known)[0].cause)
    return named


def asked(project: Project, answers: Answers, planted: Sequence[Planted]) -> Sequence[float]:
    """Ask the models that had not seen the originals."""
    images = (pixels.decode(project.store.read(one.record.file)).image for one in planted)
    return list(ask_held_out(answers)([answers.keys[one.row] for one in planted], images))


def neighbours(project: Project, answers: Answers, planted: Sequence[Planted]) -> list[tuple[int, int]]:
    """Count the pictures of the positive class among the nearest training pictures of each."""
    places, cache = models_by_key(answers), project.root / "data" / "features"
    found: dict[int, tuple[int, int]] = {}
    for folder in {places[answers.keys[one.row]][0] for one in planted}:
        own = [number for number, one in enumerate(planted) if places[answers.keys[one.row]][0] == folder]
        training = [row for row in read_predictions(folder) if row.split == "train"]
        known = described(folder, [picture(project, row.file, row.label) for row in training], cache)
        seen = described(folder, [picture(project, planted[n].record.file, "") for n in own], cache)
        positive = np.array([row.label == answers.labels[1] for row in training])
        found |= {n: one.counted for n, one in zip(own, nearest(seen, known, positive), strict=True)}
    return [found[number] for number in range(len(planted))]


def files(project: Project, answers: Answers, planted: Sequence[Planted]) -> list[tuple[float, float]]:
    """Return P(positive) by the file alone of each, and the AUC of files, a few planted pictures at a time."""
    said: list[tuple[float, float]] = []
    untouched = [one.cause == Cause.HARD for one in planted]
    if all(untouched):
        witness = file_witness.ask(project, answers.known(), answers.positive, answers.groups)
        return [(float(witness.shares[one.row]), witness.auc) for one in planted]
    for begun in range(0, len(planted), BATCH):
        batch, rows = planted[begun : begun + BATCH], {one.row for one in planted[begun : begun + BATCH]}
        kept = [row for row in range(len(answers.predictions)) if row not in rows]
        rest = answers.pick(kept)
        positive = np.append(rest.positive, np.zeros(len(batch), bool))
        groups = [*rest.groups, *(f"planted {number}" for number in range(len(batch)))]
        witness = file_witness.ask(project, [*rest.known(), *(one.record for one in batch)], positive, groups)
        said += [(float(share), witness.auc) for share in witness.shares[len(kept) :]]
    return said


def picture(project: Project, file: str, label: str) -> Picture:
    """Return an object as a picture to describe."""
    return Picture(source="", member=file, label=label, split="", path=project.store.path(file), file=file)


if __name__ == "__main__":
    main()
