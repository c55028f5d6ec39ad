import numpy as np
import pytest
from drawn import portrait

from audit.recipes import trace
from curate.pictures import pixels


@pytest.fixture(scope="module")
def images():
    return [portrait(seed, 192)[0] for seed in range(24)]


def seeds(images):
    return [pixels.pixel_digest(image) for image in images]


def test_a_planted_trace_is_faint_and_the_same_again(images):
    one = trace.planted(images[0], 0.2)
    assert one.tobytes() == trace.planted(images[0], 0.2).tobytes()
    difference = np.abs(np.asarray(one, dtype=int) - np.asarray(images[0], dtype=int))
    assert 0 < difference.mean() < 2
    assert trace.planted(images[0], 0.0).tobytes() == images[0].tobytes()


@pytest.mark.parametrize("size", [(64, 64), (67, 130), (5, 9), (300, 41)])
def test_pictures_of_any_shape_can_be_planted_and_looked_at(images, size):
    image = images[0].resize(size)
    assert trace.planted(image, 1.0).size == size
    found = trace.spectrum(image)
    assert found.dtype == np.float32
    assert np.isfinite(found).all()
    assert found.shape == trace.spectrum(images[0]).shape


@pytest.mark.long
def test_a_strong_trace_is_found_and_no_trace_is_not(images):
    clean = np.array([trace.spectrum(image) for image in images], dtype=float)
    strong = np.array([trace.spectrum(trace.planted(image, 1.5)) for image in images], dtype=float)
    assert trace.separable(clean, strong) > 0.95
    assert 0.2 < trace.separable(clean, clean) < 0.8


def test_shares_spread_over_their_whole_range_and_depend_on_the_content(images):
    shares = [trace.share(seed) for seed in seeds(images)]
    assert all(1 / trace.SPREAD <= share <= 1 for share in shares)
    assert max(shares) / min(shares) > 4
    assert trace.share(seeds(images)[0]) == shares[0]


@pytest.mark.long
def test_the_strength_that_is_chosen_lies_between_those_tried(images):
    strength = trace.calibrated(zip(images, seeds(images), strict=True))
    assert trace.STRENGTHS[0] <= strength <= trace.STRENGTHS[-1]
