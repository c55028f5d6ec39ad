"""The real Kaggle client against a loopback server that speaks its API, faults and all."""

import json
import os
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pytest
from kaggle_server import Published, serve

from curate import fetch as stage
from curate.cli import main
from curate.sources import downloads, kaggle, ledger, open_source
from imageledger import manifest
from imageledger.config import SourceEntry, open_project
from imageledger.errors import MissingExtra, SourceError

pytest.importorskip("kaggle", reason="the kaggle package is not installed", exc_type=ImportError)

ADDRESS = "kaggle:ana/faces"


def picture(number: int) -> bytes:
    """100 KB of noise that begin like a JPEG."""
    return b"\xff\xd8\xff\xe0" + np.random.default_rng(number).bytes(100_000)


FACES = {f"{folder}/{n}.jpg": picture(n + 100 * (folder == "fake")) for folder in ("real", "fake") for n in range(12)}
CHUNK = 1024 * 1024
"""Bytes that the client writes at once: what it has when it is cut off is a multiple of them."""
MEMBERS = {**FACES, "about.csv": b"a,b\n"}


@pytest.fixture
def waits(monkeypatch):
    """The pauses that were asked for, none of them made."""
    asked: list[float] = []
    monkeypatch.setattr(time, "sleep", asked.append)
    return asked


@pytest.fixture
def kaggle_with(monkeypatch):
    """Start a server for this process's client; options are those of `serve`."""
    running = []

    def start(published=MEMBERS, **options):
        context = serve({"ana/faces": published}, **options)
        server = context.__enter__()
        running.append(context)
        server.redirect(monkeypatch)
        return server

    yield start
    for context in running:
        context.__exit__(None, None, None)


def fetch(project, **options):
    entry = SourceEntry(address=ADDRESS, labels={"real/**": "real", "fake/**": "ai"})
    return stage.fetch(project, [replace(entry, **options)])


def rows(project):
    return list(manifest.read(project.manifest("fetch")))


def test_a_public_dataset_is_fetched_without_credentials_and_its_zip_stays_sealed(project, kaggle_with, caplog):
    server = kaggle_with(Published({1: {}, 3: MEMBERS}, licence="CC BY-NC-SA 4.0"))
    outcome = fetch(project, generator="stylegan2")

    assert (outcome.worked, outcome.tally.plain()) == (24, {"ai": {"ok": 12}, "real": {"ok": 12}})
    found = rows(project)
    assert {row.source for row in found} == {"kaggle:ana/faces@3"}
    assert {row.licence for row in found} == {"CC-BY-NC-SA-4.0"}
    assert {(row.label, row.generator) for row in found} == {("real", "camera"), ("ai", "stylegan2")}
    assert project.store.read(found[0].file) == FACES[found[0].member]
    assert not any(asked.authorization for asked in server.asked)
    sealed = project.downloads / "kaggle/ana/faces/3.zip"
    assert sealed.read_bytes() == server.zip_of("ana/faces", 3)
    assert not sealed.stat().st_mode & 0o222
    assert [path.name for path in sealed.parent.iterdir()] == ["3.zip"]
    entry = ledger.entry(project, "kaggle:ana/faces@3")
    assert entry["sha256"] == manifest.digest(sealed)
    assert (entry["bytes"], entry["version"], entry["title"]) == (sealed.stat().st_size, 3, "Faces")
    assert entry["url"] == "https://www.kaggle.com/datasets/ana/faces/versions/3"
    assert "licence CC-BY-NC-SA-4.0: no commercial use" in caplog.text


def test_a_second_fetch_asks_kaggle_nothing_and_reads_nothing(project, kaggle_with):
    server = kaggle_with()
    fetch(project)
    before, asked = project.manifest("fetch").read_bytes(), len(server.asked)
    again = stage.fetch(open_project(project.root))

    assert (again.worked, again.reused, len(server.asked)) == (0, 24, asked)
    assert project.manifest("fetch").read_bytes() == before


