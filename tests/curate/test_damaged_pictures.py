"""Damaged pictures: what we accept, a bare load accepts too, pixel for pixel, in every format."""

import io
import warnings

import numpy as np
import pytest
from PIL import Image, ImageOps

from curate.pictures.pixels import CannotDecode, decode

MUTATIONS = 120
FORMATS = {
    "PNG": {}, "PNG 8-bit": {}, "JPEG": {}, "JPEG progressive": {"progressive": True}, "MPO": {}, "WEBP": {},
    "WEBP lossless": {"lossless": True}, "GIF": {}, "BMP": {}, "TIFF": {}, "TIFF lzw": {"compression": "tiff_lzw"},
    "TIFF deflate": {"compression": "tiff_adobe_deflate"}, "TIFF jpeg": {"compression": "jpeg"}, "JPEG2000": {},
    "AVIF": {}, "TGA": {}, "PPM": {}, "ICO": {}, "PCX": {}, "SGI": {}, "DDS": {},
}  # fmt: skip


def mutated(content: bytes, rng: np.random.Generator) -> bytes:
    """Flip one to three bits, and cut one file in ten off."""
    damaged = bytearray(content)
    for _ in range(rng.integers(1, 4)):
        damaged[rng.integers(len(damaged))] ^= 1 << rng.integers(8)
    return bytes(damaged[: rng.integers(len(damaged))] if rng.random() < 0.1 else damaged)


def bare(content: bytes) -> Image.Image | None:
    """Return what Pillow decodes when it is simply asked to, or None."""
    try:
        with warnings.catch_warnings(), Image.open(io.BytesIO(content)) as image:
            warnings.simplefilter("ignore")
            image.load()
            return ImageOps.exif_transpose(image).convert("RGB")
    except Exception:
        return None


@pytest.fixture(scope="module")
def portrait(testdata):
    """A real photograph, small enough for its header to be hit often."""
    folder = testdata / "portraits" / "ffhq-vs-stylegan2" / "real"
    with Image.open(min(path for path in folder.iterdir() if path.suffix in (".jpg", ".png"))) as image:
        return image.convert("RGB").resize((56, 48))


@pytest.mark.parametrize("format", FORMATS)
def test_no_damage_is_accepted_that_a_bare_load_refuses_and_the_pixels_are_the_same(format, portrait):
    plain = portrait.convert("P") if "8-bit" in format else portrait
    written = io.BytesIO()
    plain.save(written, format.partition(" ")[0], **FORMATS[format])
    rng = np.random.default_rng(len(format))
    accepted = 0
    for content in [written.getvalue(), *(mutated(written.getvalue(), rng) for _ in range(MUTATIONS))]:
        try:
            ours = decode(content).image
        except CannotDecode:
            continue
        theirs = bare(content)
        assert theirs is not None
        assert np.array_equal(np.asarray(ours), np.asarray(theirs))
        accepted += 1
    assert accepted >= 1
    if format.startswith("PNG"):  # its chunks carry checksums: hardly any damage passes
        assert accepted <= 1 + MUTATIONS // 20


def test_one_flipped_bit_in_a_png_portrait_is_refused_with_a_reason(testdata):
    folder = testdata / "cases" / "damaged-png"
    assert decode((folder / "sound.png").read_bytes()).image.size
    with pytest.raises(CannotDecode, match="cannot be decoded"):
        decode((folder / "one-bit.png").read_bytes())


def test_an_orientation_that_stands_behind_the_pixels_of_a_png_still_turns_it():
    exif = Image.Exif()
    exif[0x0112] = 6
    written = io.BytesIO()
    Image.new("RGB", (4, 2), "red").save(written, "PNG", exif=exif)
    content = written.getvalue()
    start = content.index(b"eXIf") - 4
    length = 12 + int.from_bytes(content[start : start + 4])
    late = content[:start] + content[start + length : -12] + content[start : start + length] + content[-12:]
    picture = decode(late)
    assert picture.image.size == (2, 4)
    assert "turned upright by EXIF" in picture.notes
