"""The colours of decoded pixels: every mode, depth, transparency and profile becomes the RGB that was meant."""

import struct
import zlib

import numpy as np
import pytest
from drawn import adobe_like, array, differ, encoded, picture
from PIL import Image, ImageCms

from curate.pictures import pixels


def test_cmyk_becomes_rgb_with_its_colours():
    decoded = pixels.decode(encoded(picture().convert("CMYK"), "JPEG", quality=95))
    assert (decoded.mode, decoded.image.mode) == ("CMYK", "RGB")
    assert differ(decoded.image, picture()) < 4


@pytest.mark.parametrize("mode", ["L", "1", "P", "YCbCr"])
def test_other_modes_become_rgb(mode):
    image = picture().convert(mode)
    format = "JPEG" if mode == "YCbCr" else "PNG"
    decoded = pixels.decode(encoded(image, format))
    assert decoded.image.mode == "RGB"
    assert differ(decoded.image, image.convert("RGB")) < 4


def test_lab_becomes_rgb_with_its_colours():
    lab = ImageCms.profileToProfile(
        picture(), ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), outputMode="LAB"
    )
    assert differ(pixels.decode(encoded(lab, "TIFF")).image, picture()) < 3


def test_alpha_is_laid_over_white():
    image = Image.new("RGBA", (4, 4), (200, 0, 0, 128))
    image.putpixel((0, 0), (10, 20, 30, 0))
    image.putpixel((1, 0), (10, 20, 30, 255))
    decoded = pixels.decode(encoded(image, "PNG"))
    assert decoded.image.getpixel((0, 0)) == (255, 255, 255)
    assert decoded.image.getpixel((1, 0)) == (10, 20, 30)
    assert np.abs(np.array(decoded.image.getpixel((2, 2))) - (227, 127, 127)).max() <= 1
    assert "alpha laid over white" in decoded.notes


@pytest.mark.parametrize("mode", ["P", "L", "RGB", "LA"])
def test_transparency_of_palettes_and_keys_is_white_too(mode):
    image = Image.new("RGB", (4, 4), (200, 10, 10))
    image.putpixel((0, 0), (0, 0, 0))
    if mode == "LA":
        image = image.convert("LA")
        image.putpixel((0, 0), (0, 0))
        content = encoded(image)
    else:
        image = image.convert(mode)
        content = encoded(image, transparency=image.getpixel((0, 0)))
    decoded = pixels.decode(content)
    assert decoded.image.getpixel((0, 0)) == (255, 255, 255)
    assert max(decoded.image.getpixel((1, 1))) < 255


def test_a_palette_with_several_alphas_keeps_each():
    image = Image.new("P", (3, 1))
    image.putpalette([0, 0, 0, 0, 0, 0, 0, 0, 0])
    image.putdata([0, 1, 2])
    decoded = pixels.decode(encoded(image, transparency=bytes([0, 128, 255])))
    assert [decoded.image.getpixel((x, 0))[0] for x in range(3)] == pytest.approx([255, 127, 0], abs=1)


def test_16_bits_are_scaled_not_clipped():
    ramp = np.linspace(0, 65535, 4096).astype(np.uint16).reshape(64, 64)
    decoded = pixels.decode(encoded(Image.fromarray(ramp), "TIFF"))
    grey = array(decoded.image)[..., 0].ravel()
    assert (grey[0], grey[-1]) == (0, 255)
    assert np.abs(grey - np.linspace(0, 255, 4096)).max() <= 1
    assert "I;16 pixels scaled by their range" in decoded.notes


@pytest.mark.parametrize("format", ["TIFF", "PNG"])
def test_a_dark_scan_of_16_bits_is_not_brightened(format):
    ramp = np.linspace(0, 4000, 4096).astype(np.uint16).reshape(64, 64)
    grey = array(pixels.decode(encoded(Image.fromarray(ramp), format)).image)
    assert grey.max() == round(4000 / 65535 * 255)


