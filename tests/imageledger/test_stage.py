"""The loop of all stages: resumable at any line, reusing what is done, and the same bytes whatever happens."""

from dataclasses import replace
from pathlib import Path

import pytest
from slow_stage import ROWS, STAGE, fetched, halved, made, normalized, noted, rewrite, seeds, undisturbed

from imageledger import manifest, stage
from imageledger.errors import ManifestError
from imageledger.manifest import Card
from imageledger.record import Record, Step
from imageledger.stage import Stage
from imageledger.store import Store


@pytest.fixture
def root(tmp_path) -> Path:
    """A folder in which the first stage has been run over some rows."""
    fetched(tmp_path, seeds(ROWS), tmp_path / "fetch-log")
    return tmp_path


@pytest.mark.long
def test_one_worker_and_two_give_the_same_bytes(root):
    normalized(root, root / "log", workers=2)
    halved(root, root / "log")
    assert made(root) == undisturbed(root)


def test_a_second_run_works_on_nothing_and_changes_no_byte(root):
    normalized(root, root / "log")
    before = made(root)
    outcome = normalized(root, root / "log")
    set_aside = [record for record in manifest.read(root / "fetched.jsonl") if record.status != "ok"]
    assert set_aside
    assert (outcome.worked, outcome.reused) == (0, ROWS - len(set_aside))
    assert made(root) == before


def test_adding_five_pictures_works_on_five(root):
    normalized(root, root / "log")
    outcome = fetched(root, seeds(ROWS + 5), root / "fetch-log")
    assert (outcome.worked, outcome.reused) == (5, ROWS)
    outcome = normalized(root, root / "log")
    assert (outcome.worked, outcome.tally.rows) == (5, ROWS + 5)


def test_pictures_in_between_are_worked_on_and_pictures_that_went_leave_no_trace(root):
    normalized(root, root / "log")
    (root / "log").unlink()
    fetched(root, [*seeds(ROWS)[5:20:2], *seeds(60)[38:50]], root / "fetch-log")
    outcome = normalized(root, root / "log")
    assert all(int(member[:4]) >= ROWS for member in noted(root / "log"))
    assert outcome.tally.rows == 20


@pytest.mark.parametrize(
    "changed",
    [replace(STAGE, version=2), replace(STAGE, settings={"size": 9}), replace(STAGE, packages=("pillow",))],
    ids=["version", "setting", "package"],
)
def test_a_changed_setting_or_version_redoes_the_stage_and_only_that_one(root, changed):
    normalized(root, root / "log")
    outcome = normalized(root, root / "log", changed)
    assert outcome.worked == sum(int(row.member[:4]) % 7 != 3 for row in seeds(ROWS))
    assert fetched(root, seeds(ROWS), root / "fetch-log").worked == 0


def test_settings_that_json_writes_differently_are_still_the_same_settings(root):
    tuples = Stage(name="normalize", version=1, settings={"sizes": (8, 9), "deep": {"pair": (1, 2)}})
    assert normalized(root, root / "log", tuples).worked > 0
    assert normalized(root, root / "log", tuples).worked == 0


def test_reuse_never_brings_back_an_old_label_licence_group_or_split(root):
    normalized(root, root / "log")
    corrected = {"label": "ai", "licence": "CC0-1.0", "group": "g2", "split": "valid", "generator": "sd15"}
    path = root / "fetched.jsonl"
    rows = [replace(row, **corrected) for row in manifest.read(path)]
    rewrite(path, rows)
    outcome = normalized(root, root / "log")
    assert outcome.worked == 0
    for row in manifest.read(root / "normalized.jsonl"):
        assert {name: getattr(row, name) for name in corrected} == corrected
    assert outcome.tally.plain().keys() == {"ai"}


def test_a_picture_whose_bytes_changed_is_worked_on_again(root):
    normalized(root, root / "log")
    path, store = root / "fetched.jsonl", Store(root / "objects")
    rows = list(manifest.read(path))
    name = store.put(b"another picture", "bin")
    rows[8] = replace(rows[8], origin=name, file=name)
    rewrite(path, rows)
    (root / "log").unlink()
    normalized(root, root / "log")
    assert noted(root / "log") == [rows[8].member]


def test_a_missing_object_is_made_again(root):
    normalized(root, root / "log")
    before, store = made(root), Store(root / "objects")
    row = next(manifest.read(root / "normalized.jsonl"))
    store.path(row.file).unlink()
    (root / "log").unlink()
    assert normalized(root, root / "log").worked == 1
    assert noted(root / "log") == [row.member]
    assert store.is_sound(row.file)
    assert made(root) == before


def test_a_missing_matte_is_made_again(root):
    store = Store(root / "objects")

    def cut_out(record: Record) -> Record:
        name = store.put(b"alpha" + record.member.encode(), "png")
        return record.after(STAGE.step(record), matte=name)

    def whitened() -> stage.Outcome:
        return stage.run_rows(
            STAGE, cut_out, source=root / "fetched.jsonl", output=root / "whitened.jsonl", dataset="d", store=store,
            workers=1,
        )  # fmt: skip

    whitened()
    row = next(manifest.read(root / "whitened.jsonl"))
    store.path(row.matte).unlink()
    assert whitened().worked == 1
    assert store.has(row.matte)


