import numpy as np
import pytest
from drawn import portrait
from PIL import Image
from scipy import ndimage

from curate.faces.face import Face
from curate.matting import compositing, judge
from curate.matting.uncompiled import uncompiled


def disc(size, radius, band, centre=None):
    """A round matte whose edge falls from 255 to 0 over `band` pixels."""
    y, x = np.mgrid[:size, :size]
    middle = centre or (size / 2, size / 2)
    share = np.clip((radius - np.hypot(x - middle[0], y - middle[1])) / band + 0.5, 0, 1)
    return np.rint(255 * share).astype(np.uint8)


def over(person, behind, alpha):
    """One picture laid over another, a pixel at a time, in whole grey levels."""
    height, width = alpha.shape
    laid = np.zeros((height, width, 3), np.uint8)
    for y in range(height):
        for x in range(width):
            for channel in range(3):
                front, back = int(person[y, x, channel]), int(behind[y, x, channel])
                laid[y, x, channel] = (front * int(alpha[y, x]) + back * (255 - int(alpha[y, x])) + 127) // 255
    return laid


def flat(colour, size):
    return np.full((size, size, 3), colour, np.uint8)


def whitened(laid, alpha):
    return np.asarray(compositing.white_composite(Image.fromarray(laid), alpha)).astype(int)


@pytest.mark.long
@pytest.mark.parametrize("band", [1, 4, 12, 30])
@pytest.mark.parametrize(
    ("person", "behind"),
    [
        ((180, 60, 40), (20, 40, 200)),
        ((200, 160, 130), (0, 0, 0)),
        ((60, 50, 40), (255, 255, 255)),
        ((0, 0, 0), (255,) * 3),
    ],
)
def test_a_person_of_one_colour_moves_to_white_within_one_grey_level(band, person, behind):
    alpha = disc(96, 26, band)
    laid = over(flat(person, 96), flat(behind, 96), alpha)
    expected = over(flat(person, 96), flat((255,) * 3, 96), alpha).astype(int)
    assert np.abs(whitened(laid, alpha) - expected).max() <= 1


def test_colours_that_differ_from_place_to_place_move_to_white_too():
    size, alpha = 128, np.maximum(disc(128, 16, 5, (32, 64)), disc(128, 16, 5, (96, 64)))
    left = np.arange(size)[None, :, None] < size // 2
    person = np.where(left, flat((200, 40, 30), size), flat((30, 60, 90), size))
    behind = np.where(left, flat((10, 90, 20), size), flat((240, 230, 80), size))
    laid = over(person, behind, alpha)
    expected = over(person, flat((255,) * 3, size), alpha).astype(int)
    assert np.abs(whitened(laid, alpha) - expected).max() <= 1


def test_the_background_is_exactly_white_and_the_inside_exactly_the_picture():
    noise = np.random.default_rng(1).integers(0, 256, (128, 128, 3), dtype=np.uint8)
    alpha = disc(128, 40, 8)
    white = whitened(noise, alpha)
    assert (white[alpha == 0] == 255).all()
    assert (white[alpha == 255] == noise[alpha == 255]).all()


@pytest.mark.parametrize("value", [0, 255])
def test_a_matte_without_soft_edges_needs_no_estimate(value):
    noise = np.random.default_rng(1).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    expected = noise if value else np.full_like(noise, 255)
    assert (whitened(noise, np.full((32, 32), value, np.uint8)) == expected).all()


def test_a_matte_that_is_nowhere_sure_makes_no_nonsense():
    noise = np.random.default_rng(1).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    white = whitened(noise, np.full((64, 64), 128, np.uint8))
    assert 120 < white.mean() < 255


def naive(laid, alpha):
    """What pasting rembg's own cut-out on white gives: it has been multiplied by alpha before."""
    once = laid * (alpha[..., None] / 255)
    return once * (alpha[..., None] / 255) + 255 * (1 - alpha[..., None] / 255)


def nearest_sure(pixels, alpha):
    """The person carried outwards: every pixel takes the colour of the nearest one that is surely person."""
    rows, columns = ndimage.distance_transform_edt(alpha < 255, return_distances=False, return_indices=True)
    return pixels[rows, columns]


