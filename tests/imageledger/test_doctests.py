"""The examples in the docstrings of the Python door are run as they stand."""

import doctest
from importlib import import_module

import pytest
from dataset_world import draw_photos, leave_run, make

import imageledger

LIGHT = ("notebook", "dataset.dataset", "dataset.stages", "dataset.picture", "dataset.run", "dataset.audits")
TRAINED = ("dataset.trainings",)
OPTIONS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def examples(modules):
    finder = doctest.DocTestFinder(exclude_empty=True)
    found = [test for name in modules for test in finder.find(import_module(f"imageledger.{name}")) if test.examples]
    found.sort(key=lambda test: (test.filename, test.lineno or 0))  # `train` before `export`
    return [pytest.param(test, id=test.name.removeprefix("imageledger.")) for test in found]


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """A folder with photos/ and the dataset faces/, and in it the run "first"."""
    folder = tmp_path_factory.mktemp("doctests")
    draw_photos(folder / "photos")
    leave_run(make(folder / "faces", folder / "photos"))
    return folder


@pytest.fixture
def names(world, monkeypatch):
    monkeypatch.chdir(world)
    faces = imageledger.open("faces", progress=False)
    return {"il": imageledger, "faces": faces, "run": faces.runs["first"]}


def run_example(test, names):
    test.globs = {**test.globs, **names}
    lines = []
    doctest.DocTestRunner(optionflags=OPTIONS).run(test, out=lines.append)
    assert lines == []


@pytest.mark.long
@pytest.mark.parametrize("test", examples(LIGHT))
def test_an_example_prints_what_its_docstring_says(test, names):
    run_example(test, names)


@pytest.mark.long
@pytest.mark.parametrize("test", examples(TRAINED))
def test_an_example_that_trains_prints_what_its_docstring_says(test, names):
    run_example(test, names)
