"""The edges of the loop of stages: what belongs to a job, what an outcome says, and what lies beside it untouched."""

import os
from dataclasses import replace
from functools import partial
from importlib import metadata
from pathlib import Path

import pytest
import slow_stage
from slow_stage import FETCH, ROWS, STAGE, fetched, halved, made, normalized, noted, rewrite, seeds, undisturbed

from imageledger import manifest, stage
from imageledger.manifest import Card
from imageledger.record import Step
from imageledger.stage import Stage
from imageledger.store import Store

FINAL = Stage(name="manifest", version=1, settings={"seed": 2}, packages=("pillow", "no such package"))


@pytest.fixture
def root(tmp_path) -> Path:
    """A folder in which the first stage has been run over some rows."""
    fetched(tmp_path, seeds(ROWS), tmp_path / "fetch-log")
    return tmp_path


def worked(root, log, work=slow_stage.work, chosen=STAGE, **changed):
    """Run the second stage with other work or for another data set, and say how it went."""
    store = Store(root / "objects")
    usual = {"source": root / "fetched.jsonl", "output": root / "normalized.jsonl", "dataset": "d", "workers": 1}
    return stage.run_rows(
        chosen, partial(work, stage=chosen, store=store, log=log), store=store, **{**usual, **changed}
    )


def interrupted(root, after, **changed):
    """Begin the second stage and stop it when so many rows stand, as Ctrl-C does."""

    def work(record, **options):
        if int(record.member[:4]) == after:
            raise KeyboardInterrupt
        return slow_stage.work(record, **options)

    with pytest.raises(KeyboardInterrupt):
        worked(root, root / "unfinished", work, **changed)


def ok_rows(path):
    return sum(record.status == "ok" for record in manifest.read(path))


def test_a_card_of_a_whole_set_says_what_was_done_from_what_and_how_it_ended(root):
    normalized(root, root / "log")
    outcome = stage.run_set(
        FINAL, lambda _: lambda record: record, source=root / "normalized.jsonl", output=root / "final.jsonl",
        dataset="d",
    )  # fmt: skip
    card = Card.read(manifest.card_path(root / "final.jsonl"))
    assert (card.dataset, card.stage, card.rows) == ("d", "manifest@1", ROWS)
    assert card.input == manifest.digest(root / "normalized.jsonl")
    assert card.digest == manifest.digest(root / "final.jsonl")
    assert dict(card.settings) == {"seed": 2}
    assert dict(card.versions) == {"pillow": metadata.version("pillow")}
    assert card.counts == outcome.tally.plain()
    halved(root, root / "log", extra_input="+sha256:decisions")
    assert Card.read(manifest.card_path(root / "final.jsonl")).input == f"{card.input}+sha256:decisions"


def test_an_outcome_says_which_stage_wrote_what_and_where_whether_or_not_there_was_work(root):
    for expected in ((34, 0), (0, 34)):
        rows = normalized(root, root / "log")
        assert (rows.stage, rows.path) == ("normalize", root / "normalized.jsonl")
        assert (rows.worked, rows.reused, rows.tally.rows) == (*expected, ROWS)
    for expected in ((ROWS, 0), (0, ROWS)):
        whole = halved(root, root / "log")
        assert (whole.stage, whole.path) == ("manifest", root / "final.jsonl")
        assert (whole.worked, whole.reused, whole.tally.rows) == (*expected, ROWS)


def test_a_half_done_stage_carries_on_and_shows_progress_of_the_rest_alone(root):
    interrupted(root, 12)
    totals = []

    def track(rows, total, doing):
        totals.append((doing, total))
        return rows

    outcome = worked(root, root / "log", track=track)
    assert noted(root / "log")[0] == "0012.jpg"
    assert totals == [("normalize", ROWS - 12)]
    assert outcome.tally.rows == ROWS
    halved(root, root / "objects-log")
    assert made(root) == undisturbed(root)


@pytest.mark.parametrize(
    "changed",
    [
        {"dataset": "another"},
        {"chosen": replace(STAGE, name="crop")},
        {"chosen": replace(STAGE, version=2)},
        {"chosen": replace(STAGE, settings={"size": 9})},
        {"chosen": replace(STAGE, packages=("pillow",))},
    ],
    ids=["dataset", "stage", "version", "settings", "packages"],
)
def test_a_half_done_job_is_carried_on_by_that_very_job_only(root, changed):
    interrupted(root, 12)
    assert worked(root, root / "log", **changed).worked == ok_rows(root / "fetched.jsonl")
    assert list(root.glob(".*.part")) == []


