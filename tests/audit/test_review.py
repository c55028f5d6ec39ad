"""The desk without a browser: its queues, what it writes, and whom it lets in."""

import json
import signal
from dataclasses import replace

import pytest
from audit_world import HOSTILE, run_on_eight
from desk_world import ask, desk_of, process, served

from audit.review import work
from audit.review.queues import NAMES, found
from audit.review.work import ReviewSettings
from imageledger import decisions, manifest
from imageledger.errors import ConfigError, LedgerError, RunError


@pytest.fixture
def desk(project):
    """A desk over a run on eight pictures, two of them reals called ai."""
    run_on_eight(project)
    return desk_of(project)


def rewritten(project, change):
    """Write the final manifest anew with every row changed."""
    path = project.manifest("manifest")
    rows = [change(row) for row in manifest.read(path)]
    manifest.write(path, rows)


def test_reals_called_ai_are_queued_by_loss_and_say_why(desk):
    items = desk.queues["misclassified"].items
    assert [item.records[0].member for item in items] == [HOSTILE, "real/1.jpg"]
    assert "Run first calls it ai with probability 0.90" in items[0].why


def test_every_queue_is_there_and_one_that_cannot_be_made_says_which_command_makes_it(project):
    run_on_eight(project)
    desk = desk_of(project)
    assert set(desk.queues.names) == set(NAMES)
    assert desk.queues["labels"].command == "train cross-validate"
    assert desk.queues["shortcuts"].command == "audit shortcuts --stage all"
    without_run = desk_of(project, what="final")
    assert without_run.queues["misclassified"].command == "train run"
    assert len(without_run.queues["everything"].items) == 8


def test_refused_mattes_pictures_without_a_face_conflicts_and_copies_have_their_queues(project):
    run_on_eight(project)
    rows = list(manifest.read(project.manifest("manifest")))
    seen = replace(rows[1].steps[1], found={"faces": 0})
    fates = {
        rows[0].key: {"status": "rejected", "reason": "matte: 2 large pieces"},
        rows[1].key: {"status": "rejected", "reason": "no face found", "steps": (rows[1].steps[0], seen)},
        rows[2].key: {"status": "duplicate", "reason": "same bytes", "duplicate_of": rows[3].name, "similarity": 1.0},
        rows[4].key: {"status": "rejected",
                      "reason": f"conflict: the same picture is labelled ai as {rows[3].name}"},
    }  # fmt: skip
    rewritten(project, lambda row: replace(row, **fates.get(row.key, {})))
    queues = desk_of(project, what="final").queues
    keys = {name: [item.keys for item in queues[name].items] for name in ("refused-mattes", "no-face", "conflicts")}
    assert keys == {"refused-mattes": [(rows[0].key,)], "no-face": [(rows[1].key,)],
                    "conflicts": [(rows[4].key, rows[3].key)]}  # fmt: skip
    copies = desk_of(project, what="final").queues["pairs"]
    assert not copies.items  # no picture of this set has a perceptual hash
    assert copies.command == "curate normalize"


def test_the_filter_takes_every_word_and_asks_whether_a_picture_is_decided(desk):
    queue = desk.queues["everything"]
    desk.decide([queue.items[0]], "keep")
    assert len(found(queue, "real", desk.is_decided)) == 4
    assert found(queue, "ai/2 VALID", desk.is_decided) == [2]
    assert found(queue, "decided", desk.is_decided) == [0]
    assert 0 not in found(queue, "undecided", desk.is_decided)


def test_a_decision_names_the_bytes_that_it_is_about_and_who_made_it_and_why(desk):
    item = desk.queues["misclassified"].items[1]
    record = item.records[0]
    (made,) = desk.decide([item], "bad-matte", note="  an ear\n is missing ")
    assert decisions.lines(desk.path) == [made]
    assert (made.key, made.origin, made.matte) == (record.key, record.origin, record.matte)
    assert (made.who, made.why) == ("Ada", "an ear is missing")
    (label,) = desk.decide([item], "label")
    assert (label.label, label.why) == ("ai", "seen at the desk")


def test_to_keep_a_refused_matte_says_despite_what(project):
    run_on_eight(project)
    rewritten(project, lambda row: replace(row, status="rejected", reason="matte: 2 large pieces"))
    desk = desk_of(project)
    item = desk.queues["refused-mattes"].items[0]
    (made,) = desk.decide([item], "keep")
    assert (made.despite, made.matte) == ("matte: 2 large pieces", item.records[0].matte)


