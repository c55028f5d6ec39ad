"""No pixel and no number may depend on the class: read off the source, and tried on the same picture twice."""

import ast
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from source_tree import ROOT, functions, name_of, sources, tree_of

CHANGES_PIXELS = [
    *sources("curate/pictures", "curate/matting"),
    *(ROOT / "curate" / "faces" / f"{name}.py" for name in ("cascade", "yunet", "face")),
    ROOT / "curate" / "normalize" / "recipes.py",
    ROOT / "audit" / "recipes" / "trace.py",
]


@pytest.mark.parametrize("path", CHANGES_PIXELS, ids=name_of)
def test_no_function_that_changes_pixels_is_told_what_they_show(path):
    for function in functions(path):
        arguments = function.args
        named = {argument.arg for argument in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)}
        assert not named & {"label", "source", "generator", "record"}, f"{name_of(path)}: {function.name}"


def test_the_folders_that_change_pixels_are_where_this_test_looks():
    assert {"pixels", "cascade", "yunet", "regions", "compositing", "grabcut", "recipes", "trace"} <= {
        path.stem for path in CHANGES_PIXELS if path.is_file()
    }


@pytest.mark.parametrize("name", ["normalize_record", "whiten_record", "face_record"])
def test_the_work_on_one_picture_never_looks_at_its_label_source_or_generator(name):
    (work,) = (function for path in sources("curate") for function in functions(path) if function.name == name)
    looked_at = {node.attr for node in ast.walk(work) if isinstance(node, ast.Attribute)}
    assert not looked_at & {"label", "source", "member", "generator", "key", "licence"}


def test_the_same_picture_becomes_the_same_object_whatever_it_is_called(project):
    from curate.faces.detector import detector
    from curate.matting import backend
    from curate.matting.matte import Asked
    from curate.normalize import work as normalize
    from curate.whiten import work as whiten
    from imageledger.record import Record
    from imageledger.stage import Stage

    pixels = np.random.default_rng(1).integers(0, 255, (90, 70, 3), np.uint8)
    Image.fromarray(pixels).save(project.root / "a.png")
    name = project.store.put((project.root / "a.png").read_bytes(), "png")
    one = Record(source="folder:x", member="real/1.png", label="real", origin=name, file=name, generator="camera")
    other = replace(one, source="kaggle:a/b@1", member="fake/2.png", label="ai", generator="sd15", licence="CC0-1.0")
    chosen, cutter = normalize.NormalizeSettings(detector="cascade", size=32), backend("grabcut").prepare(Asked())
    finder, found = detector("cascade"), []
    for record in (one, other):
        stage = Stage(name="normalize", version=1)
        small = normalize.normalize_record(record, stage=stage, settings=chosen, finder=finder, store=project.store)
        white = whiten.whiten_record(small, stage=stage, cutter=cutter, store=project.store)
        face = whiten.face_record(small, stage=stage, size=32, finder=finder, store=project.store)
        found.append((small.file, small.phash, small.status, white.file, white.matte, white.status, white.reason,
                      face.file))  # fmt: skip
    assert found[0] == found[1]


def test_no_family_of_nuisance_features_looks_at_a_label_or_a_generator():
    for path in [*sources("curate/nuisance"), ROOT / "curate" / "evidence" / "measure.py"]:
        looked_at = {node.attr for node in ast.walk(tree_of(path)) if isinstance(node, ast.Attribute)}
        assert not looked_at & {"label", "generator", "split"}, name_of(path)
