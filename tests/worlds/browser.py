"""A headless browser for tests of pages: shows a file and returns its DOM or a picture of it."""

import shutil
import subprocess
import tempfile
from pathlib import Path

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
