"""What a file gives away without its pixels: container, metadata, geometry, naming."""

import io
import math
import struct
import warnings
import zlib

import numpy as np
import pytest
from drawn import encoded
from originals import scene
from PIL import Image, ImageCms, PngImagePlugin

from curate.nuisance import FAMILIES, Seen, family
from curate.nuisance.header import hashed

OF_FILES = ("container", "metadata", "geometry", "naming")
OF_PIXELS = ("jpeg_history", "chroma")
PICTURE = scene(1, (96, 64))
BLANK = Image.new("RGB", (40, 40), "grey")
OBJECT = "0123456789abcdef" * 4 + ".jpg"


def seen(content=b"", name="", place=0.0, image=BLANK):
    return Seen(content=content, image=image, name=name, place=place)


def numbers(name, *args, **options):
    return family(name).measure(seen(*args, **options))


def container(content, name="folder:x#a.jpg"):
    return numbers("container", content, name)


def metadata(content):
    return numbers("metadata", content)


def naming(name, place=0.0):
    return family("naming").measure(seen(name=name, place=place))


def marks(content):
    """The marks that are there, without what is counted or hashed."""
    other = ("order of segments", "segments", "density", "ICC profile")
    return {name for name, value in metadata(content).items() if value == 1 and not name.startswith(other)}


def same(one, other):
    return one.keys() == other.keys() and all(
        a == b or (a != a and b != b) for a, b in zip(one.values(), other.values(), strict=True)
    )


def test_the_format_is_that_of_the_bytes_and_not_of_the_name():
    found = container(encoded(PICTURE, "PNG"), "folder:x#a.jpg")
    assert (found["png"], found["jpeg"], found["extension right"]) == (1, 0, 0)
    honest = container(encoded(PICTURE, "PNG"), "folder:x#a.PNG")
    assert (honest["extension right"], honest["extension usual"]) == (1, 1)
    long = container(encoded(PICTURE, "JPEG"), "folder:x#a.jpeg")
    assert (long["extension right"], long["extension usual"]) == (1, 0)
    assert container(encoded(PICTURE, "JPEG"), "folder:x#a")["extension missing"] == 1


@pytest.mark.parametrize("quality", [30, 50, 75, 90, 95, 100])
def test_the_quality_of_a_standard_table_is_read_off(quality):
    found = container(encoded(PICTURE, "JPEG", quality=quality))
    assert found["quality"] == quality
    assert found["table not standard"] == 0


def test_a_table_of_ones_own_is_not_standard():
    own = [list(range(10, 74)), list(range(20, 84))]
    found = container(encoded(PICTURE, "JPEG", qtables=own))
    assert found["table not standard"] == 1
    assert found["luma table sum"] == pytest.approx(math.log1p(sum(own[0])))


def test_any_two_tables_differ_even_in_an_entry_that_no_number_looks_at():
    own = [20] * 64
    other = own.copy()
    other[30] = 21
    first, second = (container(encoded(PICTURE, "JPEG", qtables=[table])) for table in (own, other))
    assert all(first[f"tables {n}"] != second[f"tables {n}"] for n in (1, 2, 3))


@pytest.mark.parametrize(("sampling", "across", "down"), [("4:4:4", 1, 1), ("4:2:2", 2, 1), ("4:2:0", 2, 2)])
def test_subsampling_is_read_off_the_header(sampling, across, down):
    found = container(encoded(PICTURE, "JPEG", subsampling=sampling))
    assert (found["luma per chroma across"], found["luma per chroma down"]) == (across, down)


def test_a_grey_jpeg_has_no_chroma():
    found = container(encoded(PICTURE.convert("L"), "JPEG"))
    assert found["luma per chroma across"] == found["chroma table sum"] == 0
    assert found["channels"] == 1


def test_progressive_depth_and_transparency_are_read_off_the_header():
    assert container(encoded(PICTURE, "JPEG", progressive=True))["progressive"] == 1
    assert container(encoded(PICTURE, "JPEG"))["progressive"] == 0
    assert container(encoded(PICTURE.convert("RGBA")))["transparent"] == 1
    deep = Image.fromarray(np.zeros((8, 8), dtype=np.uint16))
    assert container(encoded(deep))["bits per channel"] == 16
    assert container(encoded(PICTURE.convert("P")))["palette"] == 1


