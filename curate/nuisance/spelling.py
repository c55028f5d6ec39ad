"""How people read and type the names of families, and the words that the names of their features share."""

YES = "(1 yes, 0 no)"
LOG = "(logarithm)"
POWER = "(as a power of two)"
PIXELS = "(pixels, as a power of two: 8 is 256)"


def spelled(name: str) -> str:
    """Spell the name of a family as people read and type it: with dashes."""
    return name.strip().lower().replace("_", "-").replace(" ", "-")


def place(row: int, column: int, side: int) -> str:
    """Say where a cell lies in a square of `side` cells a side, from the top left one at (0, 0).

    >>> place(0, 7, 8)
    'at 6 % from the top, 94 % from the left'
    """
    down, across = (100 * (number + 0.5) / side for number in (row, column))
    return f"at {down:.0f} % from the top, {across:.0f} % from the left"
