"""The rules of the house, read off the source: which way imports run, what is heavy, and what a command is made of."""

import ast
import re
import subprocess
import sys
from functools import cache
from importlib import import_module
from pathlib import Path

import click
import pytest
from import_walk import Import, Walk
from source_tree import PACKAGES, ROOT, name_of, sources, tree_of

TORCH = r"train/(network|recipes)/\w+\.py"
ROOMS = {
    "kaggle": r"curate/sources/kaggle\w*\.py",
    "kagglesdk": r"curate/sources/kaggle\w*\.py",
    "rembg": r"curate/matting/\w+\.py",
    "onnxruntime": r"curate/matting/\w+\.py|train/models/onnx_file\.py",
    "torch": TORCH,
    "torchvision": TORCH,
    "fastai": TORCH,
    "timm": TORCH,
    "train.network.fastai_seam": TORCH,
    "ray": r"imageledger/engines/\w+\.py",
    "joblib": r"imageledger/engines/local\.py",
    "starlette": r"audit/review/\w+\.py",
    "uvicorn": r"audit/review/\w+\.py",
}
"""Which files may import a heavy package, or the module that hands it out."""

LATE = ("kaggle", "kagglesdk", "rembg", "onnxruntime", "ray", "joblib")
HEAVY = ("torch", "torchvision", "fastai", "rembg", "kaggle", "numpy", "pandas", "PIL", "starlette")
LONGEST = 310


@cache
def house() -> Walk:
    return Walk(ROOT)


def all_imports() -> tuple[Import, ...]:
    return house().imports


def test_imports_run_one_way():
    """Those inside functions and through strings are imports too; nobody is excused."""
    assert house().against_the_way() == []


def test_no_modules_import_each_other_in_a_circle():
    """Imports inside functions count; only a registry may name, by string, the modules of its own folder."""
    assert house().circles() == []


@pytest.mark.parametrize("room", ROOMS)
def test_a_heavy_package_is_imported_only_in_its_room(room):
    wrong = [
        str(line)
        for line in all_imports()
        if f"{line.module}.".startswith(f"{room}.") and not re.fullmatch(ROOMS[room], line.file)
    ]
    assert wrong == []


def test_modules_are_imported_by_name_through_one_room_only():
    wrong = [
        f"{name_of(path)}:{node.lineno}"
        for path in sources(*PACKAGES)
        if name_of(path) != "imageledger/extras.py"
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Attribute | ast.Name)
        and getattr(node, "attr", getattr(node, "id", "")) in ("import_module", "__import__")
    ]
    assert wrong == []


def test_what_is_large_or_speaks_when_imported_is_imported_late():
    assert [str(line) for line in all_imports() if line.package in LATE and line.top] == []


def test_what_audits_read_of_training_imports_no_torch():
    heavy = ("torch", "torchvision", "fastai", "timm", "safetensors", "matplotlib")
    light = ("train/runs.py", "train/cli.py", "train/config.py", "train/__init__.py")
    assert [str(line) for line in all_imports() if line.file in light and line.top and line.package in heavy] == []


def test_the_error_module_imports_nothing():
    assert [str(line) for line in all_imports() if line.file == "imageledger/errors.py"] == []


def test_nothing_is_printed_but_through_the_console():
    wrong = [
        f"{name_of(path)}:{node.lineno}"
        for path in sources(*PACKAGES)
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    ]
    assert wrong == []


def test_nothing_reads_or_writes_pickles():
    wrong = [
        str(line)
        for line in all_imports()
        if line.package in ("pickle", "dill", "joblib", "cloudpickle")
        # what the pool packs goes to its own workers and is never stored
        and not (line.file == "imageledger/engines/local.py" and line.module.startswith("joblib.externals.loky."))
    ]
    assert wrong == []


LIGHT = {
    "command": ("click", "imageledger", "imageledger.console", "imageledger.completion", "{leg}.options"),
    "options": ("click", "imageledger", "imageledger.console"),
    "cli": ("click", "imageledger", "imageledger.console", r"{leg}.\w+.command"),
}
"""What the modules behind `--help` may import at their top, beside the standard library."""


