"""Contact sheets: what is drawn where, and that no words can break them."""

import numpy as np
import pytest
from PIL import Image, ImageFont

from imageledger.letters import shorten, visible, wrapped
from imageledger.sheet import GAP, GUTTER, MARGIN, Cell, Frame, fitted, sheet, tile

FONT = ImageFont.load_default(13)


def plain(colour: str, size: tuple[int, int] = (40, 40)) -> Image.Image:
    return Image.new("RGB", size, colour)


def cell(*colours: str, **words) -> Cell:
    return Cell(frames=tuple(Frame(picture=plain(colour), caption=colour) for colour in colours), **words)


def test_a_tile_shows_its_pictures_side_by_side_in_order():
    drawn = tile(cell("red", "blue", title="1. P(ai) 0.9"), size=100)
    assert drawn.getpixel((50, 50)) == (255, 0, 0)
    assert drawn.getpixel((100 + GAP + 50, 50)) == (0, 0, 255)
    assert drawn.width == 200 + GAP


def test_cells_stand_in_rows_with_even_gutters_and_margins():
    colours = ["red", "lime", "blue", "yellow", "cyan"]
    page = np.asarray(sheet([cell(colour) for colour in colours], columns=3, size=300))
    found = {tuple(colour): np.argwhere((page == colour).all(axis=2)) for colour in
             [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0), (0, 255, 255)]}  # fmt: skip
    lefts = [places[:, 1].min() for places in found.values()]
    tops = [places[:, 0].min() for places in found.values()]
    assert np.diff(lefts[:3]).tolist() == [300 + GUTTER] * 2
    assert lefts[3:] == lefts[:2]
    assert lefts[0] == MARGIN + 1  # one pixel of outline
    assert len(set(tops[:3])) == 1
    assert tops[3] == tops[4] > tops[0] + 300
    assert page.shape[1] == 2 * MARGIN + 3 * 300 + 2 * GUTTER


def test_pictures_of_other_shapes_are_shown_whole():
    square = np.asarray(fitted(plain("red", (200, 50)), 80))
    red = np.argwhere((square == (255, 0, 0)).all(axis=2))
    assert square.shape == (80, 80, 3)
    assert red[:, 1].max() - red[:, 1].min() == 79
    assert red[:, 0].max() - red[:, 0].min() == 19


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "P", "CMYK", "1"])
def test_every_8_bit_mode_can_stand_on_a_sheet(mode):
    drawn = sheet([Cell(frames=(Frame(picture=Image.new(mode, (30, 30))),))], columns=1)
    assert drawn.mode == "RGB"


def test_a_missing_picture_leaves_words_in_its_place():
    empty = np.asarray(tile(Cell(frames=(Frame(missing=""),)), size=120))
    told = np.asarray(tile(Cell(frames=(Frame(missing="object missing"),)), size=120))
    assert empty.shape == told.shape
    assert (told[40:80] < 150).any()
    assert not (empty[40:80, 2:-2] < 150).any()


def test_an_empty_sheet_is_still_a_page_with_its_heading():
    page = sheet([], columns=4, heading="No real portraits called ai", lines=["Nothing matches."])
    assert page.width >= 640
    assert (np.asarray(page) < 100).any()


def test_the_heading_moves_the_cells_down_and_long_lines_are_wrapped_not_cut():
    bare = sheet([cell("red")], columns=1)
    headed = sheet([cell("red")], columns=1, heading="Heading", lines=["many words " * 40])
    assert headed.width == bare.width
    assert headed.height > bare.height + 6 * 15


def test_long_names_are_shortened_in_the_middle_and_fit():
    name = "kaggle/" + "very/" * 60 + "IMG_0042.jpg"
    short = shorten(name, FONT, 200)
    assert FONT.getlength(short) <= 200
    assert short.startswith("kaggle/")
    assert short.endswith("0042.jpg")
    assert short.count("…") == 1
    assert shorten("real/1.jpg", FONT, 200) == "real/1.jpg"


def test_no_words_are_lost_when_lines_are_wrapped():
    text = "Of the real portraits, 3/20 = 15.0 % were called ai. " * 5
    lines = wrapped(text, FONT, 260)
    assert " ".join(lines).split() == text.split()
    assert all(FONT.getlength(line) <= 260 for line in lines)


def test_names_with_line_feeds_escapes_and_turned_writing_are_drawn_as_one_harmless_line():
    assert visible("a\nb\x1b[31mc\u202egpj.exe") == "a\ufffdb\ufffd[31mc\ufffdgpj.exe"
    assert tile(cell("red", lines=("a\nb\nc",))).size == tile(cell("red", lines=("abc",))).size


def test_the_same_cells_give_the_same_bytes():
    pages = [sheet([cell("red", "blue", title="t", lines=("m",))], columns=2, heading="h") for _ in range(2)]
    assert pages[0].tobytes() == pages[1].tobytes()


def test_letters_beyond_the_latin_ones_are_drawn_each_as_itself():
    pages = [tile(cell("red", title=title)) for title in ("0.68–0.91", "0.68—0.91", "0.68ж0.91", "0.68λ0.91")]
    assert len({page.tobytes() for page in pages}) == len(pages)
