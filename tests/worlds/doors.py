"""A door of its own for the tests of the console: run as a script it stands on a real terminal or a pipe."""

import errno
import time

import click

from imageledger import console
from imageledger.errors import GateFailed, StoreError


@click.group(cls=console.Door)
def main() -> None:
    """Do what a test asks for."""


@main.command()
@console.json_option
@console.everywhere
def show(project: object, as_json: bool) -> None:
    """Print a table, a result and a sentence."""
    console.table(ROWS, as_json=as_json, title="Portraits")
    console.result("data/final.jsonl")
    console.say("three rows")


@main.command()
@console.everywhere
def picture(project: object) -> None:
    """Show a picture, where that is possible, and print where it lies."""
    from PIL import Image

    from imageledger.terminal import screen

    screen.show(Image.linear_gradient("L").resize((60, 45)).convert("RGB"))
    console.result("data/look/final.png")


@main.command()
@click.argument("how", default="ledger")
@console.everywhere
def fail(project: object, how: str) -> None:
    """End in one of the ways in which a command can end."""
    raise WAYS[how]


@main.command()
@click.argument("rows", type=int)
@console.everywhere
def work(project: object, rows: int) -> None:
    """Hand rows on with a display of progress; every fifth is refused."""
    for _ in console.track(slowly(rows), rows, "normalize", refused=lambda row: row % 5 == 4):
        pass
    console.say("done")


@click.group(cls=console.Door)
def outer() -> None:
    """Hold the group as one of its own, as imageledger holds curate."""


outer.add_command(main, "inner")

ROWS = [
    {"name": "a[b]", "count": 3, "share": 0.123456, "note": None},
    {"name": "evil\x1b[31m\u202ered", "count": 40, "share": 1.0, "note": "ok"},
]
WAYS: dict[str, BaseException] = {
    "ledger": StoreError("object ab is missing", "curate run makes it again"),
    "hintless": StoreError("object ab is missing"),
    "hostile": StoreError("evil\x1b[31m\u202ered.jpg is missing", "look\nhere"),
    "gate": GateFailed("3 pictures could not be read", "their rows hold the reasons"),
    "interrupt": KeyboardInterrupt(),
    "bug": ZeroDivisionError("division by zero"),
    "full": OSError(errno.ENOSPC, "No space left on device", "/data/objects/ab"),
    "quota": OSError(errno.EDQUOT, "Disk quota exceeded"),
    "readonly": OSError(errno.EROFS, "Read-only file system"),
    "denied": PermissionError(errno.EACCES, "Permission denied", "/data"),
    "file": NotADirectoryError(errno.ENOTDIR, "Not a directory", "/data/final.jsonl/audit"),
    "other": OSError(errno.EIO, "Input/output error"),
}


def slowly(rows: int):
    for row in range(rows):
        time.sleep(0.002)
        yield row


if __name__ == "__main__":
    outer()