def test_history_shows_both_lines_which_of_them_holds_and_that_people_differ(project):
    run_on_eight(project)
    ada, bo = desk_of(project), desk_of(project, "Bo")
    item = ada.queues["everything"].items[0]
    ada.decide([item], "leave-out")
    bo.decide([item], "keep")
    ada.read_on()
    said = ada.history(item)
    assert [(one.made.who, one.made.decision, one.state, one.disputed) for one in said] == [
        ("Bo", "keep", "holds", True), ("Ada", "leave-out", "overruled", True),
    ]  # fmt: skip
    (differ,) = desk_of(project).queues["disagreements"].items
    assert differ.why == "Ada decided 'leave-out'; Bo decided 'keep'. The later decision holds."


def test_a_decision_can_be_taken_back_once_and_both_lines_stay(desk):
    item = desk.queues["everything"].items[0]
    (made,) = desk.decide([item], "leave-out")
    desk.take_back(item, made.digest)
    assert [line.decision for line in decisions.lines(desk.path)] == ["leave-out", "undo"]
    assert not desk.is_decided(item)
    assert [one.state for one in desk.history(item)] == ["taken back"]
    with pytest.raises(LedgerError, match="taken back already"):
        desk.take_back(item, made.digest)


def test_a_decision_about_other_bytes_is_shown_as_such(desk):
    item = desk.queues["everything"].items[0]
    record = item.records[0]
    old = decisions.Decision(source=record.source, member=record.member, decision="leave-out", who="Bo", why="seen",
                             origin=f"{'0' * 64}.jpg")  # fmt: skip
    decisions.append(desk.path, [old])
    desk.read_on()
    assert [one.state for one in desk.history(item)] == ["about other bytes"]


def test_a_name_that_is_no_run_stage_or_manifest_is_refused_with_those_there_are(project):
    run_on_eight(project)
    with pytest.raises(RunError, match="'secnd' is no run, no manifest and no stage") as error:
        desk_of(project, what="secnd")
    assert "runs here: first" in error.value.hint
    with pytest.raises(ConfigError, match="there is no queue 'faces'"):
        ReviewSettings(queue="faces")


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """The address of a desk that is served, for requests that change nothing but decisions."""
    from imageledger.config import open_project

    root = tmp_path_factory.mktemp("served")
    (root / "imageledger.toml").write_text('dataset = "drawn"\n', encoding="utf-8")
    project = open_project(root)
    run_on_eight(project)
    with served(project) as at:
        yield at


def test_only_this_host_with_the_token_from_this_page_is_let_in(address):
    assert ask(address)[0] == 200
    assert ask(address, Host="evil.example")[0] == 421
    assert ask(address, Host=f"evil.example:{address.split(':')[2].split('/')[0]}")[0] == 421
    wrong = address.replace(address.rstrip("/").rpartition("/")[2], "guessed")
    assert ask(wrong)[0] == 403
    assert ask(address.rpartition("/")[0].rpartition("/")[0] + "/")[0] == 403
    assert ask(address, Sec_Fetch_Site="cross-site")[0] == 403


def test_a_decision_is_only_taken_from_the_page_itself_and_never_by_reading(address):
    form = {"decision": "keep"}
    assert ask(address, "everything/1/decide", form, Origin="https://evil.example")[0] == 403
    assert ask(address, "everything/1/decide", form, Origin="null")[0] == 403
    assert ask(address, "everything/1/decide", form, Origin="")[0] == 403
    assert ask(address, "everything/1/decide?decision=keep")[0] == 405
    assert ask(address, "everything/1/undo?undoes=abc")[0] == 405
    status, _, headers = ask(address, "everything/1/decide", form)
    assert (status, headers["location"].partition("?")[0].rpartition("/")[2]) == (303, "2")


@pytest.mark.parametrize(
    "names",
    ["object/../../../../etc/passwd", "object/..%2f..%2f..%2fimageledger.toml", "object/abc.jpg", "white/a.png",
     f"heat/{'0' * 64}.png", f"object/{'0' * 64}.jpg", "secret/abc", f"object/{'A' * 64}.jpg"],
)  # fmt: skip
def test_a_picture_is_only_served_by_the_name_of_an_object_that_is_there(address, names):
    status, text, _ = ask(address, f"picture/large/{names}")
    assert status == 404
    assert "root:" not in text
    assert "dataset" not in text


