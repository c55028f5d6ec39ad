"""The rules of the house, read off the source: which way imports run, what is heavy, and what is label-blind."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import click
import pytest
from source_tree import PACKAGES, ROOT, name_of, sources, tree_of

ROOMS = {
    "kaggle": r"curate/sources/kaggle\w*\.py",
    "kagglesdk": r"curate/sources/kaggle\w*\.py",
    "rembg": r"curate/matting/\w+\.py",
    "torch": r"train/(network|recipes|models|export)/\w+\.py",
    "torchvision": r"train/(network|recipes|models|export)/\w+\.py",
    "fastai": r"train/(network|recipes|models|export)/\w+\.py",
    "timm": r"train/(network|recipes|models|export)/\w+\.py",
    "ray": r"imageledger/engines/\w+\.py",
    "joblib": r"imageledger/engines/local\.py",
}
"""Which files may import a heavy package, by name."""

HEAVY = ("torch", "torchvision", "fastai", "rembg", "kaggle", "numpy", "pandas", "PIL")
LONGEST = 310


@dataclass(frozen=True)
class Import:
    """One import of a module, relative ones resolved; `runs` is False under TYPE_CHECKING, `top` at module level."""

    file: str
    line: int
    module: str
    top: bool
    runs: bool

    @property
    def package(self) -> str:
        return self.module.partition(".")[0]

    def __str__(self) -> str:
        return f"{self.file}:{self.line} imports {self.module}"


def imports_in(path: Path) -> Iterator[Import]:
    yield from _imports(tree_of(path), path, top=True, runs=True)


def _imports(node: ast.AST, path: Path, top: bool, runs: bool) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        match child:
            case ast.Import(names=names):
                for name in names:
                    yield Import(name_of(path), child.lineno, name.name, top, runs)
            case ast.ImportFrom(module=module, level=level, names=names):
                parts = (*path.relative_to(ROOT).with_suffix("").parts[:-level], module or "") if level else (module,)
                base = ".".join(part for part in parts if part)
                for module in dict.fromkeys(module_behind(base, name.name) for name in names):
                    yield Import(name_of(path), child.lineno, module, top, runs)
            case ast.Call(func=func, args=[ast.Constant(value=str(text)), *_]) if called(func) in LOADERS:
                yield Import(name_of(path), child.lineno, text.partition(":")[0], top, runs)
        inside = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        typing = isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test)
        yield from _imports(child, path, top and not inside, runs and not typing)


LOADERS = ("import_module", "__import__", "need", "load")


def module_behind(base: str, name: str) -> str:
    """Return the module that `from base import name` imports: that of the name, where it is one of ours."""
    place = ROOT.joinpath(*base.split("."), name)
    return f"{base}.{name}" if place.is_dir() or place.with_suffix(".py").is_file() else base


def called(func: ast.expr) -> str:
    return func.attr if isinstance(func, ast.Attribute) else getattr(func, "id", "")


def all_imports() -> Iterator[Import]:
    for path in sources(*PACKAGES):
        yield from imports_in(path)


def own_package(one: Import) -> str:
    return one.file.partition("/")[0]


def test_the_walk_sees_what_it_should(tmp_path, monkeypatch):
    text = (
        "import torch.nn\nfrom typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from audit.cli import main\n"
        "def f():\n    from . import probe\n    from ..train import run\n    import_module('rembg.sessions')\n"
    )
    (tmp_path / "curate").mkdir()
    (tmp_path / "curate" / "probe.py").write_text(text)
    monkeypatch.setattr(sys.modules[__name__], "ROOT", tmp_path)
    found = {(one.module, one.top, one.runs) for one in imports_in(tmp_path / "curate" / "probe.py")}
    assert {("torch.nn", True, True), ("audit.cli", True, False), ("curate.evidence.probe", False, True)} <= found
    assert {("train", False, True), ("rembg.sessions", False, True)} <= found


def test_imports_run_one_way():
    allowed = {package: set(PACKAGES[: number + 1]) for number, package in enumerate(PACKAGES)}
    wrong = [
        str(one)
        for one in all_imports()
        if one.runs and one.package in PACKAGES and one.package not in allowed[own_package(one)]
    ]
    assert wrong == []


def test_no_two_modules_import_each_other():
    modules = {name_of(path).removesuffix(".py").replace("/", ".").removesuffix(".__init__") for path in
               sources(*PACKAGES)}  # fmt: skip
    arrows: dict[str, set[str]] = {module: set() for module in modules}
    for one in all_imports():
        importer = one.file.removesuffix(".py").replace("/", ".").removesuffix(".__init__")
        if one.top and one.runs and one.module in modules and one.module != importer:
            arrows[importer].add(one.module)
    seen: dict[str, int] = {}

    def walk(module: str, way: tuple[str, ...]) -> None:
        assert module not in way, f"a circle: {' -> '.join((*way, module))}"
        if seen.setdefault(module, 0) == 0:
            for target in sorted(arrows[module]):
                walk(target, (*way, module))
            seen[module] = 1

    for module in sorted(arrows):
        walk(module, ())


@pytest.mark.parametrize("package", ROOMS)
def test_a_heavy_package_is_imported_only_in_its_room(package):
    wrong = [
        str(one)
        for one in all_imports()
        if one.package == package and not re.fullmatch(ROOMS[package], one.file)
    ]  # fmt: skip
    assert wrong == []


def test_kaggle_rembg_and_joblib_are_imported_late():
    assert [str(one) for one in all_imports() if one.package in ("kaggle", "rembg", "ray", "joblib") and one.top] == []


def test_what_audits_read_of_training_imports_no_torch():
    heavy = ("torch", "torchvision", "fastai", "timm", "safetensors", "matplotlib")
    light = ("train/runs.py", "train/cli.py", "train/config.py", "train/__init__.py")
    assert [str(one) for one in all_imports() if one.file in light and one.top and one.package in heavy] == []


def test_the_error_module_imports_nothing():
    assert list(imports_in(ROOT / "imageledger" / "errors.py")) == []


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
        str(one)
        for one in all_imports()
        if one.package in ("pickle", "dill", "joblib", "cloudpickle")
        # what the pool packs goes to its own workers and is never stored
        and not (one.file == "imageledger/engines/local.py" and one.module.startswith("joblib.externals.loky."))
    ]
    assert wrong == []


@pytest.mark.parametrize("package", PACKAGES)
def test_a_cli_imports_nothing_heavy_when_it_is_imported(package):
    light = [path for path in (ROOT / package).rglob("*.py") if path.name in ("cli.py", "options.py", "command.py")]
    names = {name_of(path).removesuffix(".py").replace("/", ".") for path in light}
    wrong = [
        str(one)
        for path in light
        for one in imports_in(path)
        if one.top and one.runs and one.package not in (*sys.stdlib_module_names, "click")
        and one.module not in ("imageledger", "imageledger.console", *names)
    ]  # fmt: skip
    assert light
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
