import numpy as np
import pytest
from drawn import face_box, portrait
from PIL import Image

from curate.pictures import pixels


@pytest.mark.parametrize("size", [96, 256, 700])
def test_the_face_of_a_drawn_portrait_is_found_where_it_was_drawn(size):
    for seed in range(4):
        image, _ = portrait(seed, size)
        left, top, right, bottom = face_box(image)
        assert abs((left + right) / 2 - 0.5 * size) < 0.1 * size
        assert abs((top + bottom) / 2 - 0.46 * size) < 0.1 * size
        assert 0.3 * size < right - left < 0.6 * size


def test_the_face_is_found_wherever_it_stands_in_a_wide_picture():
    image, _ = portrait(1, 300)
    wide = Image.new("RGB", (700, 320), (120, 130, 140))
    wide.paste(image, (390, 10))
    left, top, right, bottom = face_box(wide)
    assert abs((left + right) / 2 - 540) < 40
    assert abs((top + bottom) / 2 - 148) < 40


def test_a_face_that_fills_the_frame_has_a_box_inside_the_picture():
    image, _ = portrait(2, 400)
    tight = image.crop((110, 90, 300, 280))
    box = face_box(tight)
    if box is not None:
        assert 0 <= box[0] < box[2] <= tight.width
        assert 0 <= box[1] < box[3] <= tight.height


@pytest.mark.parametrize("size", [(1, 1), (2, 1), (1, 900), (900, 3), (10, 10), (16, 16), (23, 23), (24, 24), (30, 20)])
def test_pictures_smaller_than_the_cascade_have_no_face_and_do_no_harm(size):
    grey = np.random.default_rng(0).integers(0, 255, (size[1], size[0], 3), dtype=np.uint8)
    assert face_box(Image.fromarray(grey)) is None


def test_an_empty_wall_has_no_face():
    assert face_box(Image.new("RGB", (300, 300), (90, 120, 150))) is None


@pytest.mark.long
@pytest.mark.parametrize("label", ["real", "ai"])
def test_most_real_portraits_have_a_face_in_their_middle(testdata, label):
    files = sorted((testdata / "portraits" / "ffhq-vs-stylegan2" / label).iterdir())[:30]
    boxes = [face_box(pixels.decode(file.read_bytes()).image) for file in files]
    found = [box for box in boxes if box is not None]
    assert len(found) >= 0.9 * len(files)
    centred = [abs(left + right - 1024) < 300 and abs(top + bottom - 1024) < 300 for left, top, right, bottom in found]
    assert sum(centred) >= 0.9 * len(found)
