"""The worked example of a plug-in: installed, it shows in the help, in the results and in the audits."""

import importlib
import json
import subprocess
import sys
from pathlib import Path

import pytest
from fresh import HELP, STAGES, project, run, tar
from source_tree import ROOT

from imageledger import plugins
from imageledger.testing import check_family, check_matting, check_recipe, check_source

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


@pytest.fixture
def installed(site, monkeypatch):
    """The example in this process, as after an installation."""
    monkeypatch.syspath_prepend(site)
    importlib.invalidate_caches()
    plugins.announced.cache_clear()
    yield
    monkeypatch.undo()
    plugins.announced.cache_clear()


@pytest.mark.long
def test_the_example_shows_in_the_help_and_in_the_results_from_the_tar_to_the_audits(site, tmp_path):
    shown = run([*HELP, *STAGES], project(tmp_path / "project"), ROOT, site)
    assert "oval" in shown["curate whiten --help"]
    assert "coarse: Logistic regression on 8 x 8" in " ".join(shown["train run --help"].split())
    results = [shown[command] for command in STAGES]
    assert [row["ok"] for row in json.loads(results[0])] == [12, 12]
    assert "saturation" in results[3]
    assert "saturation" in results[5]
    assert json.loads(results[6])["matched"] == 4


@pytest.mark.long
def test_the_example_passes_the_checks(installed, tmp_path):
    check_family("saturation")
    check_source("tar", f"tar:{tar(tmp_path / 'faces.tar', 2)}")
    check_matting("oval")
    check_recipe("coarse")
