"""Training, prediction and export see the pixels that curate sees: there is one decoder."""

import io

import numpy as np
import pytest
from PIL import Image, ImageCms

from curate.pictures import pixels
from imageledger.errors import StoreError
from imageledger.store import Store
from train.models.steps import Applier, Steps

pytestmark = pytest.mark.long


def decoded(path):
    """A file as training sees it; torch, which this loads, is not loaded to list the tests."""
    from train.network import loaders

    return loaders.decoded(path)


def ramp(mode: str) -> Image.Image:
    """A portrait-sized ramp of grey levels, deep or see-through or in inks."""
    levels = np.tile(np.linspace(0, 1, 64), (48, 1))
    if mode == "I;16":
        return Image.fromarray((levels * 40_000).astype(np.uint16))
    grey = Image.fromarray((levels * 255).astype(np.uint8))
    if mode == "RGBA":
        return Image.merge("RGBA", [grey, grey, grey, grey.transpose(Image.Transpose.FLIP_LEFT_RIGHT)])
    return grey.convert(mode)


def content_of(mode: str, format: str, **options: object) -> bytes:
    written = io.BytesIO()
    ramp(mode).save(written, format, **options)
    return written.getvalue()


PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("XYZ")).tobytes()
ODD = {
    "16-bit grey": content_of("I;16", "PNG"),
    "see-through": content_of("RGBA", "PNG"),
    "see-through palette": content_of("P", "PNG", transparency=3),
    "inks": content_of("CMYK", "JPEG"),
    "with a profile": content_of("RGB", "PNG", icc_profile=PROFILE),
    "floats": content_of("F", "TIFF"),
}


@pytest.mark.parametrize("kind", ODD)
def test_a_folder_of_odd_pictures_is_trained_on_and_asked_about_as_curate_would_decode_it(kind, tmp_path):
    path = tmp_path / "odd.bin"
    path.write_bytes(ODD[kind])
    right = np.asarray(pixels.decode(ODD[kind]).image)
    assert len(np.unique(right)) > 20
    assert np.array_equal(np.asarray(decoded(path)), right)
    assert np.array_equal(np.asarray(Applier(steps=Steps())(ODD[kind]).image), right)


def test_a_deep_scan_in_a_folder_keeps_its_eyes(testdata):
    path = testdata / "cases" / "folder-training-16bit" / "grey16.png"
    assert len(np.unique(np.asarray(decoded(path)))) > 20


def test_a_damaged_file_in_a_folder_is_named_with_the_way_out(testdata):
    with pytest.raises(StoreError, match=r"one-bit\.png.*cannot be decoded") as caught:
        decoded(testdata / "cases" / "damaged-png" / "one-bit.png")
    assert "verify" in caught.value.hint


def test_an_object_whose_bytes_have_changed_is_not_trained_on(tmp_path):
    store = Store(tmp_path)
    name = store.put(content_of("RGB", "PNG"), "png")
    assert decoded(store.path(name)).size == (64, 48)
    store.path(name).chmod(0o644)
    store.path(name).write_bytes(content_of("L", "PNG"))
    with pytest.raises(StoreError, match="is damaged"):
        decoded(store.path(name))
