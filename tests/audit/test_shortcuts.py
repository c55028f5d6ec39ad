"""What an audit of shortcuts looks at, what it says, and when it refuses: on records and probes made by hand."""

from dataclasses import replace

import pytest
from shortcut_world import dataset, probe_of, probed_of, stage_of

from audit.shortcuts import power, words
from audit.shortcuts import work as shortcuts
from audit.shortcuts.work import ShortcutsSettings, as_it_was, probe_stages, rows_at
from curate.evidence.looks import Look
from curate.evidence.verdict import ALL
from imageledger import manifest
from imageledger.errors import LedgerError, ManifestError
from imageledger.record import Record, Step

ORIGIN, SMALL, WHITE, MATTE = (f"{letter * 64}.png" for letter in "abcd")

pytestmark = pytest.mark.usefixtures("quick_probe")

TONE = ShortcutsSettings(family="tone", permutations=100, workers=1)


def probed(project, manifest=None, **changes):
    return probe_stages(project, manifest, settings=replace(TONE, **changes))


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


def test_the_stage_is_the_final_one_or_the_furthest_made(project):
    dataset(project, final=False)
    assert probed(project).last.stage == "normalized"
    dataset(project)
    assert probed(project).last.stage == "final"


def test_all_stages_come_in_order_and_those_not_made_are_named(project):
    dataset(project, final=False)
    audit = probed(project, stage="all")
    assert [stage.stage for stage in audit.stages] == ["fetched", "normalized"]
    assert audit.absent == ("whitened", "final", "model-input")
    assert "Not made yet: whitened, final, model-input (by curate whiten, curate manifest)." in words.remarks(audit)
    with pytest.raises(ManifestError, match="no whitened pictures yet") as caught:
        probed(project, stage="whitened")
    assert caught.value.hint == "curate whiten makes them; the stages that there are: fetched, normalized"


@pytest.mark.long
def test_a_manifest_of_one_s_own_is_looked_at_with_the_stages_its_records_went_through(project):
    records = dataset(project)
    for stage in ("fetch", "normalize", "manifest"):
        project.manifest(stage).unlink()
    path = project.root / "chosen.jsonl"
    manifest.write(path, records[:12] + records[20:])
    audit = probed(project, path, stage="all")
    assert [stage.stage for stage in audit.stages] == ["fetched", "normalized", "final", "model-input"]
    assert audit.absent == ("whitened",)
    assert audit.last.counts == (12, 12)


def test_near_duplicates_known_later_share_a_fold_at_every_stage(project, monkeypatch):
    records = dataset(project)
    marked = [replace(row, group="twins") if number in (3, 4) else row for number, row in enumerate(records)]
    manifest.write(project.manifest("manifest"), marked)
    seen = []
    real = shortcuts.probe
    monkeypatch.setattr(shortcuts, "probe", lambda *args, **more: seen.append(args[3]) or real(*args, **more))
    probed(project, stage="fetched")
    assert [group for group in seen[0] if seen[0].count(group) > 1] == ["twins", "twins"]


def test_too_few_pictures_one_class_and_strange_labels_are_refused(project):
    records = dataset(project)
    path = project.manifest("manifest")
    manifest.write(path, records[:9] + records[16:])
    with pytest.raises(ManifestError, match=r"final: too few pictures to judge \(16 real, 9 ai\)"):
        probed(project)
    manifest.write(path, records[16:])
    with pytest.raises(ManifestError, match="there is no ai picture"):
        probed(project)
    manifest.write(path, [replace(records[0], label="cat"), *records[1:]])
    with pytest.raises(ManifestError, match="1 pictures are labelled 'cat'"):
        probed(project)


def test_no_manifest_is_an_error_that_says_what_to_do(project):
    with pytest.raises(ManifestError, match="has no manifest"):
        probed(project)


def test_families_that_apply_to_no_picture_are_an_error_not_an_empty_table(project):
    dataset(project)
    with pytest.raises(LedgerError, match="none of these families applies to final pictures: matte"):
        probed(project, family="matte")
    with pytest.raises(LedgerError, match="none of these families applies to model-input pictures"):
        probed(project, family="container", stage="model-input")


def test_a_planted_difference_is_found_and_an_equal_delivery_is_not(project):
    dataset(project)
    (tone,) = probed(project).last.probes
    assert tone.verdict == "SHORTCUT"
    dataset(project, darker=1.0)
    (tone,) = probed(project).last.probes
    assert tone.verdict != "SHORTCUT"


def test_the_gate_counts_the_last_stage_and_what_a_model_sees_of_it_alone():
    bad, good = probe_of("tone"), probe_of("tone", 0.5, "CLEAN")
    assert probed_of(stage_of("fetched", bad), stage_of("final", good)).refusal is None
    refusals = [
        probed_of(*stages).refusal[0]
        for stages in (
            (stage_of("fetched", good), stage_of("final", bad)),
            (stage_of("final", good), stage_of("model-input", bad)),
            (stage_of("fetched", bad),),
        )
    ]
    assert refusals[0] == "final: 1 of 1 probes found a shortcut: tone"
    assert [refusal.partition(":")[0] for refusal in refusals] == ["final", "model-input", "fetched"]


