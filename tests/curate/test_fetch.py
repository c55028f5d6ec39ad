"""The first stage: from sources to rows, and the command that runs it."""

import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest
from fetching import curate, drawn, rows

from curate.fetch import work as stage
from imageledger import manifest
from imageledger.config import SourceEntry, open_project
from imageledger.errors import ConfigError, SourceError
from imageledger.manifest import Card


@pytest.fixture
def pictures(project):
    """A folder of six pictures and what is usually found beside them."""
    root = project.root / "pictures"
    for folder in ("real", "fake"):
        (root / folder).mkdir(parents=True)
        for n in range(3):
            (root / folder / f"{n}.jpg").write_bytes(drawn((n * 80, 9, len(folder) * 20)))
    (root / "real/disguised.jpg").write_bytes(drawn("navy", "PNG"))
    (root / "real/nameless").write_bytes(drawn("gold", "WEBP"))
    (root / "real/page.jpg").write_bytes(b"<!DOCTYPE html><html></html>")
    (root / "fake/empty.png").write_bytes(b"")
    (root / "real/notes.txt").write_bytes(b"hello")
    (root / "fake/data.csv").write_bytes(b"a,b\n")
    (root / "readme.md").write_bytes(b"# hi")
    return root


LABELS = ("--labels", "real/**=real,fake/**=ai")


def test_pictures_are_known_by_content_and_torn_promises_become_rows_with_a_reason(runner, project, pictures):
    done = curate(runner, "folder:pictures", *LABELS, "--generator", "stylegan2")
    assert done.exit_code == 0, done.stderr

    by_name = {row.member: row for row in rows(project)}
    assert list(by_name) == sorted(by_name)
    assert by_name["real/disguised.jpg"].file.endswith(".png")
    assert by_name["real/nameless"].file.endswith(".webp")
    assert by_name["real/page.jpg"].reason == "not a picture: HTML"
    assert by_name["fake/empty.png"].reason == "not a picture: empty file"
    assert not by_name.keys() & {"real/notes.txt", "fake/data.csv", "readme.md"}
    first = by_name["fake/0.jpg"]
    assert (first.label, first.generator, first.licence, first.status) == ("ai", "stylegan2", "unknown", "ok")
    assert by_name["real/0.jpg"].generator == "camera"
    assert first.file == first.origin
    assert project.store.read(first.file) == (pictures / "fake/0.jpg").read_bytes()
    assert first.found("fetch") == {"bytes": len(project.store.read(first.file)), "format": "jpeg"}
    assert "2 other files left alone: .csv, .txt" in done.stderr
    assert "1 of 13 files match no label pattern, skipped: " in done.stderr
    assert "licence unknown" in done.stderr
    assert done.stdout.rstrip().endswith("fetched.jsonl")


def test_the_counts_are_printed_as_json_and_strict_turns_unreadable_pictures_into_exit_3(runner, pictures):
    done = curate(runner, "folder:pictures", *LABELS, "--json")
    assert {row["label"]: (row["ok"], row["unreadable"]) for row in json.loads(done.stdout)} == {
        "ai": (3, 1),
        "real": (5, 1),
    }
    strict = curate(runner, "--strict")
    assert (strict.exit_code, "2 pictures could not be read" in strict.stderr) == (3, True)


def test_the_source_is_declared_relative_to_the_project_and_fetched_again_without_arguments(
    runner, project, pictures, monkeypatch
):
    monkeypatch.chdir(pictures)
    assert curate(runner, "folder:.", *LABELS).exit_code == 0
    (entry,) = open_project().sources
    assert (entry.address, entry.labels) == ("folder:pictures", {"real/**": "real", "fake/**": "ai"})
    before = project.manifest("fetch").read_bytes()
    assert curate(runner).exit_code == 0
    assert project.manifest("fetch").read_bytes() == before


def test_a_pattern_that_matches_nothing_is_a_warning_that_shows_where_the_files_are(runner, pictures):
    done = curate(runner, "folder:pictures", "--labels", "reel/**=real,fake/**=ai")
    assert "nothing matches 'reel/**'; its files lie in real/ (7), fake/ (5), (top) (1)" in done.stderr
    assert done.exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (["folder:pictures"], "no label says what its pictures are"),
        (["folder:pictures", "--label", "photo"], "'photo' is not a label of this project"),
        (["folder:pictures", "--labels", "real/**=photo"], "'photo' is not a label of this project"),
        (["folder:pictures", "--labels", "real"], "is not GLOB=LABEL"),
        (["folder:pictures", "--label", "real", "--labels", "a=ai"], "exclude each other"),
        (["folder:pictures", "--labels", "none/**=real"], "holds no pictures that were asked for"),
        (["folder:pictures", "folder:./pictures", "--label", "real"], "declared twice"),
        (["folder:nowhere", "--label", "real"], "does not exist"),
        (["pictures", "--label", "real"], "is not the address of a source"),
        ([], "no source is declared"),
    ],
)
def test_what_cannot_be_fetched_is_an_error_that_changes_nothing(runner, project, pictures, arguments, what):
    before = (project.root / "imageledger.toml").read_bytes()
    done = curate(runner, *arguments)

    assert (done.exit_code, done.stdout) == (1, "")
    assert what in done.stderr
    assert "Try: " in done.stderr
    assert (project.root / "imageledger.toml").read_bytes() == before
    assert not project.manifest("fetch").exists()


