"""What CONTRIBUTING promises of what can be added: one file, or one folder, and its name in the list."""

import json
import shutil
from pathlib import Path

import pytest
from fresh import HELP, STAGES, project, run
from source_tree import PACKAGES, ROOT

EXAMPLE = ROOT / "examples" / "plugin" / "imageledger_example"
ONE_FILE = {
    "saturation.py": ("curate/nuisance", '"naming",', '"naming", "saturation",'),
    "tar.py": ("curate/sources", '"zip":', '"tar": "curate.sources.tar:open_tar", "zip":'),
    "oval.py": ("curate/matting", '"grabcut")', '"grabcut", "oval")'),
    "coarse.py": ("train/recipes", '"frozen":', '"coarse": "train.recipes.coarse:RECIPE", "frozen":'),
}
"""A file of the example, the folder it goes to, and its name in the list of that folder."""

AUDIT = {
    "__init__.py": '"""What `audit census` does."""\n',
    "command.py": '''"""The command `audit census`."""

import click

from audit.options import show
from imageledger import console


@click.command()
@click.argument("run", required=False)
@console.json_option
@console.everywhere
def census(run, as_json, project):
    """Count what a model called what."""
    from audit.census import work
    from imageledger.config import open_project

    show(work.census(open_project(project), run), as_json=as_json)
''',
    "work.py": '''"""What `audit census` reads: the predictions of a run."""

from collections import Counter

from audit.findings import Report, notes
from train.runs import find_run, read_predictions


def census(project, run=None):
    folder = find_run(project, run)
    count = Counter(row.predicted for row in read_predictions(folder))
    said = [f"{number} pictures were called {label}." for label, number in sorted(count.items())]
    return Report(audit="census", subject=folder.name, findings=notes(*said), data=dict(count), folder=folder)
''',
}
CENSUS = "audit census first --json"


@pytest.fixture(scope="module")
def added(tmp_path_factory) -> Path:
    """A copy of the source with one thing of each kind added, each in the file or folder that is promised."""
    root = tmp_path_factory.mktemp("source")
    for package in PACKAGES:
        shutil.copytree(ROOT / package, root / package, ignore=shutil.ignore_patterns("__pycache__"))
    for name, (folder, before, after) in ONE_FILE.items():
        shutil.copy(EXAMPLE / name, root / folder)
        edit(root / folder / "__init__.py", before, after)
    (root / "audit" / "census").mkdir()
    for name, text in AUDIT.items():
        (root / "audit" / "census" / name).write_text(text)
    edit(root / "audit" / "cli.py", "import click\n", "import click\nfrom audit.census.command import census\n")
    edit(root / "audit" / "cli.py", "main.add_command(leaks)", "main.add_command(leaks)\nmain.add_command(census)")
    return root


def edit(path: Path, before: str, after: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count(before) == 1, f"{path.name} lists {before} {text.count(before)} times"
    path.write_text(text.replace(before, after), encoding="utf-8")


@pytest.fixture(scope="module")
def shown(added, tmp_path_factory) -> dict[str, str]:
    """What help and commands print with everything added."""
    return run([*HELP, *STAGES, CENSUS], project(tmp_path_factory.mktemp("work") / "project"), added)


pytestmark = pytest.mark.long


def test_a_probe_family_is_one_file(shown):
    assert "saturation" in shown["audit shortcuts --help"]
    assert "saturation" in shown[STAGES[3]]
    assert "saturation" in shown[STAGES[5]]


def test_a_source_is_one_file(shown):
    assert "folder:, tar:, zip:" in " ".join(shown["curate fetch --help"].split())
    assert [row["ok"] for row in json.loads(shown[STAGES[0]])] == [12, 12]


def test_a_matting_backend_is_one_file(shown):
    assert "oval" in shown["curate whiten --help"]
    assert json.loads(shown[STAGES[2]])


def test_a_training_recipe_is_one_file(shown):
    assert "coarse: Logistic regression on 8 x 8" in " ".join(shown["train run --help"].split())
    assert json.loads(shown[STAGES[6]])["matched"] == 4


def test_an_audit_is_one_folder_and_its_line_in_the_list_of_commands(shown):
    assert "Count what a model called what." in shown["audit --help"]
    assert sum(json.loads(shown[CENSUS])[label] for label in ("ai", "real")) == 20
