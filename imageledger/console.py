"""What the commands show to people: errors, tables, progress. Rich is loaded when it is used."""

import errno
import json
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any, TypeVar

import click

from imageledger.errors import LedgerError

Row = TypeVar("Row")
Command = TypeVar("Command", bound=Callable[..., Any])

DISK_TROUBLE = {
    errno.ENOSPC: "free some space; the same command carries on where it stopped",
    errno.EDQUOT: "free some of your quota; the same command carries on where it stopped",
    errno.EROFS: "use a project folder that can be written to",
    errno.EACCES: "check who owns the file, or use a project folder that you can write to",
    errno.ENOTDIR: "a part of that path is a file; name a folder",
}


LOGGERS = ("imageledger", "curate", "train", "audit")
"""The loggers whose messages a command shows on stderr."""


WIDE = 120
"""Columns of a table that is not shown on a terminal."""


class Terminated(KeyboardInterrupt):
    """The system, or a scheduler, asked the process to end (SIGTERM)."""


class Door(click.Group):
    """A command group that turns errors into two lines on stderr and an exit code, and shows what the library logs.

    `place` orders the groups of the legs in `imageledger --help`.
    """

    def __init__(self, *args: Any, place: int = 9, **kwargs: Any) -> None:
        kwargs.setdefault("context_settings", {"max_content_width": 110, "help_option_names": ["-h", "--help"]})
        super().__init__(*args, **kwargs)
        self.place = place

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Show commands in the order in which they are used, not by name."""
        return list(self.commands)

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; an error that is no LedgerError and no full disk is a bug and keeps its traceback."""
        try:
            with nullcontext() if ctx.parent else _terminating(), nullcontext() if ctx.parent else aloud(*LOGGERS):
                return super().invoke(ctx)
        except LedgerError as error:
            self._leave(ctx, error.what, error.hint, error.exit_code)
        except KeyboardInterrupt as how:
            what, code = ("terminated", 143) if isinstance(how, Terminated) else ("interrupted", 130)
            self._leave(ctx, what, "the same command carries on where it stopped", code)
        except OSError as error:
            if error.errno not in DISK_TROUBLE:
                raise
            self._leave(ctx, str(error), DISK_TROUBLE[error.errno], 1)

    @staticmethod
    def _leave(ctx: click.Context, what: str, hint: str, code: int) -> None:
        click.secho(f"Error: {_visible(what)}", err=True, fg="red", color=False if _uncoloured() else None)
        if hint:
            click.echo(f"Try: {_visible(hint)}", err=True)
        ctx.exit(code)


class Registered(click.Choice[str]):
    """An option that takes a name from the registry at "module:attribute", which is read when the option is used."""

    def __init__(self, registry: str) -> None:
        self.registry = registry
        self.case_sensitive = True

    @property
    def choices(self) -> Sequence[str]:  # type: ignore[override]
        """The names, those of plug-ins included."""
        from imageledger.extras import load

        names: Sequence[str] = load(self.registry).names()  # type: ignore[attr-defined]
        return names


@contextmanager
def _terminating() -> Iterator[None]:
    """End on SIGTERM as on Ctrl-C, with drafts swept and a sentence; only in the main thread, where nobody listens."""

    def end(*_: object) -> None:
        raise Terminated

    if threading.current_thread() is not threading.main_thread() or signal.getsignal(signal.SIGTERM) != signal.SIG_DFL:
        yield
        return
    signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def everywhere(command: Command) -> Command:
    """Add the options that every command has: --project, --quiet, --no-color."""
    for option in (
        click.option("--no-color", is_flag=True, expose_value=False, callback=_no_color, help="Print without colours."),
        click.option("--quiet", is_flag=True, expose_value=False, callback=_quiet, help="Show no progress."),
        click.option("--project", type=click.Path(path_type=Path, file_okay=False, exists=True), metavar="DIR",
                     help="The project folder (default: the nearest one upwards)."),
    ):  # fmt: skip
        command = option(command)
    return command


def json_option(command: Command) -> Command:
    """Add --json to a command that prints a table."""
    return click.option("--json", "as_json", is_flag=True, help="Print the table as JSON.")(command)


def say(text: str) -> None:
    """Print a sentence on stderr, unless --quiet was given."""
    if not _setting("quiet"):
        click.echo(_visible(text), err=True)


def result(text: str | Path) -> None:
    """Print a result, on stdout."""
    click.echo(_visible(str(text)))