def test_answers_may_not_be_framed_kept_or_run_anything_else(address):
    headers = ask(address, "everything/1")[2]
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert (headers["cache-control"], headers["referrer-policy"]) == ("no-store", "same-origin")
    assert headers["x-frame-options"] == "DENY"
    assert "server" not in headers


def test_hostile_names_and_notes_are_only_words(address):
    place = next(n for n in range(1, 9) if "script" in ask(address, f"everything/{n}")[1].partition("<h1")[2])
    ask(address, f"everything/{place}/decide", {"decision": "unsure", "note": "<img src=x onerror=alert(1)>\x1b[31m"})
    text = ask(address, f"everything/{place}")[1]
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert(1)" in text
    assert "<img src=x" not in text
    assert "&lt;img src=x onerror=alert(1)&gt;" in text
    assert not {"\x1b", "\u202e"} & set(text)


@pytest.mark.parametrize(
    ("path", "form", "status"),
    [
        ("everything/1/decide", {"decision": "delete-everything"}, 400),
        ("everything/1/decide", {"decision": "pair"}, 400),
        ("everything/1/decide", {"decision": "undo"}, 400),
        ("everything/1/decide", {}, 400),
        ("everything/99/decide", {"decision": "keep"}, 404),
        ("everything/decide", {"decision": "keep"}, 400),
        ("everything/decide", {"decision": "keep", "item": ["x", "-3", "99"]}, 400),
        ("nothing/1/decide", {"decision": "keep"}, 404),
        ("everything/1/decide", {"decision": "keep", "note": "x" * 70_000}, 413),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused_and_nothing_is_written(address, path, form, status):
    before = ask(address, "everything/1/state")[1]
    assert ask(address, path, form)[0] == status
    assert ask(address, "everything/1/state")[1] == before


@pytest.mark.parametrize("path", ["everything/1?view=../../x", "everything/go?n=999999999999999999999", "everything/0",
                                  "everything/grid?page=-5&find=%00", f"everything/{'9' * 5000}",
                                  "everything/?find=%22%3E%3Cscript%3E"])  # fmt: skip
def test_strange_addresses_are_answered_without_a_fault(address, path):
    status, text, _ = ask(address, path)
    assert status in (200, 303, 404, 414)
    assert "<script>" not in text.replace('<script type="module" src=', "")


def test_one_decision_is_made_about_several_and_two_that_were_selected_are_a_pair(address):
    status, _, headers = ask(address, "everything/decide", {"decision": "keep", "item": ["3", "4"]})
    assert (status, headers["location"].endswith("saved=2")) == (303, True)
    ask(address, "everything/decide", {"decision": "same-person", "item": ["5", "6"], "note": "her sister"})
    text = ask(address, "everything/5")[1]
    assert "same-person" in text
    assert "her sister" in text
    assert ask(address, "everything/decide", {"decision": "pair", "item": ["1", "2", "3"]})[0] == 400


def test_a_page_out_of_date_is_told_that_somebody_decided_meanwhile(address):
    json_too = {"Accept": "application/json"}
    state = json.loads(ask(address, "everything/8/state")[1])
    ask(address, "everything/8/decide", {"decision": "leave-out"})
    said = json.loads(ask(address, "everything/8/decide", {"decision": "keep", "seen": state["seen"]}, **json_too)[1])
    assert said["said"] == "Saved: keep."
    assert said["conflict"].startswith("Ada had decided 'leave-out' meanwhile.")


@pytest.mark.long
def test_ctrl_c_ends_the_command_and_says_what_was_saved(project):
    run_on_eight(project)
    with process(project.root, "--who", "Bo") as (at, running):
        assert ask(at, "everything/1/decide", {"decision": "keep"})[0] == 303
        running.send_signal(signal.SIGINT)
        said = running.communicate(timeout=20)[1]
    assert running.returncode == 0
    assert "1 decision was saved in" in said
    assert decisions.lines(project.folder / decisions.FILE)[0].who == "Bo"


def test_a_port_in_use_is_said(project):
    with work.listen(0) as taken, pytest.raises(LedgerError, match="cannot be used"):
        work.listen(taken.getsockname()[1])
