"""Serve the desk on this machine until it is interrupted: read the subject, make the queues, listen."""

import secrets
import socket
import threading
import webbrowser
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from audit.report.mistakes.kept import FOLDER
from audit.review import queues as pure
from audit.review import searched
from audit.review.ahead import Pictures
from audit.review.desk import Desk
from audit.review.making import Queues
from audit.review.queues import NAMES
from audit.review.subject import Subject, subject_of
from imageledger import decisions
from imageledger.config import Project
from imageledger.errors import ConfigError, LedgerError
from imageledger.extras import need

if TYPE_CHECKING:
    from uvicorn import Server

HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewSettings:
    """Which queue comes first, which port to listen on (0: any), whether to open a browser, and who decides."""

    queue: str | None = None
    port: int = 0
    open: bool = False
    who: str = ""

    def __post_init__(self) -> None:
        """Refuse a queue that there is not."""
        if self.queue is not None and self.queue not in NAMES:
            raise ConfigError(f"there is no queue {self.queue!r}", f"one of {', '.join(NAMES)}")


def review(
    project: Project,
    subject: str | Path | None = None,
    *,
    settings: ReviewSettings = ReviewSettings(),
    hear: Callable[[str], None] = lambda _: None,
) -> str:
    """Serve the desk until it is interrupted, and say how much was decided; `hear` is told its address.

    `subject` is a run, a stage or a manifest. Raises MissingExtra without starlette, LedgerError for a port in use.
    """
    need("starlette", "desk")
    need("uvicorn", "desk")
    there = subject_of(project, subject)
    made = queues_of(there)
    desk = Desk(project, there.title, made, settings.who.strip() or decisions.login())
    made.begin()
    pictures = Pictures(project.store, there.folder / "audit" / FOLDER if there.folder else None)
    listening = listen(settings.port)
    address, server = served(desk, pictures, listening)
    address += f"{settings.queue}/" if settings.queue else ""
    hear(f"The desk of {project.dataset} is open for {desk.who} at\n  {address}\nCtrl-C ends it; everything is saved.")
    if settings.open:
        webbrowser.open(address)
    wait_for(server, listening)
    what = "1 decision was" if desk.saved == 1 else f"{desk.saved} decisions were"
    return f"{what} saved in {desk.path}." + (" Next: curate run" if desk.saved else "")


def queues_of(subject: Subject) -> Queues:
    """Return the queues of a subject; those that have to be searched for come last, for they take their time."""
    path = subject.project.folder / decisions.FILE

    def decided() -> decisions.Decisions:
        return decisions.read(path, subject.project.declared.labels)

    return Queues({
        "misclassified": lambda: pure.misclassified(subject),
        "conflicts": lambda: pure.conflicts(subject),
        "refused-mattes": lambda: pure.mattes(subject)[0],
        "worst-mattes": lambda: pure.mattes(subject)[1],
        "no-face": lambda: pure.faceless(subject),
        "unsure": lambda: pure.decided_before(subject, decided())[0],
        "disagreements": lambda: pure.decided_before(subject, decided())[1],
        "everything": lambda: pure.everything(subject),
        "labels": lambda: searched.labels(subject),
        "shortcuts": lambda: searched.shortcuts(subject),
        "pairs": lambda: searched.pairs(subject),
    })  # fmt: skip


def listen(port: int) -> socket.socket:
    """Listen on this machine alone; raise LedgerError where the port is taken."""
    listening = socket.socket()
    try:
        listening.bind((HOST, port))
        listening.listen()
    except OSError as error:
        listening.close()
        raise LedgerError(
            f"port {port} cannot be used: {error.strerror}", "leave out --port: a free one is taken"
        ) from error
    return listening


def served(desk: Desk, pictures: Pictures, listening: socket.socket) -> tuple[str, "Server"]:
    """Return the address of the desk, with a token that nobody can guess, and the server that is to run."""
    import uvicorn

    from audit.review.app import app_of
    from audit.review.guard import Guard

    port, token = listening.getsockname()[1], secrets.token_urlsafe(24)
    app = app_of(desk, pictures, token, partial(Guard, token=token, hosts=(f"{HOST}:{port}", f"localhost:{port}")))
    config = uvicorn.Config(
        app, log_config=None, access_log=False, lifespan="off", ws="none", http="h11", loop="asyncio",
        server_header=False, proxy_headers=False, timeout_graceful_shutdown=1,
    )  # fmt: skip
    return f"http://{HOST}:{port}/{token}/", uvicorn.Server(config)


def wait_for(server: "Server", listening: socket.socket) -> None:
    """Run a server until it is interrupted, beside whatever loop a notebook has of its own."""
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    try:
        while thread.is_alive():
            thread.join(0.2)
    except KeyboardInterrupt:
        server.should_exit = True
        thread.join(5)