@pytest.mark.parametrize("name", LIGHT)
def test_what_stands_behind_help_imports_only_click_the_console_and_options_at_its_top(name):
    files = [line for line in all_imports() if Path(line.file).stem == name and line.top and line.runs]
    wrong = [
        str(line)
        for line in files
        if line.package not in sys.stdlib_module_names
        and not any(
            re.fullmatch(allowed.format(leg=line.importer.partition(".")[0]), line.module) for allowed in LIGHT[name]
        )
    ]
    assert files
    assert wrong == []


COLD = """
import importlib, sys
from click.testing import CliRunner
group = importlib.import_module(sys.argv[1] + ".cli").main

def walk(command, words):
    ended = CliRunner().invoke(group, [*words, "--help"])
    assert ended.exit_code == 0, (words, ended.output)
    assert "Usage:" in ended.stdout, words
    for name in getattr(command, "commands", {}):
        walk(command.commands[name], [*words, name])

walk(group, [])
if sys.argv[1] == "imageledger":
    for leg in ("curate", "train", "audit"):
        assert CliRunner().invoke(group, [leg, "--help"]).exit_code == 0
sys.stdout.write(" ".join(sorted(set(sys.argv[2:]) & set(sys.modules))))
"""


@pytest.mark.parametrize("package", PACKAGES)
def test_help_of_every_command_loads_nothing_heavy(package):
    ended = subprocess.run([sys.executable, "-c", COLD, package, *HEAVY], capture_output=True, text=True, cwd=ROOT)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout == ""


def commands() -> list[tuple[str, click.Command]]:
    return [
        (f"{package} {name}", command)
        for package in PACKAGES
        for name, command in import_module(f"{package}.cli").main.commands.items()
    ]


PLAN = ("__init__", "command", "work", "judge", "report", "words", "figure", "page")
"""The inner plan of a command's folder; whatever else lies there has the name of a thing."""


@pytest.mark.parametrize(
    ("name", "command"),
    [(name, command) for name, command in commands() if not name.startswith("imageledger ")],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_words_you_type_are_the_path_you_open(name, command):
    module = f"{name.replace('-', '_').replace(' ', '.')}.command"
    assert module in house().files
    assert getattr(command.callback, "__module__", module) == module


def test_no_file_of_a_command_repeats_the_plan_or_the_command_in_its_name():
    """A prefix or suffix that does the work of a folder, such as reliance_report.py, is what the folders replaced."""
    folders = {path.parent for path in house().files.values() if path.name == "command.py"}
    wrong = [
        name_of(path)
        for folder in folders
        for path in folder.glob("*.py")
        if path.stem not in PLAN and ({*PLAN, folder.name, "cli", "run"} & {path.stem, *path.stem.split("_")})
    ]
    assert len(folders) > 15
    assert wrong == []


@pytest.mark.parametrize(("name", "command"), commands(), ids=[name for name, _ in commands()])
def test_every_command_and_every_option_has_help(name, command):
    assert command.help
    assert len(command.help.splitlines()[0]) > 20
    options = [param for param in command.params if isinstance(param, click.Option) and not param.hidden]
    assert [option.name for option in options if not option.help] == []
    assert {"project", "quiet", "no_color"} <= {option.name for option in options} or name == "imageledger init"


def test_every_command_stands_in_the_readme():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert [name for name, _ in commands() if not re.search(rf"(?m)^\|[^|]*`{name}\b", text)] == []


@pytest.mark.parametrize("path", sources(*PACKAGES, "tests"), ids=name_of)
def test_no_file_is_longer_than_it_can_be_read(path):
    lines = len(path.read_text(encoding="utf-8").splitlines())
    assert lines <= LONGEST, f"{name_of(path)} has {lines} lines"


def test_no_module_is_a_drawer_for_everything():
    names = {path.stem for path in sources(*PACKAGES)}
    assert not names & {"utils", "util", "helpers", "misc", "common", "manager"}
