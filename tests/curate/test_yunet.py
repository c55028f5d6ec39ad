"""YuNet: real faces are found with their points, what is no face is not, and its model comes whole or not at all."""

import http.server
import os
import pickle
import threading
from contextlib import contextmanager
from functools import partial

import numpy as np
import pytest
from drawn import fetched
from PIL import Image, ImageOps

from curate.cli import main
from curate.faces import models, yunet
from curate.faces.detector import detector
from curate.faces.face import Face, counted
from curate.normalize.settings import NormalizeSettings
from curate.normalize.work import normalize
from curate.pictures import pixels
from imageledger import manifest
from imageledger.errors import ModelError
from imageledger.manifest import Card

SHA = "ebafce4e3c118d6554634be5c27ab333b4c047a9a8c3faf1d7cf93101c22f0f0"


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """An empty cache folder, with no way to any network."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("NO_PROXY", "no_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path / "cache" / "imageledger"


@pytest.fixture
def model(testdata):
    return testdata / "models" / "face_detection_yunet_2026may.onnx"


def portraits(testdata, name, label, count=12):
    files = sorted((testdata / "portraits" / name / label).iterdir())[:count]
    return {f"{label}/{file.name}": file.read_bytes() for file in files}


def decoded(contents):
    return [pixels.decode(content).image for content in contents.values()]


@pytest.mark.long
def test_every_portrait_shows_a_face_whose_points_lie_where_eyes_nose_and_mouth_do(testdata, model):
    finder = detector("yunet", model)
    for name in ("ffhq-vs-stylegan2", "unsplash-vs-stylegan2"):
        for image in decoded(portraits(testdata, name, "ai")):
            face = finder.largest(image)
            (left, right), mouth = face.eyes, face.mouth
            assert left.x < right.x
            assert max(left.y, right.y) < face.points[5] < mouth.y
            # StyleGAN puts eyes and mouth at the same places of every picture
            assert abs(left.x / image.width - 0.385) < 0.05
            assert abs(mouth.y / image.height - 0.74) < 0.06


@pytest.mark.long
def test_the_box_is_the_same_square_as_the_cascades(testdata, model):
    finder, other = detector("yunet", model), detector("cascade")
    sides = []
    for image in decoded(portraits(testdata, "ffhq-vs-stylegan2", "ai", 20)):
        face, seen = finder.largest(image), other.largest(image)
        if seen:
            sides.append(face.side / seen.side)
            assert pixels.mostly_within(face.box, seen.box)
    assert len(sides) > 15
    assert 0.9 < np.median(sides) < 1.1


def test_a_dog_a_back_and_a_wall_show_no_face(testdata, model):
    finder = detector("yunet", model)
    stock = testdata / "portraits" / "stock-vs-diffusion" / "real"
    for name in ("20.jpg", "21.jpg"):
        assert finder.find(pixels.decode((stock / name).read_bytes()).image) == []
    assert finder.find(Image.effect_noise((200, 300), 60).convert("RGB")) == []


@pytest.mark.parametrize("size", [(1, 1), (1, 3000), (3000, 1), (7, 5), (640, 16)])
def test_slivers_and_specks_do_no_harm(model, size):
    assert detector("yunet", model).find(Image.new("RGB", size, "gray")) == []


def test_the_face_of_a_mirrored_picture_is_the_mirrored_face(testdata, model):
    finder = detector("yunet", model)
    for image in decoded(portraits(testdata, "ffhq-vs-stylegan2", "real", 4)):
        face, other = finder.largest(image), finder.largest(ImageOps.mirror(image))
        assert abs((face.box[0] + face.box[2]) + (other.box[0] + other.box[2]) - 2 * image.width) < 0.05 * image.width


def test_faces_in_the_background_do_not_count_as_several():
    def face(side):
        return Face(box=(0, 0, side, side))

    assert counted([]) == 0
    assert counted([face(90), face(20)]) == 1
    assert counted([face(90), face(40), face(20)]) == 2


@pytest.mark.long
def test_pictures_without_a_face_are_rejected_counted_and_kept_on_request(testdata, model, project, runner):
    stock = testdata / "portraits" / "stock-vs-diffusion" / "real"
    members = portraits(testdata, "ffhq-vs-stylegan2", "ai", 3)
    members |= {f"real/{name}": (stock / name).read_bytes() for name in ("20.jpg", "21.jpg", "90.jpg")}
    fetched(project, members)
    words = ["normalize", "--detector", "yunet", "--face-model", str(model), "--size", "64", "--workers", "1"]
    done = runner.invoke(main, words)
    assert done.exit_code == 0, done.output
    assert "Rejected because no face was found: ai 0 of 3, real 2 of 3." in done.stderr
    assert "--no-require-face keeps them" in done.stderr
    assert "Pictures with one face / several / none: ai 3 / 0 / 0; real 0 / 1 / 0." in done.stderr
    card = Card.read(manifest.card_path(project.manifest("normalize"))).settings
    assert card["require_face"] is True
    assert (card["detector"], card["face_licence"], card["face_sha256"]) == ("yunet", "MIT", SHA)
    assert str(model) not in str(card)
    kept = runner.invoke(main, [*words, "--no-require-face"])
    assert "ai 3 / 0 / 0; real 0 / 1 / 2." in kept.stderr
    assert all(row.status == "ok" for row in manifest.read(project.manifest("normalize")))


def test_face_and_points_lie_in_the_picture_that_was_made(testdata, model, project):
    fetched(project, portraits(testdata, "unsplash-vs-stylegan2", "ai", 6))
    path = normalize(project, NormalizeSettings(face_model=str(model), size=128), workers=1).path
    finder = detector("yunet", model)
    rows = [row for row in manifest.read(path) if row.status == "ok" and row.found("normalize").get("face")]
    assert len(rows) > 3
    for row in rows:
        again = finder.largest(pixels.decode(project.store.read(row.file)).image)
        noted = row.found("normalize")
        assert np.abs(np.subtract(again.points, noted["points"])).max() < 8
        assert len(noted["found_points"]) == 10


def test_a_dataset_never_mixes_two_detectors(testdata, model, project):
    fetched(project, portraits(testdata, "ffhq-vs-stylegan2", "real", 3))
    first = normalize(project, NormalizeSettings(detector="cascade", size=64), workers=1)
    second = normalize(project, NormalizeSettings(face_model=str(model), size=64), workers=1)
    assert (first.worked, second.worked, second.reused) == (3, 3, 0)
    named = {row.steps[-1].settings["detector"] for row in manifest.read(second.path)}
    assert named == {"yunet"}


def test_a_file_of_ones_own_is_found_again_by_its_digest(model, cache):
    detector("yunet", model)
    assert (cache / model.name).read_bytes() == model.read_bytes()
    again = detector("yunet", sha256=SHA)
    assert again.key == "yunet-ebafce4e"
    assert pickle.loads(pickle.dumps(again)).model == again.model


@pytest.mark.parametrize("content", [b"", b"<html>", b"version https://git-lfs.github.com/spec/v1\n"])
def test_a_file_that_is_not_a_known_model_is_refused_with_its_digest(tmp_path, content):
    file = tmp_path / "model.onnx"
    file.write_bytes(content)
    with pytest.raises(ModelError, match="is not a face model that is known: its sha256 is") as refused:
        detector("yunet", file)
    assert "face_detection_yunet_2023mar.onnx" in refused.value.hint
    assert "--detector cascade" in refused.value.hint


def test_a_kept_model_that_rots_is_refused_not_used(model, cache):
    detector("yunet", model)
    kept = cache / model.name
    rotten = bytearray(kept.read_bytes())
    rotten[5000] ^= 8
    kept.write_bytes(rotten)
    with pytest.raises(ModelError, match="not a face model that is known"):
        detector("yunet", sha256=SHA)


def test_without_a_network_the_error_says_where_to_put_the_file(cache):
    with pytest.raises(ModelError, match="could not be downloaded") as refused:
        detector("yunet")
    assert str(cache / "face_detection_yunet_2023mar.onnx") in refused.value.hint
    assert "--face-model FILE" in refused.value.hint


@contextmanager
def served(folder):
    """Serve a folder on a free loopback port, and yield its address."""
    handler = partial(http.server.SimpleHTTPRequestHandler, directory=folder)
    handler.log_message = lambda *_: None
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.parametrize("damaged", [False, True])
def test_the_model_is_downloaded_once_and_only_whole(model, cache, tmp_path, monkeypatch, damaged):
    content = model.read_bytes()
    (tmp_path / "web").mkdir()
    (tmp_path / "web" / "m.onnx").write_bytes(content[:-1] if damaged else content)
    for name in list(os.environ):
        if name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    with served(tmp_path / "web") as address:
        published = models.FaceModel(name="m", sha256=SHA, urls=(f"{address}/none.onnx", f"{address}/m.onnx"))
        monkeypatch.setattr(models, "MODELS", (published,))
        monkeypatch.setattr(models, "BY_DIGEST", {SHA: published})
        if damaged:
            with pytest.raises(ModelError, match="could not be downloaded"):
                models.find_model()
            assert not list(cache.glob("*.onnx"))
            return
        assert models.find_model() == (published, cache / "m.onnx")
    assert models.find_model() == (published, cache / "m.onnx")  # the server is gone


def test_a_model_that_opencv_cannot_read_is_an_error_with_two_ways_out(tmp_path):
    file = tmp_path / "face_detection_yunet_2023mar.onnx"
    file.write_bytes(b"no network at all")
    with pytest.raises(ModelError, match="cannot use the face model") as refused:
        yunet.find(file, Image.new("RGB", (90, 90)))
    assert "--face-model FILE" in refused.value.hint
    assert "--detector cascade" in refused.value.hint
