"""The Python calls in scripts as people write them: no main guard, through standard input, and on a terminal."""

import subprocess
import sys

import pytest
from dataset_world import draw_photos
from terminal_world import python_on_a_terminal

SCRIPT = """
import imageledger as il
faces = il.create("faces")
faces.fetch("folder:photos", labels={"real/**": "real", "ai/**": "ai"})
faces.normalize(size=64, detector="cascade", workers=2)
print("made", len(faces))
"""


@pytest.fixture
def folder(tmp_path):
    draw_photos(tmp_path / "photos", each=8, side=96)
    return tmp_path


@pytest.mark.long
@pytest.mark.parametrize("way", ["file", "stdin"])
def test_a_script_without_guard_prints_what_it_prints_and_nothing_else(folder, way):
    (folder / "script.py").write_text(SCRIPT)
    words, text = (["script.py"], None) if way == "file" else (["-"], SCRIPT)
    ended = subprocess.run(
        [sys.executable, *words], input=text, capture_output=True, text=True, cwd=folder, timeout=120
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout == "made 16\n"
    assert [line for line in ended.stderr.splitlines() if "licence unknown" not in line] == []


def test_an_error_in_a_script_ends_with_what_to_do(folder):
    ended = subprocess.run(
        [sys.executable, "-c", "import imageledger as il; il.open()"], capture_output=True, text=True, cwd=folder
    )  # fmt: skip
    *_, what, hint = ended.stderr.splitlines()
    assert "no imageledger.toml" in what
    assert hint.startswith("Try: imageledger init")


@pytest.mark.long
@pytest.mark.parametrize(("progress", "shown"), [(True, True), (False, False)])
def test_a_terminal_shows_a_bar_unless_it_is_turned_off(folder, progress, shown):
    script = SCRIPT.replace('create("faces")', f'create("faces", progress={progress})').replace(
        "workers=2", "workers=1"
    )
    code, said = python_on_a_terminal("-c", script, cwd=folder)
    assert code == 0, said
    assert ("normalize" in said) == shown
