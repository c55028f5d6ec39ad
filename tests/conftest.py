"""The drawn world of the light tests, and the way to the real one."""

import os
from pathlib import Path

import pytest
from click.testing import CliRunner

if (worker := os.environ.get("PYTEST_XDIST_WORKER")) and hasattr(os, "sched_setaffinity"):
    # A core for each worker: pools and threads that its tests start by default would only crowd the others.
    free = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {free[int(worker.removeprefix("gw")) % len(free)]})

HERE = Path(__file__).resolve().parent
TESTDATA = Path(os.environ.get("IMAGELEDGER_TESTDATA", HERE.parent.parent / "shared" / "testdata"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that hold long tests, so that no core waits for them at the end."""
    long = {item.path for item in items if item.get_closest_marker("long")}
    items.sort(key=lambda item: item.path not in long)


@pytest.fixture(scope="session")
def testdata() -> Path:
    """The folder of real pictures; tests that need it skip where it is absent."""
    if not TESTDATA.is_dir():
        pytest.skip(f"no real pictures at {TESTDATA}; set IMAGELEDGER_TESTDATA")
    return TESTDATA


@pytest.fixture
def runner() -> CliRunner:
    """A runner of commands that keeps stdout and stderr apart."""
    return CliRunner()


@pytest.fixture
def project(tmp_path, monkeypatch):
    """An empty project folder, with the working directory in it."""
    from imageledger.config import open_project

    (tmp_path / "imageledger.toml").write_text(
        'dataset = "drawn"\n\n[normalize]\ndetector = "cascade"\n', encoding="utf-8"
    )
    monkeypatch.chdir(tmp_path)
    return open_project(tmp_path)


@pytest.fixture(scope="module")
def quick_probe():
    """Probes of few trees, drawn once: for tests of what becomes of a probe, not of what a probe finds."""
    from curate.evidence import probe

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(probe, "TREES", 10)
        patch.setattr(probe, "REPEATS", 1)
        patch.setattr(probe, "RESAMPLES", 200)
        yield