def test_a_pinned_version_is_fetched_and_a_version_that_is_not_there_is_an_error(project, kaggle_with):
    server = kaggle_with(Published({1: {"real/old.jpg": picture(7), "fake/f.jpg": picture(8)}, 2: MEMBERS}))
    fetch(project, address=f"{ADDRESS}@1")

    assert {row.name for row in rows(project)} == {"kaggle:ana/faces@1#fake/f.jpg", "kaggle:ana/faces@1#real/old.jpg"}
    assert server.calls("DownloadDataset")[0].body["datasetVersionNumber"] == 1
    with pytest.raises(SourceError, match="newest version is 2"):
        fetch(project, address=f"{ADDRESS}@5")


def test_an_unpinned_name_keeps_the_declared_version_and_another_version_replaces_it(project, kaggle_with, runner):
    kaggle_with(Published({1: MEMBERS, 2: MEMBERS}))
    labels = ["--labels", "real/**=real,fake/**=ai"]
    assert runner.invoke(main, ["fetch", f"{ADDRESS}@1", *labels]).exit_code == 0
    assert runner.invoke(main, ["fetch", ADDRESS]).exit_code == 0
    assert [entry.address for entry in open_project().sources] == [f"{ADDRESS}@1"]
    assert runner.invoke(main, ["fetch", f"{ADDRESS}@2"]).exit_code == 0
    assert [entry.address for entry in open_project().sources] == [f"{ADDRESS}@2"]
    assert {row.source for row in rows(project)} == {f"{ADDRESS}@2"}


