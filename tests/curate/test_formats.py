"""What a file is, told from its first bytes."""

import io

import pytest
from PIL import Image

from curate.pictures.formats import SUFFIXES, claims_picture, sniff, what_is


@pytest.mark.parametrize(
    ("written", "named"),
    [
        ("JPEG", "jpeg"), ("PNG", "png"), ("GIF", "gif"), ("WEBP", "webp"), ("BMP", "bmp"), ("TIFF", "tiff"),
        ("AVIF", "avif"), ("JPEG2000", "jp2"), ("ICO", "ico"), ("PPM", "ppm"), ("DDS", "dds"),
    ],
)  # fmt: skip
def test_every_format_that_pillow_writes_is_told_from_64_bytes(written, named):
    content = io.BytesIO()
    Image.new("RGB", (32, 32), "teal").save(content, written)
    assert sniff(content.getvalue()[:64]) == named
    assert SUFFIXES[named]


def test_grey_and_black_and_white_netpbm_are_told_apart():
    assert [sniff(head) for head in (b"P5\n2 2\n255\n", b"P4\n2 2\n", b"P6 2 2 255 ", b"P6x")] == [
        "pgm",
        "pbm",
        "ppm",
        "",
    ]


def test_a_heic_is_told_by_any_of_its_brands():
    assert sniff(b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic") == "heic"
    assert sniff(b"\x00\x00\x00\x1cftypmif1\x00\x00\x00\x00mif1avifmiaf") == "avif"
    assert sniff(b"\x00\x00\x00\x18ftypisom\x00\x00\x02\x00isomiso2") == ""


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (b"", "empty file"),
        (bytes(64), "nothing but zero bytes"),
        (b"\n<!DOCTYPE html><html>", "HTML"),
        (b"<HTML><BODY>", "HTML"),
        (b"PK\x03\x04\x14\x00", "ZIP"),
        (b"%PDF-1.7", "PDF"),
        (b'<svg xmlns="x">', "SVG"),
        (b"<?xml version='1.0'?><svg>", "SVG"),
        (b"<?xml version='1.0'?><a>", "XML"),
        (b'{"a": 1}', "JSON"),
        (b"version https://git-lfs.github.com/spec/v1", "Git LFS pointer, not the file"),
        (b"\x00\x00\x00\x18ftypisom\x00\x00\x02\x00", "video"),
        (b"id,label\n1,real\n", "text"),
        ("größe,ähnlich".encode(), "text"),
        (b"\xff\xd8\x00\x13", "unknown content"),
        (b"\x89PN", "unknown content"),
    ],
)
def test_what_is_no_picture_is_named(head, name):
    assert (sniff(head), what_is(head)) == ("", name)


def test_names_that_claim_a_picture_are_known_whatever_their_case():
    assert all(claims_picture(name) for name in ("a.JPG", "b/c.jpeg", "x.Tif", "y.heif"))
    assert not any(claims_picture(name) for name in ("a.csv", "jpg", "b.jpg/readme", "a.jpg.txt", ""))


def test_every_odd_picture_of_the_collection_is_recognised(testdata):
    files = [path for path in (testdata / "bad-input").rglob("*") if path.is_file()]
    assert [path.name for path in files if not sniff(path.read_bytes()[:64])] == []
    assert sniff((testdata / "bad-input" / "png-named-men-4438905_1280.jpg").read_bytes()) == "png"
