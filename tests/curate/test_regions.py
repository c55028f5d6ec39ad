import pytest

from curate.pictures import regions

PICTURE = (256, 256)


def test_the_square_lies_well_inside_the_box_and_a_little_below_its_middle():
    left, top, right, bottom = regions.inner_square((60, 50, 160, 150), PICTURE)
    assert right - left == bottom - top == 65
    assert abs((left + right) / 2 - 110) <= 1
    assert 101 < (top + bottom) / 2 < 106


@pytest.mark.parametrize("whole", [(-15, 40, 105, 160), (151, 90, 271, 210), (60, -20, 180, 100), (60, 148, 180, 268)])
def test_a_box_cut_off_at_an_edge_gives_the_square_of_the_whole_box(whole):
    cut = tuple(min(max(0, edge), 256) for edge in whole)
    middle_x, middle_y = (whole[0] + whole[2]) / 2, (whole[1] + whole[3]) / 2 + regions.BELOW * 120
    left, top, right, bottom = regions.inner_square(cut, PICTURE)
    assert right - left == round(regions.INNER * 120)
    assert abs((left + right) / 2 - middle_x) <= 1
    assert abs((top + bottom) / 2 - middle_y) <= 1


def test_a_box_as_large_as_the_picture_is_taken_at_its_middle():
    left, top, right, bottom = regions.inner_square((0, 0, 256, 256), PICTURE)
    assert (left + right) / 2 == 128
    assert right - left == bottom - top == 166
    assert 128 < (top + bottom) / 2 < 142


@pytest.mark.parametrize(
    "face", [(0, 0, 20, 20), (0, 200, 30, 256), (240, 0, 256, 16), (0, 0, 1, 1), (0, 250, 256, 256)]
)
def test_the_square_never_leaves_the_picture(face):
    left, top, right, bottom = regions.inner_square(face, PICTURE)
    assert 0 <= left <= right <= 256
    assert 0 <= top <= bottom <= 256
    assert right - left == bottom - top


def test_a_face_is_confirmed_by_the_same_face_in_the_mirror_and_by_no_other():
    face = (40, 50, 140, 150)
    assert regions.confirmed(face, (256 - 140, 50, 256 - 40, 150), 256)
    assert regions.confirmed(face, (256 - 150, 60, 256 - 50, 160), 256)
    assert not regions.confirmed(face, None, 256)
    assert not regions.confirmed(face, face, 256)
    assert not regions.confirmed(face, (0, 0, 256, 256), 256)