@pytest.mark.parametrize(
    ("status", "what", "hint"),
    [
        (401, "no valid credentials", "KAGGLE_API_TOKEN"),
        (403, "refuses it to strangers", "browser"),
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
    monkeypatch.setattr(kaggle, "TIME_LIMIT", (0.3, 0.3))
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
    with pytest.raises(SourceError, match="broke off"):
        fetch(project)
    assert not list(project.downloads.rglob("1.zip"))
    server.asked.clear()

    assert fetch(project).tally.total("ok") == 24
    last = server.calls("storage")[-1]
    assert (last.range, last.sent) == (f"bytes={CHUNK}-", whole - CHUNK)


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


def test_a_page_of_html_in_place_of_the_zip_is_an_error(project, kaggle_with):
    server = kaggle_with()
    server._zips["ana/faces", 1] = b"<!DOCTYPE html><html>sign in</html>"
    with pytest.raises(SourceError, match="not a zip"):
        fetch(project)


def test_a_token_is_sent_where_there_is_one_and_a_wrong_one_is_refused_in_words(project, kaggle_with, monkeypatch):
    server = kaggle_with(Published({1: MEMBERS}, private=True), token="right")
    assert fetch(project).tally.total("ok") == 24
    assert server.calls("GetDataset")[0].authorization == "Bearer right"

    monkeypatch.setenv("KAGGLE_API_TOKEN", "wrong")
    with pytest.raises(SourceError, match=r"\(403\)"):
        fetch(project)


def test_credentials_that_kaggle_refuses_at_the_door_are_named(project, kaggle_with):
    server = kaggle_with(token="right")
    server.fail("IntrospectToken", 401, times=9)
    with pytest.raises(SourceError, match="signing in: Kaggle does not accept your credentials"):
        fetch(project)


def test_of_a_large_dataset_a_limit_downloads_only_the_chosen_files(project, kaggle_with, monkeypatch):
    server = kaggle_with(Published({2: MEMBERS}, claimed_bytes=20_000_000_000), page_size=5)
    outcome = fetch(project, limit=4)

    assert outcome.tally.plain() == {"ai": {"ok": 4}, "real": {"ok": 4}}
    found = rows(project)
    assert [project.store.read(row.file) for row in found] == [FACES[row.member] for row in found]
    assert len(server.calls("ListDatasetFiles")) == 5
    assert sorted(asked.body["fileName"] for asked in server.calls("DownloadDataset")) == [r.member for r in found]
    assert not list(project.downloads.rglob("*.zip"))

    server.asked.clear()
    project.manifest("fetch").unlink()
    assert stage.fetch(open_project(project.root)).worked == 8
    assert server.asked == []


def test_the_sample_is_the_same_from_single_files_and_from_the_zip(project, kaggle_with):
    kaggle_with(Published({1: MEMBERS}, claimed_bytes=20_000_000_000))
    fetch(project, limit=3)
    piecewise = project.manifest("fetch").read_bytes()
    project.manifest("fetch").unlink()
    kaggle_with(Published({1: MEMBERS}))
    ledger.path(project).unlink()
    fetch(project, limit=3)
    assert project.manifest("fetch").read_bytes() == piecewise


def test_a_single_file_that_comes_wrapped_in_a_zip_is_taken_out(project, kaggle_with, monkeypatch):
    monkeypatch.setattr(stage, "LARGE", 1000)
    kaggle_with(Published({1: MEMBERS}, wrap_files=True))
    fetch(project, limit=2)
    assert all(project.store.read(row.file) == FACES[row.member] for row in rows(project))


def test_files_in_place_are_not_asked_for_again_after_a_failure(project, kaggle_with, monkeypatch, waits):
    monkeypatch.setattr(stage, "LARGE", 1000)
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
    monkeypatch.setattr(stage, "LARGE", 1000)
    server = kaggle_with()
    server.fail("DownloadDataset", 404)
    outcome = fetch(project, limit=3)
    assert (outcome.tally.total("ok"), outcome.tally.total("unreadable")) == (5, 1)
    assert "(404)" in next(row.reason for row in rows(project) if row.status == "unreadable")


def test_a_long_download_says_now_and_then_how_far_it_is(tmp_path, monkeypatch, caplog):
    caplog.set_level("INFO")
    monkeypatch.setattr(downloads, "TELL_EVERY", 0.01)
    (tmp_path / "faces.zip").write_bytes(bytes(1_500_000))
    with downloads._telling("kaggle:ana/faces@1", tmp_path, 2_000_000):
        for _ in range(500):
            if caplog.records:
                break
            time.sleep(0.01)
    assert caplog.messages[0] == "kaggle:ana/faces@1: 1.5 MB so far of 2.0 MB"


def test_the_allow_list_refuses_a_licence_before_anything_is_downloaded(project, kaggle_with, runner):
    server = kaggle_with(Published({1: MEMBERS}, licence="CC BY-NC-SA 4.0"))
    path = project.root / "imageledger.toml"
    path.write_text('dataset = "drawn"\nlicences = ["CC0-1.0", "CC-BY-4.0"]\n')
    refused = runner.invoke(main, ["fetch", ADDRESS, "--labels", "real/**=real,fake/**=ai"])

    assert refused.exit_code == 1
    assert "CC-BY-NC-SA-4.0, and imageledger.toml allows only CC0-1.0, CC-BY-4.0" in refused.stderr
    assert server.calls("DownloadDataset") == []


def test_a_missing_package_names_the_extra_that_brings_it(project, monkeypatch):
    kaggle._client_class.cache_clear()
    monkeypatch.setitem(sys.modules, "kagglesdk.kaggle_client", None)
    with pytest.raises(MissingExtra) as error:
        fetch(project)
    assert error.value.hint == "pip install 'imageledger[kaggle]'"
    kaggle._client_class.cache_clear()


@pytest.mark.parametrize("address", ["kaggle:faces", "kaggle:../etc", "kaggle:a/b/c", "kaggle:a/b@new", "kaggle:"])
def test_an_address_that_names_no_dataset_is_refused_before_anything_is_asked(project, address):
    with pytest.raises(SourceError, match="is not kaggle:OWNER/SLUG"):
        open_source(address, project)


def test_the_command_in_a_process_of_its_own_prints_results_to_stdout_only(project):
    with serve({"ana/faces": Published({1: MEMBERS}, licence="unknown")}) as server:
        command = [sys.executable, "-m", "curate", "fetch", ADDRESS, "--labels", "real/**=real,fake/**=ai", "--json"]
        home = {"HOME": server.home}
        done = subprocess.run(
            command, cwd=project.root, env={**os.environ, **server.environment, **home}, capture_output=True, text=True
        )
    assert done.returncode == 0, done.stderr
    assert [row["ok"] for row in json.loads(done.stdout)] == [12, 12]
    assert "licence unknown: nobody says what may be done with these pictures" in done.stderr
    assert 'address = "kaggle:ana/faces@1"' in (project.root / "imageledger.toml").read_text()
