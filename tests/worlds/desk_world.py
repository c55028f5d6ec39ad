"""A desk that is served in this process or in one of its own, and raw requests to it."""

import http.client
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from audit.review import work
from audit.review.ahead import Pictures
from audit.review.desk import Desk
from audit.review.subject import subject_of
from imageledger.config import Project


def desk_of(project: Project, who: str = "Ada", what: str | None = None) -> Desk:
    """A desk without a server."""
    subject = subject_of(project, what)
    return Desk(project, subject.title, work.queues_of(subject), who)


@contextmanager
def served(project: Project, who: str = "Ada", desk: Desk | None = None) -> Iterator[str]:
    """Serve a desk in a thread; yields its address."""
    listening = work.listen(0)
    address, server = work.served(desk or desk_of(project, who), Pictures(project.store), listening)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield address
    finally:
        server.should_exit = True
        thread.join(10)
        listening.close()


@contextmanager
def process(root: Path, *options: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Run `audit review` as a process; yields its address and the process, which is killed at the end."""
    command = [sys.executable, "-m", "audit", "review", "--project", str(root), *options]
    running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        said = ""
        while not (found := re.search(r"http://\S+/", said)):
            line = running.stdout.readline()
            assert line, running.stderr.read()
            said += line
        yield found.group(), running
    finally:
        running.kill()
        running.wait(10)
        running.stdout.close()
        running.stderr.close()


def ask(address: str, path: str = "", form: dict | None = None, **headers: str) -> tuple[int, str, dict[str, str]]:
    """Ask a desk for a page, or post a form from its own origin; returns status, text and headers.

    Headers replace those that a browser would send: `Host`, `Origin`, `Accept`; "" leaves one out.
    """
    parts = urlsplit(address)
    given = {"Host": parts.netloc, **({"Origin": f"http://{parts.netloc}"} if form is not None else {}), **headers}
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=20)
    connection.putrequest("GET" if form is None else "POST", parts.path + path, skip_host=True)
    body = urlencode(form or {}, doseq=True).encode()
    if form is not None:
        given |= {"Content-Type": "application/x-www-form-urlencoded", "Content-Length": str(len(body))}
    for name, value in given.items():
        if value:
            connection.putheader(name.replace("_", "-"), value)
    connection.endheaders(body if form is not None else None)
    answer = connection.getresponse()
    try:
        return answer.status, answer.read().decode(), dict(answer.getheaders())
    finally:
        connection.close()