def test_options_without_a_source_are_a_usage_error(runner, project):
    assert curate(runner, "--label", "real").exit_code == 2


def test_naming_one_source_keeps_the_rows_of_the_others_without_opening_them(runner, project, pictures):
    curate(runner, "folder:pictures/real", "--label", "real")
    before = rows(project)
    pictures.rename(project.root / "unplugged")
    done = curate(runner, "folder:unplugged/fake", "--label", "ai")

    assert done.exit_code == 0, done.stderr
    assert [row for row in rows(project) if row.source == "folder:pictures/real"] == before
    assert len(rows(project)) == len(before) + 4
    assert [entry.address for entry in open_project().sources] == ["folder:pictures/real", "folder:unplugged/fake"]
    assert f"fetch: 4 worked on, {len(before)} reused" in done.stderr


def test_a_source_taken_out_of_the_configuration_loses_its_rows(runner, project, pictures):
    curate(runner, "folder:pictures/real", "--label", "real")
    curate(runner, "folder:pictures/fake", "--label", "ai")
    path = project.root / "imageledger.toml"
    path.write_text(path.read_text().replace("pictures/fake", "pictures/real/../real2"))
    (pictures / "real2").mkdir()
    (pictures / "real2/x.jpg").write_bytes(drawn("red"))
    assert curate(runner).exit_code == 0
    assert {row.source for row in rows(project)} == {"folder:pictures/real", "folder:pictures/real/../real2"}


def test_a_kept_row_whose_picture_is_gone_is_fetched_anew(runner, project, pictures):
    curate(runner, "folder:pictures/real", "--label", "real")
    lost = rows(project)[0].file
    project.store.path(lost).unlink()
    curate(runner, "folder:pictures/fake", "--label", "ai")
    assert project.store.is_sound(lost)


def test_a_folder_is_read_again_and_a_changed_picture_is_a_new_object(runner, project, pictures):
    curate(runner, "folder:pictures", *LABELS)
    old = {row.member: row.file for row in rows(project)}
    (pictures / "real/0.jpg").write_bytes(drawn("white"))
    (pictures / "fake/new.jpg").write_bytes(drawn("black"))
    done = curate(runner)

    new = {row.member: row.file for row in rows(project)}
    assert new.keys() - old.keys() == {"fake/new.jpg"}
    assert {name for name in old if old[name] != new[name]} == {"real/0.jpg"}
    assert "4 worked on, 7 reused" in done.stderr  # the changed and the new one, and two that are no pictures


def test_what_could_not_be_read_is_tried_again_though_it_looks_the_same(runner, project, pictures, monkeypatch):
    read = Path.read_bytes

    def refuse():
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "read_bytes", lambda path: read(path) if path.name != "0.jpg" else refuse())
        curate(runner, "folder:pictures", *LABELS)
    assert [row.status for row in rows(project) if row.member.endswith("0.jpg")] == ["unreadable", "unreadable"]
    curate(runner)
    assert [row.status for row in rows(project) if row.member.endswith("0.jpg")] == ["ok", "ok"]


def zip_at(path, members):
    with zipfile.ZipFile(path, "w") as made:
        for name, content in members.items():
            made.writestr(name, content)


def test_an_unchanged_zip_is_not_read_again_and_a_changed_one_is(runner, project):
    path = project.root / "z.zip"
    zip_at(path, {"a.jpg": drawn("red"), "b.jpg": drawn("blue")})
    curate(runner, "zip:z.zip", "--label", "real")
    first = rows(project)
    assert "0 worked on, 2 reused" in curate(runner).stderr
    zip_at(path, {"a.jpg": drawn("green"), "b.jpg": drawn("blue"), "c.jpg": drawn("lime")})
    assert "3 worked on, 0 reused" in curate(runner).stderr

    assert [row.file == old.file for row, old in zip(rows(project), first, strict=False)] == [False, True]


def test_a_corrected_label_reaches_the_rows_without_reading_the_zip_again(runner, project):
    zip_at(project.root / "z.zip", {"a.jpg": drawn("red")})
    curate(runner, "zip:z.zip", "--label", "real")
    assert "0 worked on, 1 reused" in curate(runner, "zip:z.zip", "--label", "ai", "--generator", "sd15").stderr
    assert [(row.label, row.generator) for row in rows(project)] == [("ai", "sd15")]


