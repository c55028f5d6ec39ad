"""The one door: stdout and stderr, exit codes, tables, progress, and no stray control characters."""

import json
import re
import subprocess
import sys
import threading

import doors
import pytest
from rich.cells import cell_len
from terminal_world import on_a_terminal

from imageledger import console, heartbeat
from imageledger.heartbeat import Heartbeat

COLOUR = re.compile(r"\x1b\[[0-9;]*m")
CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f\u202e]")


@pytest.mark.parametrize(
    ("way", "code", "stderr"),
    [
        ("ledger", 1, "Error: object ab is missing\nTry: curate run makes it again\n"),
        ("hintless", 1, "Error: object ab is missing\n"),
        ("gate", 3, "Error: 3 pictures could not be read\nTry: their rows hold the reasons\n"),
        ("interrupt", 130, "Error: interrupted\nTry: the same command carries on where it stopped\n"),
    ],
)
def test_every_error_is_two_lines_on_stderr_an_exit_code_and_nothing_on_stdout(runner, way, code, stderr):
    for door, words in ((doors.main, []), (doors.outer, ["inner"])):
        ended = runner.invoke(door, [*words, "fail", way])
        assert (ended.exit_code, ended.stdout, ended.stderr) == (code, "", stderr)


@pytest.mark.parametrize("way", ["full", "quota", "readonly", "denied", "file"])
def test_trouble_with_the_disk_says_what_to_do(runner, way):
    ended = runner.invoke(doors.main, ["fail", way])
    assert (ended.exit_code, ended.stdout) == (1, "")
    assert re.fullmatch(r"Error: \[Errno \d+\] .+\nTry: .+\n", ended.stderr)


def test_a_full_disk_says_that_the_same_command_carries_on(runner):
    stderr = runner.invoke(doors.main, ["fail", "full"]).stderr
    assert "No space left on device" in stderr
    assert "the same command carries on where it stopped" in stderr


@pytest.mark.parametrize(("way", "kind"), [("bug", ZeroDivisionError), ("other", OSError)])
def test_what_nobody_foresaw_keeps_its_traceback(runner, way, kind):
    assert isinstance(runner.invoke(doors.main, ["fail", way]).exception, kind)
    ended = subprocess.run([sys.executable, doors.__file__, "inner", "fail", way], capture_output=True, text=True)
    assert "Traceback (most recent call last)" in ended.stderr
    assert ended.returncode == 1


def test_a_command_that_works_ends_with_0_and_a_mistyped_one_with_2(runner):
    assert runner.invoke(doors.main, ["show"]).exit_code == 0
    for words in (["shwo"], ["show", "--jsn"], ["work"], ["work", "many"], ["show", "--project", "/no/such/folder"]):
        ended = runner.invoke(doors.main, words)
        assert (ended.exit_code, ended.stdout) == (2, "")
        assert "Usage:" in ended.stderr


def test_results_go_to_stdout_and_words_for_people_to_stderr(runner):
    ended = runner.invoke(doors.main, ["show"])
    assert "Portraits" in ended.stdout
    assert "data/final.jsonl" in ended.stdout
    assert ended.stderr == "three rows\n"


def test_a_table_as_json_holds_the_rows_as_they_are(runner):
    ended = runner.invoke(doors.main, ["show", "--json"])
    shown, end = json.JSONDecoder().raw_decode(ended.stdout)
    assert shown == doors.ROWS
    assert ended.stdout[end:] == "\ndata/final.jsonl\n"


def test_a_table_shows_brackets_as_they_are_and_rounds_fractions(runner):
    shown = runner.invoke(doors.main, ["show"]).stdout
    assert "a[b]" in shown
    assert "0.123 " in shown
    assert "0.1234" not in shown


def test_names_from_strangers_bring_no_control_characters_to_the_terminal(runner):
    assert not CONTROL.search(runner.invoke(doors.main, ["show"]).stdout)
    stderr = runner.invoke(doors.main, ["fail", "hostile"]).stderr
    assert stderr == "Error: evil\ufffd[31m\ufffdred.jpg is missing\nTry: look\nhere\n"


def test_an_empty_table_says_so_on_stderr(capsys):
    console.table([], title="runs")
    console.table([], as_json=True)
    assert capsys.readouterr() == ("[]\n", "runs: nothing yet\n")


def test_away_from_a_terminal_short_work_is_one_line_that_names_it(runner, monkeypatch):
    monkeypatch.setattr(heartbeat, "FIRST", 1000.0)  # however busy this machine is
    stderr = runner.invoke(doors.main, ["work", "200"]).stderr
    assert stderr.splitlines() == ["normalize: 200/200, 40 refused", "done"]


def test_long_work_says_how_far_it_is_and_what_is_left_even_while_one_step_takes_long(monkeypatch):
    said, told = [], threading.Event()

    def say(line):
        said.append(line)
        told.set()

    monkeypatch.setattr(heartbeat, "FIRST", 0.01)
    with Heartbeat("matching", 4, say) as heart:
        assert told.wait(20)  # no step has ended yet
        told.clear()
        heart.beat(refused=True)
    assert said[0] == "matching: 0/4"
    assert heart.line(seconds=30) == "matching: 1/4, 1 refused, about 90 s left"
    assert said[-1] == "matching: 1/4, 1 refused"


def test_work_that_fails_says_no_last_line():
    said = []

    def fail():
        with Heartbeat("matching", 4, said.append) as heart:
            heart.beat()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert said == []


