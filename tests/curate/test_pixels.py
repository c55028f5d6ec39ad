"""Pixels: which way is up, what is refused as no picture, the crop around a face, and the bytes that are written."""

import io
import struct
import zlib

import numpy as np
import pytest
from drawn import adobe_like, array, differ, encoded, picture
from PIL import Image, ImageChops

from curate.pictures import pixels
from curate.pictures.pixels import CannotDecode


@pytest.mark.parametrize("format", ["JPEG", "PNG", "TIFF", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_all_eight_orientations_give_the_same_upright_picture(format, orientation):
    image = picture((64, 48))
    options = {"JPEG": {"quality": 95, "subsampling": 0}, "WEBP": {"lossless": True}}.get(format, {})
    decoded = pixels.decode(encoded(image, format, orientation=orientation, **options))
    assert decoded.image.size == (64, 48)
    assert differ(decoded.image, image) < 1.5
    assert ("turned upright by EXIF" in decoded.notes) == (orientation != 1)


def test_an_impossible_orientation_is_no_orientation():
    exif = Image.Exif()
    exif[0x0112] = 9
    decoded = pixels.decode(encoded(picture(), "PNG", exif=exif))
    assert decoded.notes == ()
    assert differ(decoded.image, picture()) == 0


def test_a_broken_exif_block_does_not_cost_the_picture():
    whole = encoded(picture(), "JPEG", orientation=6)
    start = whole.index(b"Exif\0\0") + 6
    for torn in (b"\xff" * 20, b"MM\0*\0\0\0\x08\xff\xff\x01\x12\0\x05\0\xff\xff\xff\xff\xff"):
        broken = whole[:start] + torn + whole[start + len(torn) :]
        turned = pixels.decode(whole).image.transpose(Image.Transpose.ROTATE_90)
        assert differ(pixels.decode(broken).image, turned) < 1


@pytest.mark.parametrize("format", ["GIF", "PNG", "WEBP", "TIFF", "MPO"])
def test_of_an_animation_the_first_frame_is_taken_and_noted(format):
    frames = [picture(seed=seed) for seed in (1, 2, 3)]
    options = {"lossless": True} if format == "WEBP" else {}
    decoded = pixels.decode(encoded(frames[0], format, save_all=True, append_images=frames[1:], **options))
    assert decoded.frames == 3
    assert "first of 3 frames" in decoded.notes
    assert differ(decoded.image, frames[0]) < differ(decoded.image, frames[1]) / 3


def test_all_orientations_of_a_real_file_are_one_picture(testdata):
    files = [testdata / "bad-input" / f"hopper_orientation_{number}.jpg" for number in range(2, 9)]
    first, *others = [pixels.decode(file.read_bytes()).image for file in files]
    assert all(differ(first, other) < 6 for other in others)


def bomb_of(format):
    width, height = 30_000, 30_000
    if format == "png":
        header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
        crc = struct.pack(">I", zlib.crc32(header))
        return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + header + crc + b"\0\0\0\0IDAT\0\0\0\0"
    if format == "gif":
        return b"GIF89a" + struct.pack("<HH", width, height) + encoded(Image.new("P", (4, 4)), "GIF")[10:]
    inside = encoded(Image.new("1", (12_000, 12_000)))
    return struct.pack("<HHHBBBBHHII", 0, 1, 1, 16, 16, 0, 0, 1, 32, len(inside), 22) + inside


@pytest.mark.parametrize("format", ["png", "gif", "icon with a bomb inside"])
def test_a_decompression_bomb_is_refused_before_its_pixels_are_decoded(format, monkeypatch):
    made = []
    fresh = Image.core.new
    monkeypatch.setattr(Image.core, "new", lambda mode, size: made.append(size) or fresh(mode, size))
    with pytest.raises(CannotDecode, match="more than 120 million pixels"):
        pixels.decode(bomb_of(format))
    assert all(width * height < 1_000_000 for width, height in made)


@pytest.mark.long
def test_a_large_but_honest_picture_is_decoded():
    assert pixels.decode(encoded(Image.new("L", (10_000, 9_500), 200))).image.size == (10_000, 9_500)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty file"),
        (b"\0" * 500, "not a picture that can be identified"),
        (b"<!doctype html><title>404</title>", "not a picture that can be identified"),
        (b"\x89PNG\r\n\x1a\n", "not a picture"),
        (encoded(picture((200, 200)), "JPEG")[:900], "truncated"),
        (encoded(picture((200, 200)), "PNG")[:900], "truncated"),
        (encoded(picture((200, 200)), "TIFF")[:9000], "cannot be decoded"),
        (encoded(picture((200, 200)), "GIF")[:900], "truncated"),
    ],
)
def test_what_is_no_whole_picture_has_a_reason(content, reason):
    with pytest.raises(CannotDecode, match=reason) as caught:
        pixels.decode(content)
    assert "0x" not in str(caught.value)
    assert len(str(caught.value)) <= 160


