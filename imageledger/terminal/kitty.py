"""The graphics protocol of kitty: a PNG in base64, in pieces. Pure."""

import base64

PIECE = 4096
"""Letters of base64 in one escape sequence, which the protocol limits."""


def encoded(png: bytes) -> str:
    """Return the escape sequences that show a PNG at the cursor.

    `q=2` forbids any answer, which would otherwise arrive at the next prompt.
    https://sw.kovidgoyal.net/kitty/graphics-protocol/
    """
    text = base64.b64encode(png).decode("ascii")
    pieces = [text[start : start + PIECE] for start in range(0, len(text), PIECE)]
    first = "a=T,f=100,q=2,"
    return "".join(
        f"\x1b_G{'' if place else first}m={int(place < len(pieces) - 1)};{piece}\x1b\\"
        for place, piece in enumerate(pieces)
    )
