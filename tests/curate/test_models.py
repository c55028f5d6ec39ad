import hashlib
import os
import subprocess
import sys

import numpy as np
import pytest
from needs import needs
from PIL import Image

from curate.matting import judge, models
from curate.matting import rembg as rembg_backend
from curate.matting.models import find_model
from curate.matting.uncompiled import uncompiled
from imageledger.errors import ModelError

needs("rembg")


@pytest.fixture
def home(tmp_path, monkeypatch):
    """An empty home of rembg, with no way to any network."""
    monkeypatch.delenv("U2NET_HOME", raising=False)
    monkeypatch.setenv("REMBG_HOME", str(tmp_path / "rembg"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "xdg"))
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("NO_PROXY", "no_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path / "rembg"


@pytest.fixture
def selfie(testdata):
    return testdata / "models" / "mediapipe_selfie.onnx"


def test_a_model_file_of_ones_own_is_found_with_its_digest(selfie, home):
    model = find_model("u2net_human_seg", selfie)
    assert (model.name, model.path, model.licence) == ("u2net_custom", selfie, "unknown")
    assert model.sha256 == hashlib.sha256(selfie.read_bytes()).hexdigest()
    assert find_model("u2net_custom", selfie, model.sha256) == model


def test_a_model_file_that_is_not_there_is_named(home, tmp_path):
    with pytest.raises(ModelError) as refused:
        find_model("u2net_custom", tmp_path / "none.onnx")
    assert str(tmp_path / "none.onnx") in refused.value.what
    assert "put the file there" in refused.value.hint
    assert "--matting grabcut" in refused.value.hint


def test_a_custom_model_without_a_file_asks_for_it(home):
    with pytest.raises(ModelError) as refused:
        find_model("u2net_custom")
    assert "--model-path" in refused.value.hint


def test_a_file_with_another_digest_than_the_pinned_one_is_refused(selfie, home):
    with pytest.raises(ModelError) as refused:
        find_model("u2net_custom", selfie, "0" * 64)
    assert str(selfie) in refused.value.what
    assert "model_sha256" in refused.value.hint


def test_a_damaged_file_of_a_known_model_is_refused(home):
    file = home / "models" / "u2net_human_seg" / "u2net_human_seg.onnx"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"half a model")
    with pytest.raises(ModelError) as refused:
        find_model("u2net_human_seg")
    assert str(file) in refused.value.what
    assert "delete it" in refused.value.hint


def test_a_whole_file_of_a_known_model_is_taken_with_its_licence(home, monkeypatch):
    content = b"a model"
    file = home / "models" / "u2netp" / "u2netp.onnx"
    file.parent.mkdir(parents=True)
    file.write_bytes(content)
    monkeypatch.setitem(models.DIGESTS, "u2netp", f"md5:{hashlib.md5(content).hexdigest()}")
    found = find_model("u2netp")
    assert (found.path, found.licence) == (file, "Apache-2.0")


def test_a_model_that_cannot_be_downloaded_says_where_to_put_it(home):
    with pytest.raises(ModelError) as refused:
        find_model("u2net_human_seg")
    assert "could not be downloaded" in refused.value.what
    assert str(home / "models" / "u2net_human_seg" / "u2net_human_seg.onnx") in refused.value.hint
    assert "--matting grabcut" in refused.value.hint
    assert not list(home.rglob("*.onnx"))


@pytest.mark.parametrize("name", ["withoutbg", "atlascloud"])
def test_models_that_send_pictures_away_are_refused(name, home):
    with pytest.raises(ModelError) as refused:
        find_model(name)
    assert "remote service" in refused.value.what


@pytest.mark.parametrize("name", ["u2net_humanseg", "sam", "u2net_cloth_seg", ""])
def test_what_cuts_no_people_out_is_refused_and_what_does_is_listed(name, home):
    with pytest.raises(ModelError) as refused:
        find_model(name)
    listed = refused.value.hint.removeprefix("one of ").split(", ")
    assert {"u2net_human_seg", "isnet-general-use"} <= set(listed)
    assert not {"withoutbg", "atlascloud", "sam", "u2net_cloth_seg"} & set(listed)


