"""The file of decisions: appended to by several, never edited, and whole whatever was killed."""

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from imageledger import decisions
from imageledger.decisions import Decision, Follower
from imageledger.errors import LedgerError, ManifestError
from imageledger.record import Record


def decision(member="x.jpg", kind="keep", **more):
    return Decision(**{"source": "folder:a", "member": member, "decision": kind, "who": "Ada", "why": "seen", **more})


def name(digit):
    return f"{digit * 64}.jpg"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "manifests" / decisions.FILE


def test_what_is_appended_is_read_back_and_nothing_before_it_changes(path):
    first, second = decision(), decision("ü.jpg", "label", label="ai", origin=name("a"))
    decisions.append(path, [first])
    before = path.read_bytes()
    decisions.append(path, [second])
    assert path.read_bytes().startswith(before)
    assert decisions.lines(path) == [first, second]


def test_a_line_cut_off_by_a_kill_is_passed_over_and_taken_away_by_the_next_append(path, caplog):
    decisions.append(path, [decision()])
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"source": "folder:a", "mem')
    assert decisions.lines(path) == [decision()]
    decisions.append(path, [decision("y.jpg")])
    assert decisions.lines(path) == [decision(), decision("y.jpg")]
    assert "half a line" in caplog.text


def test_a_last_line_without_line_feed_that_a_person_typed_is_kept(path):
    path.parent.mkdir()
    path.write_text(decision().to_line(), encoding="utf-8")
    decisions.append(path, [decision("y.jpg")])
    assert [made.member for made in decisions.lines(path)] == ["x.jpg", "y.jpg"]


def test_a_torn_line_in_the_middle_is_no_end_of_the_file_and_is_refused(path):
    path.parent.mkdir()
    path.write_text('{"source"\n' + decision().to_line() + "\n", encoding="utf-8")
    with pytest.raises(ManifestError, match="not a line of JSON"):
        decisions.lines(path)


def test_what_is_no_decision_is_not_written(path):
    with pytest.raises(ManifestError, match="needs a label"):
        decisions.append(path, [decision(), decision(kind="label")])
    assert not path.exists()


APPEND = """
import sys
from pathlib import Path
from imageledger import decisions
from imageledger.decisions import Decision
for number in range(40):
    made = Decision(source="s", member=f"{sys.argv[2]}-{number}", decision="keep", who=sys.argv[2], why="x" * 300)
    decisions.append(Path(sys.argv[1]), [made])
"""


def test_two_processes_and_their_threads_append_without_losing_a_line(path):
    def run(who):
        subprocess.run([sys.executable, "-c", APPEND, str(path), who], check=True)

    with ThreadPoolExecutor() as pool:
        list(pool.map(run, "ab"))
    found = {made.member for made in decisions.lines(path)}
    assert found == {f"{who}-{number}" for who in "ab" for number in range(40)}


def test_a_full_disk_leaves_the_file_as_it_was_and_is_said(path, monkeypatch):
    decisions.append(path, [decision()])
    before = path.read_bytes()

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("imageledger.decisions.log.os.fsync", full)
    with pytest.raises(LedgerError, match="No space left"):
        decisions.append(path, [decision("y.jpg")])
    assert path.read_bytes() == before


def test_a_follower_reads_on_what_others_append_and_leaves_half_a_line_for_later(path):
    follower = Follower(path)
    assert follower.read_on() == []
    decisions.append(path, [decision()])
    assert follower.read_on() == [decision()]
    line = decision("y.jpg").to_line() + "\n"
    with path.open("a", encoding="utf-8") as file:
        file.write(line[:20])
    assert follower.read_on() == []
    with path.open("a", encoding="utf-8") as file:
        file.write(line[20:])
    assert follower.read_on() == [decision("y.jpg")]
    assert follower.read_on() == []


def test_an_undo_takes_back_the_last_line_that_it_names_and_can_be_taken_back_itself():
    keep, label = decision(), decision(kind="label", label="ai")
    undo = decision(kind="undo", undoes=label.digest)
    assert decisions.standing([keep, label, undo]).all == [keep]
    assert decisions.standing([keep, label, undo, label]).all == [keep, label]
    assert decisions.standing([keep, label, undo, decision(kind="undo", undoes=undo.digest)]).all == [keep, label]
    assert decisions.standing([label, label, undo]).all == [label]
    assert decisions.standing([undo, label]).all == [label]


ROW = Record(source="folder:a", member="x.jpg", label="real", origin=name("a"))


def test_the_last_decision_about_a_picture_holds_and_one_about_its_matte_stands_beside_it():
    matte = decision(kind="bad-matte", matte=name("c"))
    made = decisions.standing([decision(kind="label", label="ai"), matte, decision()])
    assert decisions.apply(ROW, made) == ROW
    assert decisions.mattes_of(made) == {ROW.key: (matte,)}
    unsure = decisions.standing([decision(kind="leave-out"), decision(kind="unsure")])
    assert decisions.apply(ROW, unsure) == ROW


