"""`audit leaks` as a person or a CI job runs it."""

import csv
import json

import pytest
from originals import jpeg, row, scene, written

from audit.cli import main


@pytest.fixture
def leaking(project):
    """A final manifest with one near-duplicate across the split, one conflict, and a hostile name."""
    store = project.store
    rows = [
        row(store, jpeg(scene(0)), "a.jpg", split="train"),
        row(store, jpeg(scene(0), 60), "=b\x1b[31m.jpg", split="valid"),
        row(store, jpeg(scene(1)), "c.jpg", split="train"),
        row(store, jpeg(scene(1), 60), "d.jpg", label="ai", split="train", source="folder:other"),
        row(store, jpeg(scene(2)), "e.jpg", split="valid"),
        row(store, jpeg(scene(3)), "f.jpg", label="ai", split="valid", source="folder:other"),
    ]
    written(project.manifest("manifest"), rows)
    return project


def clean(project):
    rows = [
        row(project.store, jpeg(scene(n)), f"{n}.jpg", label="ai" if n % 2 else "real",
            split="train" if n < 4 else "valid") for n in range(6)
    ]  # fmt: skip
    return written(project.manifest("manifest"), rows)


def test_leaks_are_told_in_sentences_a_table_and_files(leaking, runner):
    ran = runner.invoke(main, ["leaks"])
    assert ran.exit_code == 0, ran.output
    assert "6 pictures (3 train, 3 valid) were compared across the split and across the labels." in ran.stdout
    assert "1 pair across the split: validation counts what training has seen." in ran.stdout
    assert "1 pair under both labels: one label of each is wrong." in ran.stdout
    assert "Sources with a single class: folder:drawn only real (4), folder:other only ai (2)." in ran.stdout
    assert "\x1b" not in ran.output
    folder = leaking.root / "data" / "audit"
    assert ran.stdout.splitlines()[-3:] == [str(folder / f"leaks.{kind}") for kind in ("csv", "png", "html")]
    with (folder / "leaks.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    page = (folder / "leaks.html").read_text(encoding="utf-8")
    assert page.count("data:image/webp") == 4, "both pictures of each of two pairs"
    assert "\x1b" not in page
    assert {name for line in rows for name in (line["member"], line["other_member"])} >= {"a.jpg", "'=b\x1b[31m.jpg"}


def test_the_gate_ends_with_3_on_a_leak_and_with_0_without(leaking, runner):
    ran = runner.invoke(main, ["leaks", "--fail-on", "leak"])
    assert ran.exit_code == 3
    assert ran.stderr.splitlines()[-2] == "Error: 2 pairs leak"
    assert "What to do" in ran.stdout
    clean(leaking)
    assert runner.invoke(main, ["leaks", "--fail-on", "leak"]).exit_code == 0


def test_a_clean_manifest_says_so_and_takes_older_files_away(leaking, runner):
    runner.invoke(main, ["leaks"])
    folder = leaking.root / "data" / "audit"
    assert (folder / "leaks.png").exists()
    clean(leaking)
    ran = runner.invoke(main, ["leaks"])
    told = ran.stdout.splitlines()
    assert told[1] == "Nothing was found on both sides of the split among 13 pairs of pictures."
    assert told[2] == "No picture stands under both labels."
    said = " ".join(told[3:])
    for words in (
        "cropped by up to 15 %",
        "in the originals, at 320 pixels",
        "Not found for certain are",
    ):
        assert words in said
    assert [path.name for path in folder.iterdir()] == ["leaks.html"]
    page = (folder / "leaks.html").read_text(encoding="utf-8")
    assert "Nothing was found on both sides of the split among 13 pairs of pictures." in page
    assert "<img" not in page


def test_json_is_one_object_with_both_members_of_each_pair(leaking, runner, tmp_path):
    ran = runner.invoke(main, ["leaks", "--json", "-o", str(tmp_path / "out")])
    told = json.loads(ran.stdout)
    assert [(pair["kind"], pair["across_the_split"], pair["under_both_labels"]) for pair in told["pairs"]] == [
        ("near-duplicate", True, False),
        ("near-duplicate", False, True),
    ]
    assert told["compared"] == {"train": 3, "valid": 3}
    assert told["one_class_sources"][0] == {"source": "folder:drawn", "label": "real", "pictures": 4}
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["leaks.csv", "leaks.html", "leaks.png"]


def test_what_could_not_be_compared_is_a_warning_and_does_not_pass_the_gate(project, runner):
    path = clean(project)
    lines = path.read_text(encoding="utf-8").splitlines()
    ghost = {"source": "zip:gone", "member": "x.jpg", "label": "ai", "split": "valid", "origin": "0" * 64 + ".jpg"}
    path.write_text("".join(f"{line}\n" for line in [*lines, json.dumps(ghost)]), encoding="utf-8")
    ran = runner.invoke(main, ["leaks"])
    assert ran.exit_code == 0
    assert "Warning: 1 picture or pair could not be compared" in ran.stderr
    assert "Warning: zip:gone#x.jpg: no recorded hash, and object" in ran.stderr
    assert runner.invoke(main, ["leaks", "--fail-on", "leak"]).exit_code == 3


def test_without_a_manifest_the_command_ends_with_1(project, runner):
    ran = runner.invoke(main, ["leaks"])
    assert ran.exit_code == 1
    assert ran.stderr.startswith("Error: there is no manifest")
