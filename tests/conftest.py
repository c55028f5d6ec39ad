"""The drawn world of the light tests, and the way to the real one."""

import os
from pathlib import Path

import pytest
from click.testing import CliRunner

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # threads of torch that wait must not keep other tests from a core

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

    (tmp_path / "imageledger.toml").write_text('dataset = "drawn"\n', encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return open_project(tmp_path)
