"""The page and the figure of audit shortcuts: what they show, in a real browser too."""

import io
import re
from dataclasses import replace

import numpy as np
import pytest
from audit_world import Page
from browser import dom_of, screenshot
from PIL import Image, ImageColor
from shortcut_world import HOSTILE, dataset, probe_of, probed_of, stage_of

from audit.shortcuts import figure as shortcut_figure
from audit.shortcuts import page as shortcut_page
from audit.shortcuts import report as shortcut_report
from audit.shortcuts.work import ShortcutsSettings, probe_stages
from curate.evidence.verdict import ALL
from imageledger.config import open_project
from imageledger.figure import FINE, PROBLEM, UNDECIDED

pytestmark = [pytest.mark.long, pytest.mark.usefixtures("quick_probe")]

COLOURS = [ImageColor.getrgb(colour) for colour in (PROBLEM, UNDECIDED, FINE)]


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """The folder of an audit of all stages of a project whose ai pictures are darker, and its project."""
    root = tmp_path_factory.mktemp("page")
    (root / "imageledger.toml").write_text('dataset = "drawn"\n', encoding="utf-8")
    project = open_project(root)
    dataset(project)
    settings = ShortcutsSettings(family=("container", "tone"), permutations=300, workers=1, stage="all")
    shortcut_report.report(project, probe_stages(project, settings=settings), root / "out").write()
    return root / "out"


TONE = ShortcutsSettings(family="tone", permutations=100, workers=1)


def page_at(folder) -> Page:
    return Page((folder / "shortcuts.html").read_text(encoding="utf-8"))


def pixels_near(picture: Image.Image, colour: tuple[int, int, int], reach: int = 14) -> int:
    return int((abs(np.asarray(picture.convert("RGB")).astype(int) - colour) < reach).all(axis=2).sum())


def drawn(audit) -> Image.Image:
    return Image.open(io.BytesIO(shortcut_figure.png(audit)))


def test_the_page_says_the_conclusion_first_and_needs_nothing_but_itself(written):
    page = page_at(written)
    assert page.words.split("AUC")[0].strip().endswith("The file alone tells the classes apart with")
    assert page.loaded
    assert all(address.startswith("data:image/") for address in page.loaded)
    assert all(link.startswith("#") for link in page.links)
    assert not {"script", "link", "iframe", "object", "embed", "form"} & set(page.tags)


def test_every_family_has_its_place_with_what_to_do_and_six_pictures(written):
    page = page_at(written)
    assert page.ids == ["container", "tone", "all"]
    assert page.links == ["#container", "#tone", "#all"]
    shown = page.words[page.words.index("Tone\n") :]
    assert "What to do:" in shown
    assert "the strongest of" in shown
    assert page.tags.count("svg") == 2 + ("All its numbers are the same" not in page.words)
    assert page.tags.count("img") in (1 + 2 * 6, 1 + 3 * 6)  # a family that never varies has no example


def test_a_hostile_member_name_is_only_words_on_the_page(project, tmp_path):
    dataset(project)
    one = probe_stages(project, settings=TONE).last
    row = next(n for n, record in enumerate(one.table.records) if record.member == HOSTILE)
    scores = np.where(np.arange(len(one.positive)) == row, 9.0, one.probes[0].scores)
    audit = probed_of(replace(one, probes=(replace(one.probes[0], scores=scores),)))
    shortcut_report.report(project, audit, tmp_path).write()
    text = (tmp_path / "shortcuts.html").read_text(encoding="utf-8")
    assert "<script" not in text
    assert "&lt;script&gt;alert(1)" in text
    assert "\x1b" not in text
    assert "\u202e" not in text


def test_a_picture_that_is_gone_by_then_leaves_words_in_its_place(project):
    records = dataset(project)
    audit = probe_stages(project, settings=TONE)
    for record in records:
        project.store.path(record.file).unlink(missing_ok=True)
    (card,) = shortcut_page.cards_of(project, audit)
    text = shortcut_page.html_text(audit, [card], shortcut_figure.png(audit))
    assert text.count("object missing") == 6


def test_examples_are_the_pictures_of_each_class_that_give_it_away_most():
    positive = np.array([False, True, False, True, False, True])
    scores = np.array([0.3, 0.9, -2.0, 0.1, 0.3, 5.0])
    assert shortcut_page.given_away(scores, positive, most=2) == ([2, 0], [5, 1])


def test_the_figure_shows_each_verdict_in_its_colour_and_one_panel_a_stage():
    probes = probe_of("container"), probe_of("tone", 0.6, "INCONCLUSIVE", 90), probe_of(ALL, 0.5, "CLEAN")
    one = drawn(probed_of(stage_of("final", *probes)))
    assert all(pixels_near(one, colour) > 100 for colour in COLOURS)
    two, four = (
        drawn(probed_of(*(stage_of(stage, *probes) for stage in ("fetched", "normalized", "whitened", "final")[:most])))
        for most in (2, 4)
    )
    assert four.width > two.width
    assert pixels_near(four, COLOURS[0]) > 1.4 * pixels_near(two, COLOURS[0])  # the key has one mark more


def test_equal_audits_give_equal_figures_whatever_was_drawn_before():
    audit = probed_of(stage_of("final", probe_of("tone")))
    first = shortcut_figure.png(audit)
    shortcut_figure.png(probed_of(stage_of("x$_{}$y", probe_of("matte"), each=3)))
    assert shortcut_figure.png(audit) == first


def test_a_browser_shows_every_picture_and_the_page_is_never_wider_than_the_window(written, tmp_path):
    text = (written / "shortcuts.html").read_text(encoding="utf-8")
    counting = (
        "<script>addEventListener('load', () => { const all = [...document.images];"
        "document.body.dataset.broken = all.filter(i => i.naturalWidth == 0).length + ' of many';"
        "document.body.dataset.wide = document.documentElement.scrollWidth <= innerWidth; })</script>"
    )
    probe = tmp_path / "probe.html"
    probe.write_text(re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", text) + counting, encoding="utf-8")
    dom = dom_of(probe)
    assert 'data-broken="0 of many"' in dom
    assert 'data-wide="true"' in dom


def test_a_browser_paints_the_page_light_and_dark(written, tmp_path):
    corners = []
    for dark in (False, True):
        shot = screenshot(written / "shortcuts.html", tmp_path / f"{dark}.png", width=1200, height=2200, dark=dark)
        with Image.open(shot) as picture:
            corners.append(picture.convert("L").getpixel((5, 5)))
            blue = (127, 176, 234) if dark else (47, 109, 181)
            assert pixels_near(picture, blue, 6) > 300  # the bars of a spread
    assert corners[0] > 200 > 60 > corners[1]
