"""Pictures to fetch, the command that fetches them, and the rows that it wrote."""

import io

from PIL import Image

from curate.cli import main
from imageledger import manifest


def drawn(colour, form="JPEG"):
    content = io.BytesIO()
    Image.new("RGB", (24, 24), colour).save(content, form)
    return content.getvalue()


def rows(project):
    return list(manifest.read(project.manifest("fetch")))


def curate(runner, *arguments):
    return runner.invoke(main, ["fetch", *arguments], catch_exceptions=False)
