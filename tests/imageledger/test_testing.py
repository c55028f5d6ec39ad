"""The checks for plug-ins: all that is built in passes them, and each kind of fault fails with its sentence."""

import random
import socket
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from needs import needs

from curate.matting.matte import Backend, Cutter, Matte
from curate.nuisance import ASIDE, FAMILIES
from curate.nuisance.seen import Family
from curate.sources import BadMember, Member
from imageledger.errors import ConfigError, SourceError
from imageledger.testing import check_family, check_matting, check_source
from imageledger.testing.claims import leaving_no_trace


@pytest.mark.long
@pytest.mark.parametrize("name", [*FAMILIES, *ASIDE])
def test_every_family_of_ours_passes_its_check(name):
    check_family(name)


FAMILY = Family(
    name="height", version=1, measure=lambda seen: {"height": float(seen.image.height)},
    advice="curate normalize makes all pictures equally high.",
)  # fmt: skip


def moody(seen):
    return {"height": random.random()}


def loud(seen):
    seen.image.putpixel((0, 0), (1, 2, 3))
    return {"height": 1.0}


def writes(seen):
    Path("trace.txt").write_text("here")
    return {"height": 1.0}


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"version": 0}, "needs a version"),
        ({"advice": ""}, "needs an advice"),
        ({"name": "My family"}, "small letters"),
        ({"measure": lambda seen: {}}, "needs numbers with names"),
        ({"measure": lambda seen: {"height": seen.image.height}}, "no float"),
        ({"measure": lambda seen: {"height": float("inf")}}, "NaN says that it does not apply"),
        ({"measure": lambda seen: {str(seen.image.height): 1.0}}, "other keys"),
        ({"measure": lambda seen: {"height": 1.0 / seen.image.getpixel((0, 0))[0]}}, "cannot measure all black"),
        ({"measure": moody}, "in another order, or a second time"),
        ({"measure": loud}, "changes the picture"),
        ({"measure": writes}, "leaves traces"),
        ({"measure": lambda seen: {"height": float("real" in seen.name)}}, "goes by the name"),
        ({"measure": lambda seen: {"height": float(len(seen.content))}}, "goes by the bytes"),
    ],
)
def test_a_wrong_family_fails_with_the_sentence_that_does_not_hold(changes, sentence, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    check_family(FAMILY)
    with pytest.raises(AssertionError, match=sentence):
        check_family(replace(FAMILY, **changes))


def test_an_unknown_name_is_the_error_of_the_registry():
    with pytest.raises(ConfigError):
        check_family("nonsense")


@pytest.fixture
def photos(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(3):
        (folder / f"{number}.jpg").write_bytes(bytes([number]) * (50 + 40 * number))
    with zipfile.ZipFile(tmp_path / "photos.zip", "w") as target:
        for path in folder.iterdir():
            target.write(path, path.name)
        target.writestr("../outside.jpg", b"only a string")
    return tmp_path


@pytest.mark.long
@pytest.mark.parametrize(
    ("scheme", "address"), [("folder", "folder:photos"), ("zip", "zip:photos.zip"), ("sample", "sample:3")]
)
def test_every_source_of_ours_that_lies_on_this_machine_passes_its_check(scheme, address, photos):
    (photos / "imageledger.toml").write_text('dataset = "drawn"\n')
    check_source(scheme, address, root=photos)


@dataclass
class Shelf:
    """A right source, whose parts are exchanged for wrong ones."""

    address: str = "shelf:"
    licence: str = ""
    digest: str = "1"
    names: Sequence[str] = ("a.jpg", "b.jpg")
    size: int = 4

    def members(self):
        return [Member(name, self.size) for name in self.names]

    def head(self, name):
        return b""

    def read(self, name):
        return b"1234"


def opening(kind=Shelf, **changes):
    def opener(address, project):
        if not address.endswith(":"):
            raise SourceError("nothing lies there", "shelf:")
        return kind(**changes)

    return opener


class Torn(Shelf):
    def read(self, name):
        if name == "b.jpg":
            raise ValueError("torn")
        return b"1234"


class Missing(Torn):
    def read(self, name):
        try:
            return super().read(name)
        except ValueError as error:
            raise BadMember("torn") from error


class Moving(Shelf):
    def read(self, name):
        return random.randbytes(4)


class Untrue(Shelf):
    def head(self, name):
        return b"9"


class Restless(Shelf):
    digest = property(lambda self: str(random.random()), lambda self, value: None)


@pytest.mark.parametrize("opener", [opening(), opening(Missing)])
def test_a_right_source_passes_also_with_a_member_that_cannot_be_read(opener):
    check_source(opener, "shelf:")


@pytest.mark.parametrize(
    ("opener", "sentence"),
    [
        (opening(address="other:"), "another scheme"),
        (opening(licence=None), "its licence is no text"),
        (opening(names=("b.jpg", "a.jpg")), "not sorted"),
        (opening(names=("a.jpg", "a.jpg")), "one name"),
        (opening(names=("a\\b.jpg",)), "no path with /"),
        (opening(names=("u\u0308.jpg",)), "NFC"),
        (opening(names=()), "no members"),
        (opening(size=5), "listed with 5"),
        (opening(Untrue), "not how a.jpg begins"),
        (opening(Torn), "raises ValueError"),
        (opening(Moving), "other bytes"),
        (opening(Restless), "digest changes"),
        (lambda address, project: Shelf(), "raises no SourceError"),
    ],
)
def test_a_wrong_source_fails_with_the_sentence_that_does_not_hold(opener, sentence):
    with pytest.raises(AssertionError, match=sentence):
        check_source(opener, "shelf:")


@pytest.mark.long
def test_grabcut_passes_the_check_of_matting_backends():
    check_matting("grabcut")


@pytest.mark.long
def test_rembg_passes_the_check_of_matting_backends(testdata, monkeypatch, tmp_path):
    needs("rembg")
    monkeypatch.setenv("REMBG_HOME", str(tmp_path / "rembg"))
    check_matting("rembg", model="u2net_custom", path=testdata / "models" / "mediapipe_selfie.onnx")


def whole(image, face):
    return Matte(alpha=np.full((image.height, image.width), 255, np.uint8))


def backend(cut, **changes):
    return Backend(**{"name": "whole", "prepare": lambda asked: Cutter(cut=cut), **changes})


def sideways(image, face):
    return Matte(alpha=np.zeros((image.width, image.height), np.uint8))


def restless(image, face):
    return Matte(alpha=np.full((image.height, image.width), random.randrange(255), np.uint8))


def fragile(image, face):
    return Matte(alpha=whole(image, face).alpha // min(face or (0,)))


def refuses(asked):
    if asked.path:
        raise ValueError(asked.path)
    return Cutter(cut=whole)


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        (backend(sideways), "a mask of"),
        (backend(lambda image, face: Matte(alpha=whole(image, face).alpha / 255)), "no mask of bytes"),
        (backend(restless), "in another order, or a second time"),
        (backend(lambda image, face: Matte(alpha=whole(image, face).alpha, raw=(1.0, 0.0))), "upside down"),
        (backend(whole, packages=("no-such-package-0f7a",)), "not installed"),
        (backend(whole, name="My Own"), "small letters"),
        (backend(whole, prepare=lambda asked: whole), "no Cutter"),
        (backend(lambda image, face: Matte(alpha=whole(image, face).alpha[: face[3]])), "cannot cut"),
        (backend(whole, prepare=refuses), "raises ValueError for a model file"),
    ],
)
def test_a_wrong_backend_fails_with_the_sentence_that_does_not_hold(wrong, sentence):
    with pytest.raises(AssertionError, match=sentence):
        check_matting(wrong)


def test_traces_are_what_is_written_outside_reached_over_the_network_or_started(tmp_path):
    inside = tmp_path / "inside"
    inside.mkdir()
    with leaving_no_trace("it", inside):
        (inside / "a.txt").write_text("x")
        (inside / "a.txt").read_text()
    for act, trace in (
        (lambda: (tmp_path / "b.txt").write_text("x"), "b.txt to write"),
        (lambda: (tmp_path / "c").mkdir(), "os.mkdir"),
        (lambda: (inside / "a.txt").unlink(), "os.remove"),
        (lambda: socket.create_connection(("127.0.0.1", 9), 0.1).close(), "socket.connect"),
        (lambda: tarfile.open(tmp_path / "d.tar", "w").close(), "d.tar to write"),
    ):
        with pytest.raises(AssertionError, match=trace), leaving_no_trace("it"), suppress(ConnectionError):
            act()


def test_the_checks_import_nothing_heavy_before_they_are_called():
    text = "import sys, imageledger.testing; print(*{'numpy', 'PIL', 'torch', 'curate', 'train'} & set(sys.modules))"
    ended = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == ""
