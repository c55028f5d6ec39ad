import numpy as np
import pytest

from curate.normalize.recipes import (
    EDGE,
    FORENSIC,
    GRID,
    MOST,
    NEAR,
    PLAIN,
    RECIPES,
    STEP,
    largest_size,
    side_of_most,
    square,
)

SEEDS = [f"{number:016x}" for number in np.random.default_rng(1).integers(0, 2**64, 80, dtype=np.uint64)]


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)
def test_the_square_is_large_enough_and_never_leaves_the_picture(recipe):
    rng = np.random.default_rng(0)
    for _ in range(500):
        size = int(rng.integers(16, 400))
        native = tuple(int(recipe.needs(size) + extra) for extra in rng.integers(0, 700, 2))
        x, y = (int(rng.integers(0, side - 10)) for side in native)
        face = (x, y, x + int(rng.integers(8, 300)), y + int(rng.integers(8, 300))) if rng.random() < 0.7 else None
        left, top, right, bottom = square(recipe, native, face, size, SEEDS[size % 80])
        assert right - left == bottom - top >= recipe.ratio * size
        assert 0 <= left < right <= native[0]
        assert 0 <= top < bottom <= native[1]


def test_forensic_shrinks_by_no_whole_number_and_leaves_the_edges_out():
    for side in range(FORENSIC.needs(256), 2000, 7):
        left, top, right, bottom = square(FORENSIC, (side, side), None, 256, SEEDS[side % 80])
        factor = (right - left) / 256
        assert factor >= 1.6
        assert abs(factor - round(factor)) >= NEAR - 0.5 / 256
        assert min(left, top, side - right, side - bottom) >= round(EDGE * side)


@pytest.mark.parametrize("side", [445, 600, 1024])
def test_the_square_starts_at_every_place_of_an_old_block(side):
    for face in (None, (40, 200, 240, 400)):  # also where the face draws the square to the limit
        starts = [square(FORENSIC, (side, side), face, 256, seed)[:2] for seed in SEEDS]
        assert {x % GRID for x, _ in starts} == set(range(GRID))
        assert {y % GRID for _, y in starts} == set(range(GRID))


def test_the_place_depends_on_the_content_alone_and_the_factor_not_even_on_the_face():
    one, same, other = (square(FORENSIC, (900, 700), None, 256, seed) for seed in (SEEDS[0], SEEDS[0], SEEDS[1]))
    assert one == same != other
    small, large = (300, 300, 330, 330), (200, 100, 600, 500)
    sides = {(box := square(FORENSIC, (900, 700), face, 256, SEEDS[0]))[2] - box[0] for face in (None, small, large)}
    assert len(sides) == 1


def test_forensic_follows_a_face_as_far_as_the_picture_goes():
    left, _, right, _ = square(FORENSIC, (1600, 700), (1100, 200, 1300, 400), 256, SEEDS[0])
    assert left < 1100 < 1300 < right
    left, _, right, _ = square(FORENSIC, (1600, 700), (1500, 200, 1590, 290), 256, SEEDS[0])
    assert 1500 < right <= 1600 - round(EDGE * 700)


def test_plain_keeps_two_widths_of_the_face_or_the_largest_square_in_the_middle():
    assert square(PLAIN, (300, 200), None, 64, SEEDS[0]) == (50, 0, 250, 200)
    assert square(PLAIN, (300, 200), (100, 60, 150, 110), 64, SEEDS[0]) == (75, 35, 175, 135)
    assert square(PLAIN, (300, 200), (100, 60, 120, 80), 64, SEEDS[0]) == (78, 38, 142, 102)
    assert square(PLAIN, (200, 200), None, 200, SEEDS[0]) == (0, 0, 200, 200)


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)
def test_a_picture_that_is_one_pixel_too_small_is_refused(recipe):
    least = recipe.needs(100)
    square(recipe, (least, least), None, 100, SEEDS[0])
    with pytest.raises(ValueError, match=rf"{least - 1} px, where {recipe.name} needs {least}"):
        square(recipe, (least - 1, 5 * least), None, 100, SEEDS[0])


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)
@pytest.mark.parametrize("side", [5, 64, 100, 255, 300, 511, 512, 820, 5000])
def test_the_largest_size_is_the_largest(recipe, side):
    size = largest_size(recipe, side)
    assert size % STEP == 0
    assert size == 0 or recipe.needs(size) <= side
    assert size == MOST or recipe.needs(size + STEP) > side


@pytest.mark.parametrize("count", [1, 2, 19, 20, 21, 40, 60, 99, 100, 120, 500])
def test_the_side_that_95_percent_reach_is_the_largest_that_they_do(count):
    sides = np.random.default_rng(count).integers(100, 900, count).tolist()
    best = side_of_most({side: sides.count(side) for side in sides})
    assert best == max(side for side in range(1, 901) if 100 * sum(one >= side for one in sides) >= 95 * count)


def test_no_pictures_reach_nothing():
    assert side_of_most({}) == 0
