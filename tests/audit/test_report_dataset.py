"""The part of the report that shows the dataset: counts, what was lost, pairs, mattes, and what was not done."""

import json
from dataclasses import replace

import numpy as np
import pytest
from audit_world import HOSTILE, Page
from report_rows import FATES, ORDER, counts_of, dataset_of

from audit import page
from audit.charts.stacked import Kind, Stack, stacked
from audit.report.dataset.copies import why_kept
from audit.report.dataset.lost import SHOWN, lost_of
from audit.report.dataset.work import dataset
from audit.report.subject import subject_of
from curate.evidence.measure import FETCHED, measure
from imageledger.config import open_project
from imageledger.record import STATUSES, Record

PAGE = '{% extends "page.html" %}{% block content %}{% include section.template %}{% endblock %}'


def html(section) -> str:
    return page._environment().from_string(PAGE).render(section=section, script="")


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The subject of a dataset that went through all stages."""
    folder = tmp_path_factory.mktemp("whole")
    (folder / "imageledger.toml").write_text('dataset = "drawn"\n', encoding="utf-8")
    project = open_project(folder)
    dataset_of(project)
    return subject_of(project)


@pytest.fixture(scope="module")
def section(whole):
    return dataset(whole)


@pytest.fixture(scope="module")
def text(section):
    return html(section)


def test_every_class_stage_and_status_is_counted(section):
    for label in ("real", "ai"):
        for stage in ORDER:
            expected = counts_of(stage, label)
            assert section.data()["flow"][label][stage] == {status: expected[status] for status in STATUSES}


def test_each_loss_names_its_stage_and_shows_its_pictures(section):
    losses = {(loss.stage, loss.status): loss for loss in section.lost.losses}
    assert {(fate[0], fate[1]) for fate in FATES.values() if fate} == set(losses)
    faceless = losses["normalize", "rejected"]
    assert (faceless.reason, faceless.counts) == ("no face found", {"real": 1, "ai": 0})
    assert [record.member for record in faceless.examples] == ["real/back.jpg"]
    assert section.shown(faceless.examples[0]).image is not None


def test_a_picture_that_cannot_be_decoded_is_shown_by_its_reason(section, text):
    torn = next(loss for loss in section.lost.losses if loss.status == "unreadable")
    assert section.shown(torn.examples[0]).missing == "cannot be decoded: image file is truncated"
    assert "ai, cannot be decoded: image file is truncated" in text


def test_a_conflict_stands_once_and_before_the_copies(section):
    assert [(pair.conflict, pair.copy.member) for pair in section.copies.pairs] == [
        (True, "ai/claimed.jpg"), (False, "real/copy.jpg"),
    ]  # fmt: skip
    assert section.copies.pairs[0].other.member == "real/claimed.jpg"


def test_a_pair_says_which_was_kept_and_why_and_how_far_both_lie_apart(section, text):
    data = section.data()["duplicates"]["pairs"][1]
    assert data["kept"] == "folder:drawn#real/0.jpg"
    assert "96 × 96 instead of 48 × 48" in data["why"]
    assert data["similarity"] == 0.97
    assert data["distance"] is not None
    assert section.pairs[1].difference.image is not None
    assert "difference view" in text


def test_a_turned_or_cropped_copy_is_moved_before_it_is_compared(section):
    conflict, copy = section.copies.pairs
    assert not conflict.part
    assert replace(conflict, distance=30).part
    assert not copy.part
    assert replace(copy, copy=replace(copy.copy, reason="near-duplicate: turned by 90°; correlation 0.95")).part


def test_no_copies_are_claimed_only_with_what_was_looked_for(whole, section):
    clean = replace(whole, stages={"dedupe": [row for row in whole.rows if row.status == "ok"]})
    assert "No copies among 6 pictures" in html(dataset(clean))
    assert "perceptual hashes differ in at most 6 of 64 bits" in html(dataset(clean))
    assert "other photographs of the same person" in section.copies.unsearched


def test_without_the_card_of_dedupe_the_page_says_that_nobody_knows_what_was_looked_for(project):
    dataset_of(project)
    (project.folder / "deduped.card.json").unlink()
    assert "is not known: the card of dedupe is missing" in html(dataset(subject_of(project)))


def test_a_refused_matte_comes_first_with_its_numbers_and_the_person_on_white(section):
    kind, cuts = section.mattes[0]
    assert kind.title == "Refused"
    assert [cut.record.member for cut in cuts] == ["ai/cut.jpg", "ai/cut-more.jpg"]
    contrasts = [record["judged"]["contrast"] for record in section.data()["mattes"]["worst"][:2]]
    assert contrasts == sorted(contrasts)
    assert "face kept 69 %" in cuts[0].words
    assert np.asarray(cuts[0].after.image)[0, 0].tolist() == [255, 255, 255]
    assert section.data()["mattes"]["worst"][0]["judged"]["kept"] == 0.69


def test_kept_mattes_come_in_the_order_of_doubt(section):
    _, cuts = section.mattes[1]
    contrasts = [float(cut.words[0].split()[-1]) for cut in cuts if cut.record.label == "real"]
    assert contrasts == sorted(contrasts)
    assert len(contrasts) == 3


def test_inner_faces_are_shown_before_and_after_and_have_no_mattes(whole):
    def inner(row):
        steps = tuple(replace(one, settings={"region": "face"}) if one.did == "whiten@1" else one for one in row.steps)
        return replace(row, matte="", steps=steps)

    stages = {stage: tuple(map(inner, rows)) for stage, rows in whole.stages.items()}
    section = dataset(replace(whole, stages=stages))
    assert section.mattes == []
    assert len(section.before_after) == 6
    assert all(cut.before.image and cut.after.image for cut in section.before_after)
    assert "inner faces alone" in html(section)


def test_an_unknown_licence_is_loud_and_counted(section, text):
    assert section.data()["licences"]["counts"]["unknown"] == {
        "real, fetched": 0, "real, final set": 0, "ai, fetched": 7, "ai, final set": 3,
    }  # fmt: skip
    assert "3 of 6 pictures have no known licence" in text


def test_faces_are_counted_by_class_and_those_not_looked_at_are_no_faceless_ones(section):
    faces = section.data()["faces"]
    assert faces["no face"]["real, fetched"] == 1
    assert faces["no face"]["ai, fetched"] == 0
    assert faces["not looked for"]["ai, fetched"] == 1


def test_a_source_of_both_classes_is_not_called_one_sided(section, text):
    assert not section.balance.one_sided
    assert "holds one class only" not in text


def test_metadata_comes_from_kept_numbers_alone_and_absent_marks_are_named(project):
    dataset_of(project)
    assert "were not looked for" in html(dataset(subject_of(project)))
    rows = subject_of(project).rows
    measure(project, [row for row in rows if "torn" not in row.member], ["metadata"], stage=FETCHED, workers=1)
    section = dataset(subject_of(project))
    assert section.data()["files"]["metadata"]["EXIF"] == {"real": {"with": 0, "of": 7}, "ai": {"with": 0, "of": 6}}
    assert "EXIF" in section.files.none


def test_the_classes_are_compared_with_all_candidates_where_nothing_was_matched(project):
    dataset_of(project)
    rows = subject_of(project).rows
    assert "audit shortcuts --stage all" in html(dataset(subject_of(project)))
    measure(project, rows, ["tone"], workers=1)
    apart = dataset(subject_of(project)).apart
    assert apart.before == "all candidates"
    assert {one.family for one in apart.differences} == {"tone"}
    worst = [max(abs(one.plain), abs(one.matched)) for one in apart.differences]
    assert worst == sorted(worst, reverse=True)


def test_what_matching_wrote_is_read_unless_it_is_older_than_the_choice_or_damaged(whole, project):
    from audit.report.dataset.love import apart_of
    from curate.manifest.matching.balance_table import Difference, as_csv

    dataset_of(project)
    subject = subject_of(project)
    one = Difference(family="tone", feature="skew", plain=0.5, matched=-0.1, ratios=(1.0, 1.0), medians=(0.0, 1.0))
    path = project.root / "data" / "matched" / project.dataset / "balance.csv"
    path.parent.mkdir(parents=True)
    path.write_text(as_csv([one]), encoding="utf-8")
    assert apart_of(subject, {"match": ["tone"]}).differences == [one]
    assert apart_of(subject, {"match": []}).differences == []
    path.write_text(as_csv([one]).replace("tone", "<b>"), encoding="utf-8")
    assert apart_of(subject, {"match": ["tone"]}).differences == []


@pytest.mark.parametrize("until", ORDER[:-1])
def test_a_dataset_in_the_making_names_the_commands_that_are_still_to_come(project, until):
    dataset_of(project, until)
    section = dataset(subject_of(project))
    words = Page(html(section)).words
    for stage in ORDER[ORDER.index(until) + 1 :]:
        assert f"curate {stage}" in words
    assert {one["command"] for one in section.data()["not done"]} >= {"curate manifest"}


def test_a_size_that_no_stage_has_read_is_unknown_and_not_one(project):
    dataset_of(project, "fetch")
    section = dataset(subject_of(project))
    medians = section.data()["files"]["medians"]
    assert set(medians["bits per pixel"].values()) == set(medians["width, px"].values()) == {None}
    assert medians["kilobytes"]["real, fetched"] > 0
    assert "The sizes in pixels were not read yet" in html(section)


def test_missing_and_damaged_objects_leave_their_reason(project):
    dataset_of(project)
    for path in project.store.root.glob("??/*"):
        path.chmod(0o644)
        path.write_bytes(b"no picture") if path.name < "8" else path.unlink()
    section = dataset(subject_of(project))
    assert set(section.data()["not shown"]) == {"damaged: the bytes do not match the name", "object missing"}
    assert "object missing" in html(section)


def test_hostile_names_labels_and_reasons_are_only_words(project):
    label = "<b>real\u202e"
    dataset_of(project, rename={"real": label})
    subject = subject_of(project)
    hostile = {"generator": "<i>", "licence": "<u>"}
    rows = [replace(row, member=HOSTILE + row.member, reason=row.reason and "<s>\x1b[31m", **hostile)
            for row in subject.rows]  # fmt: skip
    text = html(dataset(replace(subject, stages=dict.fromkeys(subject.stages, tuple(rows)))))
    for raw in ("<script", "<b>", "<i>", "<u>", "<s>", "\x1b", "\u202e"):
        assert raw not in text.replace("<b class", "")
    assert "&lt;script&gt;" in text


def test_an_empty_class_and_an_empty_dataset_are_said(whole):
    real = {stage: tuple(row for row in rows if row.label == "real") for stage, rows in whole.stages.items()}
    assert "The class ai holds no picture." in html(dataset(replace(whole, stages=real)))
    assert "The class real holds no picture." in html(dataset(replace(whole, stages={"fetch": ()})))


def test_ten_thousand_rows_open_no_more_pictures_than_the_page_shows(whole):
    fate = {"status": "rejected", "reason": "matte: covers 3 % of the picture"}
    rows = tuple(
        Record(source="s", member=f"{n:05}", label=("real", "ai")[n % 2], origin=f"{n:064x}.jpg", file=f"{n:064x}.jpg",
               **(fate if n % 3 else {}))
        for n in range(10_000)
    )  # fmt: skip
    section = dataset(replace(whole, stages={"fetch": rows}))
    assert len(section.opened) <= 200
    assert section.lost.losses[0].total == 6666
    assert len(html(section)) < 400_000


def test_reasons_beyond_those_shown_are_counted(whole):
    rows = tuple(
        Record(source="s", member=f"{n}", label="real", status="rejected", reason="x" * (n + 1)) for n in range(15)
    )
    lost = lost_of(replace(whole, stages={"fetch": rows}))
    assert (len(lost.shown), lost.others) == (SHOWN, (5, 5))
    assert len(lost.data()) == 15


def test_the_data_can_be_written_as_json(section):
    assert json.loads(json.dumps(section.data(), allow_nan=False))["flow"]


def test_the_page_holds_no_id_twice_and_loads_nothing(text):
    seen = Page(text)
    assert len(seen.ids) == len(set(seen.ids))
    assert all(address.startswith("data:image/") for address in seen.loaded)
    assert len(text) < 1_500_000


def test_why_a_picture_was_kept_is_not_made_up_where_the_rows_do_not_say_it():
    bare = Record(source="s", member="m", label="real")
    assert why_kept(bare, bare) == ""


def test_a_stacked_bar_says_every_count_in_words_and_by_texture():
    kinds = [Kind(words="ok"), Kind(words="lost", texture="x"), Kind(words="never", texture="/")]
    drawn = stacked([Stack(name="fetch", counts=[3, 2, 0], words="3 ok")], kinds, label="what became of them")
    assert "<title>fetch: 3 ok</title>" in drawn
    assert "<title>fetch: 2 lost</title>" in drawn
    assert "never" not in drawn
    assert drawn.count("<path") == 2  # the lines of the bar, and those of the key
