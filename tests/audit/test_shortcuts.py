"""What an audit of shortcuts looks at, what it says, and when it refuses: on records and probes made by hand."""

from dataclasses import replace

import numpy as np
import pytest
from shortcut_world import audit_of, dataset, judged_of, probe_of

from audit.shortcuts import words
from audit.shortcuts import work as shortcuts
from audit.shortcuts.unseen import folds_by_source, unseen_sources
from audit.shortcuts.work import Asked, as_it_was, known_families, look, rows_at
from curate.evidence.measure import Table
from imageledger import manifest
from imageledger.errors import GateFailed, LedgerError, ManifestError
from imageledger.record import Record, Step

ORIGIN, SMALL, WHITE, MATTE = (f"{letter * 64}.png" for letter in "abcd")
TONE = Asked(families=("tone",), permutations=100, workers=1)


def whitened() -> Record:
    steps = (
        Step(did="fetch@1", on=""),
        Step(did="normalize@2", on=ORIGIN),
        Step(did="dedupe@1", on=SMALL),
        Step(did="whiten@1", on=SMALL),
    )
    return Record(source="folder:x", member="1.png", label="ai", origin=ORIGIN, file=WHITE, matte=MATTE, steps=steps)


def test_a_record_is_found_as_it_was_at_every_stage_it_has_been_through():
    record = whitened()
    assert as_it_was(record, "fetched") == record
    then = as_it_was(record, "normalized")
    assert (then.file, then.matte, len(then.steps)) == (SMALL, "", 2)
    assert as_it_was(record, "whitened") == record
    assert as_it_was(then, "whitened") is None


def test_rows_in_use_are_the_ok_ones_and_of_a_final_manifest_those_with_a_split():
    ok, split = whitened(), replace(whitened(), member="2.png", split="train")
    left_out = replace(whitened(), member="3.png", status="unused", split="train")
    rows = [ok, split, left_out]
    assert [row.member for row in rows_at(rows, "whitened")] == ["1.png", "2.png"]
    assert [row.member for row in rows_at(rows, "final")] == ["2.png"]
    assert [row.member for row in rows_at(rows, "model-input")] == ["2.png"]


def test_families_may_be_written_as_people_read_them_and_unknown_ones_name_the_known():
    assert known_families(["jpeg-history", "Tone", "jpeg history"]) == ("jpeg_history", "tone")
    with pytest.raises(LedgerError, match="no family 'faces'") as caught:
        known_families(["tone", "faces"])
    assert "jpeg-history" in caught.value.hint


def test_the_stage_is_the_final_one_or_the_furthest_made(project):
    dataset(project, final=False)
    assert look(project, TONE).last.stage == "normalized"
    dataset(project)
    assert look(project, TONE).last.stage == "final"


def test_all_stages_come_in_order_and_those_not_made_are_named(project):
    dataset(project, final=False)
    audit = look(project, TONE, stage="all")
    assert [one.stage for one in audit.judged] == ["fetched", "normalized"]
    assert audit.absent == ("whitened", "final", "model-input")
    assert "Not there yet: whitened, final, model-input (made by curate whiten, curate manifest)." in words.notes(audit)
    with pytest.raises(ManifestError, match="no whitened pictures yet") as caught:
        look(project, TONE, stage="whitened")
    assert caught.value.hint == "curate whiten makes them; those that can be looked at: fetched, normalized"


def test_a_manifest_of_one_s_own_is_looked_at_with_the_stages_its_records_went_through(project):
    records = dataset(project)
    for stage in ("fetch", "normalize", "manifest"):
        project.manifest(stage).unlink()
    path = project.root / "chosen.jsonl"
    manifest.write(path, records[:12] + records[20:])
    audit = look(project, TONE, source=path, stage="all")
    assert [one.stage for one in audit.judged] == ["fetched", "normalized", "final", "model-input"]
    assert audit.absent == ("whitened",)
    assert audit.last.counts == (12, 12)


