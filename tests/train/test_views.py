"""What Pillow and numpy make of a picture is what fastai makes of it in validation."""

import numpy as np
import pytest
from PIL import Image

from train import views

SIZES = [(64, 64), (512, 512), (300, 200), (201, 333), (47, 1001), (31, 29), (128, 127), (225, 224), (7, 3)]


@pytest.mark.parametrize("size", [32, 48, 224])
def test_pictures_are_resized_as_by_fastai_to_the_last_bit(size):
    pytest.importorskip("fastai")
    from train.network.fastai_seam import vision

    rng = np.random.default_rng(size)
    resize = vision.Resize(size)
    for width, height in SIZES:
        image = Image.fromarray(rng.integers(0, 256, (height, width, 3), dtype=np.uint8))
        wanted = np.asarray(resize(vision.PILImage(image), split_idx=1))
        assert np.array_equal(np.asarray(views.resized(image, size)), wanted), (width, height)


def test_views_are_planes_of_floats_between_zero_and_one():
    image = Image.new("RGB", (90, 60), (255, 0, 51))
    seen = views.of(image, {"kind": "resize", "size": 32})
    assert seen.shape == (1, 3, 32, 32)
    assert seen.dtype == np.float32
    assert seen.mean(axis=(0, 2, 3)).tolist() == pytest.approx([1, 0, 0.2])
