"""The desk without a browser: its queues, what it writes, and whom it lets in."""

import io
import signal
import sys
from dataclasses import replace

import pytest
from audit_world import HOSTILE, run_on_eight
from desk_world import ask, desk_of, process
from PIL import Image

from audit.cli import main
from audit.review import work
from audit.review.ahead import Pictures
from audit.review.queues import NAMES, found
from audit.review.views import views
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
    assert not desk.is_decided(item)


def test_a_picture_with_another_matte_than_the_refused_one_is_undecided_again(desk):
    item = desk.queues["everything"].items[0]
    record = item.records[0]
    old = decisions.Decision(source=record.source, member=record.member, decision="bad-matte", who="Bo", why="seen",
                             matte=f"{'0' * 64}.png")  # fmt: skip
    decisions.append(desk.path, [old])
    desk.read_on()
    assert not desk.is_decided(item)
    desk.decide([item], "bad-matte")
    assert desk.is_decided(item)


def test_a_decision_about_a_pair_is_taken_back_for_both_pictures(desk):
    one, other = desk.queues["everything"].items[:2]
    (made,) = desk.decide([replace(one, records=(*one.records, *other.records))], "pair")
    assert [said.about(other) for said in desk.history(other)] == [f"with {one.records[0].member}"]
    desk.take_back(one, made.digest)
    assert [said.state for said in desk.history(other)] == ["taken back"]


def test_a_project_that_cannot_be_written_to_says_that_nothing_was_saved(desk, monkeypatch):
    def refused(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("imageledger.decisions.log._append", refused)
    with pytest.raises(LedgerError, match="cannot be written: Permission denied"):
        desk.decide(desk.queues["everything"].items[:1], "keep")


def test_where_the_model_looked_is_a_view_once_it_was_drawn(project):
    folder = run_on_eight(project) / "audit" / "attention"
    record = next(manifest.read(project.manifest("manifest")))
    pictures = Pictures(project.store, folder)
    assert "heat" not in [view.name for view in views(record, pictures.has_heat)]
    folder.mkdir(parents=True)
    Image.new("RGB", (40, 30), "red").save(folder / f"{record.file.partition('.')[0]}.png")
    heat = views(record, pictures.has_heat)[-1]
    assert (heat.name, heat.address) == ("heat", f"heat/{record.file}")
    with Image.open(io.BytesIO(pictures.webp(heat.picture, "large"))) as shown:
        assert (shown.format, shown.size) == ("WEBP", (40, 30))


def test_a_refused_matte_is_shown_with_the_person_on_white(project):
    run_on_eight(project)
    record = next(manifest.read(project.manifest("manifest")))
    refused = replace(record, status="rejected", reason="matte: 2 large pieces", file=record.steps[-1].on)
    white = {view.name: view for view in views(refused, lambda _: False)}["white"]
    with Image.open(io.BytesIO(Pictures(project.store).webp(white.picture, "large"))) as shown:
        assert min(shown.convert("RGB").getpixel((1, 1))) > 250


def test_a_name_that_is_no_run_stage_or_manifest_is_refused_with_those_there_are(project):
    run_on_eight(project)
    with pytest.raises(RunError, match="'secnd' is no run, no manifest and no stage") as error:
        desk_of(project, what="secnd")
    assert "runs here: first" in error.value.hint
    with pytest.raises(ConfigError, match="there is no queue 'faces'"):
        ReviewSettings(queue="faces")


def test_without_starlette_the_command_says_what_to_install(project, runner, monkeypatch):
    monkeypatch.setitem(sys.modules, "starlette", None)
    ended = runner.invoke(main, ["review"])
    assert ended.exit_code == 1
    assert "pip install 'imageledger[desk]'" in ended.stderr


@pytest.mark.long
def test_ctrl_c_ends_the_command_and_says_what_was_saved(project):
    run_on_eight(project)
    with process(project.root, "--who", "Bo") as (at, running):
        assert ask(at, "everything/1/decide", {"decision": "keep"})[0] == 303
        running.send_signal(signal.SIGINT)
        said = running.communicate(timeout=90)[1]
    assert running.returncode == 0
    assert "1 decision was saved in" in said
    assert decisions.lines(project.folder / decisions.FILE)[0].who == "Bo"


def test_a_port_in_use_is_said(project):
    with work.listen(0) as taken, pytest.raises(LedgerError, match="cannot be used"):
        work.listen(taken.getsockname()[1])
