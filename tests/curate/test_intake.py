"""Nothing is lost on the way in without a word: what a folder or a zip holds is read, or counted and named."""

import os
import subprocess
import zipfile
from pathlib import Path

import pytest
from fetching import curate, drawn, rows

from curate.sources import names, open_source
from curate.sources.folder import Folder
from imageledger.config import OUTPUT, open_project
from imageledger.errors import SourceError


@pytest.fixture
def case(testdata, project):
    """Unpack a small input that once failed into the project, and return its folder."""

    def unpack(name: str) -> Path:
        target = project.root / "in"
        target.mkdir()
        subprocess.run(["tar", "xf", testdata / "cases" / name / "input.tar", "-C", target], check=True)
        return target

    return unpack


def members(address, project):
    return [member.name for member in open_source(address, project).members()]


def test_names_that_differ_only_in_bytes_that_are_no_text_are_different_rows(case, runner, project):
    case("latin1-names")
    assert curate(runner, "folder:in", "--label", "real").exit_code == 0
    assert [row.member for row in rows(project)] == ["caf%E8.jpg", "caf%E9.jpg", "caf%EA.jpg"]
    assert len({row.file for row in rows(project)}) == 3


def test_two_spellings_of_a_letter_are_two_files_and_the_first_keeps_its_name(project):
    folder = project.root / "in"
    folder.mkdir()
    for number, name in enumerate(("\u00e9.jpg", "e\u0301.jpg", "%E9", os.fsdecode(b"\xe9"))):
        (folder / name).write_bytes(bytes([number]))
    source = open_source("folder:in", project)
    read = {name: source.read(name)[0] for name, _ in source.members()}
    assert sorted(read.values()) == [0, 1, 2, 3]
    assert (read["\u00e9.jpg"], read["%E9"]) == (0, 2)


def test_any_names_stay_apart_whatever_they_are():
    raws = ["a", "a~ca978112", "e\u0301", "\u00e9", "\udce9", "%E9", "\ud800", "x/e\u0301.b", "x/\u00e9.b", ".\u00e9"]
    apart = names.named_apart(raws)
    assert sorted(apart.values()) == sorted(raws)
    for name in apart:
        name.encode("utf-8")


def test_a_cache_of_links_names_the_way_in_and_is_read_when_links_are_followed(case, runner, project):
    case("huggingface-cache")
    labels = ("--labels", "real/**=real,ai/**=ai")
    refused = curate(runner, "folder:in/snap", *labels)
    assert refused.exit_code == 1
    assert "left out 4 × a link that leads out of the folder: 'ai/0.jpg'" in refused.stderr
    assert "--follow-links reads what the 4 links in it lead to" in refused.stderr
    assert curate(runner, "folder:in/snap", *labels, "--follow-links").exit_code == 0
    assert [row.label for row in rows(project)] == ["ai", "ai", "real", "real"]
    assert open_project(project.root).sources[0].follow_links
    assert curate(runner).exit_code == 0
    assert len(rows(project)) == 4


def test_followed_links_to_folders_are_walked_once_and_circles_end(project, tmp_path_factory, caplog):
    away = tmp_path_factory.mktemp("away")
    (away / "sub").mkdir()
    (away / "sub/1.jpg").write_bytes(b"1")
    (away / "back").symlink_to(away)
    folder = project.root / "in"
    folder.mkdir()
    (folder / "one").symlink_to(away)
    (folder / "two").symlink_to(away)
    assert Folder("folder:in", folder).members() == []
    assert "left out 2 × a link that leads out of the folder: 'one', 'two'" in caplog.text
    assert [name for name, _ in Folder("folder:in", folder, follow_links=True).members()] == ["one/sub/1.jpg"]
    assert "a link to a folder that is read elsewhere in the tree: 'two', 'one/back'" in caplog.text


def test_a_link_to_itself_is_left_out_with_a_word_and_the_others_are_read(case, runner, project):
    case("symlink-file-loop")
    done = curate(runner, "folder:in", "--labels", "real/**=real,ai/**=ai")
    assert done.exit_code == 0
    assert "left out 1 × a link that leads nowhere or in a circle: 'real/a.jpg'" in done.stderr
    assert len(rows(project)) == 2


def test_a_folder_that_cannot_be_listed_is_named_and_the_others_are_read(project, monkeypatch, caplog):
    for name in ("lost+found", "good"):
        (project.root / "in" / name).mkdir(parents=True)
        (project.root / "in" / name / "1.jpg").write_bytes(b"1")
    scandir = os.scandir

    def refusing(path):
        if Path(path).name == "lost+found":
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refusing)
    assert members("folder:in", project) == ["good/1.jpg"]
    assert "left out 1 × a folder that cannot be listed: 'lost+found'" in caplog.text


def test_a_project_inside_the_folder_of_photographs_never_reads_what_it_wrote(testdata, project, runner):
    case = testdata / "cases" / "project-inside-photos"
    for path in case.glob("me*.jpg"):
        (project.root / path.name).write_bytes(path.read_bytes())
    (project.root / "ai.zip").write_bytes((case / "ai.zip").read_bytes())
    assert curate(runner, "folder:.", "--label", "real").exit_code == 0
    assert curate(runner, "zip:ai.zip", "--label", "ai").exit_code == 0
    before = rows(project)
    done = curate(runner)
    assert done.exit_code == 0
    assert rows(project) == before
    assert "a folder that imageledger itself writes: 'manifests', 'data/objects'" in done.stderr
    assert sorted(row.member for row in before if row.label == "real") == ["me0.jpg", "me1.jpg", "me2.jpg"]