def test_a_limit_takes_so_many_of_each_label_and_moves_few_when_pictures_are_added(runner, project):
    members = {f"{kind}/{n}.jpg": drawn((n, n, len(kind))) for kind in ("real", "fake") for n in range(60)}
    zip_at(project.root / "z.zip", {**members, "real/list.csv": b"x"})
    curate(runner, "zip:z.zip", *LABELS, "--limit", "20")
    first = {row.member for row in rows(project)}
    assert Card.read(manifest.card_path(project.manifest("fetch"))).counts == {"ai": {"ok": 20}, "real": {"ok": 20}}

    zip_at(project.root / "z.zip", {**members, **{f"real/new{n}.jpg": drawn((n, 0, 0)) for n in range(6)}})
    curate(runner)
    assert len(first & {row.member for row in rows(project)}) >= 36
    assert curate(runner, "zip:z.zip", "--limit", "0").exit_code == 0
    assert len(rows(project)) == 126


def test_include_exclude_licence_and_the_allow_list_of_the_configuration_count(project, pictures, caplog):
    path = project.root / "imageledger.toml"
    path.write_text(
        'dataset = "drawn"\nlicences = ["CC BY 4.0"]\n[[source]]\naddress = "folder:pictures"\nlabel = "real"\n'
        'licence = "CC BY 4.0"\ninclude = ["*/?.jpg"]\nexclude = ["**/1.jpg"]\n'
    )
    stage.fetch(open_project())
    assert [row.member for row in rows(project)] == ["fake/0.jpg", "fake/2.jpg", "real/0.jpg", "real/2.jpg"]
    assert {row.licence for row in rows(project)} == {"CC-BY-4.0"}
    assert "licence" not in caplog.text
    path.write_text(path.read_text().replace('licence = "CC BY 4.0"\n', ""))
    with pytest.raises(SourceError, match=r"under the licence unknown, and .* allows only CC BY 4.0"):
        stage.fetch(open_project())


def test_an_encrypted_or_oversized_member_is_a_row_and_the_rest_goes_on(project, monkeypatch):
    monkeypatch.setattr("curate.sources.MOST_BYTES", 1_000_000)
    zip_at(project.root / "z.zip", {"a.jpg": drawn("red"), "bomb.jpg": bytes(5_000_000), "c.jpg": drawn("blue")})
    content = bytearray((project.root / "z.zip").read_bytes())
    content[content.rindex(b"PK\x01\x02") + 8] |= 1
    (project.root / "z.zip").write_bytes(content)
    stage.fetch(project, [SourceEntry(address="zip:z.zip", label="real")])

    assert [(row.status, row.reason) for row in rows(project)] == [
        ("ok", ""),
        ("rejected", "5 MB, more than the limit of 1 MB"),
        ("unreadable", "encrypted in the zip"),
    ]


def test_the_manifest_does_not_depend_on_workers_order_or_place(project, pictures, tmp_path_factory):
    entries = [SourceEntry(address=f"folder:pictures/{k}", label=v) for k, v in (("real", "real"), ("fake", "ai"))]
    stage.fetch(project, entries, workers=1)
    paths = (project.manifest("fetch"), manifest.card_path(project.manifest("fetch")))
    first = [path.read_bytes() for path in paths]
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "imageledger.toml").write_text('dataset = "drawn"\n')
    pictures.rename(elsewhere / "pictures")
    moved = open_project(elsewhere)
    stage.fetch(moved, entries[::-1], workers=8)

    assert [moved.manifest("fetch").read_bytes(), manifest.card_path(moved.manifest("fetch")).read_bytes()] == first


def test_no_source_at_all_is_an_error_of_the_configuration(project):
    with pytest.raises(ConfigError, match="no source is declared"):
        stage.fetch(project)


SLOW = """
import sys, time
from curate.fetch import work as fetch
from curate.sources.archive import Archive
from imageledger.config import SourceEntry, open_project
read = Archive.read
def slowly(self, name):
    time.sleep(0.05)
    return read(self, name)
Archive.read = slowly
fetch.fetch(open_project(), [SourceEntry(address="zip:z.zip", label="real")], workers=2)
"""


def test_a_fetch_that_is_killed_carries_on_and_ends_with_the_same_bytes(project):
    zip_at(project.root / "z.zip", {f"{n:03}.jpg": drawn((n, n, n)) for n in range(120)})
    entry = SourceEntry(address="zip:z.zip", label="real")
    process = subprocess.Popen([sys.executable, "-c", SLOW], cwd=project.root)
    for _ in range(600):
        parts = list(project.folder.glob(".fetched.jsonl.*.part")) if project.folder.is_dir() else []
        if parts and parts[0].read_bytes().count(b"\n") > 10:
            break
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert not project.manifest("fetch").exists()
    outcome = stage.fetch(project, [entry])
    assert 0 < outcome.worked < 115
    carried_on = project.manifest("fetch").read_bytes()
    project.manifest("fetch").unlink()
    assert stage.fetch(project, [entry]).worked == 120
    assert project.manifest("fetch").read_bytes() == carried_on
