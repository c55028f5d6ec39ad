"""The page that all audits share: it shows what a report holds, and no word of a report can break it."""

import re
from dataclasses import replace

import pytest
from browser import dom_of
from markupsafe import Markup
from PIL import Image

from audit.audit_page import ROWS, SHOWN, Drawing, Gallery, html
from audit.charts.rows import Bar, rows
from audit.findings import Finding, Report, Severity, notes
from imageledger import notebook
from imageledger.sheet import Cell, Frame

HOSTILE = "<script>alert(1)</script>\x1b[31m\u202e\"'&"
SEEN = Image.effect_noise((400, 400), 90)
FACE = Cell(frames=(Frame(picture=SEEN, caption=HOSTILE), Frame(missing=HOSTILE)), title=HOSTILE, lines=(HOSTILE,))


def report(**changes):
    given = Report(
        audit="slices",
        subject="first",
        findings=[Finding(severity=Severity.PROBLEM, sentence="The model fails."), *notes("Worth knowing.")],
        tables={
            "by part": [{"part": "dark", "p": 0.1234, "n": 3}, {"part": None, "p": float("nan"), "n": 4}],
            "no": [],
        },
        contents={"slices.csv": lambda: b"part\n"},
    )
    return replace(given, **changes)


def hostile():
    bar = Bar(name=HOSTILE, value=0.5, low=0.1, high=0.9, words=HOSTILE)
    drawing = Drawing(title=HOSTILE, drawn=rows([bar], x=HOSTILE, label=HOSTILE, ends=(0, 1)), note=HOSTILE)
    return report(
        audit=HOSTILE, subject=HOSTILE, verdict=HOSTILE, next_step=HOSTILE, warnings=[HOSTILE], page="x.html",
        findings=[Finding(severity=Severity.UNDECIDED, sentence=HOSTILE, records=[(HOSTILE, HOSTILE)])],
        tables={HOSTILE: [{HOSTILE: HOSTILE, "long": HOSTILE * 9}]}, contents={f"{HOSTILE}.csv": lambda: b""},
        drawings=lambda: [drawing], galleries=lambda: [Gallery(title=HOSTILE, cells=[FACE], note=HOSTILE)],
    )  # fmt: skip


def test_every_word_of_a_report_is_only_words_on_its_page():
    page = html(hostile())
    assert "<script" not in page
    assert page.count("&lt;script&gt;alert(1)") > 20
    assert not re.search("[\x1b\u202e]", page)
    assert "default-src 'none'; img-src data:; style-src 'unsafe-inline'\"" in page


def test_the_page_needs_nothing_but_itself():
    page = html(hostile())
    assert not re.search(r"(?:src|href)=\"(?!data:image/|#)", page)
    assert "url(" not in page
    assert "@import" not in page


@pytest.mark.long
def test_a_browser_reads_a_hostile_page_as_text(tmp_path):
    path = tmp_path / "x.html"
    path.write_text(html(hostile()), encoding="utf-8")
    dom = dom_of(path)
    assert dom.count("<h2") == 3
    assert "<script" not in dom
    assert dom.rstrip().endswith("</html>")


def test_findings_stand_there_with_their_severity_and_tables_without_rows_do_not():
    page = html(report(verdict="FAILS", next_step="fetch more"))
    assert '<p class="verdict">FAILS</p>' in page
    assert re.search(r'is-problem"><i aria-hidden="true">◆</i><span><b>problem</b>The model fails\.', page)
    assert '<i aria-hidden="true">●</i><span>Worth knowing.' in page
    assert page.count("<table") == 1
    assert '<td class="n">0.123</td>' in page
    assert "None" not in page
    assert "<strong>Next:</strong> fetch more" in page


def test_a_long_table_and_a_large_gallery_say_how_much_they_leave_out():
    cells = [Cell(frames=(Frame(missing="gone"),))] * (SHOWN + 5)
    page = html(report(tables={"all": [{"n": n} for n in range(ROWS + 7)]},
                       galleries=lambda: [Gallery(title="them", cells=cells, of=SHOWN + 5)]))  # fmt: skip
    assert "… and 7 more rows." in page
    assert f"{SHOWN} of {SHOWN + 5} are shown." in page
    assert page.count("<figure>") == SHOWN


def test_an_empty_gallery_leaves_nothing():
    assert "them" not in html(report(galleries=lambda: [Gallery(title="them", cells=[])]))


def test_every_audit_writes_a_page_unless_it_has_one_of_its_own(tmp_path):
    assert sorted(report().write(tmp_path)) == ["csv", "html"]
    assert (tmp_path / "slices.html").read_text(encoding="utf-8") == html(report())
    assert sorted(report(page="slices-real.html", contents={}).files) == ["slices-real.html"]
    assert sorted(report(variant=("quick",)).write(tmp_path / "quick")) == ["csv", "html"]
    assert sorted(path.name for path in (tmp_path / "quick").iterdir()) == ["slices-quick.csv", "slices-quick.html"]
    assert "Beside this page: slices-quick.csv." in (tmp_path / "quick" / "slices-quick.html").read_text()
    own = report(contents={"own.html": lambda: b"<html>"})
    assert list(own.files) == ["own.html"]


def test_a_notebook_shows_the_page_with_smaller_pictures_where_they_are_many():
    drawn = Drawing(title="A figure", drawn=Markup("<svg></svg>"))
    shown = report(
        drawings=lambda: [drawn], galleries=lambda: [Gallery(title="them", cells=[FACE] * SHOWN)]
    )._repr_html_()  # fmt: skip
    assert shown.startswith("<iframe sandbox srcdoc=")
    assert shown.count("data:image/webp") == SHOWN
    assert "A figure" in shown
    assert notebook.fits(shown)