def test_near_duplicates_known_later_share_a_fold_at_every_stage(project, monkeypatch):
    records = dataset(project)
    marked = [replace(row, group="twins") if number in (3, 4) else row for number, row in enumerate(records)]
    manifest.write(project.manifest("manifest"), marked)
    seen = []
    real = shortcuts.probe
    monkeypatch.setattr(shortcuts, "probe", lambda *args, **more: seen.append(args[3]) or real(*args, **more))
    look(project, TONE, stage="fetched")
    assert [group for group in seen[0] if seen[0].count(group) > 1] == ["twins", "twins"]


def test_too_few_pictures_one_class_and_strange_labels_are_refused(project):
    records = dataset(project)
    path = project.manifest("manifest")
    manifest.write(path, records[:9] + records[16:])
    with pytest.raises(ManifestError, match=r"final: too few pictures to judge \(16 real, 9 ai\)"):
        look(project, TONE)
    manifest.write(path, records[16:])
    with pytest.raises(ManifestError, match="there is no ai picture"):
        look(project, TONE)
    manifest.write(path, [replace(records[0], label="cat"), *records[1:]])
    with pytest.raises(ManifestError, match="1 pictures are labelled 'cat'"):
        look(project, TONE)


def test_no_manifest_is_an_error_that_says_what_to_do(project):
    with pytest.raises(ManifestError, match="has no manifest"):
        look(project, TONE)


def test_families_that_apply_to_no_picture_are_an_error_not_an_empty_table(project):
    dataset(project)
    with pytest.raises(LedgerError, match="none of the families asked for applies to final pictures: matte"):
        look(project, replace(TONE, families=("matte",)))
    with pytest.raises(LedgerError, match="none of the families asked for applies to model-input pictures"):
        look(project, replace(TONE, families=("container",)), stage="model-input")


def test_a_planted_difference_is_found_and_an_equal_delivery_is_not(project):
    dataset(project)
    (tone,) = look(project, TONE).last.probes
    assert tone.verdict == "SHORTCUT"
    dataset(project, darker=1.0)
    (tone,) = look(project, TONE).last.probes
    assert tone.verdict != "SHORTCUT"


def test_the_gate_counts_the_last_stage_and_what_a_model_sees_of_it_alone():
    bad, good = probe_of("tone"), probe_of("tone", 0.5, "CLEAN")
    audit_of(judged_of("fetched", bad), judged_of("final", good)).refuse_shortcuts()
    with pytest.raises(GateFailed, match="final: 1 of 1 probes found a shortcut: tone"):
        audit_of(judged_of("fetched", good), judged_of("final", bad)).refuse_shortcuts()
    with pytest.raises(GateFailed, match="model-input"):
        audit_of(judged_of("final", good), judged_of("model-input", bad)).refuse_shortcuts()
    with pytest.raises(GateFailed, match="fetched"):
        audit_of(judged_of("fetched", bad)).refuse_shortcuts()


def test_each_verdict_has_its_own_conclusion():
    told = {verdict: words.conclusion(audit, audit.last) for verdict, audit in (
        (verdict, audit_of(judged_of("final", probe_of("tone"), probe_of("all", auc, verdict))))
        for verdict, auc in (("SHORTCUT", 0.97), ("CLEAN", 0.5), ("INCONCLUSIVE", 0.6))
    )}  # fmt: skip
    assert told["SHORTCUT"] == "The file alone tells the classes apart with AUC 0.97 [0.92-1.00]."
    assert told["CLEAN"] == "The file alone does not tell the classes apart: AUC 0.50 [0.45-0.55]."
    assert told["INCONCLUSIVE"].startswith("Whether the file alone tells the classes apart is not decided: AUC 0.60")
    alone = audit_of(judged_of("final", probe_of("jpeg_history")))
    assert words.conclusion(alone, alone.last).startswith("Jpeg history alone tells the classes apart")


def test_sources_of_one_class_are_always_said():
    clean = probe_of("all", 0.5, "CLEAN")
    said = words.notes(audit_of(judged_of("final", clean, sources=("folder:r", "folder:a"))))
    assert "Every source holds one class alone (only real: folder:r; only ai: folder:a)" in " ".join(said)
    both = judged_of("final", clean)
    assert "one class alone" not in " ".join(words.notes(audit_of(both)))
    records = [replace(both.table.records[0], source="folder:b"), *both.table.records[1:]]
    some = replace(both, table=replace(both.table, records=records))
    assert "Some sources hold one class alone (only real: folder:b)" in " ".join(words.notes(audit_of(some)))


