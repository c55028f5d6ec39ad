"""Which way of showing pictures a terminal has, read from its environment alone. Pure.

No terminal is asked: a question to one that cannot answer hangs, or leaves its answer at the next prompt.
"""

from collections.abc import Mapping

KITTY, ITERM2, SIXEL = "kitty", "iterm2", "sixel"
PROTOCOLS = (KITTY, ITERM2, SIXEL)

VARIABLE = "IMAGELEDGER_IMAGES"
"""Names one of PROTOCOLS where a terminal is not recognised, and anything else, such as "off", for no pictures."""

BETWEEN = ("TMUX", "STY", "ZELLIJ")
"""Set inside programs that stand between us and the terminal and swallow pictures, or garble them."""

SINCE_KONSOLE = 220400
"""The first version of Konsole that draws sixels, as KONSOLE_VERSION says it."""

BY_NAME: Mapping[str, str] = {
    "xterm-kitty": KITTY, "xterm-ghostty": KITTY, "foot": SIXEL, "foot-extra": SIXEL, "foot-direct": SIXEL,
    "mlterm": SIXEL, "mlterm-256color": SIXEL, "contour": SIXEL, "yaft-256color": SIXEL,
}  # fmt: skip
"""What TERM says; it reaches the other end of ssh."""

BY_PROGRAM: Mapping[str, str] = {
    "iTerm.app": ITERM2, "WezTerm": ITERM2, "mintty": ITERM2, "ghostty": KITTY,
}  # fmt: skip
"""What TERM_PROGRAM says."""


def protocol_of(environment: Mapping[str, str], *, terminal: bool) -> str:
    """Return the protocol of a terminal, or "" where it has none, none is known, or the output is no terminal.

    >>> protocol_of({"TERM": "xterm-kitty"}, terminal=True), protocol_of({"TERM": "xterm-kitty"}, terminal=False)
    ('kitty', '')
    """
    if not terminal:
        return ""
    if wish := environment.get(VARIABLE, "").strip().lower():
        return wish if wish in PROTOCOLS else ""
    name = environment.get("TERM", "")
    if any(environment.get(each) for each in BETWEEN) or name.startswith(("screen", "tmux")) or name in ("", "dumb"):
        return ""
    if environment.get("KITTY_WINDOW_ID"):
        return KITTY
    if environment.get("LC_TERMINAL") == "iTerm2":
        return ITERM2
    if _number(environment.get("KONSOLE_VERSION", "")) >= SINCE_KONSOLE:
        return SIXEL
    return BY_NAME.get(name) or BY_PROGRAM.get(environment.get("TERM_PROGRAM", ""), "")


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 0
