"""The manifest stage: the chosen rows, final.csv, the exported tree, and what is said when it cannot be done."""

import csv
import hashlib
import json
import os
from collections import Counter

import pytest
from originals import png, row, scene, written

from curate.cli import main
from curate.manifest.export import export
from curate.manifest.work import COLUMNS, NOTE, ManifestSettings, as_csv, choose, split_of
from imageledger import decisions, manifest
from imageledger.errors import ConfigError, LedgerError, ManifestError, StoreError
from imageledger.record import Record, Step

FEW = ManifestSettings(per_class=10, match=())


def rows(store, count=14, labels=("real", "ai"), source="folder:drawn", **changes):
    """Rows with objects of their own, `count` of each label."""
    made = []
    for label in labels:
        for n in range(count):
            name = store.put(f"{source} {label} {n}".encode(), "png")
            step = Step(did="normalize@1", on=name, found={"format": "jpeg", "size": [640, 480]})
            values = {"origin": name, "file": name, "width": 512, "height": 512, "steps": (step,), **changes}
            made.append(Record(source=source, member=f"{label}/{n:03}.jpg", label=label, **values))
    return made


@pytest.fixture
def ready(project):
    """A project whose whitened manifest holds 14 pictures of each label."""
    written(project.manifest("whiten"), rows(project.store))
    return project


def never(records):
    raise AssertionError("nothing is to be measured here")


def read(path):
    return list(manifest.read(path))


def test_exactly_as_many_of_each_label_are_chosen_and_the_rest_is_unused(ready):
    made = read(choose(ready, FEW).path)
    assert Counter((row.label, row.split) for row in made if row.split) == {
        ("real", "train"): 8, ("real", "valid"): 2, ("ai", "train"): 8, ("ai", "valid"): 2,
    }  # fmt: skip
    unused = [row for row in made if not row.split]
    assert {(row.status, row.reason) for row in unused} == {("unused", "not chosen")}
    assert len(unused) == 8
    assert [row.key for row in made] == [row.key for row in read(ready.manifest("whiten"))]


def test_the_defaults_are_a_hundred_of_each_and_a_fifth_for_validation(project):
    written(project.manifest("whiten"), rows(project.store, 103))
    made = read(choose(project, ManifestSettings(match=())).path)
    assert Counter((row.label, row.split) for row in made if row.split) == {
        ("real", "train"): 80, ("real", "valid"): 20, ("ai", "train"): 80, ("ai", "valid"): 20,
    }  # fmt: skip


def test_rows_set_aside_before_are_never_chosen(project):
    made = rows(project.store)
    made[0] = made[0].failed("truncated JPEG")
    made[1] = made[1].failed("not alone", "rejected")
    written(project.manifest("whiten"), made)
    after = {row.key: row for row in read(choose(project, FEW).path)}
    assert after[made[0].key] == made[0]
    assert after[made[1].key] == made[1]


def test_no_group_stands_on_both_sides(project):
    made = rows(project.store, 4, group="one burst") + rows(project.store, 14, source="folder:more")
    written(project.manifest("whiten"), made)
    split = {row.split for row in read(choose(project, FEW).path) if row.group == "one burst" and row.split}
    assert len(split) == 1


def test_too_few_pictures_are_counted_by_class_and_reason_and_nothing_is_written(project):
    made = rows(project.store)
    made[:3] = [row.failed(f"{n + 200} px, needs 512", "rejected") for n, row in enumerate(made[:3])]
    made[3:5] = [row.failed("near-duplicate: pHash distance 2, correlation 0.98", "duplicate") for row in made[3:5]]
    made[5] = made[5].failed("truncated JPEG")
    written(project.manifest("whiten"), made)
    before = sorted(project.folder.iterdir())
    with pytest.raises(ManifestError) as error:
        choose(project, FEW)
    assert error.value.what.splitlines() == [
        "too few pictures for a balanced dataset",
        "real: 2 of 10 are missing: 14 rows, 8 ok",
        "  2 × duplicate",
        "  3 × rejected: … px, needs …",
        "  1 × unreadable: truncated JPEG",
    ]
    assert error.value.hint == "fetch more pictures, or take --per-class 8"
    assert sorted(project.folder.iterdir()) == before


def test_a_class_without_any_row_is_missing_whole(project):
    written(project.manifest("whiten"), rows(project.store, labels=("real",)))
    with pytest.raises(ManifestError, match="ai: 10 of 10 are missing: 0 rows, 0 ok"):
        choose(project, FEW)


def test_groups_that_cannot_be_split_are_said_to(project):
    written(project.manifest("whiten"), rows(project.store, group="all one person"))
    with pytest.raises(ManifestError, match="no split keeps every group on one side"):
        choose(project, FEW)