def test_a_failed_row_is_not_worked_on_again_and_passes_the_next_stage_unchanged(root):
    bad = [row for row in manifest.read(root / "fetched.jsonl") if row.status != "ok"]
    assert len(bad) == 6
    assert fetched(root, seeds(ROWS), root / "fetch-log").worked == 0
    normalized(root, root / "log")
    assert not {row.member for row in bad} & set(noted(root / "log"))
    after = {row.key: row for row in manifest.read(root / "normalized.jsonl")}
    assert all(after[row.key] == row for row in bad)


def test_a_manifest_that_was_edited_by_hand_is_not_reused(root):
    normalized(root, root / "log")
    before, path = made(root), root / "normalized.jsonl"
    path.write_text(path.read_text().replace('"width":8', '"width":9', 1))
    assert normalized(root, root / "log").worked > 0
    assert made(root) == before


@pytest.mark.parametrize("damage", ["{", "[]", '{"counts": 3}'])
def test_a_damaged_card_is_no_reason_to_stop(root, damage):
    normalized(root, root / "log")
    before = made(root)
    (root / "normalized.card.json").write_text(damage)
    normalized(root, root / "log")
    assert made(root) == before


def test_a_stage_whose_input_is_missing_says_so(tmp_path):
    with pytest.raises(ManifestError):
        normalized(tmp_path, tmp_path / "log")


def test_a_row_keeps_its_line_in_every_manifest(root):
    normalized(root, root / "log")
    halved(root, root / "log")
    keys = [[row.key for row in manifest.read(root / name)] for name in ("fetched.jsonl", "normalized.jsonl")]
    assert keys[0] == keys[1] == [row.key for row in manifest.read(root / "final.jsonl")]


def test_a_whole_set_stage_that_stands_is_not_planned_again(root):
    normalized(root, root / "log")
    (root / "log").unlink()
    first = halved(root, root / "log")
    written = (root / "final.jsonl").stat().st_mtime_ns
    second = halved(root, root / "log")
    assert (first.worked, second.worked, second.reused) == (ROWS, 0, ROWS)
    assert noted(root / "log") == ["planned"]
    assert (root / "final.jsonl").stat().st_mtime_ns == written
    assert second.tally.plain() == first.tally.plain()


def test_a_whole_set_stage_is_planned_again_when_decisions_settings_or_its_input_change(root):
    normalized(root, root / "log")
    halved(root, root / "plans")
    halved(root, root / "plans", extra_input="+sha256:decisions")
    assert noted(root / "plans") == ["planned"] * 2
    halved(root, root / "plans", extra_input="+sha256:decisions")
    assert noted(root / "plans") == ["planned"] * 2
    halved(root, root / "plans", stage=Stage(name="manifest", version=1, settings={"seed": 2}))
    assert noted(root / "plans") == ["planned"] * 3
    fetched(root, seeds(ROWS + 1), root / "fetch-log")
    normalized(root, root / "log")
    halved(root, root / "plans")
    assert noted(root / "plans") == ["planned"] * 4


def test_a_whole_set_manifest_that_was_edited_or_lost_is_made_again(root):
    normalized(root, root / "log")
    halved(root, root / "plans")
    before, path = made(root), root / "final.jsonl"
    path.write_text(path.read_text().replace('"train"', '"valid"', 1))
    halved(root, root / "plans")
    assert made(root) == before
    path.unlink()
    halved(root, root / "plans")
    assert made(root) == before
    assert noted(root / "plans") == ["planned"] * 3


def test_a_plan_that_refuses_writes_nothing(root):
    normalized(root, root / "log")

    def refuse(_):
        raise ManifestError("too few")

    with pytest.raises(ManifestError, match="too few"):
        stage.run_set(
            Stage(name="manifest", version=1), refuse, source=root / "normalized.jsonl", output=root / "final.jsonl",
            dataset="d",
        )  # fmt: skip
    assert not list(root.glob("*final*"))


def test_the_card_says_what_was_done_from_what_and_how_it_ended(root):
    outcome = normalized(root, root / "log", replace(STAGE, packages=("pillow",)))
    card = Card.read(manifest.card_path(outcome.path))
    assert (card.dataset, card.stage, card.rows) == ("d", "normalize@1", ROWS)
    assert card.input == manifest.digest(root / "fetched.jsonl")
    assert card.digest == manifest.digest(outcome.path)
    assert dict(card.settings) == {"size": 8}
    assert list(card.versions) == ["pillow"]
    assert card.counts == outcome.tally.plain()


def test_progress_is_told_of_every_row_that_is_still_to_do(root):
    seen = []

    def track(rows, total, doing):
        seen.extend((doing, total))
        for row in rows:
            seen.append(row.member)
            yield row

    normalized(root, root / "log", track=track)
    assert seen == ["normalize", ROWS, *(row.member for row in seeds(ROWS))]


def test_a_step_says_what_was_done_on_which_object(root):
    normalized(root, root / "log")
    row = next(manifest.read(root / "normalized.jsonl"))
    before = next(manifest.read(root / "fetched.jsonl"))
    assert row.steps == (
        *before.steps,
        Step(did="normalize@1", on=before.file, settings={"size": 8}, found={"bytes": 68}),
    )
