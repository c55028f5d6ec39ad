"""What people decide about mattes, pairs, persons and pictures without a face, and which stage makes it so."""

import json

import numpy as np
import pytest
from copies_world import picture, planned, statuses
from drawn import encoded, fetched, portrait
from PIL import Image, ImageFilter
from whiten_world import drawn, normalized, project_at

from curate.dedupe.told import Told
from curate.history import whitened
from curate.matting.grabcut import grabcut
from curate.matting.matte import Cutter, Matte
from curate.normalize.settings import NormalizeSettings
from curate.normalize.work import normalize
from curate.run.plan import plan, remarks
from curate.whiten import decided
from curate.whiten import work as whiten
from curate.whiten.work import WhitenSettings
from imageledger import decisions, manifest, overview
from imageledger.config import open_project
from imageledger.decisions import Decision

GRABCUT = WhitenSettings(matting="grabcut")


def pair(one, other):
    return frozenset((("s", one), ("s", other)))


def test_a_pair_that_a_person_denies_is_never_joined():
    rows = [picture("copy", 0b11, area=50), picture("original", 0, area=90)]
    told = Told(apart=frozenset({pair("copy", "original")}))
    assert planned(rows, {("copy", "original"): 0.97}, told=told).verdicts == {}


def test_two_pictures_that_a_person_keeps_apart_are_not_both_copies_of_a_third():
    rows = [picture("a", 0, area=300), picture("b", 1, area=200), picture("c", 3, area=100)]
    alike = {("a", "b"): 0.97, ("a", "c"): 0.97, ("b", "c"): 0.97}
    plan = planned(rows, alike, told=Told(apart=frozenset({pair("b", "c")})))
    assert statuses(plan) == {"a": "ok", "b": "duplicate", "c": "ok"}


def test_even_equal_bytes_stay_apart_where_a_person_says_so():
    rows = [picture("a", area=100), picture("b", origin="a-bytes", pixels="a-pixels")]
    assert statuses(planned(rows, {("a", "b"): 1.0})) == {"a": "ok", "b": "duplicate"}
    assert planned(rows, {("a", "b"): 1.0}, told=Told(apart=frozenset({pair("a", "b")}))).verdicts == {}


def test_a_pair_that_a_person_states_is_joined_with_the_reason_and_the_measured_similarity():
    rows = [picture("a", 0, area=300), picture("b", 2**50 - 1, area=200)]
    plan = planned(rows, {("a", "b"): 0.4}, told=Told(same={pair("a", "b"): "the same picture, says Ada: the scar"}))
    copy = plan.verdicts["s", "b"]
    assert (copy.status, copy.reason) == ("duplicate", "the same picture, says Ada: the scar")
    assert (copy.duplicate_of, copy.similarity) == ("s#a", 0.4)


def test_a_stated_pair_of_both_labels_is_a_conflict():
    rows = [picture("a", 0), picture("b", 2**50 - 1, label="ai")]
    plan = planned(rows, {}, told=Told(same={pair("a", "b"): "the same picture, says Ada: seen"}))
    assert set(statuses(plan).values()) == {"rejected"}


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return project_at(tmp_path)


@pytest.fixture
def another(monkeypatch):
    """A second backend, which cuts a little more tightly."""

    def tighter(image, face):
        return Matte(alpha=np.asarray(Image.fromarray(grabcut(image, face).alpha).filter(ImageFilter.MinFilter(3))))

    monkeypatch.setattr(whiten, "others", lambda chosen, asked: [("tighter", Cutter(cut=tighter))])


def said(project, record, kind, **more):
    made = Decision(source=record.source, member=record.member, decision=kind, origin=record.origin, who="Ada",
                    why="hair is missing", **more)  # fmt: skip
    decisions.append(project.folder / decisions.FILE, [made])
    return made


def taken_back(project, made):
    undo = Decision(source=made.source, member=made.member, decision="undo", undoes=made.digest, who="Ada", why="no")
    decisions.append(project.folder / decisions.FILE, [undo])


def whitened_rows(project):
    outcome = whiten.whiten(project, GRABCUT, workers=1)
    return outcome, list(manifest.read(outcome.path))


def test_a_refused_matte_is_cut_by_the_next_backend_and_only_that_picture_is_done_again(project, another):
    normalized(project, drawn(4))
    _, before = whitened_rows(project)
    made = said(project, before[1], "bad-matte", matte=before[1].matte)
    outcome, after = whitened_rows(project)
    assert (outcome.worked, outcome.reused) == (1, 3)
    assert [row.file == old.file for row, old in zip(after, before, strict=True)] == [True, False, True, True]
    note = whitened(after[1])
    assert (after[1].status, note.refused, note.cut_by) == ("ok", (before[1].matte,), "tighter")
    assert whitened_rows(project)[0].worked == 0
    taken_back(project, made)
    outcome, again = whitened_rows(project)
    assert (outcome.worked, again) == (1, before)