HOSTILE_ROWS = [
    {"run": "x" * 120, "state": "[red]done[/red]", "share": 0.5},
    {"run": "two\nlines \x1b[31m", "state": "", "share": 0.25},
    {"run": "人像" * 20, "state": "older", "share": 1.0},
]


@pytest.mark.parametrize("columns", ["60", "80", "100"])
def test_no_name_breaks_a_table_on_any_terminal(tmp_path, columns):
    script = tmp_path / "table.py"
    script.write_text(f"from imageledger import console\nconsole.table({HOSTILE_ROWS!r}, title='[b]runs')\n")
    _, shown = on_a_terminal(script=str(script), COLUMNS=columns)
    lines = [COLOUR.sub("", line) for line in shown.splitlines()]
    assert "[b]runs" in shown
    assert "[red]done[/red]" in shown.replace("\r\n", "")
    assert max(cell_len(line.rstrip()) for line in lines) <= int(columns)
    drawn = [cell_len(line) for line in lines if line[:1] in "│┃┏┡└"]
    assert len(set(drawn)) == 1


def test_a_terminal_too_narrow_for_the_columns_shows_each_row_as_lines(tmp_path):
    rows = [{"family": "jpeg-history", **{f"measure {n}": f"value-{n}" for n in range(6)}}]
    script = tmp_path / "table.py"
    script.write_text(f"from imageledger import console\nconsole.table({rows!r}, title='wide')\n")
    _, shown = on_a_terminal(script=str(script), COLUMNS="60")
    lines = [line.strip() for line in COLOUR.sub("", shown).splitlines()]
    assert lines[:3] == ["wide", "jpeg-history", "measure 0: value-0, measure 1: value-1, measure 2:"]


def test_progress_that_ends_early_or_has_nothing_to_do_is_quiet_about_it(runner):
    assert runner.invoke(doors.main, ["work", "0"]).stderr == "done\n"
    assert runner.invoke(doors.main, ["work", "3"]).stderr.splitlines()[-2:] == ["normalize: 3/3", "done"]


def test_quiet_shows_no_progress_and_still_prints_results_and_errors(runner):
    assert runner.invoke(doors.main, ["work", "200", "--quiet"]).output == ""
    assert "data/final.jsonl" in runner.invoke(doors.main, ["show", "--quiet"]).stdout
    assert "Error: object ab" in runner.invoke(doors.outer, ["inner", "fail", "--quiet"]).stderr


def test_quiet_of_one_command_does_not_reach_the_next(runner):
    runner.invoke(doors.main, ["work", "10", "--quiet"])
    assert "normalize: 10/10" in runner.invoke(doors.main, ["work", "10"]).stderr


def test_on_a_terminal_there_is_colour_and_a_bar(runner):
    code, shown = on_a_terminal("inner", "work", "60")
    assert code == 0
    assert COLOUR.search(shown)
    assert "12 refused" in shown
    assert "60/60" in shown
    assert COLOUR.search(on_a_terminal("inner", "fail")[1])


def test_work_inside_of_work_shows_one_bar(tmp_path):
    script = tmp_path / "nested.py"
    script.write_text(
        "from imageledger.console import track\n"
        "print(sum(sum(track(range(3), 3, 'inner')) for _ in track(range(4), 4, 'outer')))\n"
    )
    code, shown = on_a_terminal(script=str(script))
    assert (code, "outer" in shown, "inner" in shown) == (0, True, False)
    assert "12" in shown


@pytest.mark.parametrize("words", [("fail",), ("show",), ("work", "30")], ids=lambda words: words[0])
@pytest.mark.parametrize("env", [{"NO_COLOR": "1"}, {}], ids=["NO_COLOR", "--no-color"])
def test_on_a_terminal_without_colour_nothing_is_coloured_or_bold(words, env):
    _, shown = on_a_terminal("inner", *words, *([] if env else ["--no-color"]), **env)
    assert not COLOUR.search(shown)
    if words[0] != "work":  # a bar moves the cursor, which is no colour
        assert "\x1b" not in shown


def test_in_a_pipe_there_is_no_escape_sequence_even_where_colours_would_be_nice():
    for words in (("fail",), ("show",), ("work", "30")):
        ended = subprocess.run([sys.executable, doors.__file__, "inner", *words], capture_output=True, text=True)
        assert not CONTROL.search(ended.stdout + ended.stderr)


def test_what_the_library_logs_is_said_aloud_only_inside_the_block(capsys):
    import logging

    logger = logging.getLogger("curate.anything")
    with console.aloud("curate"):
        logger.info("12 files left alone")
    logger.info("not this")
    assert capsys.readouterr() == ("", "12 files left alone\n")


SLEEPER = """
import time
import click
from imageledger.console import Door

@click.group(cls=Door)
def main(): pass

@main.command()
def sleep():
    try:
        print("begun", flush=True)
        time.sleep(60)
    finally:
        print("swept", flush=True)

if __name__ == "__main__":
    main()
"""


def test_a_command_that_is_terminated_sweeps_up_and_says_the_same_sentence_as_after_ctrl_c(tmp_path):
    script = tmp_path / "sleeper.py"
    script.write_text(SLEEPER)
    running = subprocess.Popen([sys.executable, script, "sleep"], text=True,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)  # fmt: skip
    assert running.stdout.readline() == "begun\n"
    running.terminate()
    printed, said = running.communicate(timeout=30)
    assert (running.returncode, printed) == (143, "swept\n")
    assert said == "Error: terminated\nTry: the same command carries on where it stopped\n"
