"""Claim: at the desk, the next picture is there within 50 ms of the key, also after a thousand decisions.

    python benchmarks/review.py [--count 1000] [--pause 0.3]

Serves a desk over drawn pictures of 1024 pixels in this process and decides about each by key in a headless browser,
with a pause before each key, as a person needs one. Measured in the page from the key to the decoded picture, without
the frame in which it is painted. Prints the median, the 95th percentile and the slowest, and their ratio to 50 ms.
"""

import argparse
import shutil
import statistics
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from normalize import drawn

from audit.review import work
from audit.review.ahead import Pictures
from audit.review.desk import Desk
from audit.review.subject import subject_of
from imageledger import manifest
from imageledger.config import Project, open_project
from imageledger.record import Record

LIMIT = 50.0
PRESSED = """async (key) => {
  const from = performance.now(), here = document.querySelector("main").dataset.here;
  document.body.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
  while (document.querySelector("main").dataset.here === here) await new Promise((done) => setTimeout(done));
  await document.querySelector("main img").decode();
  return performance.now() - from;
}"""


def made(root: Path, count: int) -> Project:
    """Write a project of drawn pictures; ten are drawn, and the others are these with other bytes at their end."""
    (root / "imageledger.toml").write_text('dataset = "drawn"\n', encoding="utf-8")
    project = open_project(root)
    names = [project.store.put(drawn(seed) + b"\0" * n, "jpg") for seed in range(10) for n in range(-(-count // 10))]
    rows = [Record(source="folder:drawn", member=f"{n:05}.jpg", label="real", origin=name, file=name)
            for n, name in enumerate(names[:count])]  # fmt: skip
    manifest.write(project.manifest("fetch"), rows)
    return project


def times(address: str, count: int, pause: float) -> Sequence[float]:
    """Decide about every picture by key and return how long each next one took, in milliseconds."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.goto(f"{address}everything/")
        page.wait_for_load_state("networkidle")
        took = []
        for number in range(count - 1):
            time.sleep(pause)
            took.append(page.evaluate(PRESSED, "18"[number % 2]))
        browser.close()
    return took


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--pause", type=float, default=0.3)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        project = made(Path(folder), asked.count)
        subject, listening = subject_of(project, "fetched"), work.listen(0)
        desk = Desk(project, subject.title, work.queues_of(subject), "benchmark")
        address, server = work.served(desk, Pictures(project.store), listening)
        threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True).start()
        took = sorted(times(address, asked.count, asked.pause))
        server.should_exit = True
    middle, high = statistics.median(took), took[int(0.95 * len(took))]
    for what, value in (("median", middle), ("95 of 100 within", high), ("slowest", took[-1])):
        print(f"{what}: {value:.1f} ms, {value / LIMIT:.2f} of the limit of {LIMIT:.0f} ms")
    print(f"{len(took)} decisions; saved: {desk.saved}")


if __name__ == "__main__":
    main()