def test_opening_is_not_enough_the_pixels_must_decode():
    torn = encoded(picture((200, 200)), "JPEG")[:-300]
    with Image.open(io.BytesIO(torn)) as opened:
        assert opened.size == (200, 200)
    with pytest.raises(CannotDecode, match="truncated"):
        pixels.decode(torn)


def test_decoders_that_raise_anything_still_give_a_reason(monkeypatch):
    def odd(*_):
        raise TypeError("<_io.BytesIO object at 0x7f12ab> is odd.")

    monkeypatch.setattr(Image, "open", odd)
    with pytest.raises(CannotDecode) as caught:
        pixels.decode(b"x")
    assert str(caught.value) == "cannot be decoded: the file is odd"


def test_libtiff_does_not_write_to_the_error_stream(capfd):
    torn = bytearray(encoded(picture((200, 200)), "TIFF", compression="tiff_lzw"))
    torn[200:260] = b"\xff" * 60
    with pytest.raises(CannotDecode):
        pixels.decode(bytes(torn))
    assert capfd.readouterr().err == ""


def test_the_pixel_digest_sees_pixels_mode_and_size_only():
    image = picture()
    same = pixels.decode(encoded(image, "TIFF")).image
    assert pixels.pixel_digest(image) == pixels.pixel_digest(same)
    wide = Image.frombytes("RGB", (image.height, image.width), image.tobytes())
    assert len({pixels.pixel_digest(each) for each in (image, wide, image.convert("L"))}) == 3


def test_the_table_of_a_jpeg_is_summed_and_a_lossless_picture_has_none():
    coarse, fine = (pixels.decode(encoded(picture(), "JPEG", quality=q)).tables for q in (50, 95))
    assert coarse > fine > 0
    assert pixels.decode(encoded(picture(), "PNG")).tables == 0


def test_a_box_lies_mostly_within_another_when_more_than_half_of_it_does():
    assert pixels.mostly_within((0, 0, 10, 10), (0, 0, 6, 10))
    assert not pixels.mostly_within((0, 0, 10, 10), (0, 0, 5, 10))
    assert not pixels.mostly_within((0, 0, 10, 10), (20, 20, 40, 40))
    assert pixels.middle_square((300, 200)) == (50, 0, 250, 200)


def test_a_box_follows_its_picture_through_crop_and_shrinking():
    image = Image.new("L", (300, 200))
    image.paste(255, (120, 60, 180, 120))
    crop = (50, 0, 250, 200)
    assert ImageChops.invert(pixels.downscale(image, crop, 100)).point(lambda v: 255 * (v < 128)).getbbox() == (
        pixels.within((120, 60, 180, 120), crop, 100)
    )
    assert pixels.within((0, -5, 400, 260), crop, 100) == (0, 0, 100, 100)


def test_nothing_is_ever_enlarged():
    with pytest.raises(ValueError, match="enlarged"):
        pixels.downscale(picture((64, 64)), (0, 0, 40, 40), 41)


def test_shrinking_is_antialiased():
    checks = Image.fromarray((np.indices((512, 512)).sum(0) % 2 * 255).astype(np.uint8))
    small = array(pixels.downscale(checks, (0, 0, 512, 512), 100))
    assert np.abs(small - 127.5).max() < 12


def test_an_encoded_jpeg_has_one_table_half_the_colours_and_no_metadata():
    numbers, profile = adobe_like(picture((64, 64)))
    exif = Image.Exif()
    exif[0x010E] = "a secret"
    rich = Image.open(io.BytesIO(encoded(numbers, "PNG", icc_profile=profile, exif=exif)))
    contents = [pixels.encode(image, "jpeg", 90) for image in (rich, picture((64, 64), 5))]
    tables = []
    for content in contents:
        with Image.open(io.BytesIO(content)) as image:
            tables.append(image.quantization)
            assert [layer[1:3] for layer in image.layer] == [(2, 2), (1, 1), (1, 1)]
            assert set(image.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
        assert b"secret" not in content
    assert tables[0] == tables[1]
    assert list(tables[0]) == [0, 1]


def test_an_encoded_png_is_lossless_and_bare():
    content = pixels.encode(picture(), "png", 1)
    with Image.open(io.BytesIO(content)) as image:
        assert image.info == {}
        assert differ(image, picture()) == 0


def test_every_bad_file_decodes_or_has_a_reason_that_is_always_the_same(testdata):
    reasons = {}
    for file in sorted((testdata / "bad-input").iterdir()):
        try:
            decoded = pixels.decode(file.read_bytes())
            assert decoded.image.mode == "RGB", file.name
        except CannotDecode as why:
            reasons[file.name] = str(why)
    for name, reason in reasons.items():
        with pytest.raises(CannotDecode) as again:
            pixels.decode((testdata / "bad-input" / name).read_bytes())
        assert str(again.value) == reason
        assert "0x" not in reason
    assert 15 < len(reasons) < 30
