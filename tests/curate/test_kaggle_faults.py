"""The real Kaggle client against a loopback server with faults: refusals, pauses, torn downloads and damage."""

import base64
import hashlib
import json
import os
import time

import pytest
from kaggle_world import fetch, rows, serving

from curate.fetch import select
from curate.fetch import work as stage
from curate.sources import downloads, kaggle_client, ledger
from imageledger.cli import main
from imageledger.config import open_project
from imageledger.errors import SourceError

pytest.importorskip("kaggle", reason="the kaggle package is not installed", exc_type=ImportError)

CHUNK = 1024 * 1024
"""Bytes that the client writes at once: what it has when it is cut off is a multiple of them."""


@pytest.fixture
def waits(monkeypatch):
    """The pauses that were asked for, none of them made."""
    asked: list[float] = []
    monkeypatch.setattr(time, "sleep", asked.append)
    return asked


@pytest.fixture
def kaggle_with(monkeypatch):
    """Start a server for this process's client; options are those of `serve`."""
    with serving(monkeypatch) as start:
        yield start


@pytest.mark.parametrize(
    ("status", "what", "hint"),
    [
        (401, "no valid credentials", "KAGGLE_API_TOKEN"),
        (403, "refuses it without an account", "browser"),
        (404, "does not have it", "OWNER/SLUG"),
        (400, "answered 400: ordered by the test", "again"),
    ],
)
@pytest.mark.parametrize("call", ["GetDataset", "GetDatasetMetadata", "DownloadDataset", "storage"])
def test_a_refusal_is_told_in_words_and_leaves_nothing_behind(project, kaggle_with, waits, call, status, what, hint):
    server = kaggle_with()
    server.fail(call, status)
    before = (project.root / "imageledger.toml").read_bytes()
    with pytest.raises(SourceError, match=what) as error:
        fetch(project)

    assert hint in error.value.hint
    assert "kaggle:ana/faces" in error.value.what
    assert (waits, project.manifest("fetch").exists()) == ([], False)
    assert (project.root / "imageledger.toml").read_bytes() == before


@pytest.mark.long
@pytest.mark.parametrize("status", [429, 500, 503])
@pytest.mark.parametrize("call", ["GetDataset", "DownloadDataset", "storage"])
def test_a_busy_kaggle_is_asked_again_after_the_pause_it_names(project, kaggle_with, waits, caplog, call, status):
    server = kaggle_with()
    server.fail(call, status, times=2, Retry_After="7")

    assert fetch(project).tally.total("ok") == 24
    assert waits == [7.0, 7.0]
    assert f"({status}): waiting 7 s, then try 2 of 5" in caplog.text


def test_a_kaggle_that_stays_busy_ends_in_a_clear_message(project, kaggle_with, waits):
    server = kaggle_with()
    server.fail("GetDataset", 429, times=99)
    with pytest.raises(SourceError, match=r"no more requests for now \(429\)"):
        fetch(project)
    assert waits == [2.0, 4.0, 8.0, 16.0]

    server.faults.clear()
    server.fail("GetDataset", 503, times=99)
    with pytest.raises(SourceError, match=r"trouble on its side \(503\)"):
        fetch(project)


def test_a_pause_of_an_hour_is_not_waited_for(project, kaggle_with, waits):
    server = kaggle_with()
    server.fail("GetDataset", 429, Retry_After="3600")
    with pytest.raises(SourceError) as error:
        fetch(project)
    assert (waits, "60 min" in error.value.hint) == ([], True)


def test_no_network_and_no_answer_are_told_apart(project, kaggle_with, monkeypatch):
    server = kaggle_with()
    server.fail("GetDataset", 503, hang=3.0)
    monkeypatch.setattr(kaggle_client, "TIME_LIMIT", (0.3, 0.3))
    with pytest.raises(SourceError, match="did not answer within"):
        fetch(project)
    server.port = 9
    server.redirect(monkeypatch)
    with pytest.raises(SourceError, match="cannot be reached") as error:
        fetch(project)
    assert "network" in error.value.hint


def test_a_download_cut_off_in_the_middle_goes_on_where_it_stopped(project, kaggle_with, waits):
    server = kaggle_with()
    whole = len(server.zip_of("ana/faces", 1))
    server.fail("storage", cut=1_500_000)

    assert fetch(project).tally.total("ok") == 24
    first, second = server.calls("storage")
    assert (first.sent, second.range, second.sent) == (1_500_000, f"bytes={CHUNK}-", whole - CHUNK)


def test_a_new_process_goes_on_with_a_download_that_an_earlier_one_gave_up(project, kaggle_with, waits):
    server = kaggle_with()
    whole = len(server.zip_of("ana/faces", 1))
    server.fail("storage", cut=1_500_000)
    server.fail("storage", cut=0, times=5)
    with pytest.raises(SourceError, match="closed the connection"):
        fetch(project)
    assert not list(project.downloads.rglob("1.zip"))
    server.asked.clear()

    assert fetch(project).tally.total("ok") == 24
    last = server.calls("storage")[-1]
    assert (last.range, last.sent) == (f"bytes={CHUNK}-", whole - CHUNK)


