"""The walk over imports sees every kind of import, and the three faults that earlier walks did not see."""

from pathlib import Path

import pytest
from import_walk import Walk


def house(folder: Path, **modules: str) -> Walk:
    """A source tree of modules whose dotted names are written with __ for a dot, `init` for `__init__`."""
    for name, text in modules.items():
        path = folder.joinpath(*name.split("__")).with_suffix(".py")
        path = path.with_stem(path.stem.replace("init", "__init__"))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return Walk(folder)


def test_relative_late_and_typing_imports_are_seen_for_what_they_are(tmp_path):
    text = (
        "import torch.nn\nfrom typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from audit.cli import main\n"
        "def f():\n    from . import probe\n    from ..train import run\n    import_module('rembg.sessions')\n"
    )
    walk = house(tmp_path, curate__measure=text, curate__probe="", train__run="")
    seen = {(line.module, line.top, line.runs) for line in walk.imports}
    assert {("torch.nn", True, True), ("audit.cli", True, False), ("curate.probe", False, True)} <= seen
    assert {("train.run", False, True), ("rembg.sessions", False, True)} <= seen


def test_a_circle_hidden_by_imports_inside_functions_is_found(tmp_path):
    walk = house(
        tmp_path,
        train__training="def card():\n    from train import model_card\n",
        train__model_card="def compared():\n    from train.holding_out import together\n",
        train__holding_out="from train import series\n",
        train__series="from train.training import train\n",
    )
    assert walk.circles() == [
        "train.holding_out -> train.series -> train.training -> train.model_card -> train.holding_out"
    ]


def test_a_module_of_a_higher_leg_behind_a_constant_is_found(tmp_path):
    text = 'from typing import cast\nFROZEN = "train.frozen:extractor"\ndef f():\n    cast(object, load(FROZEN))(1)\n'
    walk = house(tmp_path, curate__compare=text, train__frozen="")
    assert walk.against_the_way() == [
        "curate/compare.py:2 imports train.frozen",
        "curate/compare.py:4 imports train.frozen",
    ]


@pytest.mark.parametrize(
    "argument", ["'curate.sources.sample'", "f'{name}.sources.sample'", "'curate.sources.' + name"]
)
def test_a_command_that_loads_a_module_of_a_higher_leg_is_found(tmp_path, argument):
    text = f"def demo(name):\n    import_module({argument})\n"
    walk = house(tmp_path, imageledger__cli=text, curate__sources__sample="")
    assert "imageledger/cli.py:2 imports curate.sources.sample" in walk.against_the_way()


@pytest.mark.parametrize(
    "text",
    [
        "NAME = 'frozen'\nload(f'train.{NAME}:extractor')",
        "NAME = 'frozen'\nload('train.' + NAME)",
        "from curate.names import FROZEN as PLACE\nload(PLACE)",
        "from curate import names\nload(names.FROZEN)",
        "TOOLS = {'x': 'train.frozen:extractor'}\nload(TOOLS[name])",
        "TOOLS = {name: f'train.{name}:extractor' for name in NAMES}\nload(TOOLS[name])",
        "Registry(builtin={'x': 'train.frozen:Extractor'})",
        "from imageledger import extras\nextras.need('train.frozen', 'train')",
    ],
)
def test_strings_are_resolved_wherever_their_parts_stand(tmp_path, text):
    walk = house(tmp_path, curate__compare=text, curate__names="FROZEN = 'train.frozen'", train__frozen="")
    assert any(line.module == "train.frozen" and line.file == "curate/compare.py" for line in walk.imports)


def test_words_that_only_look_like_a_module_are_no_import(tmp_path):
    text = "'train run'\n'audit/frozen.py'\n'Train.frozen is a file.'\nRun.load(folder)\nload(path)\nf'{a}.{b}'\n"
    text += "DOORS.load('train')\n"
    assert house(tmp_path, curate__compare=text, train__frozen="").imports == ()


def test_only_a_registry_may_name_what_lies_in_its_own_folder(tmp_path):
    listing, back = "TOOLS = {'saw': 'curate.tools.saw:TOOL'}\n", "from curate.tools import Tool\n"
    registry = house(tmp_path / "registry", curate__tools__init=listing, curate__tools__saw=back)
    assert registry.circles() == []
    module = house(tmp_path / "module", curate__all=listing, curate__tools__saw="from curate.all import TOOLS\n")
    assert len(module.circles()) == 1
    import_ = "from curate.tools.saw import TOOL\n"
    assert len(house(tmp_path / "import", curate__tools__init=import_, curate__tools__saw=back).circles()) == 1