def test_no_pixel_is_decoded_to_read_a_header(monkeypatch):
    def refuse(*_):
        raise AssertionError("decoded")

    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", refuse)
    monkeypatch.setattr("PIL.PngImagePlugin.PngImageFile.load", refuse, raising=False)
    content = {form: encoded_without_load(form) for form in ("PNG", "JPEG", "TIFF", "GIF")}
    for one in content.values():
        assert not math.isnan(container(one)["bits per pixel"])
        assert not math.isnan(metadata(one)["EXIF"])


def encoded_without_load(form):
    target = io.BytesIO()
    Image.new("RGB", (8, 8)).save(target, form)
    return target.getvalue()


def with_exif(**tags):
    exif = Image.Exif()
    for tag, value in tags.items():
        exif[getattr(PngImagePlugin.Image.ExifTags.Base, tag).value] = value
    return exif


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
def test_exif_is_seen_in_every_format_that_has_it(form):
    exif = with_exif(Make="A camera", DateTime="2020:01:01 00:00:00", Software="A program", Orientation=6)
    assert marks(encoded(PICTURE, form, exif=exif)) >= {"EXIF", "camera", "date", "software", "orientation"}
    assert marks(encoded(PICTURE, form)) <= {"JFIF"}


def test_an_upright_exif_is_no_orientation():
    found = marks(encoded(PICTURE, "JPEG", exif=with_exif(Model="A camera", Orientation=1)))
    assert "camera" in found
    assert "orientation" not in found


def test_exif_after_the_pixels_of_a_png_is_seen():
    content = encoded(PICTURE)
    late = content[:-12] + chunk(b"eXIf", with_exif(Make="A camera").tobytes()[6:]) + content[-12:]
    assert "EXIF" in marks(late)


def chunk(name, content):
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def after_header(content, *chunks):
    """A PNG with chunks of one's own behind IHDR."""
    return content[:33] + b"".join(chunks) + content[33:]


def test_two_colour_profiles_are_told_apart():
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    other = ImageCms.ImageCmsProfile(ImageCms.createProfile("XYZ")).tobytes()
    first, second = (metadata(encoded(PICTURE, "JPEG", icc_profile=profile)) for profile in (srgb, other))
    assert first["ICC"] == second["ICC"] == 1
    assert first["ICC profile 1"] != second["ICC profile 1"]
    assert metadata(encoded(PICTURE, "JPEG"))["ICC profile 1"] == 0


def test_the_prompt_of_an_image_generator_is_a_mark():
    text = PngImagePlugin.PngInfo()
    text.add_text("parameters", "a portrait, 50 mm")
    assert marks(encoded(PICTURE, pnginfo=text)) >= {"text", "prompt"}
    plain = PngImagePlugin.PngInfo()
    plain.add_text("Title", "a portrait")
    found = marks(encoded(PICTURE, pnginfo=plain))
    assert "text" in found
    assert "prompt" not in found


def test_c2pa_is_seen_in_jpeg_and_in_png():
    box = b"\0\0\0\x28jumb\0\0\0\x20jumdc2pa\0\x11\0\x10\x80\0\0\xaa\0\x38\x9b\x71\x03c2pa\0"
    jpeg = encoded(PICTURE, "JPEG")
    segment = b"\xff\xeb" + struct.pack(">H", 2 + 8 + len(box)) + b"JP\0\x01\0\0\0\x01" + box
    assert marks(jpeg[:2] + segment + jpeg[2:]) >= {"C2PA", "C2PA segment"}
    assert marks(after_header(encoded(PICTURE), chunk(b"caBX", box))) >= {"C2PA", "C2PA segment"}
    assert not marks(jpeg) & {"C2PA", "C2PA segment"}


def test_xmp_comment_and_a_declaration_of_ai_are_marks():
    xmp = b"<x:xmpmeta>http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia</x:xmpmeta>"
    assert marks(encoded(PICTURE, "JPEG", xmp=xmp)) >= {"XMP", "declared as made by AI"}
    assert "comment" in marks(encoded(PICTURE, "JPEG", comment=b"hello"))


def test_presence_is_all_that_is_kept_of_a_mark():
    one, other = (with_exif(Make=make, Software=software) for make, software in (("Aaaa", "Bbbb"), ("Cccc", "Dddd")))
    assert metadata(encoded(PICTURE, "JPEG", exif=one)) == metadata(encoded(PICTURE, "JPEG", exif=other))


