"""The charts of the pages: places on axes, words that cannot break out, and marks beside colours."""

import re
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from audit.charts.matrix import Cell, MatrixRow, matrix
from audit.charts.plane import Series, plane
from audit.charts.rows import Bar, rows, short
from audit.charts.spread import spread
from audit.charts.svg import Axis, element

HOSTILE = '"/><script>alert(1)</script>\x1b[31m\u202e&'


def tree(markup):
    """A chart as a tree: it must be well-formed."""
    return ElementTree.fromstring(str(markup))


@given(some.floats(-1e6, 1e6), some.floats(0.001, 1e6))
def test_the_ticks_of_an_axis_lie_on_it_and_are_few_and_evenly_apart(low, span):
    axis = Axis(low, low + span, 0, 100)
    ticks = axis.ticks(5)
    assert 1 <= len(ticks) <= 6
    assert all(low - 1e-6 * span <= tick <= low + span + 1e-6 * span for tick in ticks)
    assert np.ptp(np.diff(ticks)) <= 1e-6 * span if len(ticks) > 2 else True


def test_a_value_outside_the_axis_is_drawn_at_its_end():
    axis = Axis(0, 1, 10, 110)
    assert (axis.at(-5), axis.at(0.25), axis.at(9)) == (10, 35, 110)
    assert Axis(3, 3, 0, 10).at(3) == 5


def test_no_name_can_break_out_of_a_chart():
    line, cell = Series(name=HOSTILE, points=[(0, 0), (1, 1)]), Cell(words=HOSTILE, title=HOSTILE)
    charts = [
        plane([line], x=HOSTILE, y=HOSTILE, label=HOSTILE, xs=(0, 1), ys=(0, 1)),
        rows([Bar(name=HOSTILE, value=0.5, words=HOSTILE)], x=HOSTILE, label=HOSTILE, ends=(0, 1)),
        matrix([MatrixRow(name=HOSTILE, cells=[cell])], [HOSTILE], corner=HOSTILE, label=HOSTILE),
        spread(np.array([0.0, 1.0]), np.array([True, False]), [HOSTILE, HOSTILE], name=HOSTILE),
        element("text", HOSTILE, title=HOSTILE),
    ]  # fmt: skip
    for chart in charts:
        assert {part.tag for part in tree(chart).iter()}.isdisjoint({"script"})
        assert not re.search("[\x1b\u202e]", str(chart))


def test_points_lie_where_the_axes_say():
    drawn = tree(
        plane([Series(name="", points=[(0, 0), (1, 1)], shape="o")], x="x", y="y", label="l", xs=(0, 1), ys=(0, 1))
    )
    first, last = [(float(dot.get("cx")), float(dot.get("cy"))) for dot in drawn.iter("circle")]
    assert first[0] < last[0]
    assert first[1] > last[1]  # up is more
    ticks = {part.text: float(part.get("x")) for part in drawn.iter("text") if part.get("text-anchor") == "middle"}
    assert ticks["0"] == first[0]
    assert ticks["1"] == last[0]


def test_whole_numbers_alone_are_ticks_of_epochs():
    drawn = tree(
        plane(
            [Series(name="", points=[(1, 0), (3, 1)])], x="epoch", y="loss", label="l", xs=(1, 3), ys=(0, 1), whole=True
        )
    )
    words = [part.text for part in drawn.iter("text") if part.get("text-anchor") == "middle"]
    assert words[:3] == ["1", "2", "3"]


def test_every_verdict_has_a_shape_beside_its_colour():
    shapes = [tree(rows([Bar(name="a", value=0.5, shape=shape)], x="x", label="l", ends=(0, 1))) for shape in "osD"]
    found = [{part.tag for part in drawn.iter() if part.get("class", "").startswith("dot")} for drawn in shapes]
    assert found == [{"circle"}, {"rect"}, {"path"}]


def test_a_long_name_stands_above_its_row_and_an_endless_one_is_shortened_in_the_middle():
    short_one, long_one = Bar(name="tone", value=0.5), Bar(name="share of pixels at white, in one channel", value=0.5)
    beside = tree(rows([short_one], x="x", label="l", ends=(0, 1)))
    above = tree(rows([short_one, long_one], x="x", label="l", ends=(0, 1)))
    names = [[part.get("text-anchor") for part in drawn.iter("text")][-2] for drawn in (beside, above)]
    assert names == ["end", "start"]
    assert long_one.name in [part.text for part in above.iter("text")]
    endless = tree(rows([Bar(name="x" * 200, value=0.5)], x="x", label="l", ends=(0, 1)))
    assert [part.text for part in endless.iter("title")] == ["x" * 200]
    assert short("x" * 200, 440) in [part.text for part in endless.iter("text")]
    assert len(short("x" * 200, 440)) <= 440 / 7


def test_a_short_row_of_a_matrix_is_filled_and_shades_are_shares():
    drawn = tree(
        matrix([MatrixRow(name="tone", cells=[Cell(words="0.9 ✗", shade=1.7)])], ["a", "b"], corner="f", label="l")
    )
    cells = list(drawn.iter("td"))
    assert [cell.text for cell in cells] == ["0.9 ✗", "–"]
    assert cells[0].get("style") == "--shade:100%"


@pytest.mark.parametrize("values", [[np.nan, np.nan], [2.0, 2.0], [np.nan, 1.0], [-1e300, 1e300], [np.inf, 0.0]])
def test_a_spread_is_drawn_of_whatever_numbers_there_are(values):
    drawn = spread(np.array(values), np.array([True, False]), ["real", "ai"], name="n")
    assert drawn is None if not np.isfinite(values).any() else tree(drawn).tag == "svg"


def test_a_spread_counts_each_class_by_itself():
    drawn = tree(spread(np.array([0.0] * 90 + [1.0] * 10), np.arange(100) >= 90, ["real", "ai"], name="n"))
    bars = {part.get("class"): float(part.get("height")) for part in drawn.iter("rect")}
    assert bars["bar negative"] == bars["bar positive"]  # all of either class lie in one bar


def test_a_spread_keeps_both_classes_apart_and_its_axis_holds_all_but_the_farthest():
    values = np.array([1.0, 2.0, 3.0, np.nan, 8.0, 9.0, 10.0, 1e9])
    words = [part.text for part in tree(spread(values, np.arange(8) >= 4, ["real", "ai"], name="n")).iter("text")]
    assert "real: median 2, ai: median 9.5" in words
    same = [part.text for part in tree(spread(np.full(8, 3.0), np.arange(8) >= 4, ["a", "b"], name="n")).iter("text")]
    assert same[:2] == ["2.5", "3.5"]
