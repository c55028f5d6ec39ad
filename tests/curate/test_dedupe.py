"""The dedupe stage and its command, on drawn and on real pictures."""

import io
import json

import pytest
from originals import jpeg, png, row, scene, written
from PIL import Image, ImageEnhance, ImageOps

from curate.cli import main
from curate.dedupe.work import DedupeSettings, dedupe, judge, plan_for
from imageledger import decisions, manifest
from imageledger.decisions import Decisions
from imageledger.errors import ConfigError, ManifestError, StoreError
from imageledger.store import Store


def deduped(store, rows, **chosen):
    """What dedupe makes of rows, by member."""
    plan = plan_for(rows, Decisions(), store, DedupeSettings(**chosen))
    return {record.member: judge(record, plan) for record in rows}


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "objects")


def mixed(store):
    """Two pictures with copies, one under both labels, and one that stands alone."""
    first, second, third, alone = (scene(seed) for seed in range(4))
    return [
        row(store, png(first), "first.png"),
        row(store, jpeg(first.resize((160, 160)), 60), "first-small.jpg"),
        row(store, jpeg(ImageOps.mirror(first)), "first-mirrored.jpg"),
        row(store, jpeg(second), "second.jpg"),
        row(store, jpeg(second), "second-again.jpg"),
        row(store, jpeg(third), "third.jpg"),
        row(store, jpeg(ImageEnhance.Contrast(third).enhance(1.3)), "third-as-ai.jpg", label="ai"),
        row(store, jpeg(alone), "alone.jpg", label="ai"),
    ]


def test_copies_are_found_and_say_of_what(store):
    made = deduped(store, mixed(store))
    assert made["first.png"].status == made["alone.jpg"].status == "ok"
    assert made["first-small.jpg"].duplicate_of == "folder:drawn#first.png"
    assert made["first-small.jpg"].reason.startswith("near-duplicate: pHash distance ")
    assert 0.95 < made["first-small.jpg"].similarity <= 1
    assert made["first-mirrored.jpg"].reason.startswith("mirrored near-duplicate: ")
    assert {made["second.jpg"].reason, made["second-again.jpg"].reason} == {"", "same bytes"}
    assert made["third.jpg"].reason == "conflict: the same picture is labelled ai as folder:drawn#third-as-ai.jpg"
    assert made["third.jpg"].status == made["third-as-ai.jpg"].status == "rejected"
    assert made["first.png"].group == made["first-small.jpg"].group == f"cluster:{made['first.png'].origin[:12]}"
    assert made["alone.jpg"].group == ""


def test_a_photograph_and_its_twin_of_the_other_class_can_be_kept_as_a_pair(store):
    made = deduped(store, mixed(store), pairs="keep")
    twins = made["third.jpg"], made["third-as-ai.jpg"]
    assert {row.status for row in twins} == {"ok"}
    assert twins[0].pair == twins[1].pair != ""
    assert twins[0].group == twins[1].group
    assert {row.pair for name, row in made.items() if not name.startswith("third")} == {""}
    with pytest.raises(ConfigError, match="kept or rejected"):
        DedupeSettings(pairs="perhaps")


def test_the_same_pixels_in_another_format_are_found_and_the_lossless_file_stays(store):
    lossy = jpeg(scene(0))
    same = png(Image.open(io.BytesIO(lossy)))
    made = deduped(store, [row(store, lossy, "a.jpg"), row(store, same, "b.png")])
    assert made["a.jpg"].reason == "same pixels"
    assert made["a.jpg"].duplicate_of == "folder:drawn#b.png"


def test_only_ok_rows_take_part(store):
    rows = [row(store, jpeg(scene(0)), "a.jpg"), row(store, jpeg(scene(0)), "b.jpg").failed("no face", "rejected")]
    made = deduped(store, rows)
    assert made["a.jpg"] == rows[0]
    assert made["b.jpg"] == rows[1]


def test_originals_are_read_for_candidates_only_and_once_where_hashes_alone_are_asked(store, monkeypatch):
    rows = [row(store, jpeg(scene(0), quality), f"{quality}.jpg") for quality in (50, 70, 90)]
    rows += [row(store, jpeg(scene(seed)), f"other {seed}.jpg") for seed in range(1, 6)]
    asked = []
    read = Store.read
    monkeypatch.setattr(Store, "read", lambda self, name: asked.append(name) or read(self, name))
    made = deduped(store, rows, most=0)
    assert sum(record.status == "duplicate" for record in made.values()) == 2
    assert sorted(asked) == sorted(record.origin for record in rows[:3])


def test_a_missing_original_stops_the_stage_and_says_so(store):
    rows = [row(store, jpeg(scene(0), quality), f"{quality}.jpg") for quality in (50, 90)]
    store.path(rows[0].origin).unlink()
    with pytest.raises(StoreError, match="is missing"):
        deduped(store, rows)


def test_a_row_that_was_not_normalized_stops_the_stage(store):
    with pytest.raises(ManifestError, match=r"a\.jpg has no perceptual hash") as error:
        deduped(store, [row(store, jpeg(scene(0)), "a.jpg", phash="")])
    assert "curate normalize" in error.value.hint


