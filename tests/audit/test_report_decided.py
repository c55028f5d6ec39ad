"""The report says what people decided, what became of it, and what is not applied."""

import pytest
from audit_world import HOSTILE, Page, run_on_eight

from audit.cli import main
from audit.report.decided.work import decided
from audit.report.subject import subject_of
from imageledger import decisions
from imageledger.decisions import Decision

SOURCE = "kaggle:somebody/faces@3"


def said(member, kind, who="Ada", **more):
    return Decision(source=SOURCE, member=member, decision=kind, who=who, why="seen", **more)


@pytest.fixture
def section(project):
    """The part of the report for some decisions on a run of eight pictures."""

    def make(*made):
        run_on_eight(project)
        decisions.append(project.folder / decisions.FILE, made)
        return decided(subject_of(project))

    return make


def test_without_decisions_the_report_has_no_such_part(project):
    run_on_eight(project)
    assert decided(subject_of(project)) is None


def test_decisions_are_counted_by_kind_and_by_who_signed_them(section):
    found = section(
        said("real/1.jpg", "leave-out"), said("real/3.jpg", "leave-out", who="Ben"), said(HOSTILE, "label", label="ai")
    )
    assert found.kinds == {"leave-out": 2, "label ai": 1}
    assert found.people == {"Ada": 2, "Ben": 1}
    assert [one.decision.member for one in found.made] == [HOSTILE, "real/3.jpg", "real/1.jpg"]
    assert found.made[0].became == "real, valid"  # the stage has not applied it yet


def test_a_later_word_of_the_same_person_replaces_the_earlier_one_and_of_another_person_is_a_dispute(section):
    same = section(said("real/1.jpg", "leave-out"), said("real/1.jpg", "keep"))
    assert same.kinds == {"keep": 1}
    assert same.disputed == 0
    assert section(said("real/1.jpg", "leave-out", who="Ben")).disputed == 1


def test_pictures_that_people_took_out_flatter_every_later_figure_and_the_report_says_so(section, project, runner):
    assert section(said("real/3.jpg", "keep")).warning == ""
    assert section(said("real/1.jpg", "leave-out")).warning.startswith("People left out or relabelled 1 picture.")
    done = runner.invoke(main, ["report"])
    assert "only pictures that nobody has looked at" in done.stderr
    assert "only pictures that nobody has looked at" in (project.runs / "first/audit/report.html").read_text()


def test_a_decision_about_other_bytes_or_about_no_row_is_said_to_be_not_applied(section):
    found = section(said("real/1.jpg", "leave-out", origin="0" * 64 + ".jpg"), said("absent.jpg", "keep"))
    assert "whose bytes have changed since" in found.unapplied[0]
    assert "absent.jpg: no row has this name" in found.unapplied[1]
    assert found.made[0].shown.missing == "no row has its name"


def test_a_note_and_a_name_are_only_words_on_the_page(section, project, runner):
    section(said(HOSTILE, "leave-out", who="<script>alert(2)</script>"))
    done = runner.invoke(main, ["report"])
    assert done.exit_code == 0, done.output
    text = (project.runs / "first/audit/report.html").read_text(encoding="utf-8")
    assert text.count("<script") == 1
    assert "<script>alert(2)</script>" in Page(text).words
