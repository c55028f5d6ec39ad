"""Pictures inside a terminal: the bytes of each protocol are read back, and nothing is ever asked."""

import subprocess
import sys

import doors
import numpy as np
import pytest
from drawn import portrait
from PIL import Image
from terminal_world import ASKED, KITTY, iterm2_picture, kitty_picture, on_a_terminal, sixel_picture

from imageledger.terminal import kitty, screen
from imageledger.terminal.protocol import protocol_of

SEEN = Image.linear_gradient("L").resize((60, 45)).convert("RGB")
SILENT = dict.fromkeys(
    (
        "TMUX",
        "STY",
        "ZELLIJ",
        "KITTY_WINDOW_ID",
        "TERM_PROGRAM",
        "LC_TERMINAL",
        "KONSOLE_VERSION",
        "IMAGELEDGER_IMAGES",
    ),
    "",
)
PATH = "data/look/final.png"


@pytest.mark.parametrize(
    ("environment", "protocol"),
    [
        ({"TERM": "xterm-kitty"}, "kitty"),
        ({"TERM": "xterm-256color", "KITTY_WINDOW_ID": "1"}, "kitty"),
        ({"TERM": "xterm-ghostty"}, "kitty"),
        ({"TERM": "xterm-256color", "TERM_PROGRAM": "iTerm.app"}, "iterm2"),
        ({"TERM": "xterm-256color", "LC_TERMINAL": "iTerm2"}, "iterm2"),
        ({"TERM": "xterm-256color", "TERM_PROGRAM": "WezTerm"}, "iterm2"),
        ({"TERM": "foot"}, "sixel"),
        ({"TERM": "xterm-256color", "KONSOLE_VERSION": "230805"}, "sixel"),
        ({"TERM": "xterm-256color", "KONSOLE_VERSION": "210405"}, ""),
        ({"TERM": "xterm-256color", "KONSOLE_VERSION": "²"}, ""),
        ({"TERM": "xterm-256color"}, ""),
        ({"TERM": "xterm-256color", "TERM_PROGRAM": "Apple_Terminal"}, ""),
        ({"TERM": "dumb", "KITTY_WINDOW_ID": "1"}, ""),
        ({"TERM_PROGRAM": "iTerm.app"}, ""),
        ({"TERM": "screen-256color", "KITTY_WINDOW_ID": "1"}, ""),
        ({"TERM": "tmux-256color", "TERM_PROGRAM": "iTerm.app"}, ""),
        ({"TERM": "xterm-kitty", "TMUX": "/tmp/tmux-1000/default,1,0"}, ""),
        ({"TERM": "xterm-kitty", "STY": "1.pts-0"}, ""),
        ({"TERM": "xterm-kitty", "ZELLIJ": "0"}, ""),
        ({"TERM": "xterm-256color", "IMAGELEDGER_IMAGES": "sixel"}, "sixel"),
        ({"TERM": "tmux-256color", "TMUX": "x", "IMAGELEDGER_IMAGES": "sixel"}, "sixel"),
        ({"TERM": "xterm-kitty", "IMAGELEDGER_IMAGES": "off"}, ""),
    ],
)
def test_a_terminal_is_known_by_its_environment_alone(environment, protocol):
    assert protocol_of(environment, terminal=True) == protocol
    assert protocol_of(environment, terminal=False) == ""


def test_kitty_gets_a_png_in_pieces_that_it_can_take_and_is_told_not_to_answer():
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (90, 120, 3), dtype=np.uint8))
    sent = screen.encoded(noise, "kitty", width=500)
    pieces = KITTY.findall(sent)
    assert len(pieces) > 5
    assert {len(text) for _, text in pieces[:-1]} == {kitty.PIECE}
    assert "q=2" in pieces[0][0]
    assert [keys for keys, _ in pieces[1:-1]] == ["m=1"] * (len(pieces) - 2)
    assert np.array_equal(np.asarray(kitty_picture(sent)), np.asarray(noise))


def test_iterm2_gets_the_png_whole():
    assert np.array_equal(np.asarray(iterm2_picture(screen.encoded(SEEN, "iterm2", width=500))), np.asarray(SEEN))


@pytest.mark.parametrize("size", [(1, 1), (7, 5), (60, 45), (31, 12)])
def test_sixels_draw_every_pixel_in_its_colour(size):
    picture = SEEN.resize(size)
    drawn = np.asarray(sixel_picture(screen.encoded(picture, "sixel", width=500)), dtype=int)
    assert drawn.shape == (size[1], size[0], 3)
    assert np.abs(drawn - np.asarray(picture, dtype=int)).max() <= 3  # sixels write colours in hundredths


def test_sixels_of_a_portrait_are_close_to_it_and_no_longer_than_a_terminal_takes():
    picture = portrait(3, 120)[0]
    sent = screen.encoded(picture, "sixel", width=500)
    drawn = np.asarray(sixel_picture(sent), dtype=int)
    assert np.abs(drawn - np.asarray(picture, dtype=int)).mean() < 6
    assert len(sent) < picture.width * picture.height * 4


def test_a_picture_is_shrunk_to_the_width_of_the_terminal_and_never_enlarged():
    assert kitty_picture(screen.encoded(SEEN, "kitty", width=30)).size == (30, 22)
    assert kitty_picture(screen.encoded(SEEN, "kitty", width=900)).size == SEEN.size


@pytest.mark.long
@pytest.mark.parametrize("term", ["dumb", "", "xterm-256color", "screen-256color", "linux"])
def test_a_terminal_that_shows_no_pictures_gets_the_path_alone_and_is_asked_nothing(term):
    code, shown = on_a_terminal("inner", "picture", **{**SILENT, "TERM": term})
    assert (code, shown.split()) == (0, [PATH])


@pytest.mark.long
def test_inside_tmux_a_terminal_gets_the_path_alone():
    code, shown = on_a_terminal(
        "inner", "picture", **{**SILENT, "TERM": "xterm-kitty", "TMUX": "/tmp/tmux-1000/default,1,0"}
    )
    assert (code, shown.split()) == (0, [PATH])


@pytest.mark.long
@pytest.mark.parametrize(
    ("environment", "read"),
    [
        ({"TERM": "xterm-kitty"}, kitty_picture),
        ({"TERM_PROGRAM": "iTerm.app"}, iterm2_picture),
        ({"TERM": "foot"}, sixel_picture),
    ],
)
def test_a_terminal_that_can_shows_the_picture_above_the_path_and_is_asked_nothing(environment, read):
    code, shown = on_a_terminal("inner", "picture", **{**SILENT, **environment})
    assert code == 0
    assert np.abs(np.asarray(read(shown), dtype=int) - np.asarray(SEEN, dtype=int)).max() <= 3
    assert shown.splitlines()[-1] == PATH
    assert not ASKED.search(shown)


@pytest.mark.long
def test_in_a_pipe_there_is_the_path_alone():
    running = subprocess.run(
        [sys.executable, doors.__file__, "inner", "picture"], capture_output=True, text=True, check=True,
        env={**SILENT, "TERM": "xterm-kitty", "KITTY_WINDOW_ID": "1"},
    )  # fmt: skip
    assert (running.stdout, running.stderr) == (f"{PATH}\n", "")