@pytest.mark.long
def test_soft_edges_of_real_people_are_not_darker_than_the_truth(testdata):
    darker, halo = [], []
    for file in sorted((testdata / "mattes" / "images").iterdir()):
        image = Image.open(file).convert("RGB").resize((384, 384))
        alpha = Image.open(testdata / "mattes" / "alpha" / f"{file.stem}.png").convert("L").resize(image.size)
        alpha = compositing.clean(np.asarray(alpha))
        share = alpha[..., None] / 255
        person = nearest_sure(np.asarray(image), alpha)
        band = (alpha > 25) & (alpha < 230)
        for colour in ((0, 160, 0), (0, 0, 0), (120, 120, 120), (255, 255, 255)):
            laid = np.rint(person * share + np.array(colour) * (1 - share)).astype(np.uint8)
            truth = person * share + 255 * (1 - share)
            darker.append((truth - whitened(laid, alpha))[band].mean())
            halo.append((truth - naive(laid, alpha))[band].mean())
    assert max(darker) <= 2
    assert min(darker) >= -2
    assert np.mean(halo) > 15


def test_rembgs_own_cut_out_is_the_naive_one():
    with uncompiled():
        bg = pytest.importorskip("rembg.bg")
    image, alpha = portrait(1, 64)
    cut = bg.naive_cutout(image, Image.fromarray(alpha))
    white = Image.new("RGB", image.size, "white")
    white.paste(cut, mask=cut.getchannel("A"))
    assert np.abs(np.asarray(white) - naive(np.asarray(image), alpha)).max() <= 2