def test_a_half_done_job_is_not_carried_on_over_another_input(root):
    interrupted(root, 12)
    rows = list(manifest.read(root / "fetched.jsonl"))
    rewrite(root / "fetched.jsonl", rows[1:])
    assert worked(root, root / "log").worked == ok_rows(root / "fetched.jsonl")


def test_a_half_done_job_is_carried_on_in_whatever_order_its_settings_are_written(root):
    interrupted(root, 12, chosen=replace(STAGE, settings={"size": 8, "fit": "cover"}))
    worked(root, root / "log", chosen=replace(STAGE, settings={"fit": "cover", "size": 8}))
    assert noted(root / "log")[0] == "0012.jpg"


def test_half_done_work_of_other_stages_is_left_alone(root):
    others = [root / ".final.jsonl.0123456789abcdef.part", root / ".other.jsonl.0123456789abcdef.part"]
    for path in others:
        path.write_text("half done")
    normalized(root, root / "log")
    assert [path.read_text() for path in others] == ["half done"] * 2


def test_a_card_without_its_manifest_is_no_reason_to_stop(root):
    normalized(root, root / "log")
    before = made(root)
    (root / "normalized.jsonl").unlink()
    assert normalized(root, root / "log").worked > 0
    assert made(root) == before


def test_rows_that_may_not_be_reused_are_worked_on_again_and_only_those(root):
    records, store = seeds(10), Store(root / "objects")

    def run(log, **options):
        return stage.run_seeds(
            FETCH, partial(slow_stage.work, stage=FETCH, store=store, log=log), lambda: records, count=10,
            input_digest="ten", output=root / "ten.jsonl", dataset="d", store=store, workers=1, **options,
        )  # fmt: skip

    run(root / "first")
    before = (root / "ten.jsonl").read_bytes()
    outcome = run(root / "second", reusable=lambda record: record.member not in ("0002.jpg", "0005.jpg"))
    assert noted(root / "second") == ["0002.jpg", "0005.jpg"]
    assert (outcome.worked, outcome.reused) == (2, 8)
    assert (root / "ten.jsonl").read_bytes() == before


def test_work_runs_in_processes_of_its_own_where_no_threads_are_asked_for(root):
    normalized(root, root / "log", workers=2)
    assert str(os.getpid()) not in {line.split()[1] for line in (root / "log").read_text().splitlines()}


def test_work_that_cannot_be_sent_to_a_process_runs_in_threads(root):
    seen = []
    outcome = stage.run_seeds(
        FETCH, lambda record: seen.append(record.member) or record, lambda: seeds(20), count=20, input_digest="twenty",
        output=root / "deep" / "er" / "twenty.jsonl", dataset="d", store=Store(root / "objects"), workers=2,
        threads=True,
    )  # fmt: skip
    assert sorted(seen) == [record.member for record in seeds(20)]
    assert [record.member for record in manifest.read(outcome.path)] == sorted(seen)


def test_a_row_whose_past_differs_from_that_of_its_older_self_is_worked_on_again(root):
    normalized(root, root / "log")
    (root / "log").unlink()
    path = root / "fetched.jsonl"
    rows = list(manifest.read(path))
    ok = [place for place, row in enumerate(rows) if row.status == "ok"]
    more, other = ok[1], ok[4]
    rows[more] = rows[more].after(Step(did="rotate@1", on=rows[more].file))
    rows[other] = replace(rows[other], steps=(replace(rows[other].steps[0], found={"bytes": 1}),))
    rewrite(path, rows)
    normalized(root, root / "log")
    assert noted(root / "log") == [rows[more].member, rows[other].member]


def test_settings_that_no_card_can_hold_are_refused():
    with pytest.raises(ValueError, match="not JSON compliant"):
        Stage(name="normalize", version=1, settings={"size": float("nan")})


def test_a_stage_shows_no_progress_unless_it_is_asked_to():
    rows = seeds(3)
    assert stage.untracked(rows, 3) is rows
