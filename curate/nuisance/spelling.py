"""How people read and type the names of families."""


def spelled(name: str) -> str:
    """Spell the name of a family as people read and type it: with dashes."""
    return name.strip().lower().replace("_", "-").replace(" ", "-")
