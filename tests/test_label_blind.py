"""No pixel and no number may depend on the class: read off the source, and tried on the same picture twice."""

import ast
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from source_tree import ROOT, name_of, sources, tree_of

LABEL_BLIND = ("pixels", "recipes", "trace", "compositing", "matting", "faces", "regions")


def functions(path: Path) -> Iterator[ast.FunctionDef]:
    return (node for node in ast.walk(tree_of(path)) if isinstance(node, ast.FunctionDef))


@pytest.mark.parametrize("name", LABEL_BLIND)
def test_no_function_that_changes_pixels_is_told_what_they_show(name):
    for function in functions(ROOT / "curate" / f"{name}.py"):
        arguments = function.args
        named = {argument.arg for argument in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)}
        assert not named & {"label", "source", "generator", "record"}, f"{name}: {function.name}"


@pytest.mark.parametrize("name", ["normalize_record", "whiten_record", "face_record"])
def test_the_work_on_one_picture_never_looks_at_its_label_source_or_generator(name):
    (work,) = (one for path in sources("curate") for one in functions(path) if one.name == name)
    looked_at = {node.attr for node in ast.walk(work) if isinstance(node, ast.Attribute)}
    assert not looked_at & {"label", "source", "member", "generator", "key", "licence"}


def test_the_same_picture_becomes_the_same_object_whatever_it_is_called(project):
    from curate.normalize import work as normalize
    from curate.whiten import work as whiten
    from imageledger.record import Record
    from imageledger.stage import Stage

    pixels = np.random.default_rng(1).integers(0, 255, (90, 70, 3), np.uint8)
    Image.fromarray(pixels).save(project.root / "a.png")
    name = project.store.put((project.root / "a.png").read_bytes(), "png")
    one = Record(source="folder:x", member="real/1.png", label="real", origin=name, file=name, generator="camera")
    other = replace(one, source="kaggle:a/b@1", member="fake/2.png", label="ai", generator="sd15", licence="CC0-1.0")
    chosen = normalize.NormalizeSettings(size=32)
    found = []
    for record in (one, other):
        stage = Stage(name="normalize", version=1)
        small = normalize.normalize_record(record, stage=stage, settings=chosen, store=project.store)
        white = whiten.whiten_record(small, stage=stage, model=None, store=project.store)
        found.append((small.file, small.phash, small.status, white.file, white.matte, white.status, white.reason,
                      whiten.face_record(small, stage=stage, size=32, store=project.store).file))  # fmt: skip
    assert found[0] == found[1]


def test_no_family_of_nuisance_features_looks_at_a_label_or_a_generator():
    for path in [*sources("curate/nuisance"), ROOT / "curate" / "measure.py"]:
        looked_at = {node.attr for node in ast.walk(tree_of(path)) if isinstance(node, ast.Attribute)}
        assert not looked_at & {"label", "generator", "split"}, name_of(path)
