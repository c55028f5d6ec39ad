"""Claim: dedupe finds every known copy, merges no two people, and searches faster than loops over all pairs.

    python benchmarks/dedupe.py [TESTDATA]

Prints for the real pictures in TESTDATA (default: ../shared/testdata): how many known copies and edits dedupe finds,
the likeness of true copies beside that of the most similar different people, which crops the hash finds at which
distance, and the time of the search beside that of the two usual loops. Every number is measured in this run.
"""

import csv
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path

import imagehash
import numpy as np
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageOps

from curate.dedupe.work import DedupeSettings, judge, plan_for
from curate.history import Fetched, noted, on_original
from curate.normalize.work import note_of
from curate.pictures import hashers, pixels
from curate.pictures.likeness import ALIKE, View, likeness, view
from imageledger.decisions import Decisions
from imageledger.record import Record, Step
from imageledger.store import Store

FAR = 12
"""The hash distance up to which different people are compared: twice the default of dedupe."""


def recompressed(image: Image.Image, quality: int) -> Image.Image:
    """Return the picture after a JPEG of this quality."""
    target = BytesIO()
    image.save(target, "JPEG", quality=quality)
    return Image.open(target)


def cut(share: float, sides: str) -> Callable[[Image.Image], Image.Image]:
    """Return an edit that crops a share of the width and height: off one side, a corner, or all around."""

    def edit(image: Image.Image) -> Image.Image:
        x, y = round(share * image.width), round(share * image.height)
        if sides == "left":
            return image.crop((x, 0, image.width, image.height))
        if sides == "corner":
            return image.crop((x, y, image.width, image.height))
        return image.crop((x // 2, y // 2, image.width - x // 2, image.height - y // 2))

    return edit


EDITS: dict[str, Callable[[Image.Image], Image.Image]] = {
    "JPEG q40": lambda image: recompressed(image, 40),
    "quarter size, q30": lambda image: recompressed(image.resize((image.width // 4, image.height // 4)), 30),
    "brightness +15 %": lambda image: ImageEnhance.Brightness(image).enhance(1.15),
    "grey": lambda image: image.convert("L").convert("RGB"),
    "blur, 1 % of width": lambda image: image.filter(ImageFilter.GaussianBlur(image.width / 100)),
    **{f"crop {round(100 * s)} %, {w}": cut(s, w) for s in (0.04, 0.07, 0.10) for w in ("around", "left", "corner")},
}


def main(testdata: Path) -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder))
        known_copies(testdata, store)
        paths = sorted((testdata / "portraits").glob("*/*/*.*"))
        images = [pixels.decode(path.read_bytes()).image for path in paths]
        merged(store, testdata, paths)
        different_people(paths, images)
    edits(images[::8])
    search()


def row(store: Store, testdata: Path, path: Path) -> Record:
    """Return the row that fetch and normalize would write for a file."""
    content = path.read_bytes()
    picture = pixels.decode(content)
    name = store.put(content, "jpg")
    notes = noted(note_of(picture, hashers.reduced(picture.image)))
    steps = (
        Step(did="fetch@1", on="", found=noted(Fetched(bytes=len(content)))),
        Step(did="normalize@1", on=name, found=notes),
    )
    return Record(
        source="testdata", member=path.relative_to(testdata).as_posix(), label="real", origin=name, file=name,
        phash=hashers.phash(picture.image), steps=steps,
    )  # fmt: skip


def deduped(store: Store, testdata: Path, paths: list[Path], distance: int = 6) -> dict[str, Record]:
    """Return what dedupe makes of some files, by path."""
    rows = [row(store, testdata, path) for path in paths]
    plan = plan_for(rows, Decisions(), store, DedupeSettings(distance=distance))
    return {record.member: judge(record, plan) for record in rows}


def known_copies(testdata: Path, store: Store) -> None:
    """Print how many of the known copies and edits dedupe finds."""
    with (testdata / "duplicates" / "pairs.csv").open(newline="") as file:
        pairs = [(line["a"], line["b"]) for line in csv.DictReader(file)]
    made = deduped(store, testdata, [testdata / name for name in sorted({name for pair in pairs for name in pair})])
    hits = [made[b].similarity for a, b in pairs if made[b].duplicate_of == f"testdata#{a}"]
    print(f"known copies found: {len(hits)}/{len(pairs)}, likeness at least {min(hits):.3f}")
    made = deduped(store, testdata, sorted((testdata / "duplicates" / "edits").glob("*.jpg")))
    for record in made.values():
        print(f"  {record.member:45} {record.status:9} {record.reason}")


def merged(store: Store, testdata: Path, paths: list[Path]) -> None:
    """Print every pair of portraits that dedupe would merge."""
    for distance in (6, FAR):
        made = deduped(store, testdata, paths, distance)
        pairs = [record for record in made.values() if record.duplicate_of]
        print(f"portraits merged at distance {distance}: {len(pairs)} of {len(paths)}")
        for record in pairs:
            print(f"  {record.name} {record.duplicate_of} {record.reason}")


def person() -> Image.Image:
    """Draw a head and shoulders in place of a matte."""
    drawn = Image.new("L", (256, 256), 0)
    ImageDraw.Draw(drawn).ellipse((60, 25, 196, 215), fill=255)
    ImageDraw.Draw(drawn).ellipse((10, 180, 246, 400), fill=255)
    return drawn


def whole_person(image: Image.Image) -> Image.Image:
    """Return the drawn person as the matte of a whole picture."""
    return on_original(person(), (0, 0, *image.size), image.size)


def different_people(paths: list[Path], images: list[Image.Image]) -> None:
    """Print the most similar pairs of different people whose hashes are near, whole and inside the person."""
    columns = [hashers.to_int(hash_of(image)) for hash_of in (hashers.phash, hashers.mirrored) for image in images]
    count = len(paths)
    near = []
    for i, j, distance in hashers.near_pairs(np.array(columns, dtype=np.uint64), FAR):
        if i < count and j != i + count:
            near.append((i, j % count, distance, j >= count))
    plain = [view(image) for image in images]
    matted = [view(image, whole_person(image)) for image in images]
    for name, views in (("whole picture", plain), ("inside a drawn person", matted)):
        scores = sorted((likeness(views[i], turned(views[j], m)), i, j, d, m) for i, j, d, m in near)
        values = [score for score, *_ in scores]
        print(
            f"different people at distance 0–{FAR}, {name}: {len(near)} pairs, likeness median "
            f"{np.median(values):.3f}, 99th percentile {np.quantile(values, 0.99):.3f}, "
            f"highest {max(values):.3f}; limit {ALIKE}"
        )
        for score, i, j, distance, mirror in scores[:-4:-1]:
            first, second = (path.relative_to(path.parents[2]).as_posix() for path in (paths[i], paths[j]))
            print(f"  {score:.3f} at distance {distance}{' mirrored' if mirror else ''}: {first} {second}")


def turned(seen: View, mirror: bool) -> View:
    """Return a view or its mirror image."""
    return seen.mirrored() if mirror else seen


def edits(images: list[Image.Image]) -> None:
    """Print, for each edit, the likeness to the original and how often the hash finds it at which distance."""
    print(f"edits of {len(images)} portraits: lowest and median likeness, lowest inside a drawn "
          "person; share that the hash finds at distance 6, 8, 10, 12")  # fmt: skip
    for name, edit in EDITS.items():
        scores, inside, distances = [], [], []
        for image in images:
            other = edit(image)
            scores.append(likeness(view(image), view(other)))
            if not name.startswith("crop"):
                inside.append(likeness(view(image, whole_person(image)), view(other, whole_person(other))))
            distances.append(apart(hashers.phash(image), hashers.phash(other)))
        shares = " ".join(f"{np.mean(np.array(distances) <= d):4.2f}" for d in (6, 8, 10, 12))
        within = f"{min(inside):.3f}" if inside else "  -  "
        print(f"  {name:20} {min(scores):.3f} {np.median(scores):.3f}  person {within}  found {shares}")
    flipped = [apart(hashers.mirrored(image), hashers.phash(ImageOps.mirror(image))) for image in images]
    print(f"  mirrored: hash distance at most {max(flipped)}")


def apart(first: str, second: str) -> int:
    """Return in how many bits two written hashes differ."""
    return (hashers.to_int(first) ^ hashers.to_int(second)).bit_count()


def search(count: int = 10_000, peers: int = 1000) -> None:
    """Print the time of the search beside loops over all pairs of integers, and of imagehash's own objects."""
    rng = np.random.default_rng(0)
    hashes = rng.integers(0, 2**64, count, dtype=np.uint64)
    integers = hashes.tolist()
    objects = [imagehash.hex_to_hash(f"{value:016x}") for value in integers[:peers]]
    ours = timed(lambda: hashers.near_pairs(hashes, 6))
    loop = timed(lambda: (1 for n, a in enumerate(integers) for b in integers[n + 1 :] if (a ^ b).bit_count() <= 6))
    peer = timed(lambda: (1 for n, a in enumerate(objects) for b in objects[n + 1 :] if a - b <= 6))
    scaled = peer * (count / peers) ** 2
    print(
        f"all pairs of {count} hashes within 6: {1000 * ours:.0f} ms; a loop over integers takes {loop / ours:.0f} "
        f"times as long, a loop over imagehash's a - b {scaled / ours:.0f} times (scaled from {peers} hashes)"
    )
    many = rng.integers(0, 2**64, 100_000, dtype=np.uint64)
    near, far = (timed(lambda within=d: hashers.near_pairs(many, within)) for d in (6, FAR))
    print(f"all pairs of 100,000 hashes within 6: {near:.1f} s, within {FAR}: {far:.1f} s")


def timed(work: Callable[[], Iterator[object]]) -> float:
    """Return the seconds that it takes to run through an iterator."""
    start = time.perf_counter()
    for _ in work():
        pass
    return time.perf_counter() - start


if __name__ == "__main__":
    given = sys.argv[1:]
    main(Path(given[0]) if given else Path(__file__).resolve().parent.parent.parent / "shared" / "testdata")
