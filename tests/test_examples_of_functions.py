"""Every example in a docstring that needs no dataset is run as it stands; test_doctests.py runs the others."""

import doctest
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
NEED_A_DATASET = ("imageledger.dataset", "imageledger.notebook")


def modules_with_examples():
    for leg in ("imageledger", "curate", "train", "audit"):
        for path in sorted((ROOT / leg).rglob("*.py")):
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
            if ">>>" in path.read_text(encoding="utf-8") and not name.startswith(NEED_A_DATASET):
                yield name


@pytest.mark.parametrize("name", list(modules_with_examples()))
def test_the_examples_of_a_module_print_what_its_docstrings_say(name):
    said: list[str] = []
    found = [test for test in doctest.DocTestFinder().find(import_module(name)) if test.examples]
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    for test in found:
        runner.run(test, out=said.append)
    assert found
    assert said == []
