"""A headless browser for tests of pages: the DOM of a file or a picture of it, and pages that are walked through."""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
)  # fmt: skip


def chromium() -> str:
    """The path of chromium; tests that need it skip where there is none."""
    found = shutil.which("chromium")
    if not found:
        pytest.skip("no chromium on the PATH")
    return found


def dom_of(page: Path) -> str:
    """The DOM of a page, as HTML, once its scripts have run."""
    return _show(page, "--dump-dom").stdout


def screenshot(page: Path, target: Path, *, width: int, height: int, dark: bool = False) -> Path:
    """Take a picture of the top of a page as a window of this size shows it."""
    mode = ("--blink-settings=preferredColorScheme=0",) if dark else ()
    _show(page, f"--screenshot={target}", f"--window-size={width},{height}", *mode)
    return target


def _show(page: Path, *options: str) -> subprocess.CompletedProcess[str]:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        command = [chromium(), *FLAGS, f"--user-data-dir={profile}", *options, page.resolve().as_uri()]
        return subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)


@pytest.fixture(scope="module")
def chrome() -> Iterator[Any]:
    """A browser that playwright drives; tests that need it skip where there is none."""
    path = chromium()
    sync = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with sync.sync_playwright() as play:
        browser = play.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-dev-shm-usage"])
        yield browser
        browser.close()


@contextmanager
def opened(
    chrome: Any, address: Path | str, *, width: int = 1280, height: int = 800, dark: bool = False, script: bool = True
) -> Iterator[Any]:
    """A page at an address, or of a file, in a window of its own; `page.troubles` gathers what it complains about.

    The tabs of one window share its storage: `page.context.new_page()` opens another.
    """
    where = address.resolve().as_uri() if isinstance(address, Path) else address
    context = chrome.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if dark else "light",
        java_script_enabled=script,
    )
    context.set_default_timeout(10_000)
    page = context.new_page()
    page.troubles = []
    page.on("console", lambda said: said.type in ("error", "warning") and page.troubles.append(said.text))
    page.on("pageerror", lambda error: page.troubles.append(str(error)))
    try:
        page.goto(where)
        yield page
    finally:
        context.close()


def serious_faults(page: Any) -> list[str]:
    """What axe-core finds serious or critical on a page, a line each."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")
    found = axe.Axe().run(page).response["violations"]
    return [
        f"{fault['id']}: {fault['help']} ({fault['nodes'][0]['html'][:120]})"
        for fault in found
        if fault["impact"] in ("serious", "critical")
    ]