def test_where_no_other_backend_is_left_the_picture_is_rejected_with_the_reason_of_the_person(project, monkeypatch):
    monkeypatch.setattr(whiten, "others", lambda chosen, asked: [])
    normalized(project, drawn(2))
    _, before = whitened_rows(project)
    said(project, before[0], "bad-matte", matte=before[0].matte)
    _, after = whitened_rows(project)
    assert (after[0].status, after[0].reason) == (
        "rejected", "matte: refused by Ada: hair is missing; no other backend is available",
    )  # fmt: skip
    assert after[1] == before[1]


def test_both_backends_can_be_refused_one_after_the_other(project, another):
    normalized(project, drawn(2))
    _, first = whitened_rows(project)
    said(project, first[0], "bad-matte", matte=first[0].matte)
    _, second = whitened_rows(project)
    said(project, second[0], "bad-matte", matte=second[0].matte)
    _, third = whitened_rows(project)
    assert third[0].status == "rejected"
    assert whitened(third[0]).refused == (first[0].matte, second[0].matte)


def test_a_refused_matte_that_is_no_longer_made_changes_nothing_and_is_said(project, caplog):
    normalized(project, drawn(2))
    _, before = whitened_rows(project)
    said(project, before[0], "bad-matte", matte=f"{'0' * 64}.png")
    with caplog.at_level("INFO"):
        _, after = whitened_rows(project)
    assert [row.file for row in after] == [row.file for row in before]
    assert "Ada refused a matte of" in caplog.text


def test_a_matte_that_the_program_refused_is_used_where_a_person_has_looked_at_it(project, monkeypatch):
    monkeypatch.setattr("curate.matting.judge.LEAST_EDGE", 500.0)
    normalized(project, drawn(2))
    _, before = whitened_rows(project)
    assert {row.status for row in before} == {"rejected"}
    made = said(project, before[0], "keep", matte=before[0].matte, despite=before[0].reason)
    outcome, after = whitened_rows(project)
    assert [row.status for row in after] == ["ok", "rejected"]
    assert (whitened(after[0]).accepted, outcome.worked) == (before[0].reason, 1)
    taken_back(project, made)
    assert whitened_rows(project)[1] == before


def test_a_picture_without_a_face_is_kept_where_a_person_says_so_and_the_others_are_reused(project):
    fetched(project, {"real/a.png": encoded(Image.effect_noise((200, 200), 90)), "real/b.png": encoded(portrait(1)[0])})
    settings = NormalizeSettings(detector="cascade", recipe="plain", size=128, require_face=True)

    def rows():
        outcome = normalize(project, settings, workers=1)
        return outcome, list(manifest.read(outcome.path))

    _, before = rows()
    assert before[0].reason == "no face found"
    made = said(project, before[0], "keep", despite="no face found")
    outcome, after = rows()
    assert (after[0].status, outcome.worked) == ("ok", 1)
    assert after[1] == before[1]
    taken_back(project, made)
    assert rows()[1] == before


def test_status_and_the_plan_say_which_stages_wait_for_a_decision(project):
    declared = project.root / "imageledger.toml"
    declared.write_text(f'{declared.read_text()}\nsize = 128\nrecipe = "plain"\n\n[whiten]\nmatting = "grabcut"\n')
    project = open_project(project.root)
    normalized(project, drawn(2))
    whitened_rows(project)
    assert {row["state"] for row in overview.stages(project)} == {"current", "not made yet"}
    record = next(manifest.read(project.manifest("whiten")))
    said(project, record, "bad-matte", matte=record.matte)
    states = {row["stage"]: row["state"] for row in overview.stages(project)}
    assert states == {
        "fetch": "current",
        "normalize": "current",
        "whiten": "decisions wait",
        "manifest": "not made yet",
    }
    assert "Decisions of people wait for whiten: curate run applies them." in remarks(project)
    assert {row["stage"]: row["because"] for row in plan(project)}["whiten"] == "people have decided since"
    assert overview.next_command(overview.stages(project), []) == "curate run"


def test_how_a_matte_was_judged_never_depends_on_the_label(project):
    """Only the key of a row says which decisions are about it; its label is nowhere looked at."""
    normalized(project, drawn(2))
    rows = list(manifest.read(project.manifest("normalize")))
    words = decided.words_of(decisions.standing([]), rows)
    assert words == {}
    source = json.dumps(decided.as_said.__code__.co_names + decided.overtaken.__code__.co_names)
    assert not {"label", "generator", "source", "licence"} & set(json.loads(source))
