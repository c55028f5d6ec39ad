"""A split that a table gives is kept, whole, and refused where it would tear a group."""

import json
from collections import Counter

import pytest
from originals import written

from curate.cli import main
from curate.manifest.chosen import chosen_by_numbers
from curate.manifest.work import ManifestSettings, choose
from imageledger import manifest
from imageledger.errors import ManifestError
from imageledger.record import Record

FEW = ManifestSettings(per_class=10, valid_fraction=0.2)


def rows(store, train=9, valid=3, **changes):
    """Rows of both labels with objects of their own: of each label so many with either side."""
    made = []
    for label in ("real", "ai"):
        for number in range(train + valid):
            name = store.put(f"{label} {number}".encode(), "png")
            side = "train" if number < train else "valid"
            values = {"origin": name, "file": name, "split": side, **changes}
            made.append(Record(source="folder:x", member=f"{label}/{number:02}.png", label=label, **values))
    return made


def test_every_chosen_picture_keeps_its_given_side_and_the_others_have_none(project):
    given = rows(project.store)
    written(project.manifest("whiten"), given)
    made = list(manifest.read(choose(project, FEW).path))
    side = {row.key: row.split for row in given}
    assert Counter((row.label, row.split) for row in made if row.status == "ok") == {
        ("real", "train"): 8, ("real", "valid"): 2, ("ai", "train"): 8, ("ai", "valid"): 2,
    }  # fmt: skip
    assert all(row.split == side[row.key] for row in made if row.status == "ok")
    assert {(row.split, row.reason) for row in made if row.status != "ok"} == {("", "not chosen")}


def test_the_card_says_that_the_split_was_given_and_no_audit_takes_it_for_a_choice_by_numbers(project, caplog):
    written(project.manifest("whiten"), rows(project.store))
    with caplog.at_level("INFO"):
        path = choose(project, FEW).path
    settings = manifest.Card.read(manifest.card_path(path)).settings
    assert settings["split"] == "given"
    assert "note" not in settings
    assert chosen_by_numbers(path, list(manifest.read(path))) is None
    assert "the split is the one that the table gives: it is kept" in caplog.text


def test_a_picture_that_is_set_aside_loses_its_given_side(project):
    made = rows(project.store)
    made[0] = made[0].failed("near-duplicate", "duplicate")
    written(project.manifest("whiten"), made)
    after = {row.key: row for row in manifest.read(choose(project, FEW).path)}
    assert (after[made[0].key].split, after[made[0].key].status) == ("", "duplicate")


@pytest.mark.parametrize("shared", ["group", "origin"])
def test_a_group_or_equal_files_on_both_sides_are_refused_by_name_and_nothing_is_written(project, shared):
    made = rows(project.store)
    value = "group:anna" if shared == "group" else made[0].origin
    for number in (2, 10):
        made[number] = type(made[number])(**{**fields_of(made[number]), shared: value})
    made[0] = made[0].failed("left out", "rejected")
    written(project.manifest("whiten"), made)
    with pytest.raises(
        ManifestError, match=r"on both sides of the split: real/02\.png \(train\) and real/10\.png"
    ) as e:
        choose(project, FEW)
    assert "column split" in e.value.hint
    assert not project.manifest("manifest").exists()


def fields_of(record):
    return {name: getattr(record, name) for name in record.__dataclass_fields__}


def test_some_with_a_split_and_some_without_are_refused_with_their_number(project):
    made = rows(project.store)
    made[5] = type(made[5])(**{**fields_of(made[5]), "split": ""})
    written(project.manifest("whiten"), made)
    with pytest.raises(
        ManifestError, match=r"23 pictures have a split from a table, and 1 have none, such as"
    ) as caught:
        choose(project, FEW)
    assert "give every picture one" in caught.value.hint


def test_too_few_on_a_side_are_refused_with_both_numbers(project):
    written(project.manifest("whiten"), rows(project.store, train=11, valid=1))
    with pytest.raises(ManifestError, match=r"gives 1 ai pictures to valid, and 2 are wanted \(per_class 10"):
        choose(project, FEW)


def test_a_split_column_goes_from_the_table_to_the_final_manifest_and_another_word_is_refused(project, runner):
    from fetching import drawn

    (project.root / "imageledger.toml").write_text(
        'dataset = "drawn"\nper_class = 3\nvalid_fraction = 0.34\norder = ["fetch", "manifest"]\n', encoding="utf-8"
    )
    lines = ["path,label,split"]
    for number in range(6):
        path = project.root / "photos" / f"{number}.png"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(drawn((40 * number, 9, 9), "PNG"))
        lines.append(f"{number}.png,{('real', 'ai')[number % 2]},{'valid' if number < 2 else 'train'}")
    table = project.root / "labels.csv"
    table.write_text("\n".join([*lines, ""]), encoding="utf-8")
    assert runner.invoke(main, ["fetch", "folder:photos", "--table", str(table)]).exit_code == 0
    ended = runner.invoke(main, ["manifest", "--json"])
    assert ended.exit_code == 0, ended.stderr
    json.loads(ended.stdout)
    made = {row.member: row.split for row in manifest.read(project.manifest("manifest"))}
    assert made == {f"{number}.png": "valid" if number < 2 else "train" for number in range(6)}
    table.write_text(table.read_text().replace("3.png,ai,train", "3.png,ai,test"), encoding="utf-8")
    ended = runner.invoke(main, ["fetch"])
    assert ended.exit_code == 1
    assert "labels.csv, row 5: the split 'test' is none" in ended.stderr
    assert "Try: train or valid" in ended.stderr
