"""Formats beside the usual ones: read where a plug-in is there, and named with the way out where it is not."""

import io
import struct

import numpy as np
import pytest
from drawn import encoded, portrait

from curate.cli import main
from curate.normalize.settings import NormalizeSettings
from curate.normalize.work import normalize
from curate.pictures import pixels, readers
from imageledger import manifest
from imageledger.manifest import Card

JXL = b"\xff\x0a" + bytes(100)


@pytest.fixture
def heic(testdata):
    return (testdata / "cases" / "heic-unreadable-reason" / "IMG_0001.HEIC").read_bytes()


def psd(image, layers=b""):
    """A flat Photoshop file: header, no colour table, no resources, layers, raw planes."""
    planes = np.asarray(image).transpose(2, 0, 1).tobytes()
    head = struct.pack(">4sH6xHIIHH", b"8BPS", 1, 3, image.height, image.width, 8, 3)
    return head + struct.pack(">II", 0, 0) + struct.pack(">I", len(layers)) + layers + b"\0\0" + planes


def test_a_photoshop_file_is_read_as_what_it_shows():
    image, _ = portrait(1, 64)
    decoded = pixels.decode(psd(image))
    assert (decoded.format, decoded.frames) == ("psd", 1)
    assert (np.asarray(decoded.image) == np.asarray(image)).all()


def test_heic_is_read_where_the_plug_in_is_installed(heic):
    pytest.importorskip("pillow_heif")
    decoded = pixels.decode(heic)
    assert decoded.image.size == (320, 320)
    assert np.asarray(decoded.image).std() > 10


@pytest.mark.parametrize("format", ["heic", "jxl"])
def test_without_its_plug_in_a_format_is_named_with_two_ways_out(heic, monkeypatch, format):
    monkeypatch.setattr(readers, "find_spec", lambda name: None)
    with pytest.raises(pixels.CannotDecode) as refused:
        pixels.decode(heic if format == "heic" else JXL)
    said = str(refused.value)
    assert said.startswith({"heic": "HEIC is not read here", "jxl": "JPEG XL is not read here"}[format])
    assert "pip install" in said
    assert "convert it" in said


def test_once_the_plug_in_is_there_the_same_command_reads_what_it_could_not(heic, project, monkeypatch, runner):
    pytest.importorskip("pillow_heif")
    (project.root / "photos").mkdir()
    (project.root / "photos" / "a.png").write_bytes(encoded(portrait(1, 320)[0]))
    (project.root / "photos" / "b.heic").write_bytes(heic)
    assert runner.invoke(main, ["fetch", "folder:photos", "--label", "real"]).exit_code == 0
    chosen = NormalizeSettings(detector="cascade", size=64)
    with monkeypatch.context() as without:
        without.setattr(readers, "find_spec", lambda name: None)
        first = normalize(project, chosen, workers=1)
    assert [row.status for row in manifest.read(first.path)] == ["ok", "unreadable"]
    second = normalize(project, chosen, workers=1)
    assert [row.status for row in manifest.read(second.path)] == ["ok", "ok"]
    assert "pillow-heif" in Card.read(manifest.card_path(second.path)).versions


def test_what_is_accepted_of_a_damaged_heic_a_bare_load_accepts_pixel_for_pixel(heic):
    pillow_heif = pytest.importorskip("pillow_heif")
    from PIL import Image

    pillow_heif.register_heif_opener()
    rng = np.random.default_rng(0)
    for _ in range(60):
        content = bytearray(heic)
        for place in rng.integers(0, len(content), 3):
            content[place] ^= 1 << int(rng.integers(8))
        try:
            decoded = pixels.decode(bytes(content))
        except pixels.CannotDecode:
            continue
        with Image.open(io.BytesIO(bytes(content))) as bare:
            bare.load()
            assert (np.asarray(bare.convert("RGB")) == np.asarray(decoded.image)).all()
