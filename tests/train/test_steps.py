"""New pictures go through the very steps of a manifest: the same pixels, the same refusals, and no label anywhere."""

import inspect
import io
from dataclasses import replace

import numpy as np
import pytest
from drawn import encoded, fetched, portrait
from PIL import Image

from curate.history import face_of
from curate.normalize.settings import NormalizeSettings
from curate.normalize.work import normalize
from curate.whiten.work import VERSION, WhitenSettings, whiten
from imageledger import manifest
from imageledger.config import open_project
from imageledger.errors import ModelError, RunError
from imageledger.record import OK, Record
from train.models import steps as applying
from train.models.steps import Applier, Steps

FORENSIC = {"recipe": "forensic", "size": 64, "format": "jpeg", "quality": 90, "require_face": False,
            "detector": "cascade"}  # fmt: skip
GRABCUT = {"region": "white", "matting": "grabcut"}
WHITENED = f"whiten@{VERSION}"


@pytest.fixture(scope="module")
def whitened(tmp_path_factory):
    """Seven pictures that went through normalize and whiten: one of them too small, one no picture at all."""
    root = tmp_path_factory.mktemp("whitened")
    (root / "imageledger.toml").write_text('order = ["fetch", "normalize", "whiten", "manifest"]\n', encoding="utf-8")
    project = open_project(root)
    members = {f"{('real', 'ai')[n % 2]}/{n}": encoded(portrait(n, 170)[0], ("PNG", "JPEG")[n % 2]) for n in range(5)}
    fetched(project, members | {"real/small": encoded(portrait(9, 60)[0], "PNG"), "real/torn": b"\xff\xd8\xff torn"})
    normalize(project, NormalizeSettings(detector="cascade", size=64), workers=1)
    whiten(project, WhitenSettings(matting="grabcut"), workers=1)
    return project, list(manifest.read(project.manifest("whiten")))


@pytest.mark.long
def test_new_pictures_become_the_very_pixels_of_the_stages_or_get_the_same_reasons(whitened):
    project, records = whitened
    steps = applying.steps_of(record for record in records if record.status == OK)
    assert steps.plain() == [
        {"did": "normalize@3", "settings": FORENSIC},
        {"did": WHITENED, "settings": GRABCUT},
    ]
    applier = applying.applier(steps)
    assert sum(record.status == OK for record in records) >= 3
    for record in records:
        became = applier(project.store.read(record.origin))
        assert (became.status, became.reason) == (record.status, record.reason)
        if record.status == OK:
            wanted = np.asarray(Image.open(io.BytesIO(project.store.read(record.file))))
            assert np.array_equal(np.asarray(became.image), wanted)
            assert became.face == face_of(record)


@pytest.mark.long
def test_inner_faces_are_cut_out_as_by_the_stage(whitened):
    project, records = whitened
    steps = Steps(normalize=FORENSIC, whiten={"region": "face", "face_size": 32})
    faces = [
        Applier(steps=steps)(project.store.read(one.origin)) for one in records if one.found("normalize").get("face")
    ]
    assert {one.image.size for one in faces if one.image} <= {(32, 32)}
    empty = Applier(steps=steps)(encoded(Image.linear_gradient("L").resize((200, 200)).convert("RGB"), "PNG"))
    assert (empty.status, empty.reason) == ("rejected", "no face found")
    flat = Applier(steps=steps)(encoded(Image.new("RGB", (200, 200), "grey"), "PNG"))
    assert (flat.status, flat.reason) == ("rejected", "flat: the picture has one colour and shows nothing")


def test_nothing_is_left_on_disk_and_nothing_can_see_a_label(whitened, tmp_path, monkeypatch):
    project, records = whitened
    monkeypatch.chdir(tmp_path)
    applying.applier(Steps(normalize=FORENSIC, whiten=GRABCUT))(project.store.read(records[0].origin))
    assert list(tmp_path.rglob("*")) == []
    assert set(inspect.signature(Applier.__call__).parameters) == {"self", "content"}
    assert not {"label", "generator", "source"} & set(inspect.signature(Applier).parameters)


def test_without_steps_a_picture_is_opened_as_training_does():
    image = Image.new("RGB", (30, 20), "red")
    exif = Image.Exif()
    exif[0x0112] = 6
    target = io.BytesIO()
    image.save(target, "PNG", exif=exif)
    became = Applier(steps=Steps())(target.getvalue())
    assert (became.image.size, became.image.mode, became.looked) == ((20, 30), "RGB", False)


def test_records_that_do_not_agree_are_refused(whitened):
    _, records = whitened
    sound = [record for record in records if record.status == OK]
    other = replace(sound[0].steps[1], settings={**FORENSIC, "quality": 80})
    odd = replace(sound[0], steps=(sound[0].steps[0], other, *sound[0].steps[2:]))
    with pytest.raises(RunError, match="went through different steps"):
        applying.steps_of([*sound[1:], odd])
    with pytest.raises(RunError, match="went through different steps"):
        applying.steps_of([*sound, Record(source="a:", member="b", label="real")])
    assert applying.steps_of([Record(source="a:", member="b", label="real")]) == Steps()


@pytest.mark.parametrize(("steps", "said"), [
    ([{"did": "normalize@1", "settings": FORENSIC}], "this program does normalize@3"),
    ([{"did": "blur@1", "settings": {}}], "cannot be repeated"),
    ([{"did": WHITENED, "settings": GRABCUT}, {"did": "normalize@3", "settings": FORENSIC}], "cannot be repeated"),
    ([{"did": "normalize@3", "settings": {**FORENSIC, "size": 99999}}], "cannot be repeated"),
    ([{"did": "normalize@3", "settings": {**FORENSIC, "size": "auto"}}], "not a number"),
    ([{"did": "normalize@3", "settings": {**FORENSIC, "code": "x"}}], "unknown setting"),
    ([{"did": WHITENED, "settings": {"region": "white", "matting": "rembg", "model": "u2net"}}], "no sha256"),
    ([{"did": WHITENED, "settings": {**GRABCUT, "model_path": "../../etc/passwd"}}], "names no file"),
    ([{"did": WHITENED, "settings": {"region": "face"}}], "face size"),
    ([{"did": WHITENED, "settings": []}], "cannot be repeated"),
    ({"did": WHITENED}, "cannot be repeated"),
    (["x"], "cannot be repeated"),
])  # fmt: skip
def test_steps_that_cannot_be_repeated_are_refused(steps, said):
    with pytest.raises(ModelError, match=said):
        applying.of_plain(steps)


def test_a_cut_out_model_of_ones_own_must_be_named_and_be_the_right_one(tmp_path):
    pytest.importorskip("rembg")
    settings = {"region": "white", "matting": "rembg", "model": "u2net_custom", "model_licence": "MIT",
                "model_sha256": "0" * 64}  # fmt: skip
    steps = applying.of_plain([{"did": WHITENED, "settings": settings}])
    assert steps.matte_model == ("u2net_custom", "0" * 64)
    with pytest.raises(ModelError, match="not known here") as refused:
        applying.applier(steps)
    assert "--matte-model" in refused.value.hint
    (tmp_path / "other.onnx").write_bytes(b"another model")
    with pytest.raises(ModelError, match="has sha256"):
        applying.applier(steps, tmp_path / "other.onnx")
