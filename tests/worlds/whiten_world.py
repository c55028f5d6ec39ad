"""A project of drawn portraits, normalised and waiting to be whitened, and what its mattes are measured with."""

import io

import numpy as np
from drawn import encoded, fetched, portrait
from PIL import Image

from curate.normalize.settings import NormalizeSettings
from curate.normalize.work import normalize
from imageledger.config import open_project

TOML = 'dataset = "drawn"\norder = ["fetch", "normalize", "whiten", "manifest"]\n\n[normalize]\ndetector = "cascade"\n'


def project_at(folder):
    """Write a project in which whiten comes straight after normalize."""
    (folder / "imageledger.toml").write_text(TOML, encoding="utf-8")
    return open_project(folder)


def normalized(project, members, size=128):
    fetched(project, members)
    return normalize(project, NormalizeSettings(detector="cascade", recipe="plain", size=size), workers=1).path


def drawn(count, size=128):
    return {f"{('real', 'ai')[n % 2]}/{n}": encoded(portrait(n, size)[0]) for n in range(count)}


def read(project, name):
    return np.asarray(Image.open(io.BytesIO(project.store.read(name))))


def overlap(one, other):
    """Intersection over union of two mattes, halved at 128."""
    return float(((one >= 128) & (other >= 128)).sum() / ((one >= 128) | (other >= 128)).sum())
