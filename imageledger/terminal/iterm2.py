"""The inline images of iTerm2, which WezTerm and mintty read too: a file in base64. Pure."""

import base64


def encoded(png: bytes) -> str:
    """Return the escape sequence that shows a PNG at the cursor, in its own size.

    https://iterm2.com/documentation-images.html
    """
    text = base64.b64encode(png).decode("ascii")
    return f"\x1b]1337;File=inline=1;size={len(png)};preserveAspectRatio=1:{text}\x07"