def test_a_label_that_the_project_does_not_know_is_refused():
    stranger = Record(source="s", member="m", label="fake", origin="")
    with pytest.raises(ManifestError, match="s#m is labelled 'fake'"):
        split_of(lambda: [stranger], ("real", "ai"), FEW, never)


@pytest.mark.parametrize(("per_class", "fraction"), [(1, 0.5), (0, 0.2), (4, 0.01), (4, 0.99), (10, 0.0), (10, 1.5)])
def test_settings_that_leave_a_side_empty_are_refused(per_class, fraction):
    with pytest.raises(ConfigError, match="nothing to train on or nothing to validate with"):
        ManifestSettings(per_class=per_class, valid_fraction=fraction)


def test_the_same_bytes_come_again_and_the_manifest_stands(ready):
    first = choose(ready, FEW)
    content, table = first.path.read_bytes(), first.path.with_suffix(".csv").read_bytes()
    first.path.with_suffix(".csv").unlink()
    again = choose(ready, FEW)
    assert (again.worked, again.reused) == (0, 28)
    assert (first.path.read_bytes(), first.path.with_suffix(".csv").read_bytes()) == (content, table)
    first.path.unlink()
    choose(ready, FEW)
    assert first.path.read_bytes() == content


def test_decisions_of_people_are_applied(ready):
    key = {"source": "folder:drawn", "who": "Ada", "why": "a drawing"}
    lines = [{**key, "member": "real/000.jpg", "decision": "leave-out"}]
    lines += [{**key, "member": "real/001.jpg", "decision": "label", "label": "ai"}]
    choose(ready, FEW)
    (ready.folder / decisions.FILE).write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    made = {row.member: row for row in read(choose(ready, FEW).path)}
    assert made["real/000.jpg"].reason == "left out by Ada: a drawing"
    assert made["real/001.jpg"].label == "ai"


def test_final_csv_holds_a_line_a_row_and_the_native_size(ready):
    path = choose(ready, FEW).path.with_suffix(".csv")
    with path.open(newline="", encoding="utf-8") as file:
        table = list(csv.DictReader(file))
    assert tuple(table[0]) == COLUMNS
    assert len(table) == 28
    assert (table[0]["native_width"], table[0]["native_height"], table[0]["native_format"]) == ("640", "480", "jpeg")
    assert {line["split"] for line in table} == {"train", "valid", ""}


def test_final_csv_is_what_pandas_reads(ready):
    pandas = pytest.importorskip("pandas")
    table = pandas.read_csv(choose(ready, FEW).path.with_suffix(".csv"))
    assert table.groupby(["label", "split"]).size().to_dict() == {
        ("ai", "train"): 8, ("ai", "valid"): 2, ("real", "train"): 8, ("real", "valid"): 2,
    }  # fmt: skip
    assert table["width"].dtype == "int64"


@pytest.mark.parametrize("start", ["=", "+", "-", "@"])
def test_no_cell_is_run_by_a_spreadsheet(start):
    text = as_csv([Record(source=f"{start}cmd|'/c calc'!A1", member="a,b\nc", label="real")])
    (line,) = list(csv.DictReader(text.splitlines(keepends=True)))
    assert line["source"] == f"'{start}cmd|'/c calc'!A1"
    assert line["member"] == "a,b\nc"


def tree(folder):
    return Counter(path.relative_to(folder).parent.as_posix() for path in folder.rglob("*.png"))


def test_the_exported_tree_holds_hard_links_by_side_and_label(ready, tmp_path):
    outcome = choose(ready, FEW)
    target = tmp_path / "faces"
    assert export(read(outcome.path), ready.store, target) == 20
    assert tree(target) == {"train/real": 8, "train/ai": 8, "valid/real": 2, "valid/ai": 2}
    for each in read(outcome.path):
        if each.split:
            assert (target / each.split / each.label / each.file).samefile(ready.store.path(each.file))


def test_pictures_are_copied_where_links_cannot_be_made(ready, tmp_path, monkeypatch):
    def no_links(*_):
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", no_links)
    export(read(choose(ready, FEW).path), ready.store, tmp_path / "faces")
    copied = next((tmp_path / "faces" / "train" / "ai").iterdir())
    assert hashlib.sha256(copied.read_bytes()).hexdigest() == copied.stem
    assert copied.stat().st_nlink == 1


def test_an_export_replaces_an_older_one_and_an_empty_folder_only(ready, tmp_path):
    made = read(choose(ready, FEW).path)
    target = tmp_path / "faces"
    target.mkdir()
    export(made, ready.store, target)
    export([row for row in made if row.label == "ai"], ready.store, target)
    assert tree(target) == {"train/ai": 8, "valid/ai": 2}
    assert sorted(path.name for path in tmp_path.iterdir() if path.name.endswith(".part")) == []


