"""What the shell may complete beyond names of commands and options: runs, stages and labels of the project around."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import click


def run_names(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
    """Return the finished runs of the project whose names begin so."""
    with _silently():
        from imageledger.config import find_root

        runs = find_root(_place(ctx)) / "data" / "runs"
        return _beginning(incomplete, sorted(path.parent.name for path in runs.glob("*/run.json")))
    return []


def stages(_: click.Context, __: click.Parameter, incomplete: str) -> list[str]:
    """Return the stages whose names begin so."""
    from imageledger.config import MANIFEST_OF

    return _beginning(incomplete, MANIFEST_OF)


def labels(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
    """Return the labels of the project that begin so."""
    with _silently():
        from imageledger.config import open_project

        return _beginning(incomplete, open_project(_place(ctx)).declared.labels)
    return []


def _place(ctx: click.Context) -> Path:
    return Path(ctx.params.get("project") or Path.cwd()).resolve()


def _beginning(incomplete: str, names: Iterable[str]) -> list[str]:
    return [name for name in names if name.startswith(incomplete) and name.isprintable()]


@contextmanager
def _silently() -> Iterator[None]:
    """Offer nothing where there is no project, or one that cannot be read: a key press is no place for errors."""
    from imageledger.errors import LedgerError

    with suppress(LedgerError, OSError):
        yield