def test_a_tiff_of_12_bits_reaches_white():
    tags = [(256, 2), (257, 1), (258, 12), (259, 1), (262, 1), (273, 8), (277, 1), (278, 1), (279, 3)]
    directory = struct.pack("<H", len(tags)) + b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
    content = b"II*\0" + struct.pack("<I", 12) + bytes([0xFF, 0xF0, 0x00, 0]) + directory + bytes(4)
    assert array(pixels.decode(content).image)[0, :, 0].tolist() == [255, 0]


def test_a_16_bit_key_colour_is_white():
    ramp = np.linspace(0, 65535, 4096).astype(np.uint16).reshape(64, 64)
    content = encoded(Image.fromarray(ramp))
    at = content.index(b"IDAT") - 4
    chunk = b"tRNS" + struct.pack(">H", 0)
    keyed = content[:at] + struct.pack(">I", 2) + chunk + struct.pack(">I", zlib.crc32(chunk))
    decoded = pixels.decode(keyed + content[at:])
    assert decoded.image.getpixel((0, 0)) == (255, 255, 255)
    assert decoded.image.getpixel((1, 0)) == (0, 0, 0)


@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (-1.0, 1.0), (0.0, 255.0), (-3.0, 900.0)])
def test_floats_are_scaled_by_their_range_negative_ones_included(low, high):
    ramp = np.linspace(low, high, 4096, dtype=np.float32).reshape(64, 64)
    grey = array(pixels.decode(encoded(Image.fromarray(ramp), "TIFF")).image)[..., 0].ravel()
    scale = 65535 if high == 900 else high
    assert np.abs(grey - 255 * (ramp.ravel() - low) / (scale - low)).max() <= 1


def test_what_is_no_number_is_black_and_infinity_is_white():
    ramp = np.linspace(0, 1, 64, dtype=np.float32).reshape(8, 8)
    ramp[0, 0], ramp[0, 1] = np.nan, np.inf
    grey = array(pixels.decode(encoded(Image.fromarray(ramp), "TIFF")).image)[..., 0]
    assert (grey[0, 0], grey[0, 1], grey[7, 7]) == (0, 255, 255)


@pytest.mark.parametrize("format", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_an_icc_profile_is_honoured(format):
    numbers, profile = adobe_like(picture())
    options = {"JPEG": {"quality": 97, "subsampling": 0}, "WEBP": {"lossless": True}}.get(format, {})
    decoded = pixels.decode(encoded(numbers, format, icc_profile=profile, **options))
    assert differ(decoded.image, picture()) < 4
    assert differ(pixels.decode(encoded(numbers, format, **options)).image, picture()) > 15
    assert "icc_profile" not in decoded.image.info or decoded.notes == ()


def test_an_icc_profile_is_honoured_beneath_alpha():
    numbers, profile = adobe_like(picture())
    numbers.putalpha(255)
    assert differ(pixels.decode(encoded(numbers, icc_profile=profile)).image, picture()) < 4


def test_a_broken_icc_profile_is_noted_and_the_picture_kept():
    decoded = pixels.decode(encoded(picture(), icc_profile=b"no profile at all"))
    assert decoded.notes == ("ICC profile not usable",)
    assert differ(decoded.image, picture()) == 0


def test_an_icc_profile_for_another_mode_is_noted():
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    decoded = pixels.decode(encoded(picture().convert("L"), icc_profile=profile))
    assert decoded.notes == ("ICC profile not usable",)


def test_the_profile_of_a_real_file_gives_the_colours_of_its_twin(testdata):
    with_profile = pixels.decode((testdata / "bad-input" / "icc_profile.png").read_bytes())
    without = pixels.decode((testdata / "bad-input" / "icc_profile_none.png").read_bytes())
    assert with_profile.notes == without.notes == ("alpha laid over white",)
    assert differ(with_profile.image, without.image) < 10


def test_the_same_face_in_many_real_formats_looks_the_same(testdata):
    folder = testdata / "bad-input"
    hopper = pixels.decode((folder / "hopper.png").read_bytes()).image
    for name, within in [("hopper.ppm", 3), ("hopper.webp", 8), ("avif__hopper.avif", 8), ("hopper.Lab.tif", 8)]:
        assert differ(pixels.decode((folder / name).read_bytes()).image, hopper) < within, name
