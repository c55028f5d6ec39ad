"""Every command is one Python call: the same names, the same defaults, and nothing loaded before it is used."""

import inspect
import keyword
import subprocess
import sys
from importlib import import_module

import click
import pytest

import imageledger
from imageledger.dataset.audits import Audits
from imageledger.dataset.dataset import Dataset, create
from imageledger.dataset.run import Run

LEGS = ("imageledger", "curate", "train", "audit")
NO_CALL = {"imageledger demo": "a tour of the commands themselves"}
CALLS = {
    "imageledger init": create,
    "curate manifest": Dataset.choose,
    "train run": Dataset.train,
}
"""The calls that have another name than their command."""

OF_THE_CONSOLE = {"project", "as_json", "quiet", "no_color"}
OF_PYTHON = {"self", "progress"}
OTHER_DEFAULTS = {("train predict", "stability"): (False, True)}
"""A flag that leaves something out is, from Python, the thing itself: --no-stability is `stability=False`."""


def commands():
    return [
        (f"{leg} {name}", command)
        for leg in LEGS
        for name, command in import_module(f"{leg}.cli").main.commands.items()
        if f"{leg} {name}" not in NO_CALL
    ]


def call_of(name):
    leg, _, verb = name.partition(" ")
    home = Audits if leg == "audit" else Dataset
    return CALLS.get(name) or getattr(home, verb.replace("-", "_"))


def python_name(param):
    """The longest name of an option without dashes, or that of an argument; `from` gets the underscore of PEP 8."""
    spelled = max((*param.opts, *param.secondary_opts), key=len) if isinstance(param, click.Option) else param.name
    spelled = max(param.opts, key=len) if isinstance(param, click.Option) else spelled
    name = spelled.lstrip("-").replace("-", "_").removeprefix("no_")
    return f"{name}_" if keyword.iskeyword(name) else name


def options_of(name, command):
    context = click.Context(command)
    found = {}
    for param in command.params:
        if param.name in OF_THE_CONSOLE or (isinstance(param, click.Option) and param.hidden):
            continue
        default = param.get_default(context, call=False) if param.nargs == 1 else ()
        found[python_name(param)] = plain(default) if not getattr(param, "multiple", False) else ()
    return found


def plain(default):
    """What click calls unset is None."""
    return default if isinstance(default, bool | int | float | str | tuple) else None


def arguments_of(call):
    return {
        name: () if param.kind is param.VAR_POSITIONAL else param.default
        for name, param in inspect.signature(call).parameters.items()
        if name not in OF_PYTHON
    }


@pytest.mark.parametrize(("name", "command"), commands(), ids=[name for name, _ in commands()])
def test_a_call_takes_what_its_command_takes_with_the_same_defaults(name, command):
    options, arguments = options_of(name, command), arguments_of(call_of(name))
    assert sorted(arguments) == sorted(options)
    for option, default in options.items():
        command_says, python_says = OTHER_DEFAULTS.get((name, option), (default, default))
        assert default == command_says
        assert arguments[option] in (python_says, inspect.Parameter.empty), option


def test_a_run_lists_its_losses_as_the_audit_does():
    audit, run = arguments_of(Audits.top_losses), arguments_of(Run.top_losses)
    assert run == {name: default for name, default in audit.items() if name != "run"}


@pytest.mark.parametrize("call", [call_of(name) for name, _ in commands()], ids=[name for name, _ in commands()])
def test_every_call_is_typed_and_described(call):
    signature = inspect.signature(call)
    assert signature.return_annotation is not inspect.Parameter.empty
    untyped = [
        name for name, param in signature.parameters.items() if name != "self" and param.annotation is param.empty
    ]
    assert untyped == []
    assert len(call.__doc__.splitlines()[0]) > 20


COLD = """
import sys
before = set(sys.modules)
import imageledger as il
dir(il)
sys.stdout.write(" ".join(sorted(name for name in set(sys.modules) - before if not name.startswith("imageledger._"))))
"""


def test_the_import_loads_only_itself_and_prints_nothing():
    ended = subprocess.run([sys.executable, "-c", COLD], capture_output=True, text=True, check=True)
    assert ended.stderr == ""
    assert {name for name in ended.stdout.split() if name.partition(".")[0] not in sys.stdlib_module_names} == {
        "imageledger"
    }


def test_the_public_names_are_there_and_no_others():
    assert {name for name in dir(imageledger) if name in imageledger.__all__} == set(imageledger.__all__)
    with pytest.raises(AttributeError, match="has no attribute 'opne'"):
        imageledger.opne  # noqa: B018


OPENED = """
import sys
import imageledger as il
il.create("faces")
sys.stdout.write(" ".join(sorted(set(sys.modules) & {"torch", "pandas", "PIL", "curate", "train", "audit", "rich"})))
"""


def test_a_dataset_is_opened_without_loading_a_leg(tmp_path):
    ended = subprocess.run(
        [sys.executable, "-c", OPENED], capture_output=True, text=True, check=True, cwd=tmp_path
    )  # fmt: skip
    assert (ended.stdout, ended.stderr) == ("", "")