@pytest.mark.parametrize("output", sorted(OUTPUT))
def test_output_is_refused_as_a_source_and_photographs_beside_it_are_not(output, project):
    (project.root / output / "deeper").mkdir(parents=True, exist_ok=True)
    (project.root / output / "deeper/1.jpg").write_bytes(b"1")
    (project.root / "data/photos").mkdir(parents=True)
    (project.root / "data/photos/1.jpg").write_bytes(b"1")
    for address in (f"folder:{output}", f"folder:{output}/deeper"):
        with pytest.raises(SourceError, match="imageledger itself wrote"):
            open_source(address, project)
    assert members("folder:data", project) == ["photos/1.jpg"]
    assert members("folder:data/photos", project) == ["1.jpg"]


def test_an_export_among_the_photographs_is_left_out(project, caplog):
    (project.root / "in/export/train/real").mkdir(parents=True)
    (project.root / "in/export/.imageledger-export").write_text("")
    for path in ("in/1.jpg", "in/export/train/real/x.jpg"):
        (project.root / path).write_bytes(b"1")
    assert members("folder:in", project) == ["1.jpg"]
    assert "a folder that imageledger itself writes: 'export'" in caplog.text


def test_archives_inside_an_archive_are_named(testdata, runner, project):
    (project.root / "z.zip").write_bytes((testdata / "cases/nested-zips/input.zip").read_bytes())
    for labels in ((), ("--labels", "real/**=real,ai/**=ai")):
        done = curate(runner, "zip:z.zip", *labels)
        assert done.exit_code == 1
        assert "2 archives inside are not opened: ai.zip, real.zip" in done.stderr
    assert "Try: unpack the archives inside" in done.stderr


def test_a_zip_whose_names_are_unmarked_utf_8_is_read_under_its_true_names(testdata, runner, project):
    (project.root / "z.zip").write_bytes((testdata / "cases/utf8-zip-without-flag/input.zip").read_bytes())
    assert curate(runner, "zip:z.zip", "--labels", "реальные/**=real").exit_code == 0
    assert [row.member for row in rows(project)] == ["реальные/0.jpg", "реальные/1.jpg"]


def test_one_name_with_a_false_utf_8_mark_costs_neither_the_zip_nor_the_file(project):
    path = project.root / "z.zip"
    with zipfile.ZipFile(path, "w") as made:
        made.writestr("caf\u00e9.jpg", b"one")  # the mark is set, and the name is two bytes longer than code page 437
        made.writestr("good.jpg", b"two" * 40)
    path.write_bytes(path.read_bytes().replace("caf\u00e9".encode(), b"caf\x82\x82"))
    source = open_source("zip:z.zip", project)
    assert [name for name, _ in source.members()] == ["caf\u00e9\u00e9.jpg", "good.jpg"]
    assert (source.read("caf\u00e9\u00e9.jpg"), source.read("good.jpg")) == (b"one", b"two" * 40)


def test_labels_are_proposed_from_folders_whose_names_say_a_class(runner, project):
    for folder in ("set/0_real", "set/1_fake"):
        (project.root / "in" / folder).mkdir(parents=True)
        (project.root / "in" / folder / "1.jpg").write_bytes(drawn("red" if "real" in folder else "blue"))
    refused = curate(runner, "folder:in")
    assert refused.exit_code == 1
    proposed = "set/0_real/**=real,set/1_fake/**=ai"
    assert f"--labels '{proposed}'" in refused.stderr
    assert curate(runner, "folder:in", "--labels", proposed).exit_code == 0
    assert [row.label for row in rows(project)] == ["real", "ai"]


def test_what_to_take_and_its_licence_are_said_on_the_command_line_and_remembered(runner, project):
    (project.root / "in/thumbs").mkdir(parents=True)
    for name in ("1.jpg", "2.png", "thumbs/1.jpg"):
        (project.root / "in" / name).write_bytes(drawn((len(name), 3, 9)))
    options = ("--include", "**/*.jpg", "--include", "*.jpg", "--exclude", "thumbs/**", "--licence", "CC-BY-4.0")
    assert curate(runner, "folder:in", "--label", "real", *options).exit_code == 0
    assert [(row.member, row.licence) for row in rows(project)] == [("1.jpg", "CC-BY-4.0")]
    assert curate(runner).exit_code == 0
    assert [(row.member, row.licence) for row in rows(project)] == [("1.jpg", "CC-BY-4.0")]


def test_only_a_folder_has_links_to_follow(project, runner):
    with zipfile.ZipFile(project.root / "z.zip", "w") as made:
        made.writestr("1.jpg", drawn("red"))
    refused = curate(runner, "zip:z.zip", "--label", "real", "--follow-links")
    assert refused.exit_code == 1
    assert "only a folder has links to follow" in refused.stderr
