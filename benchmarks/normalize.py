"""Claim: normalize, with face, hashes, digest and safe storage, is at least a quarter as fast as a bare loop.

    python benchmarks/normalize.py [--folder DIR] [--count 160] [--size 512]

Prints the throughput of normalize beside that of a bare Pillow loop over the same pictures (decode completely, shrink
to the same size, encode as JPEG), that of finding the face alone, and that of two workers beside one worker. The
pictures are drawn, or come from DIR. Every number is measured in this run; the ratios are what counts.
"""

import argparse
import io
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from curate.faces import cascade
from curate.normalize.settings import NormalizeSettings
from curate.normalize.work import normalize
from imageledger import manifest
from imageledger.config import open_project
from imageledger.record import Record
from imageledger.stage import Stage, run_seeds

FETCH = Stage(name="fetch", version=1)


def drawn(seed: int, side: int = 1024) -> bytes:
    """Return a JPEG with structure at all scales and the sketch of a face."""
    rng = np.random.default_rng(seed)
    total = np.zeros((side, side, 3))
    for cells, weight in ((4, 70), (16, 50), (64, 40), (256, 30)):
        noise = Image.fromarray(rng.integers(0, 256, (cells, cells, 3), dtype=np.uint8))
        total += weight * (np.asarray(noise.resize((side, side), Image.Resampling.BICUBIC)) / 255 - 0.5)
    image = Image.fromarray(np.clip(128 + total, 0, 255).astype(np.uint8))
    draw, at = ImageDraw.Draw(image), side // 100
    draw.ellipse((30 * at, 20 * at, 70 * at, 75 * at), fill=(225, 180, 150))
    for eye in (42, 58):
        draw.ellipse(((eye - 4) * at, 40 * at, (eye + 4) * at, 45 * at), fill=(40, 30, 30))
    draw.ellipse((43 * at, 60 * at, 57 * at, 64 * at), fill=(150, 60, 60))
    target = io.BytesIO()
    image.save(target, "JPEG", quality=92)
    return target.getvalue()


def bare(contents: list[bytes], size: int) -> None:
    """Decode, shrink and encode, and nothing else."""
    for content in contents:
        with Image.open(io.BytesIO(content)) as image:
            small = image.convert("RGB").resize((size, size), Image.Resampling.LANCZOS)
        small.save(io.BytesIO(), "JPEG", quality=90)


def faces(contents: list[bytes]) -> None:
    """Decode and look for the face."""
    for content in contents:
        with Image.open(io.BytesIO(content)) as image:
            cascade.find(image.convert("RGB"))


def stage(contents: list[bytes], size: int, workers: int) -> tuple[float, int]:
    """Normalize all pictures in a fresh project; return the seconds it took and how many rows are ok."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "imageledger.toml").write_text('dataset = "bench"\n', encoding="utf-8")
        project = open_project(Path(folder))
        rows = [Record(source="folder:bench", member=f"{n:06}", label="real") for n in range(len(contents))]

        def fetched(record: Record) -> Record:
            name = project.store.put(contents[int(record.member)], "jpg")
            return record.after(FETCH.step(record), origin=name, file=name)

        run_seeds(
            FETCH, fetched, lambda: iter(rows), count=len(rows), input_digest="sha256:bench",
            output=project.manifest("fetch"), dataset=project.dataset, store=project.store, workers=1,
        )  # fmt: skip
        started = time.perf_counter()
        outcome = normalize(project, NormalizeSettings(detector="cascade", size=size), workers=workers)
        took = time.perf_counter() - started
        return took, sum(record.status == "ok" for record in manifest.read(outcome.path))


def seconds(work: Callable[[], object]) -> float:
    """Return the wall time of the work."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, help="real pictures instead of drawn pictures")
    parser.add_argument("--count", type=int, default=160)
    parser.add_argument("--size", type=int, default=512)
    options = parser.parse_args()
    if options.folder:
        files = sorted(path for path in options.folder.rglob("*") if path.suffix.lower() in (".jpg", ".jpeg", ".png"))
        contents = [path.read_bytes() for path in files[: options.count]]
    else:
        different = [drawn(seed) for seed in range(min(40, options.count))]
        contents = [different[n % len(different)] for n in range(options.count)]
    faces(contents[:2])  # loads the cascade
    plain = seconds(partial(bare, contents, options.size))
    looking = seconds(partial(faces, contents))
    print(f"{len(contents)} pictures, {options.size} px")
    print(f"bare decode, shrink, encode: {len(contents) / plain:6.1f} pictures/s")
    print(f"decode and find the face:    {len(contents) / looking:6.1f} pictures/s")
    times = {}
    for workers in (1, 2):
        times[workers], ok = stage(contents, options.size, workers)
        rate = len(contents) / times[workers]
        print(f"{f'normalize, {workers} worker' + 's' * (workers > 1) + ':':28} {rate:6.1f} pictures/s, {ok} ok")
    print(f"ratio of normalize to the bare loop, one worker:   {plain / times[1]:.2f}")
    print(f"ratio of normalize to the bare loop, two workers:  {plain / times[2]:.2f}")
    print(f"ratio of two workers to one worker (with their start): {times[1] / times[2]:.2f}")


if __name__ == "__main__":
    main()