def share_at(alpha, level):
    """How many pixels of the middle row, right of the middle, reach a level."""
    size = alpha.shape[0]
    return int((alpha[size // 2, size // 2 :] >= level).sum())


def test_every_matte_gets_the_same_edge_however_soft_the_model_drew_it():
    edges = [compositing.standard_edge(disc(512, 150, band)) for band in (1, 6, 20, 40)]
    widths = [share_at(edge, 1) - share_at(edge, 255) for edge in edges]
    assert max(widths) - min(widths) <= 1
    assert 4 <= widths[0] <= 8
    assert np.abs(np.diff(np.array(edges).astype(int), axis=0)).max() < 60


def test_the_edge_lies_inside_the_silhouette_and_grows_with_the_picture():
    for size in (256, 512, 1024):
        edge = compositing.standard_edge(disc(size, 0.3 * size, 0.02 * size))
        assert abs(share_at(edge, 128) - (0.3 - compositing.INSET) * size) <= 1.5


def test_a_jagged_contour_and_a_smooth_one_get_the_same_edge():
    size = 512
    y, x = np.mgrid[:size, :size]
    angle = np.arctan2(y - size / 2, x - size / 2)
    jagged = np.where(np.hypot(y - size / 2, x - size / 2) < 150 + 2 * np.sign(np.sin(150 * angle)), 255, 0)
    smooth = disc(size, 150, 1)
    apart = compositing.standard_edge(jagged.astype(np.uint8)).astype(int) - compositing.standard_edge(smooth)
    assert np.abs(jagged - smooth.astype(int)).max() == 255
    assert np.abs(apart).max() < 70


@pytest.mark.parametrize(("value", "all_over"), [(0, 0), (100, 0), (128, 255), (255, 255)])
def test_a_matte_without_a_contour_gets_no_edge(value, all_over):
    assert (compositing.standard_edge(np.full((40, 60), value, np.uint8)) == all_over).all()


def test_a_person_who_reaches_the_frame_does_not_fade_there():
    alpha = np.zeros((256, 256), np.uint8)
    alpha[100:, 60:200] = 255
    edge = compositing.standard_edge(alpha)
    assert (edge[-1, 80:180] == 255).all()


@pytest.mark.parametrize("band", [1, 8, 24])
def test_a_person_laid_with_the_standard_edge_shows_no_background(band):
    alpha = disc(128, 40, band)
    edge = compositing.standard_edge(alpha)
    person, wall = flat((180, 60, 40), 128), flat((20, 40, 200), 128)
    white = np.asarray(compositing.white_composite(Image.fromarray(over(person, wall, alpha)), alpha, edge))
    expected = over(person, flat((255,) * 3, 128), edge).astype(int)
    assert np.abs(white - expected).max() <= 1
    assert (white[edge == 0] == 255).all()


def test_how_soft_a_matte_is_grows_with_its_band():
    found = [compositing.softness(disc(256, 60, band)) for band in (2, 8, 30)]
    assert found == sorted(found)
    assert compositing.softness(np.zeros((8, 8), np.uint8)) == 0
    assert compositing.softness(np.full((8, 8), 255, np.uint8)) == 0


def test_ends_of_a_matte_are_snapped():
    alpha = np.full((200, 200), 255, np.uint8)
    alpha[0], alpha[1], alpha[2], alpha[3] = 5, 6, 249, 250
    cleaned = compositing.clean(alpha)
    assert [cleaned[row, 0] for row in range(4)] == [0, 6, 249, 255]


@pytest.mark.parametrize("strength", [100, 140, 255])
def test_islands_are_dropped_faint_ones_too(strength):
    alpha = disc(128, 30, 6)
    person = compositing.clean(alpha)
    alpha[5:15, 5:15] = strength
    assert (compositing.clean(alpha) == person).all()


def test_hair_that_hangs_together_with_the_person_stays():
    alpha = disc(256, 60, 6)
    alpha[63:128, 128] = np.maximum(alpha[63:128, 128], 90)
    assert compositing.clean(alpha)[63, 128] > 60


def test_smoke_beside_the_person_fades_out_and_the_person_stays():
    person = disc(256, 60, 6)
    smoke = person.copy()
    smoke[100:150, 190:240] = np.maximum(smoke[100:150, 190:240], 150)
    cleaned = compositing.clean(smoke)
    assert (cleaned[person > 5] >= person[person > 5]).all()
    assert (cleaned[100:150, 205:] == 0).all()


def test_smoke_with_dense_specks_is_still_smoke():
    smoke = disc(256, 60, 6)
    smoke[100:150, 185:240] = np.maximum(smoke[100:150, 185:240], 150)
    smoke[110:140:10, 210:230:10] = 255
    assert (compositing.clean(smoke)[100:150, 205:] == 0).all()


def test_a_matte_that_is_nowhere_solid_stays_to_be_judged():
    faint = (disc(128, 40, 6) // 2).astype(np.uint8)
    assert (compositing.clean(faint) == np.where(faint <= 5, 0, faint)).all()


def test_a_second_large_piece_stays_to_be_judged():
    alpha = np.maximum(disc(128, 20, 4, (40, 64)), disc(128, 14, 4, (100, 64)))
    cleaned = compositing.clean(alpha)
    assert compositing.pieces(cleaned) == 2
    assert judge.fault(cleaned, None) == "matte: 2 large pieces"


def test_an_empty_matte_has_no_pieces_and_stays_empty():
    empty = np.zeros((32, 32), np.uint8)
    assert compositing.pieces(empty) == 0
    assert (compositing.clean(empty) == 0).all()


FACE = Face(box=(44, 40, 84, 84))


def good():
    return disc(128, 40, 4)


def test_a_good_matte_has_no_fault():
    assert judge.fault(good(), FACE) == ""
    assert judge.fault(good(), None, (-9.0, 8.0)) == ""


@pytest.mark.parametrize("low_high", [(0.3, 0.3), (0.5, 0.54), (float("nan"), float("nan")), (0.0, 0.0)])
def test_a_flat_output_is_not_believed(low_high):
    assert judge.fault(good(), FACE, low_high) == "matte: the model's output is flat"


@pytest.mark.parametrize("low_high", [(0.0, 0.3), (-9.0, -2.0)])
def test_an_empty_output_is_not_believed_however_it_was_stretched(low_high):
    assert judge.fault(good(), FACE, low_high) == "matte: the model saw no person"


@pytest.mark.parametrize(("radius", "percent"), [(10, 2), (15, 4), (100, 100), (0, 0)])
def test_a_matte_of_almost_nothing_or_almost_all_is_not_believed(radius, percent):
    assert judge.fault(disc(128, radius, 1), FACE) == f"matte: covers {percent} % of the picture"


def test_a_hole_in_the_face_is_not_believed():
    alpha = good()
    alpha[52:66, 56:68] = 0
    assert judge.fault(alpha, FACE) == "matte: a hole in the face"
    assert judge.fault(alpha, None) == ""


def test_a_hole_beside_the_face_is_allowed():
    alpha = good()
    alpha[88:96, 60:70] = 0
    assert judge.fault(alpha, FACE) == ""


def test_a_face_that_is_seen_through_is_not_believed():
    alpha = good()
    alpha[30:100, 30:100] = np.minimum(alpha[30:100, 30:100], 170)
    assert judge.fault(alpha, FACE) == "matte: 33 % of the face cut off"


def test_a_face_cut_off_is_not_believed():
    alpha = good()
    alpha[:, :60] = 0
    assert judge.fault(alpha, FACE).endswith("% of the face cut off")
    alpha = good()
    alpha[:, :50] = 0
    assert judge.fault(alpha, FACE) == ""


def test_a_face_of_no_extent_is_not_looked_at():
    assert judge.fault(good(), Face(box=(10, 10, 10, 10))) in ("", "matte: 100 % of the face cut off")