def test_a_matte_restricts_the_comparison_to_the_person(store):
    matte = Image.new("L", (64, 64), 0)
    matte.paste(255, (16, 8, 48, 64))
    name = store.put(png(matte), "png")
    person = matte.resize((320, 320))
    rows = []
    for n, (face, ground) in enumerate(((5, 6), (5, 7))):
        image = Image.composite(scene(face), scene(ground), person)
        rows.append(row(store, jpeg(image), f"{n}.jpg", phash="p:00000000000000ff", matte=name))
    made = deduped(store, rows)
    assert sorted(record.status for record in made.values()) == ["duplicate", "ok"]
    bare = [row(store, store.read(each.origin), each.member, phash="p:00000000000000ff") for each in rows]
    assert {record.status for record in deduped(store, bare).values()} == {"ok"}


def test_a_distance_at_which_everything_is_a_candidate_is_refused():
    with pytest.raises(ConfigError, match="between 0 and 24"):
        DedupeSettings(distance=40)


def test_the_manifest_is_the_same_bytes_again_and_nothing_is_planned_twice(project):
    source = written(project.manifest("normalize"), mixed(project.store))
    first = dedupe(project, DedupeSettings())
    content = first.path.read_bytes()
    again = dedupe(project, DedupeSettings())
    assert (first.worked, again.worked, again.reused) == (8, 0, 8)
    first.path.unlink()
    assert dedupe(project, DedupeSettings(), source=source).path.read_bytes() == content
    assert [record.key for record in manifest.read(first.path)] == [record.key for record in manifest.read(source)]


def test_decisions_of_people_overrule_and_are_new_input(project):
    written(project.manifest("normalize"), mixed(project.store))
    dedupe(project, DedupeSettings())
    said = {"source": "folder:drawn", "who": "Ada", "why": "looked"}
    lines = [
        {**said, "member": "third-as-ai.jpg", "decision": "label", "label": "real"},
        {**said, "member": "first-mirrored.jpg", "decision": "keep"},
        {**said, "member": "second.jpg", "decision": "leave-out"},
    ]
    path = project.folder / decisions.FILE
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    outcome = dedupe(project, DedupeSettings())
    made = {record.member: record for record in manifest.read(outcome.path)}
    assert outcome.worked == 8
    assert sorted((made["third.jpg"].status, made["third-as-ai.jpg"].status)) == ["duplicate", "ok"]
    assert made["third-as-ai.jpg"].label == "real"
    assert made["first-mirrored.jpg"].status == "ok"
    assert made["first-mirrored.jpg"].group == made["first.png"].group
    assert (made["second.jpg"].status, made["second.jpg"].reason) == ("rejected", "left out by Ada: looked")
    assert made["second-again.jpg"].status == "ok"


def test_the_command_reports_conflicts_and_stray_decisions_on_stderr(project, runner):
    written(project.manifest("normalize"), mixed(project.store))
    stray = {"source": "folder:drawn", "member": "typo.jpg", "decision": "keep", "who": "Ada", "why": "looked"}
    (project.folder / decisions.FILE).write_text(json.dumps(stray) + "\n", encoding="utf-8")
    for _ in range(2):  # the second time the manifest stands
        result = runner.invoke(main, ["dedupe"])
        assert result.exit_code == 0, result.output
        assert "Conflict: folder:drawn#third.jpg is labelled real, but the same picture is labelled ai" in result.stderr
        assert "no record is called folder:drawn#typo.jpg" in result.stderr
        assert result.stdout.splitlines()[-1] == str(project.manifest("dedupe"))


def test_the_command_takes_its_distance_from_the_option_then_the_table(project, runner):
    written(project.manifest("normalize"), mixed(project.store))
    config = project.root / "imageledger.toml"
    config.write_text(config.read_text() + "[dedupe]\ndistance = 4\n", encoding="utf-8")
    card = manifest.card_path(project.manifest("dedupe"))
    assert runner.invoke(main, ["dedupe", "--json"]).exit_code == 0
    assert json.loads(card.read_text())["settings"] == {"distance": 4, "pairs": "reject", "most": 20000}
    assert runner.invoke(main, ["dedupe", "--distance", "8"]).exit_code == 0
    assert json.loads(card.read_text())["settings"] == {"distance": 8, "pairs": "reject", "most": 20000}


def test_the_command_without_a_manifest_before_it_ends_with_1(project, runner):
    result = runner.invoke(main, ["dedupe"])
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: there is no manifest")


def real_rows(testdata, store, paths):
    return [row(store, path.read_bytes(), path.relative_to(testdata).as_posix()) for path in paths]


def test_every_edit_of_a_photograph_is_found_a_slight_rotation_too(testdata, store):
    paths = sorted((testdata / "duplicates" / "edits").glob("*.jpg"))
    made = {
        name.rpartition("/")[2]: record for name, record in deduped(store, real_rows(testdata, store, paths)).items()
    }
    clusters = {}
    for name, record in made.items():
        clusters.setdefault(record.group, set()).add(name)
    scenes = [{name for name in made if not name.startswith("ukbench")}]
    scenes.append({name for name in made if name.startswith("ukbench")})
    assert sorted(map(sorted, clusters.values())) == sorted(map(sorted, scenes))
    assert sum(record.status == "ok" for record in made.values()) == 2
    assert " turned by " in made["ukbench00120_rotation.jpg"].reason
    assert made["ukbench00120_hflip.jpg"].reason.startswith("mirrored near-duplicate: ")
