"""Causes planted in a few real portraits are named, by the plants of the benchmark and the stages' own measures."""

import runpy
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from audit.report.mistakes.causes import NUMBERS, Cause, Facts, causes
from audit.report.mistakes.facts import usual_of
from curate.faces.detector import detector
from curate.nuisance import family
from curate.nuisance.seen import Seen

pytestmark = pytest.mark.long

BENCHMARK = Path(__file__).resolve().parents[2] / "benchmarks" / "causes.py"
SIDE, PORTRAITS = 512, 10


def measured(image, face):
    """The numbers of causes that need no matte, of a picture and its face."""
    seen = Seen(content=b"", image=image, box=face.box if face else None, points=face.points if face else None)
    families = {name: family(name).measure(seen) for name in ("tone", "fineness", "head")}
    return {number: families[name][column] for number, (_, name, column) in NUMBERS.items()}


@pytest.fixture(scope="module")
def portraits(testdata):
    """Portraits with their faces, and what is usual among them."""
    find = detector("yunet", testdata / "models" / "face_detection_yunet_2026may.onnx")
    paths = sorted((testdata / "portraits" / "ffhq-vs-stylegan2" / "real").glob("*.jpg"))[:PORTRAITS]
    images = [Image.open(path).convert("RGB").resize((SIDE, SIDE), Image.Resampling.LANCZOS) for path in paths]
    faces = [find.largest(image) for image in images]
    assert all(faces)
    numbers = [measured(image, face) for image, face in zip(images, faces, strict=True)]
    usual = {name: usual_of(np.array([one[name] for one in numbers])) for name in NUMBERS}
    return find, list(zip(images, faces, strict=True)), {name: value for name, value in usual.items() if value}


def named(image, face, usual):
    facts = Facts(
        actual="real", called="ai", sure=0.7, looked=True, face=face is not None, numbers=measured(image, face),
        usual=usual,
    )  # fmt: skip
    return causes(facts)[0].cause


@pytest.mark.parametrize("cause", [Cause.LOW, Cause.RETOUCHED, Cause.DARK, Cause.GREY, Cause.NO_FACE, Cause.TIGHT])
def test_a_planted_cause_is_named_in_nearly_every_portrait(portraits, cause):
    find, pairs, usual = portraits
    plant = runpy.run_path(str(BENCHMARK))["PLANTS"][cause]
    rng = np.random.default_rng(3)
    right = 0
    for image, face in pairs:
        changed = plant(image, face.box, rng)
        right += named(changed, find.largest(changed), usual) == cause
    assert right >= 0.8 * len(pairs)


def test_untouched_portraits_mostly_have_no_cause(portraits):
    _, pairs, usual = portraits
    assert sum(named(image, face, usual) == Cause.HARD for image, face in pairs) >= 0.7 * len(pairs)
