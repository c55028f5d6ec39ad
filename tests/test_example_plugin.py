"""The worked example of a plug-in: installed, it shows in the help, in the results and in the audits."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from fresh import HELP, STAGES, project, run
from source_tree import ROOT

PLUGIN = ROOT / "examples" / "plugin"


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    """A folder in which the example is installed, and nothing else; it is built from a copy."""
    folder = tmp_path_factory.mktemp("plugin")
    for path in [PLUGIN / "pyproject.toml", *(PLUGIN / "imageledger_example").glob("*.py")]:
        target = folder / "source" / path.relative_to(PLUGIN)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.read_bytes())
    words = ["install", "--no-deps", "--no-build-isolation", "--no-index", "--quiet", "--target", folder / "site"]
    done = subprocess.run(
        [sys.executable, "-m", "pip", *map(str, words), str(folder / "source")], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return folder / "site"


@pytest.mark.long
def test_the_example_shows_in_the_help_and_in_the_results_from_the_tar_to_the_audits(site, tmp_path):
    shown = run([*HELP, *STAGES], project(tmp_path / "project"), ROOT, site)
    assert "tar:" in shown["curate fetch --help"]
    assert "oval" in shown["curate whiten --help"]
    assert "saturation" in shown["audit shortcuts --help"]
    assert "coarse: Logistic regression on 8 x 8" in " ".join(shown["train run --help"].split())
    results = [shown[command] for command in STAGES]
    assert [row["ok"] for row in json.loads(results[0])] == [12, 12]
    assert "saturation" in results[3]
    assert "saturation" in results[5]
    assert json.loads(results[6])["matched"] == 4


@pytest.mark.long
def test_the_tests_of_the_example_pass(site):
    path = os.pathsep.join([str(ROOT), str(site)])
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(PLUGIN)],
        capture_output=True, text=True, cwd=ROOT, env={**os.environ, "PYTHONPATH": path},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    assert "4 passed" in done.stdout
