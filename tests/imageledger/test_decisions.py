"""What people decide about pictures, and how it is read."""

import json

import pytest

from imageledger import decisions
from imageledger.errors import ManifestError
from imageledger.record import Record


def line(**fields):
    whole = {"source": "folder:a", "member": "x.jpg", "decision": "keep", "who": "Ada", "why": "looked at it", **fields}
    return json.dumps({name: value for name, value in whole.items() if value is not None})


def written(tmp_path, *lines):
    path = tmp_path / decisions.FILE
    path.write_text("".join(f"{text}\n" for text in lines), encoding="utf-8")
    return path


ROW = Record(source="folder:a", member="x.jpg", label="real")


def test_no_file_holds_no_decisions(tmp_path):
    assert decisions.read(tmp_path / "none.jsonl") == {}
    assert decisions.digest(decisions.read(tmp_path / "none.jsonl"), "dedupe") == ""
    assert decisions.apply(ROW, {}) == ROW


def test_a_new_label_replaces_the_old_one_and_the_last_word_counts(tmp_path):
    made = decisions.read(
        written(tmp_path, line(decision="label", label="ai"), "", line(decision="label", label="real"))
    )
    assert decisions.apply(ROW, made).label == "real"
    made = decisions.read(written(tmp_path, line(decision="label", label="ai")))
    assert decisions.apply(ROW, made).label == "ai"


def test_what_is_left_out_is_rejected_with_who_and_why(tmp_path):
    made = decisions.read(written(tmp_path, line(decision="leave-out", why="a drawing")))
    left = decisions.apply(ROW, made)
    assert (left.status, left.reason) == ("rejected", "left out by Ada: a drawing")
    assert decisions.apply(left, made) == left


def test_leaving_out_does_not_hide_why_a_row_was_set_aside_before(tmp_path):
    made = decisions.read(written(tmp_path, line(decision="leave-out")))
    torn = ROW.failed("truncated JPEG")
    assert decisions.apply(torn, made) == torn


def test_a_mind_can_be_changed(tmp_path):
    made = decisions.read(written(tmp_path, line(decision="leave-out"), line(decision="keep")))
    assert decisions.apply(ROW, made) == ROW
    assert decisions.keeps(ROW, made)


def test_members_are_compared_in_one_unicode_form(tmp_path):
    made = decisions.read(written(tmp_path, line(member="Ange\u0301lique.jpg", decision="leave-out")))
    assert decisions.apply(Record(source="folder:a", member="Angélique.jpg", label="real"), made).status == "rejected"


def test_decisions_about_no_row_are_named(tmp_path):
    made = decisions.read(written(tmp_path, line(), line(member="typo.jpg")))
    assert decisions.without_row(made, [ROW]) == ["folder:a#typo.jpg"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{", "not a line of JSON"),
        ("[]", "a JSON object of strings"),
        (line(who=3), "a JSON object of strings"),
        (line(who=None), "who is missing"),
        (line(why=""), "why is missing"),
        (line(decision="maybe"), "'maybe' is not a decision"),
        (line(decision="label"), "needs a label, and no other"),
        (line(label="ai"), "needs a label, and no other"),
        (line(decision="label", label="fake"), "'fake' is not a label"),
        (line(when="today"), "no field 'when'"),
    ],
)
def test_what_is_no_decision_is_refused_with_its_line(tmp_path, text, expected):
    with pytest.raises(ManifestError, match=expected) as error:
        decisions.read(written(tmp_path, line(), text), labels=("real", "ai"))
    assert f"{decisions.FILE}:2: " in error.value.what


def test_decisions_saved_with_a_byte_order_mark_and_names_with_odd_line_breaks_are_read(tmp_path):
    path = tmp_path / "decisions.jsonl"
    line = '{"source": "folder:in", "member": "a%sb.jpg", "decision": "leave-out", "who": "me", "why": "x"}\n'
    odd = ("\u2028", "\u0085", "\u2029")
    path.write_text("\ufeff" + "".join(line % sign for sign in odd), encoding="utf-8")
    assert {member for _, member in decisions.read(path)} == {f"a{sign}b.jpg" for sign in odd}