def test_small_sets_say_how_hard_clean_is_to_reach_when_it_matters():
    unclear = probe_of("tone", 0.6, "INCONCLUSIVE", 400)
    assert (
        "With 20 pictures a class, chance alone reaches AUC 0.61" in words.notes(audit_of(judged_of("x", unclear)))[0]
    )
    assert words.notes(audit_of(judged_of("x", probe_of("tone")))) == []
    assert words.notes(audit_of(judged_of("x", unclear, each=300))) == []


def test_a_family_that_does_not_apply_at_a_stage_is_a_dash():
    model_input = judged_of("model-input", probe_of("tone", 0.51, "CLEAN"))
    audit = audit_of(judged_of("final", probe_of("container"), probe_of("tone")), model_input)
    assert words.course_table(audit) == [
        {"family": "container", "final": "0.90 ✗", "model-input": "–"},
        {"family": "tone", "final": "0.90 ✗", "model-input": "0.51 ✓"},
    ]


def with_sources(real: list[str], ai: list[str], seed: int = 0) -> tuple[Table, np.ndarray]:
    rng = np.random.default_rng(seed)
    names = [*real, *ai]
    records = [Record(source=name, member=f"{number}.jpg", label="x") for number, name in enumerate(names)]
    positive = np.arange(len(names)) >= len(real)
    marks = np.array(
        [[3.0 * (name == one) for one in "abcdefgh"] for name in names]
    )  # a source shows, a class does not
    noise = rng.normal(0, 0.5, marks.shape)
    return Table(records, {"f": list("abcdefgh")}, {"f": marks + noise}), positive


def test_unseen_sources_are_judged_where_numbers_are_missing_and_by_no_name():
    real, ai = [name for name in "abcd" for _ in range(15)], [name for name in "efgh" for _ in range(15)]
    table, positive = with_sources(real, ai)
    groups = [record.name for record in table.records]
    plain = unseen_sources(table, positive, groups, seed=1)
    holes = np.where(np.random.default_rng(1).random((len(positive), 2)) < 0.3, np.nan, 1.0)
    told = np.repeat(positive[:, None], 2, axis=1).astype(float)  # a name may tell everything
    wider = Table(
        table.records,
        {**table.columns, "gaps": ["p", "q"], "naming": ["folder", "digits"]},
        {**table.values, "gaps": holes, "naming": told},
    )
    found = unseen_sources(wider, positive, groups, seed=1)
    assert 0 <= found.auc < 0.75
    assert abs(found.auc - plain.auc) < 0.3
    still = Table(table.records, {"f": ["a"]}, {"f": np.ones((len(positive), 1))})
    assert unseen_sources(still, positive, groups, seed=1) is None


def test_a_probe_that_knows_sources_and_not_classes_fails_on_sources_it_has_not_seen():
    real, ai = [name for name in "abcd" for _ in range(15)], [name for name in "efgh" for _ in range(15)]
    table, positive = with_sources(real, ai)
    groups = [record.name for record in table.records]
    seen = shortcuts.probe(table.columns, table.values, positive, groups, permutations=100, joint=False)[0]
    unseen = unseen_sources(table, positive, groups, seed=1)
    assert unseen.sources == (4, 4)
    assert seen.auc > 0.95
    assert unseen.auc < seen.auc - 0.2
    one = with_sources(["a"] * 20, ["b"] * 20)
    assert unseen_sources(*one, groups[:40], seed=1) is None


def test_folds_share_no_source_of_a_class_with_several_and_keep_groups_whole():
    sources = ["a"] * 6 + ["b"] * 6 + ["c"] * 6 + ["z"] * 18
    positive = np.arange(36) >= 18
    groups = [f"g{number // 2}" for number in range(36)]
    folds = folds_by_source(sources, positive, groups, seed=3)
    assert sorted(np.concatenate(folds)) == list(range(36))
    assert len(folds) == 3
    for held in folds:
        rest = set(range(36)) - set(held.tolist())
        assert not {sources[row] for row in held if not positive[row]} & {sources[row] for row in rest}
        assert not {groups[row] for row in held} & {groups[row] for row in rest}
        assert 0 < positive[held].sum() < len(held)
