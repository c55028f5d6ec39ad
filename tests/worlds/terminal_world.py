"""A real terminal for the doors, and what it was sent: pictures, and questions that it would have to answer."""

import base64
import io
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import doors
from PIL import Image

ASKED = re.compile(r"\x1b\[[>=?]?[0-9;]*[cntx]|\x1b\][0-9;]*\?|\x1bP[+$]q|a=q")
"""Questions: device attributes, reports of status and size, colours, capabilities, kitty's query."""

KITTY = re.compile(r"\x1b_G([^;]*);([^\x1b]*)\x1b\\")
ITERM2 = re.compile(r"\x1b\]1337;File=([^:]*):([^\x07]*)\x07")
SIXEL = re.compile(r"\x1bP[0-9;]*q(.*?)\x1b\\", re.DOTALL)


def on_a_terminal(*words: str, script: str = doors.__file__, **env: str) -> tuple[int, str]:
    """Run the doors with stdout and stderr on a terminal; return the exit code and all that it shows."""
    return python_on_a_terminal(script, *words, **env)


def python_on_a_terminal(*words: str, cwd: Path | None = None, **env: str) -> tuple[int, str]:
    """Run Python with stdout and stderr on a terminal; return the exit code and all that it shows."""
    ours, theirs = pty.openpty()
    kept = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "FORCE_COLOR")}
    running = subprocess.Popen(
        [sys.executable, *words], stdin=theirs, stdout=theirs, stderr=theirs, cwd=cwd,
        env={**kept, "TERM": "xterm-256color", "COLUMNS": "100", **env},
    )  # fmt: skip
    os.close(theirs)
    shown = b""
    try:
        while piece := os.read(ours, 4096):
            shown += piece
    except OSError:  # Linux ends a terminal that nobody holds any more with EIO
        pass
    os.close(ours)
    return running.wait(), shown.decode()


def kitty_picture(shown: str) -> Image.Image:
    """Read the one picture of kitty's protocol; the last piece must say that it is the last."""
    pieces = KITTY.findall(shown)
    assert [dict(part.split("=") for part in keys.split(","))["m"] for keys, _ in pieces] == [
        *["1"] * (len(pieces) - 1), "0"
    ]  # fmt: skip
    return Image.open(io.BytesIO(base64.b64decode("".join(text for _, text in pieces))))


def iterm2_picture(shown: str) -> Image.Image:
    """Read the one picture of iTerm2's protocol."""
    [(keys, text)] = ITERM2.findall(shown)
    content = base64.b64decode(text)
    values = dict(part.split("=") for part in keys.split(";"))
    assert values["inline"] == "1"
    assert int(values["size"]) == len(content)
    return Image.open(io.BytesIO(content))


def sixel_picture(shown: str) -> Image.Image:
    """Draw the one picture of sixels, as a VT340 would."""
    [body] = SIXEL.findall(shown)
    width, height = (int(part) for part in re.match(r'"1;1;(\d+);(\d+)', body).groups())
    colours, picture = {}, Image.new("RGB", (width, height), "magenta")
    x = top = 0
    colour = None
    for mark, numbers, letter in re.findall(r"([#!$-])?([0-9;]*)([?-~])?", body[body.index("#") :]):
        parts = [int(part) for part in numbers.split(";") if part]
        if mark == "#":
            colour = parts[0]
            if len(parts) > 1:
                colours[colour] = tuple(round(part * 255 / 100) for part in parts[2:])
        if mark in ("$", "-"):
            x = 0
            top += 6 * (mark == "-")
        for _ in range(parts[0] if mark == "!" else 1 if letter else 0):
            for bit in range(6):
                if (ord(letter) - 63) >> bit & 1:
                    picture.putpixel((x, top + bit), colours[colour])
            x += 1
    return picture