@pytest.mark.parametrize("whole", [True, False], ids=["from the start", "when it is carried on"])
def test_a_server_that_drips_without_end_is_left_with_a_sentence_and_the_command_carries_on(
    project, kaggle_with, waits, monkeypatch, whole
):
    monkeypatch.setattr(kaggle_client, "TIME_LIMIT", (0.4, 0.4))
    monkeypatch.setattr(kaggle_client, "SLOWEST", 1e7)
    server = kaggle_with()
    if not whole:
        server.fail("storage", cut=1_500_000)
    server.fail("storage", drip=0.05)
    with pytest.raises(SourceError, match="sends less than 10000 kB a second") as caught:
        fetch(project)
    assert "carries on where it stopped" in caught.value.hint
    assert len(server.calls("storage")) == (1 if whole else 2)

    assert fetch(project).tally.total("ok") == 24
    assert server.calls("storage")[-1].range == ("" if whole else f"bytes={CHUNK}-")


def test_a_zip_that_changed_meanwhile_is_not_glued_to_the_old_part(project, kaggle_with, waits):
    server = kaggle_with()
    server.fail("storage", cut=1_500_000)
    server.fail("storage", cut=0, times=5)
    with pytest.raises(SourceError):
        fetch(project)
    server.etag = "two"

    assert fetch(project).tally.total("ok") == 24
    sealed = project.downloads / "kaggle/ana/faces/1.zip"
    assert sealed.read_bytes() == server.zip_of("ana/faces", 1)


def test_a_damaged_zip_is_noticed_and_downloaded_again(project, kaggle_with, caplog):
    server = kaggle_with()
    fetch(project)
    sealed = project.downloads / "kaggle/ana/faces/1.zip"
    sealed.chmod(0o644)
    content = bytearray(sealed.read_bytes())
    content[5000] ^= 1
    sealed.write_bytes(content)
    stage.fetch(open_project(project.root))

    assert "is damaged; downloading it again" in caplog.text
    assert sealed.read_bytes() == server.zip_of("ana/faces", 1)


def test_a_sealed_zip_that_rotted_in_silence_is_named_by_verify(project, kaggle_with, runner):
    kaggle_with()
    fetch(project)
    sealed = project.downloads / "kaggle/ana/faces/1.zip"
    known = sealed.stat()
    content = bytearray(sealed.read_bytes())
    content[5000] ^= 1
    sealed.chmod(0o644)
    sealed.write_bytes(content)
    os.utime(sealed, ns=(known.st_atime_ns, known.st_mtime_ns))
    ended = runner.invoke(main, ["verify", "--json", "--project", str(project.root)])
    assert [row["what"] for row in json.loads(ended.stdout)] == ["data/downloads/kaggle/ana/faces/1.zip"]
    assert "curate fetch downloads it again" in ended.stderr


def test_a_download_that_is_not_what_the_storage_holds_is_refused_and_its_md5_is_kept(project, kaggle_with):
    server = kaggle_with()
    server.fail("storage", flip=5000)
    with pytest.raises(SourceError, match="its md5 differs") as caught:
        fetch(project)
    assert "downloaded anew" in caught.value.hint
    assert not list((project.downloads / "kaggle/ana/faces").rglob("*.zip"))
    assert fetch(project).tally.total("ok") == 24
    whole = hashlib.md5(server.zip_of("ana/faces", 1)).digest()
    assert ledger.entry(project, "kaggle:ana/faces@1")["md5"] == base64.b64encode(whole).decode()


def test_a_list_of_files_that_goes_round_in_a_circle_ends(project, kaggle_with, monkeypatch):
    server = kaggle_with()
    monkeypatch.setattr(select, "LARGE", 1000)
    server.page_size = 0
    with pytest.raises(SourceError, match="list of its files does not end"):
        fetch(project, limit=2)


def test_a_page_of_html_in_place_of_the_zip_is_an_error(project, kaggle_with):
    server = kaggle_with()
    server._zips["ana/faces", 1] = b"<!DOCTYPE html><html>sign in</html>"
    with pytest.raises(SourceError, match="not a zip"):
        fetch(project)


def test_credentials_that_kaggle_refuses_at_the_door_are_named(project, kaggle_with):
    server = kaggle_with(token="right")
    server.fail("IntrospectToken", 401, times=9)
    with pytest.raises(SourceError, match="signing in: Kaggle does not accept your credentials"):
        fetch(project)


def test_files_in_place_are_not_asked_for_again_after_a_failure(project, kaggle_with, monkeypatch, waits):
    monkeypatch.setattr(select, "LARGE", 1000)
    server = kaggle_with()
    calls = {"made": 0}
    real = downloads.download_file

    def stumbling(api, name, member, folder):
        calls["made"] += 1
        if calls["made"] == 5:
            raise SourceError("the network went away")
        return real(api, name, member, folder)

    monkeypatch.setattr(downloads, "download_file", stumbling)
    with pytest.raises(SourceError, match="went away"):
        fetch(project, limit=6)
    assert open_project(project.root).sources == ()
    there = {asked.body["fileName"] for asked in server.calls("DownloadDataset")}
    server.asked.clear()
    fetch(project, limit=6)

    assert not there & {asked.body["fileName"] for asked in server.calls("DownloadDataset")}
    assert server.calls("ListDatasetFiles") == []
    assert len(rows(project)) == 12


def test_a_listed_file_that_kaggle_does_not_have_is_a_row_with_the_reason(project, kaggle_with, monkeypatch):
    monkeypatch.setattr(select, "LARGE", 1000)
    server = kaggle_with()
    server.fail("DownloadDataset", 404)
    outcome = fetch(project, limit=3)
    assert (outcome.tally.total("ok"), outcome.tally.total("unreadable")) == (5, 1)
    assert "(404)" in next(row.reason for row in rows(project) if row.status == "unreadable")