def test_geometry_knows_squares_multiples_and_powers():
    found = numbers("geometry", image=Image.new("RGB", (512, 512)))
    assert found["square"] == found["powers of two"] == found["multiples of 128"] == 1
    assert (found["width"], found["aspect"]) == (9, 0)
    odd = numbers("geometry", image=Image.new("RGB", (600, 403)))
    assert odd["square"] == odd["powers of two"] == odd["multiples of 8"] == 0
    assert odd["aspect"] > 0
    assert odd["elongation"] == odd["aspect"]


def test_names_give_away_number_padding_case_and_folder():
    found = naming("folder:x#real/IMG_0042.JPG", 0.25)
    assert found["number"] == pytest.approx(math.log1p(42))
    assert (found["leading zeros"], found["digits of number"], found["suffix upper case"]) == (2, 4, 1)
    assert (found["separator '_'"], found["place"], found["depth"]) == (1, 0.25, 2)
    other = naming("folder:x#other/IMG_0042.JPG", 0.25)
    assert {name for name in found if found[name] != other[name]} == {"folder 1", "folder 2"}
    assert naming("folder:y#real/IMG_0042.JPG")["source 1"] != found["source 1"]
    assert naming("folder:x#real/0123abcdef.png")["hexadecimal"] == 1


def test_the_name_of_an_object_says_nothing_but_its_suffix():
    found, other = naming(OBJECT, 0.1), naming("f" * 64 + ".jpg", 0.9)
    assert same(found, other)
    known = {name for name, value in found.items() if not math.isnan(value)}
    assert known == {"suffix length", "suffix upper case", "suffix 1", "suffix 2"}


@pytest.mark.parametrize("name", ["", "#", "a#b#c", "x#\udc80.jpg", "x#" + "9" * 5000, "x#../..", "x#①².png", "."])
def test_no_name_is_too_strange(name):
    found = naming(name)
    assert found.keys() == naming("folder:x#a.jpg").keys()
    assert all(math.isfinite(value) for value in found.values())


def test_hashes_stay_the_same_for_ever_and_no_bytes_are_zero():
    assert hashed("x", b"abc", 1) == {"x 1": 0xBA7816BF / 2**32}
    assert hashed("x", b"", 2) == {"x 1": 0, "x 2": 0}


def test_families_say_what_they_look_at():
    assert {name: family(name).of for name in OF_FILES} == {
        "container": "file", "metadata": "file", "geometry": "file", "naming": "name"
    }  # fmt: skip
    assert all(family(name).of == "pixels" for name in OF_PIXELS)
    assert all(family(name).name == name and name in FAMILIES for name in OF_FILES + OF_PIXELS)


def test_bytes_that_are_no_picture_are_nan_throughout():
    for content in (
        b"",
        b"\0",
        b"hello",
        b"\xff\xd8\xff",
        b"\x89PNG\r\n\x1a\n",
        b"RIFF\0\0\0\0WEBPVP8 ",
        b"BM" + b"\xff" * 30,
    ):
        for name in ("container", "metadata"):
            found = numbers(name, content, "folder:x#a.jpg")
            assert all(map(math.isnan, found.values()))
            assert found.keys() == numbers(name, encoded(PICTURE, "JPEG")).keys()


def test_broken_and_odd_files_never_raise_or_warn(testdata):
    keys = {name: numbers(name, encoded(PICTURE, "PNG"), "folder:x#a.png").keys() for name in OF_FILES}
    for path in sorted((testdata / "bad-input").iterdir()):
        for name in OF_FILES:
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                found = numbers(name, path.read_bytes(), f"folder:x#{path.name}")
            assert found.keys() == keys[name], path.name
            assert not any(map(math.isinf, found.values())), path.name


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF", "GIF"])
def test_torn_and_flipped_bytes_never_raise(form):
    extra = {"exif": with_exif(Make="A camera")} if form != "GIF" else {}
    content = encoded(PICTURE.resize((24, 16)), form, **extra)
    rng = np.random.default_rng(0)
    for _ in range(60):
        torn = bytearray(content[: rng.integers(1, len(content))] if rng.random() < 0.5 else content)
        for place in rng.integers(0, min(len(torn), 200), 4):
            torn[place] = rng.integers(0, 256)
        for name in ("container", "metadata"):
            assert not any(map(math.isinf, numbers(name, bytes(torn)).values()))