@pytest.mark.parametrize("before", [None, "/somewhere"])
def test_a_custom_model_leaves_the_environment_as_it_was(selfie, home, monkeypatch, tmp_path, before):
    if before is not None:
        monkeypatch.setenv("U2NET_HOME", before)
    seen = dict(os.environ)
    linked = tmp_path / "linked.onnx"
    linked.symlink_to(selfie)
    matte = rembg_backend.cutter(find_model("u2net_custom", linked)).cut(Image.new("RGB", (64, 48), "gray"), None)
    assert matte.alpha.shape == (48, 64)
    assert dict(os.environ) == seen


def test_a_model_is_opened_once_in_a_process(selfie, home, monkeypatch):
    with uncompiled():
        import rembg

    made = []
    fresh = rembg.new_session
    monkeypatch.setattr(rembg, "new_session", lambda *args, **options: made.append(args) or fresh(*args, **options))
    rembg_backend.session.cache_clear()
    model = find_model("u2net_custom", selfie)
    for _ in range(3):
        rembg_backend.cut(model, Image.new("RGB", (32, 32), "gray"), None)
    assert made == [("u2net_custom",)]


def test_a_file_that_is_no_model_stops_with_what_is_wanted(home, tmp_path):
    file = tmp_path / "notes.onnx"
    file.write_text("not a model")
    with pytest.raises(ModelError) as refused:
        rembg_backend.cutter(find_model("u2net_custom", file)).cut(Image.new("RGB", (32, 32)), None)
    assert str(file) in refused.value.what
    assert "U2-Net's interface" in refused.value.hint
    assert "\n" not in refused.value.what


class Stub:
    """An inference session with one raw output for everything."""

    def __init__(self, raw):
        self.raw = raw

    def get_inputs(self):
        return [type("Input", (), {"name": "x"})]

    def run(self, *_):
        return [self.raw.copy()]


@pytest.fixture
def answering(selfie, home, monkeypatch):
    """A function that cuts out with a model that always answers with this raw output."""
    model = find_model("u2net_custom", selfie)

    def matte(raw):
        session = rembg_backend.session(model)
        monkeypatch.setattr(session, "inner_session", rembg_backend._Watched(Stub(raw), model.path))
        return rembg_backend.cut(model, Image.new("RGB", (64, 64), "gray"), None)

    return matte


@pytest.mark.parametrize("value", [0.0, 0.5, 1.0, np.nan, np.inf])
def test_a_constant_output_is_judged_flat_and_never_becomes_nan(answering, value):
    with np.errstate(all="raise"):
        matte = answering(np.full((1, 1, 320, 320), value, np.float32))
    assert (matte.alpha == 0).all()
    assert matte.raw == (0.0, 0.0)
    assert judge.fault(matte.alpha, None, matte.raw) == "matte: the model's output is flat"


def test_an_almost_empty_output_is_known_although_it_is_stretched(answering):
    raw = np.full((1, 1, 320, 320), 0.01, np.float32)
    raw[..., 100:200, 100:200] = 0.2
    matte = answering(raw)
    assert matte.alpha.max() == 255
    assert matte.raw == pytest.approx((0.01, 0.2))
    assert judge.fault(matte.alpha, None, matte.raw) == "matte: the model saw no person"


def test_a_model_with_another_interface_stops_with_what_is_wanted(answering, monkeypatch):
    with pytest.raises(ModelError) as refused:
        answering(np.float32(0.5))
    assert "U2-Net's interface" in refused.value.hint


def test_finding_a_model_compiles_nothing_in_a_process_that_has_not_seen_rembg(selfie):
    script = (
        "import sys\n"
        "from pathlib import Path\n"
        "from curate.matting.models import find_model\n"
        "find_model('u2net_custom', Path(sys.argv[1]))\n"
        "from pymatting.util.boxfilter import boxfilter_rows_valid\n"
        "print(type(boxfilter_rows_valid).__name__)\n"
    )
    done = subprocess.run([sys.executable, "-c", script, selfie], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "function", done.stderr


def test_a_model_that_nobody_asked_for_is_not_downloaded(home):
    with pytest.raises(ModelError) as refused:
        find_model("u2net_human_seg", download=False)
    assert "is not on this machine" in refused.value.what
    assert str(home / "models" / "u2net_human_seg" / "u2net_human_seg.onnx") in refused.value.hint