def test_a_folder_with_anything_else_in_it_is_left_alone(ready, tmp_path):
    made = read(choose(ready, FEW).path)
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "thesis.tex").write_text("years of work")
    (tmp_path / ".new.part").mkdir()
    (tmp_path / ".new.part" / "half a film").write_text("")
    (tmp_path / "link").symlink_to(tmp_path)
    for target in (mine, mine / "thesis.tex", tmp_path / "link", tmp_path / "new"):
        with pytest.raises(LedgerError, match="was not written by --export"):
            export(made, ready.store, target)
    assert (mine / "thesis.tex").read_text() == "years of work"
    assert (tmp_path / ".new.part" / "half a film").exists()


def test_a_missing_object_leaves_the_older_export_in_place(ready, tmp_path):
    made = read(choose(ready, FEW).path)
    target = tmp_path / "faces"
    export(made, ready.store, target)
    ready.store.path(next(row for row in made if row.split).file).unlink()
    with pytest.raises(StoreError, match="is missing"):
        export(made, ready.store, target)
    assert tree(target).total() == 20


def test_two_rows_of_one_object_are_two_files(ready, tmp_path):
    twin = read(choose(ready, FEW).path)[0]
    pair = [Record(source="s", member=name, label="real", file=twin.file, split="train") for name in "ab"]
    assert export(pair, ready.store, tmp_path / "faces") == 2
    assert tree(tmp_path / "faces") == {"train/real": 2}


@pytest.mark.long
def test_fastai_reads_the_exported_tree_as_it_is(project, tmp_path):
    pytest.importorskip("torch")
    from train.network.fastai_seam import vision

    made = [
        row(project.store, png(scene(n, (64, 64))), f"{n}.png", label=("real", "ai")[n % 2]) for n in range(20)
    ]  # fmt: skip
    written(project.manifest("whiten"), made)
    outcome = choose(project, FEW)
    export(read(outcome.path), project.store, tmp_path / "faces")
    loaders = vision.ImageDataLoaders.from_folder(tmp_path / "faces", train="train", valid="valid", bs=4, num_workers=0)
    assert (len(loaders.train_ds), len(loaders.valid_ds), list(loaders.vocab)) == (16, 4, ["ai", "real"])


def test_the_command_says_what_stands_where(ready, runner):
    result = runner.invoke(main, ["manifest", "--match", "off", "--per-class", "10", "--export", "out"])
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines()[-1] == str(ready.manifest("manifest"))
    assert "train: 8 ai from folder:drawn, 8 real from folder:drawn" in result.stderr
    assert "20 pictures exported to out" in result.stderr
    assert tree(ready.root / "out").total() == 20


def test_the_export_is_made_even_when_the_manifest_stands(ready, runner):
    assert runner.invoke(main, ["manifest", "--match", "off", "--per-class", "10"]).exit_code == 0
    result = runner.invoke(main, ["manifest", "--match", "off", "--per-class", "10", "--export", "out"])
    assert "0 worked on, 28 reused" in result.stderr
    assert tree(ready.root / "out").total() == 20


@pytest.mark.long
def test_the_command_takes_options_before_the_table_before_the_top_of_the_file(ready, runner):
    config = ready.root / "imageledger.toml"
    config.write_text(
        'dataset = "drawn"\nper_class = 12\nseed = 5\n\n[manifest]\nper_class = 8\nmatch = []\n', encoding="utf-8"
    )
    card = manifest.card_path(ready.manifest("manifest"))
    assert runner.invoke(main, ["manifest"]).exit_code == 0
    assert json.loads(card.read_text())["settings"] == {"per_class": 8, "valid_fraction": 0.2, "seed": 5, "match": []}
    assert (
        runner.invoke(
            main, ["manifest", "--per-class", "6", "--valid-fraction", "0.5", "--seed", "1", "--match", "tone"]
        ).exit_code
        == 0
    )
    assert json.loads(card.read_text())["settings"] == {
        "per_class": 6,
        "valid_fraction": 0.5,
        "seed": 1,
        "match": ["tone"],
        "note": NOTE,
    }


def test_the_command_with_too_few_pictures_ends_with_1_and_prints_nothing_on_stdout(ready, runner):
    result = runner.invoke(main, ["manifest"])
    assert result.exit_code == 1
    assert result.stdout == ""
    assert "real: 86 of 100 are missing: 14 rows, 14 ok" in result.stderr
    assert "Try: fetch more pictures, or take --per-class 14" in result.stderr
    assert not ready.manifest("manifest").exists()
