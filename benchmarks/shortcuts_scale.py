"""Claim: `audit shortcuts` measures 10,000 pictures within 10 minutes and 2 GB on two cores.

    python benchmarks/shortcuts_scale.py [--pictures 10000] [PROJECT]

Takes the cut-out pictures of a curated PROJECT (default: portraits drawn and curated here), makes --pictures different
pictures of them by moving their edges a little and saving them anew, and lets the command measure and probe all
families, with nothing measured before. Prints the seconds and the memory of all its processes together beside the
limits, and the seconds beside those of decoding the same pictures.
"""

import argparse
import io
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
from click.testing import CliRunner
from PIL import Image

from curate.cli import main as curate
from imageledger import manifest
from imageledger.config import Project, open_project
from imageledger.engines.local import cores, ordered_map
from imageledger.project import init
from imageledger.record import OK, Record
from imageledger.store import Store

SECONDS, BYTES, PICTURES = 600.0, 2e9, 10_000
"""The limits, for this number of pictures."""

WORD = os.sysconf("SC_PAGE_SIZE")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("project", nargs="?", type=Path)
    parser.add_argument("--pictures", type=int, default=PICTURES)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        source = open_project(options.project) if options.project else drawn(Path(folder) / "drawn")
        many = multiplied(source, Path(folder) / "many", options.pictures)
        records = list(manifest.read(many.manifest("manifest")))
        started = time.perf_counter()
        for _ in ordered_map(partial(decoded, store=many.store), ((r, None) for r in records), workers=cores()):
            pass
        decoding = time.perf_counter() - started
        seconds, memory = watched([sys.executable, "-m", "audit", "shortcuts", "--project", str(many.root)])
    print(
        f"{options.pictures} pictures of {records[0].width} px, {cores()} cores; the limits are for {PICTURES} pictures"
    )
    print(
        f"time    {seconds:6.0f} s   {seconds / SECONDS:.2f} of the limit, "
        f"{seconds / decoding:.0f} times that of decoding alone"
    )
    print(f"memory  {memory / 1e6:6.0f} MB  {memory / BYTES:.2f} of the limit")


def drawn(folder: Path) -> Project:
    """Draw portraits and take them through the stages, up to white."""
    init(folder, "drawn")
    for command in (["fetch", "sample:"], ["normalize"], ["dedupe"], ["whiten", "--matting", "grabcut"]):
        done = CliRunner().invoke(curate, [*command, "--project", str(folder), "--quiet"], catch_exceptions=False)
        if done.exit_code:
            raise SystemExit(done.output)
    return open_project(folder)


def multiplied(source: Project, folder: Path, count: int) -> Project:
    """Write a project with a final manifest of `count` different pictures, made of those of `source`."""
    records = [record for record in manifest.read(source.manifest("whiten")) if record.status == OK]
    init(folder, "many")
    project = open_project(folder)
    jobs = (((number, records[number % len(records)]), None) for number in range(count))
    made = ordered_map(partial(another, store=source.store, target=project.store), jobs, workers=cores())
    manifest.write(project.manifest("manifest"), sorted(made, key=lambda record: (record.source, record.member)))
    return project


def another(job: tuple[int, Record], *, store: Store, target: Store) -> Record:
    """Store one picture with its edges moved by up to a tenth, saved anew, and its matte moved in the same way."""
    number, record = job
    rng = np.random.default_rng(number)
    edges = rng.integers(0, record.width // 10, size=2)
    box = (*edges.tolist(), *(record.width - rng.integers(0, record.width // 10, size=2)).tolist())
    content, matte = io.BytesIO(), io.BytesIO()
    for name, into, settings in ((record.file, content, {"quality": 90}), (record.matte, matte, {})):
        with Image.open(io.BytesIO(store.read(name))) as opened:
            moved = opened.crop(box).resize(opened.size, Image.Resampling.BICUBIC)
            moved.save(into, "JPEG" if settings else "PNG", **settings)
    file = target.put(content.getvalue(), "jpg")
    return replace(
        record, member=f"{number:06}.jpg", origin=file, file=file, matte=target.put(matte.getvalue(), "png"),
        split="train" if number % 5 else "valid", duplicate_of="", group="",
    )  # fmt: skip


def decoded(record: Record, *, store: Store) -> Record:
    """Decode a picture and its matte, and nothing else."""
    for name in (record.file, record.matte):
        with Image.open(io.BytesIO(store.read(name))) as opened:
            opened.load()
    return record


def watched(command: list[str]) -> tuple[float, float]:
    """Run a command; return its seconds, and the most bytes that its processes held together, sampled often."""
    started = time.perf_counter()
    process = subprocess.Popen(command, start_new_session=True, stdout=subprocess.DEVNULL)
    most = [0.0]

    def look() -> None:
        while process.poll() is None:
            most[0] = max(most[0], sum(held(process.pid)))
            time.sleep(0.2)

    looking = threading.Thread(target=look)
    looking.start()
    if process.wait():
        raise SystemExit(f"{' '.join(command)} failed")
    looking.join()
    return time.perf_counter() - started, most[0]


def held(session: int) -> Iterator[float]:
    """Yield the bytes of memory of each process of a session (Linux; shared memory counts in each)."""
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                if os.getsid(int(folder.name)) == session:
                    yield WORD * int((folder / "statm").read_text().split()[1])
            except (OSError, ValueError, IndexError):
                continue


if __name__ == "__main__":
    main()