def data(value: Any) -> None:
    """Print a value as JSON, on stdout: names of strangers as they are, escaped as JSON does."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2, default=str))


def table(rows: Sequence[Mapping[str, Any]], *, as_json: bool = False, title: str = "") -> None:
    """Print rows with the same keys as a table on stdout, or as a JSON list; numbers stand on the right.

    Where the terminal is too narrow for the columns, each row is printed as lines of its own.
    """
    if as_json:
        data(list(rows))
        return
    if not rows:
        say(f"{title}: nothing yet" if title else "nothing to show")
        return
    from imageledger.tables import drawn

    shown = _console(stderr=False)
    shown.print(drawn(rows, title, shown.width))


def track(
    rows: Iterable[Row],
    total: int,
    doing: str = "",
    refused: Callable[[Row], bool] = lambda row: getattr(row, "status", "ok") != "ok",
) -> Iterator[Row]:
    """Hand rows on and show the progress and the number of refused rows, which are records that are not ok.

    On a terminal: a bar with rate, remaining time and refusals. Elsewhere a line at the end, and before it, in work
    that takes longer, a line now and then with the remaining time.
    """
    if _setting("quiet") or total == 0:
        yield from rows
    elif sys.stderr.isatty():
        yield from _bar(rows, total, doing, refused)
    else:
        yield from _lines(rows, total, doing, refused)


@contextmanager
def aloud(*loggers: str) -> Iterator[None]:
    """Show on stderr what these loggers receive while the block runs; with --quiet, only the warnings."""
    import logging

    context = click.get_current_context(silent=True)
    meta = context.find_root().meta if context else {}  # threads that log have no context of their own

    class Teller(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.levelno >= logging.WARNING or not meta.get("quiet"):
                click.echo(_visible(record.getMessage()), err=True)

    teller = Teller(logging.INFO)
    before = {logger: logger.level for logger in map(logging.getLogger, loggers)}
    for logger in before:
        logger.setLevel(logging.INFO)
        logger.addHandler(teller)
    try:
        yield
    finally:
        for logger, level in before.items():
            logger.removeHandler(teller)
            logger.setLevel(level)


@contextmanager
def bar(doing: str) -> Iterator[Callable[[int, int], None]]:
    """Yield a function (done, total) that moves a bar, for work that cannot be pulled row by row.

    Away from a terminal there is no bar: such work logs lines of its own.
    """
    if _setting("quiet") or not sys.stderr.isatty():
        yield lambda done, total: None
        return
    from rich import progress

    columns = (progress.TextColumn("{task.description}"), progress.BarColumn(), progress.TimeRemainingColumn())
    with progress.Progress(*columns, console=_console(stderr=True)) as shown:
        task = shown.add_task(doing, total=None)
        yield lambda done, total: shown.update(task, completed=done, total=total)


_SHOWN: list[str] = []
"""The bar that the terminal shows: it has room for one, so work inside of other work shows none."""


def _bar(rows: Iterable[Row], total: int, doing: str, refused: Callable[[Row], bool]) -> Iterator[Row]:
    if _SHOWN:
        yield from rows
        return
    _SHOWN.append(doing)
    try:
        yield from _one_bar(rows, total, doing, refused)
    finally:
        _SHOWN.clear()


def _one_bar(rows: Iterable[Row], total: int, doing: str, refused: Callable[[Row], bool]) -> Iterator[Row]:
    from rich import progress

    bad = 0
    columns = (
        progress.TextColumn("{task.description}"), progress.BarColumn(), progress.MofNCompleteColumn(),
        progress.TextColumn("{task.fields[rate]}"), progress.TimeRemainingColumn(),
        progress.TextColumn("[red]{task.fields[bad]}"),
    )  # fmt: skip
    with progress.Progress(*columns, console=_console(stderr=True)) as bar:
        task = bar.add_task(doing, total=total, bad="", rate="")
        for row in rows:
            bad += refused(row)
            speed = bar.tasks[task].speed
            bar.update(task, advance=1, bad=f"{bad} refused" if bad else "", rate=f"{speed:.1f}/s" if speed else "")
            yield row


def _lines(rows: Iterable[Row], total: int, doing: str, refused: Callable[[Row], bool]) -> Iterator[Row]:
    from imageledger.heartbeat import Heartbeat

    with Heartbeat(doing, total, say) as heart:
        for row in rows:
            heart.beat(refused=refused(row))
            yield row


def _console(stderr: bool) -> Any:
    from rich.console import Console

    terminal = (sys.stderr if stderr else sys.stdout).isatty()
    return Console(stderr=stderr, color_system=None if _uncoloured() else "auto", width=None if terminal else WIDE)


def _visible(text: str) -> str:
    """Replace what would act on a terminal, such as an escape sequence in the name of a file, by "�"."""
    return "".join(letter if letter.isprintable() or letter in "\n\t" else "\ufffd" for letter in text)


def _uncoloured() -> bool:
    return _setting("no_color") or bool(os.environ.get("NO_COLOR"))


def _setting(name: str) -> bool:
    context = click.get_current_context(silent=True)
    return bool(context and context.find_root().meta.get(name))


def _quiet(context: click.Context, _: click.Parameter, value: bool) -> None:
    if value:
        context.find_root().meta["quiet"] = True


def _no_color(context: click.Context, _: click.Parameter, value: bool) -> None:
    if value:
        context.find_root().meta["no_color"] = True
