"""Make the pictures of the guide from a finished demo, as a browser shows its report and its desk.

imageledger demo demo-run
python docs/screenshots.py demo-run
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

GUIDE = Path(__file__).with_name("guide")
WIDE = {"width": 1100, "height": 760}
SETTLED = 1000
"""Milliseconds in which the page is drawn."""

PARTS = {
    "report-dataset.png": "dataset",
    "report-shortcuts.png": "files-alone",
    "report-training.png": "training",
    "report-mistakes.png": "mistakes",
}
"""What is shown of the report below its first screen: the picture, and the place on the page."""


def main(folder: Path) -> None:
    """Write every picture of the guide into docs/guide/."""
    GUIDE.mkdir(exist_ok=True)
    chromium = shutil.which("chromium")
    if not chromium:
        sys.exit("chromium is not on the PATH")
    with sync_playwright() as started:
        browser = started.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        report(browser, folder / "data/runs/demo/audit/report.html")
        desk(browser, folder)
        browser.close()
    subprocess.run(
        [sys.executable, "-m", "imageledger", "curate", "look", "whiten", "--status", "ok", "-n", "12",
         "--project", str(folder), "-o", str(GUIDE / "look.png")], check=True,
    )  # fmt: skip


def report(browser: Browser, page: Path) -> None:
    """Take the first screen of the report, and one of each part."""
    shown = browser.new_page(viewport=WIDE)
    shown.goto(page.resolve().as_uri())
    take(shown, "report.png")
    for name, anchor in PARTS.items():
        shown.locator(f"#{anchor}").evaluate("part => part.scrollIntoView()")
        take(shown, name)
    shown.close()


def desk(browser: Browser, folder: Path) -> None:
    """Take the list of queues, one picture of the first queue, and the help, without deciding anything."""
    with opened(folder) as address:
        shown = browser.new_page(viewport=WIDE)
        shown.goto(address)
        take(shown, "desk-queues.png")
        shown.goto(f"{address}misclassified/")
        take(shown, "desk.png")
        shown.goto(f"{address}pairs/")
        take(shown, "desk-pairs.png")
        shown.close()


@contextmanager
def opened(folder: Path) -> Iterator[str]:
    """Open the desk of a project and hand out its address."""
    command = [sys.executable, "-m", "imageledger", "audit", "review", "--who", "you", "--project", str(folder)]
    running = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=os.environ | {"PYTHONUNBUFFERED": "1"}
    )  # fmt: skip
    try:
        lines = running.stdout or []
        yield next(line.strip() for line in lines if line.strip().startswith("http://127.0.0.1"))
    finally:
        running.terminate()
        running.wait()


def take(shown: Page, name: str) -> None:
    """Write what the window shows once its pictures are there."""
    shown.wait_for_load_state("load")
    shown.wait_for_timeout(SETTLED)
    shown.screenshot(path=str(GUIDE / name))


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "demo-run"))
