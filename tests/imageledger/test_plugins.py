"""Plug-ins: found by what their packages announce, never in the place of a built-in, and named when broken."""

import subprocess
import sys
from collections import Counter

import pytest
from stranger import install

from imageledger import cli, plugins
from imageledger.errors import ConfigError, LedgerError
from imageledger.plugins import Registry

GROUP = "imageledger.tests"
TOOLS = Registry(group=GROUP, kind="tool", builtin={"saw": "collections:Counter", "file": "collections:deque"})


@pytest.fixture(autouse=True)
def fresh(monkeypatch):
    yield
    monkeypatch.undo()
    plugins.announced.cache_clear()
    plugins._ignore.cache_clear()


def test_a_built_in_is_loaded_by_its_name():
    assert TOOLS.load("saw") is Counter


def test_plug_ins_stand_behind_the_built_ins_and_are_loaded_only_when_asked_for(monkeypatch, tmp_path):
    install(monkeypatch, tmp_path, GROUP, {"plane": "planer:tool", "axe": "planer:tool"}, planer="tool = 'sharp'\n")
    assert TOOLS.names() == ("saw", "file", "axe", "plane")
    assert "planer" not in sys.modules
    assert TOOLS.load("plane", str) == "sharp"


def test_an_unknown_name_is_an_error_that_lists_the_known_ones():
    with pytest.raises(ConfigError, match="'hammer' is not a tool") as error:
        TOOLS.load("hammer")
    assert error.value.hint == "one of saw, file"


def test_a_plug_in_cannot_replace_a_built_in_and_is_warned_of_once(monkeypatch, tmp_path, caplog):
    install(monkeypatch, tmp_path, GROUP, {"saw": "blunt:tool"}, blunt="tool = 'blunt'\n")
    assert TOOLS.names() == TOOLS.names() == ("saw", "file")
    assert TOOLS.load("saw") is Counter
    assert [line.getMessage() for line in caplog.records] == [
        "stranger: a plug-in cannot replace the built-in tool 'saw'"
    ]


@pytest.mark.parametrize(
    ("address", "text", "why"),
    [
        ("broken:tool", "raise RuntimeError('no such luck')", "RuntimeError: no such luck"),
        ("absent_module:tool", "", "No module named 'absent_module'"),
        ("broken:missing", "tool = 'x'", "AttributeError"),
        ("broken:tool", "tool = 5", "broken:tool is not a str"),
    ],
)
def test_a_broken_plug_in_is_named_with_its_package_and_what_to_do(monkeypatch, tmp_path, address, text, why):
    install(monkeypatch, tmp_path, GROUP, {"plane": address}, broken=text)
    with pytest.raises(LedgerError, match="the tool 'plane' of the package stranger cannot be loaded") as error:
        TOOLS.load("plane", str)
    assert why in error.value.what
    assert error.value.hint == "pip install --upgrade stranger, or pip uninstall stranger"


def test_two_packages_with_one_name_are_both_named(monkeypatch, tmp_path):
    install(monkeypatch, tmp_path, GROUP, {"plane": "collections:deque"})
    install(monkeypatch, tmp_path, GROUP, {"plane": "collections:deque"}, name="other")
    with pytest.raises(LedgerError, match="other and stranger both provide a tool called 'plane'"):
        TOOLS.load("plane")


def test_a_broken_leg_is_shown_and_leaves_the_others_working(monkeypatch, tmp_path, runner):
    install(monkeypatch, tmp_path, "imageledger.legs", {"publish": "publishing:main"}, publishing="import nowhere")
    shown = runner.invoke(cli.main, ["--help"])
    assert (shown.exit_code, "Cannot be loaded" in shown.stdout) == (0, True)
    assert runner.invoke(cli.main, ["curate", "--help"]).exit_code == 0
    ended = runner.invoke(cli.main, ["publish"])
    assert (ended.exit_code, "No module named 'nowhere'" in ended.stderr) == (1, True)
    assert "Try: pip install --upgrade stranger" in ended.stderr


def test_a_stranger_s_leg_is_a_group_like_ours(monkeypatch, tmp_path, runner):
    text = "import click\n@click.group()\ndef main():\n    'Publish what was curated.'\n"
    install(monkeypatch, tmp_path, "imageledger.legs", {"publish": "publishing:main"}, publishing=text)
    assert "Publish what was curated." in runner.invoke(cli.main, ["publish", "--help"]).stdout


def test_without_announced_legs_the_error_says_what_to_install(monkeypatch, runner):
    monkeypatch.setattr(plugins, "announced", lambda group: {})
    ended = runner.invoke(cli.main, ["curate", "run"])
    assert ended.exit_code == 1
    assert "Try: install it again" in ended.stderr


def test_the_commands_load_no_source_of_pictures():
    text = "import sys, imageledger.cli, imageledger.demo; print(*[name for name in sys.modules if 'curate' in name])"
    ended = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == ""