def test_each_verdict_has_its_own_conclusion():
    told = {verdict: words.conclusion(audit.last) for verdict, audit in (
        (verdict, probed_of(stage_of("final", probe_of("tone"), probe_of("all", auc, verdict))))
        for verdict, auc in (("SHORTCUT", 0.97), ("CLEAN", 0.5), ("INCONCLUSIVE", 0.6))
    )}  # fmt: skip
    assert told["SHORTCUT"] == "The file alone tells the classes apart with AUC 0.97 [0.92–1.00]."
    assert told["CLEAN"] == ("The file alone does not tell the classes apart: AUC 0.50 [0.45–0.55], within 0.40–0.60.")
    assert told["INCONCLUSIVE"].startswith("It is undecided whether the file alone tells the classes apart: AUC 0.60")
    alone = probed_of(stage_of("final", probe_of("jpeg_history")))
    assert words.conclusion(alone.last).startswith("Jpeg-history alone tells the classes apart")


def test_sources_of_one_class_are_always_said():
    clean = probe_of("all", 0.5, "CLEAN")
    said = words.remarks(probed_of(stage_of("final", clean, sources=("folder:r", "folder:a"))))
    assert "Every source holds a single class (only real: folder:r; only ai: folder:a)" in " ".join(said)
    both = stage_of("final", clean)
    assert "a single class" not in " ".join(words.remarks(probed_of(both)))
    records = [replace(both.table.records[0], source="folder:b"), *both.table.records[1:]]
    some = replace(both, table=replace(both.table, records=records))
    assert "Some sources hold a single class (only real: folder:b)" in " ".join(words.remarks(probed_of(some)))


def test_small_sets_say_how_hard_clean_is_to_reach_when_it_matters():
    unclear = probe_of("tone", 0.6, "INCONCLUSIVE", (400, 900))
    assert (
        "With 20 pictures per class, chance alone reaches AUC 0.61"
        in words.remarks(probed_of(stage_of("x", unclear)))[-1]
    )
    assert words.remarks(probed_of(stage_of("x", probe_of("tone")))) == []
    assert "With" not in "".join(words.remarks(probed_of(stage_of("x", unclear, each=300))))


def test_the_leak_that_would_have_been_found_is_said_for_what_is_no_shortcut():
    quiet, blind = (replace(probe_of(name, 0.5, "CLEAN"), detectable=share) for name, share in
                    (("tone", 0.2), ("chroma", 0.5)))  # fmt: skip
    (line,) = power.remarks(stage_of("final", quiet, blind, probe_of("border")))
    assert "8 in 10 are found from a share of 20 % (tone) to 50 % (chroma)." in line
    (line,) = power.remarks(stage_of("final", quiet, replace(blind, detectable=None)))
    assert line.startswith("In 1 of 2 families that are not shortcuts")
    assert power.remarks(stage_of("final", probe_of("border"))) == []


def test_a_later_look_says_what_a_shortcut_then_needs():
    assert power.looks(stage_of("final", probe_of("tone"))) == []
    (line,) = power.looks(replace(stage_of("final", probe_of("tone")), look=Look(number=3)))
    assert line.startswith(
        "This is look 3 at changing final pictures. A shortcut therefore needs a corrected p below 0.00"
    )


def test_what_is_needed_is_a_range_that_may_have_no_end():
    said = [power.needed_in_words(probe_of("tone", needed=needed)) for needed in ((0, 0), (130, 0), (130, 620), (7, 7))]
    assert said == ["", "130 or more", "130–620", "7"]


def test_a_family_that_does_not_apply_at_a_stage_is_a_dash():
    model_input = stage_of("model-input", probe_of("tone", 0.51, "CLEAN"))
    audit = probed_of(stage_of("final", probe_of("container"), probe_of("tone")), model_input)
    assert words.course_table(audit) == [
        {"family": "container", "final": "0.90 ✗", "model-input": "–"},
        {"family": "tone", "final": "0.90 ✗", "model-input": "0.51 ✓"},
    ]


def test_what_lies_below_chance_for_certain_is_said_and_so_is_a_joint_probe_that_is_blind():
    loud, low = probe_of("tone", 0.9), probe_of(ALL, 0.3, verdict="INCONCLUSIVE")
    lines = words.alarms(stage_of("final", loud, low))
    assert lines[0].startswith("Below chance for certain: all together 0.30 [0.25–0.35].")
    assert "less than tone 0.90 alone" in lines[1]
    assert words.alarms(stage_of("final", loud, probe_of(ALL, 0.9))) == []
