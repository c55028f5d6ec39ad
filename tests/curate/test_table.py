"""Labels, groups, pairs, generators and licences of pictures from a table."""

import json

import pytest
from fetching import curate, drawn, rows

from curate.sources import table
from imageledger.errors import ConfigError

HEADER = "path,label,group,generator,licence"


@pytest.fixture
def photos(project):
    """Six flat pictures in two folders."""
    for number in range(6):
        path = project.root / "photos" / ("a", "b")[number % 2] / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(drawn((number * 30, 9, 9), "PNG"))
    return project.root / "photos"


def written(project, text, name="labels.csv", encoding="utf-8"):
    (project.root / name).write_text(text, encoding=encoding)
    return name


def fetched(project):
    return [(row.member, row.label, row.group, row.pair, row.generator, row.licence) for row in rows(project)]


def test_a_table_gives_each_row_its_label_group_generator_and_licence(runner, project, photos):
    text = f"{HEADER}\na/0.png,real,anna,,CC0-1.0\nb/1.png,ai,,sdxl,\na/2.png,real,anna,,\n"
    done = curate(runner, "folder:photos", "--table", written(project, text), "--licence", "CC-BY-4.0")
    assert done.exit_code == 0
    assert fetched(project) == [
        ("a/0.png", "real", "group:anna", "", "camera", "CC0-1.0"),
        ("a/2.png", "real", "group:anna", "", "camera", "CC-BY-4.0"),
        ("b/1.png", "ai", "", "", "sdxl", "CC-BY-4.0"),
    ]
    assert "3 of 6 files have no label in labels.csv, skipped: a/4.png, b/3.png, b/5.png" in done.stderr


def test_the_table_is_remembered_and_a_changed_row_reaches_the_manifest(runner, project, photos):
    assert curate(runner, "folder:photos", "--table", written(project, "path,label\na/0.png,real\n")).exit_code == 0
    written(project, "path,label\na/0.png,ai\nb/1.png,real\n")
    assert curate(runner).exit_code == 0
    assert [(row.member, row.label) for row in rows(project)] == [("a/0.png", "ai"), ("b/1.png", "real")]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("t.csv", "\ufefffile_name,label\na/0.png,real\nb/1.png,ai\n"),
        ("t.tsv", "path\tlabel\na/0.png\treal\nb/1.png\tai\n"),
        ("t.csv", 'path,label\r\n"photos/a/0.png",real\r\nphotos\\b\\1.png,ai\r\n'),
        ("t.csv", "image,label\n./a/0.png,real\n1.png,ai\n"),
        ("t.jsonl", '{"path": "a/0.png", "label": "real"}\n\n{"path": "b/1.png", "label": "ai"}\n'),
    ],
)
def test_tables_come_in_several_forms_and_paths_may_be_longer_or_shorter(name, text, runner, project, photos):
    done = curate(runner, "folder:photos", "--table", written(project, text, name))
    assert done.exit_code == 0, done.stderr
    assert [(row.member, row.label) for row in rows(project)] == [("a/0.png", "real"), ("b/1.png", "ai")]


def test_a_parquet_table_is_read(runner, project, photos):
    arrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    parquet.write_table(arrow.table({"path": ["a/0.png", "b/1.png"], "label": ["real", "ai"], "group": [7, 8]}),
                        project.root / "t.parquet")  # fmt: skip
    assert curate(runner, "folder:photos", "--table", "t.parquet").exit_code == 0
    assert [(row.member, row.label, row.group) for row in rows(project)] == [
        ("a/0.png", "real", "group:7"), ("b/1.png", "ai", "group:8")
    ]  # fmt: skip


def test_labels_of_a_table_are_translated_and_one_label_stands_for_empty_cells(runner, project, photos):
    name = written(project, "path,label\na/0.png,0\nb/1.png,1\n")
    assert "the labels of this project are real and ai" in curate(runner, "folder:photos", "--table", name).stderr
    assert curate(runner, "folder:photos", "--table", name, "--labels", "0=real,1=ai").exit_code == 0
    assert [row.label for row in rows(project)] == ["real", "ai"]
    bare = written(project, "path\na/0.png\n")
    assert curate(runner, "folder:photos", "--table", bare, "--label", "ai").exit_code == 0
    assert [(row.member, row.label) for row in rows(project)] == [("a/0.png", "ai")]


def test_pairs_come_from_the_table_and_stay_in_one_group(runner, project, photos):
    text = "path,label,pair\na/0.png,real,7\nb/1.png,ai,7\n"
    assert curate(runner, "folder:photos", "--table", written(project, text)).exit_code == 0
    assert {(row.group, row.pair) for row in rows(project)} == {("pair:7", "pair:7")}


def test_rows_without_a_file_are_counted_and_named(runner, project, photos):
    text = "path,label\na/0.png,real\ngone.png,ai\nphotos/0.png,real\n"
    done = curate(runner, "folder:photos", "--table", written(project, text))
    assert "no file for 1 × a row of labels.csv: gone.png" in done.stderr


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        ("t.csv", "name,label\na,real\n", "no path"),
        ("t.csv", "path,label\na,real\na,ai\n", "a stands in the table twice, and the rows differ"),
        ("t.csv", "path,label,group,pair\na,real,1,7\nb,ai,2,7\n", "the pair '7' stands in two groups"),
        ("t.jsonl", "[1]\n", "cannot be read as JSONL"),
        ("t.jsonl", "[" * 100_000 + "\n", "cannot be read as JSONL"),
        ("t.jsonl", '{"path": ["a"]}\n', "path is .*, no text"),
        ("t.xlsx", "x", "a table is .csv, .tsv, .jsonl or .parquet"),
        ("t.parquet", "x", "cannot be read as PARQUET"),
    ],
)
def test_what_is_no_table_or_contradicts_itself_is_refused_with_the_row(name, text, why, tmp_path):
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=why):
        table.read(tmp_path / name)
    with pytest.raises(ConfigError, match="is not there"):
        table.read(tmp_path / "none.csv")


def test_twenty_thousand_rows_are_matched_to_as_many_files():
    facts = {f"set/{number}.jpg": table.Facts(label="real") for number in range(20_000)}
    found, lost = table.by_member(facts, [f"images/set/{number}.jpg" for number in range(20_000)])
    assert (len(found), len(lost)) == (20_000, 0)


def test_a_path_that_two_files_end_with_is_no_guess():
    found, lost = table.by_member({"1.jpg": table.Facts(label="real")}, ["a/1.jpg", "b/1.jpg"])
    assert (found, lost) == ({}, ["1.jpg"])


def test_json_lines_may_hold_any_character_of_a_file_name(tmp_path):
    (tmp_path / "t.jsonl").write_text(json.dumps({"path": "a\u2028b.jpg", "label": "real"}, ensure_ascii=False))
    assert list(table.read(tmp_path / "t.jsonl")) == ["a\u2028b.jpg"]