def test_a_decision_about_bytes_that_have_changed_is_not_applied_and_says_so():
    made = decisions.standing([decision(kind="leave-out", origin=name("b"))])
    assert decisions.apply(ROW, made) == ROW
    (line,) = decisions.not_applied(made, {ROW.key: ROW})
    assert line.startswith("Not applied: Ada decided 'leave-out' about folder:a#x.jpg")
    same = decisions.standing([decision(kind="leave-out", origin=name("a"))])
    assert decisions.apply(ROW, same).status == "rejected"
    assert decisions.not_applied(same, {ROW.key: ROW}) == []


def pair(kind, one="x.jpg", other="y.jpg", **more):
    return decision(one, kind, other_source="folder:a", other_member=other, **more)


def test_a_pair_is_the_same_whichever_picture_comes_first_and_its_last_decision_holds():
    made = decisions.standing([pair("pair"), pair("not-duplicate", "y.jpg", "x.jpg")])
    origins = {("folder:a", "x.jpg"): "", ("folder:a", "y.jpg"): ""}
    (held,) = decisions.pairs_of(made, origins).values()
    assert held.decision == "not-duplicate"
    changed = decisions.standing([pair("pair", other_origin=name("b"))])
    assert decisions.pairs_of(changed, {**origins, ("folder:a", "y.jpg"): name("c")}) == {}


def test_one_person_is_one_group_and_the_groups_that_the_pictures_had_come_along():
    groups = {"a": "", "b": "cluster:1", "c": "cluster:1", "d": "", "e": "cluster:0"}
    rows = [
        Record(source="folder:a", member=f"{letter}.jpg", label="real", origin=name(letter), group=group)
        for letter, group in groups.items()
    ]
    made = decisions.standing([pair("same-person", "a.jpg", "b.jpg"), pair("same-person", "e.jpg", "b.jpg")])
    persons = decisions.persons_of(made, decisions.concerned(made, rows))
    groups = {row.member: persons.group_of(row) for row in rows}
    assert groups == {
        "a.jpg": "cluster:0",
        "b.jpg": "cluster:0",
        "c.jpg": "cluster:0",
        "d.jpg": "",
        "e.jpg": "cluster:0",
    }


def test_people_who_differ_about_a_picture_are_found_by_their_last_words():
    ada, bo = decision(kind="leave-out"), decision(who="Bo")
    assert list(decisions.disputed(decisions.standing([ada, bo])).values()) == [(ada, bo)]
    assert decisions.disputed(decisions.standing([ada, bo, decision(kind="keep")])) == {}
    assert decisions.disputed(decisions.standing([ada, decision(who="Bo", kind="unsure")])) == {}


def test_a_stage_depends_on_the_decisions_that_it_applies_and_on_no_others():
    def moved(*made):
        return {stage for stage in ("normalize", "dedupe", "whiten", "manifest")
                if decisions.digest(decisions.standing(made), stage)}  # fmt: skip

    assert moved(decision(kind="label", label="ai")) == {"dedupe", "manifest"}
    assert moved(decision()) == {"dedupe", "manifest"}
    assert moved(decision(despite="no face found")) == {"normalize", "dedupe", "whiten", "manifest"}
    assert moved(decision(kind="bad-matte")) == {"whiten"}
    assert moved(pair("pair")) == {"dedupe"}
    assert moved(pair("same-person")) == {"dedupe", "manifest"}
    undone = decision(kind="bad-matte")
    assert moved(undone, decision(kind="undo", undoes=undone.digest)) == set()


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"kind": "pair"}, "other_source and other_member belong"),
        ({"other_source": "s", "other_member": "m"}, "other_source and other_member belong"),
        ({"kind": "pair", "other_source": "folder:a", "other_member": "x.jpg"}, "two pictures, not one"),
        ({"kind": "undo"}, "names in undoes"),
        ({"undoes": "abc"}, "names in undoes"),
        ({"origin": "../../etc/passwd"}, "not the name of an object"),
        ({"kind": "leave-out", "despite": "no face found"}, "despite belongs"),
    ],
)
def test_a_decision_that_does_not_fit_itself_is_refused(path, fields, expected):
    kind = fields.pop("kind", "keep")
    path.parent.mkdir()
    row = {"source": "folder:a", "member": "x.jpg", "decision": kind, "who": "Ada", "why": "seen", **fields}
    path.write_text(json.dumps(row) + "\n", encoding="utf-8")
    with pytest.raises(ManifestError, match=expected):
        decisions.lines(path)
