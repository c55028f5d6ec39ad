"""The real Kaggle client against a loopback server that speaks its API: versions, licences, samples and the command."""

import json
import os
import subprocess
import sys
import time

import pytest
from kaggle_server import Published, serve
from kaggle_world import ADDRESS, FACES, MEMBERS, fetch, picture, rows, serving

from curate.cli import main
from curate.fetch import select
from curate.fetch import work as stage
from curate.sources import downloads, kaggle_client, ledger, open_source
from imageledger import manifest
from imageledger.config import open_project
from imageledger.errors import MissingExtra, SourceError

pytest.importorskip("kaggle", reason="the kaggle package is not installed", exc_type=ImportError)


@pytest.fixture
def kaggle_with(monkeypatch):
    """Start a server for this process's client; options are those of `serve`."""
    with serving(monkeypatch) as start:
        yield start


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


def test_a_token_is_sent_where_there_is_one_and_a_wrong_one_is_refused_in_words(project, kaggle_with, monkeypatch):
    server = kaggle_with(Published({1: MEMBERS}, private=True), token="right")
    assert fetch(project).tally.total("ok") == 24
    assert server.calls("GetDataset")[0].authorization == "Bearer right"

    monkeypatch.setenv("KAGGLE_API_TOKEN", "wrong")
    with pytest.raises(SourceError, match=r"\(403\)"):
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
    monkeypatch.setattr(select, "LARGE", 1000)
    kaggle_with(Published({1: MEMBERS}, wrap_files=True))
    fetch(project, limit=2)
    assert all(project.store.read(row.file) == FACES[row.member] for row in rows(project))


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
    kaggle_client.client_class.cache_clear()
    monkeypatch.setitem(sys.modules, "kagglesdk.kaggle_client", None)
    with pytest.raises(MissingExtra) as error:
        fetch(project)
    assert error.value.hint == "pip install 'imageledger[kaggle]'"
    kaggle_client.client_class.cache_clear()


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
    assert "licence unknown: no source says what may be done with these pictures" in done.stderr
    assert 'address = "kaggle:ana/faces@1"' in (project.root / "imageledger.toml").read_text()
