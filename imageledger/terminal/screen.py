"""Show a picture inside the terminal that stdout is, where it can; elsewhere write nothing at all."""

import io
import os
import shutil
import struct
import sys
from contextlib import suppress

from PIL import Image

from imageledger.terminal import iterm2, kitty, sixel
from imageledger.terminal.protocol import KITTY, SIXEL, protocol_of

CELL = 9
"""Width of a letter in pixels, where the system does not know how wide the terminal is."""

NARROWEST, WIDEST = 160, 4000
"""Limits of a terminal's width in pixels: what it says may be anything."""


def show(picture: Image.Image) -> bool:
    """Show a picture on stdout, no wider than the terminal, and tell whether that was possible.

    The terminal is never asked anything: its environment says what it can, and the system how wide it is.
    """
    protocol = protocol_of(os.environ, terminal=sys.stdout.isatty())
    if not protocol:
        return False
    sys.stdout.write(f"{encoded(picture, protocol, width=_width())}\n")
    sys.stdout.flush()
    return True


def encoded(picture: Image.Image, protocol: str, *, width: int) -> str:
    """Return what a terminal with a protocol has to read to show a picture, at most `width` px wide. Pure."""
    if picture.width > width:
        tall = max(1, round(picture.height * width / picture.width))
        picture = picture.resize((width, tall), Image.Resampling.LANCZOS)
    if protocol == SIXEL:
        return sixel.encoded(picture)
    target = io.BytesIO()
    picture.convert("RGB").save(target, "PNG")
    return (kitty if protocol == KITTY else iterm2).encoded(target.getvalue())


def _width() -> int:
    """Return the width of the terminal in pixels, as the system knows it, or what its columns come to."""
    width = 0
    with suppress(ImportError, OSError, ValueError):
        import fcntl
        import termios

        answer = fcntl.ioctl(sys.stdout.fileno(), termios.TIOCGWINSZ, bytes(8))
        width = struct.unpack("HHHH", answer)[2]
    return min(WIDEST, max(NARROWEST, width or shutil.get_terminal_size().columns * CELL))
