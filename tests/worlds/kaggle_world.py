"""A dataset of faces that are noise, on a loopback Kaggle, and the short way to fetch it."""

from contextlib import ExitStack, contextmanager
from dataclasses import replace

import numpy as np
from kaggle_server import serve

from curate.fetch import work as stage
from imageledger import manifest
from imageledger.config import SourceEntry

ADDRESS = "kaggle:ana/faces"


def picture(number: int) -> bytes:
    """100 KB of noise that begin like a JPEG."""
    return b"\xff\xd8\xff\xe0" + np.random.default_rng(number).bytes(100_000)


FACES = {f"{folder}/{n}.jpg": picture(n + 100 * (folder == "fake")) for folder in ("real", "fake") for n in range(12)}
MEMBERS = {**FACES, "about.csv": b"a,b\n"}


@contextmanager
def serving(monkeypatch):
    """Yield a function that starts a server for this process's client; its options are those of `serve`."""
    with ExitStack() as running:

        def start(published=MEMBERS, **options):
            server = running.enter_context(serve({"ana/faces": published}, **options))
            server.redirect(monkeypatch)
            return server

        yield start


def fetch(project, **options):
    entry = SourceEntry(address=ADDRESS, labels={"real/**": "real", "fake/**": "ai"})
    return stage.fetch(project, [replace(entry, **options)])


def rows(project):
    return list(manifest.read(project.manifest("fetch")))
