"""Figures: one palette that everybody can tell apart, one style, words that fit, and equal bytes for equal drawings."""

import io
import re
from itertools import combinations

import numpy as np
import pytest
from PIL import Image
from skimage.color import deltaE_ciede2000, rgb2lab
from source_tree import PACKAGES, ROOT, sources

from imageledger import figure
from imageledger.figure import FINE, NEGATIVE, PAPER, POSITIVE, PROBLEM, UNDECIDED, drawn, key, styled, whisker

BLIND = {
    "none": np.eye(3),
    "protan": [[0.152, 1.053, -0.205], [0.115, 0.786, 0.099], [-0.004, -0.048, 1.052]],
    "deutan": [[0.367, 0.861, -0.228], [0.280, 0.673, 0.047], [-0.012, 0.043, 0.969]],
    "tritan": [[1.256, -0.077, -0.179], [-0.078, 0.931, 0.148], [0.005, 0.691, 0.304]],
}
"""How colours reach people who lack one kind of cone (Machado, Oliveira and Fernandes, 2009), in linear RGB."""


def linear(colour):
    values = np.array([int(colour[at : at + 2], 16) for at in (1, 3, 5)]) / 255
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def seen(colour, kind):
    values = np.clip(np.array(BLIND[kind]) @ linear(colour), 0, 1)
    return rgb2lab(np.where(values <= 0.0031308, 12.92 * values, 1.055 * values ** (1 / 2.4) - 0.055))


def contrast(colour):
    return 1.05 / (linear(colour) @ [0.2126, 0.7152, 0.0722] + 0.05)


def picture(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(content)).convert("RGB")


def dots(sub):
    axes = sub.subplots()
    whisker(axes, 0, 0.6, (0.5, 0.7), PROBLEM, "D")
    styled(axes, x="a share", y="rows", title="one panel", grid="x")
    key(sub, [("a problem", PROBLEM, "D")])


@pytest.mark.parametrize("kind", BLIND)
@pytest.mark.parametrize("colours", [(NEGATIVE, POSITIVE), (PROBLEM, UNDECIDED, FINE)])
def test_colours_that_mean_something_are_told_apart_by_everybody(colours, kind):
    for one, other in combinations(colours, 2):
        assert deltaE_ciede2000(seen(one, kind), seen(other, kind)) > 15, (one, other)


@pytest.mark.parametrize("colour", [figure.INK, figure.FAINT, PROBLEM, UNDECIDED, FINE, NEGATIVE, POSITIVE])
def test_every_colour_of_words_can_be_read_on_paper(colour):
    assert contrast(colour) > 4.5


def test_no_module_but_that_of_figures_chooses_a_colour_or_hides_a_frame():
    wrong = [
        str(path.relative_to(ROOT))
        for path in sources(*PACKAGES)
        if path != ROOT / "imageledger" / "figure.py"
        and re.search(r"[\"']#[0-9a-fA-F]{6}[\"']|\.spines\b|[\"']tab:", path.read_text(encoding="utf-8"))
    ]
    assert wrong == []


def test_equal_drawings_give_equal_bytes_whatever_was_drawn_before():
    first = drawn((6, 2), dots, title="A title", note="40 pictures", foot="How to read it.")
    drawn((3, 3), dots, title="$x_{0$")
    assert drawn((6, 2), dots, title="A title", note="40 pictures", foot="How to read it.") == first


def test_a_long_title_is_wrapped_and_pushes_nothing_out():
    short, long = (picture(drawn((6, 2), dots, title=title)) for title in ("A title", "A title of many words " * 9))
    assert long.width == short.width
    assert long.height > short.height
    edges = np.asarray(long)
    assert (edges[:, -8:] == edges[0, 0]).all()
    assert (edges[:8] == edges[0, 0]).all()


def test_words_for_nobody_to_see_and_formulas_are_only_text():
    content = drawn((6, 2), dots, title="a\u202eb\x1b[31m $\\frac{$ _x_", note="\u2028", foot="^")
    assert content.startswith(b"\x89PNG")


def test_a_styled_axis_has_names_and_no_frame():
    kept = []

    def draw(sub):
        kept.append(sub.subplots())
        styled(kept[0], x="epoch", y="loss (nats)")

    image = picture(drawn((4, 3), draw, title="Losses"))
    assert (kept[0].get_xlabel(), kept[0].get_ylabel()) == ("epoch", "loss (nats)")
    assert not any(side.get_visible() for side in kept[0].spines.values())
    assert image.getpixel((0, 0)) == tuple(int(PAPER[at : at + 2], 16) for at in (1, 3, 5))
