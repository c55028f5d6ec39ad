"""imageledger.toml: found upwards, checked key by key, overruled by options; and the lock on a dataset."""

import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import slow_stage

from imageledger.config import FILE, MANIFEST_OF, Declared, SourceEntry, find_root, open_project, settings
from imageledger.errors import BusyError, ConfigError


@dataclass(frozen=True, kw_only=True)
class Sizes:
    size: int = 512
    quality: float = 0.9
    names: tuple[str, ...] = ()
    strict: bool = False
    title: str | None = None
    by_name: dict[str, str] = field(default_factory=dict)


def written(folder: Path, text: str) -> Path:
    (folder / FILE).write_text(text, encoding="utf-8")
    return folder


def test_the_project_is_found_upwards_from_any_folder_below_it(tmp_path, monkeypatch):
    written(tmp_path, 'dataset = "faces"')
    deep = tmp_path / "data" / "runs" / "one"
    deep.mkdir(parents=True)
    assert find_root(deep) == tmp_path
    monkeypatch.chdir(deep)
    assert open_project().root == tmp_path.resolve()


def test_the_nearest_project_counts(tmp_path):
    written(tmp_path, 'dataset = "outer"')
    inner = tmp_path / "inner"
    inner.mkdir()
    written(inner, 'dataset = "inner"')
    assert open_project(inner).dataset == "inner"


def test_a_folder_outside_any_project_says_how_to_make_one(tmp_path):
    with pytest.raises(ConfigError, match=rf"no {FILE} in") as caught:
        open_project(tmp_path)
    assert "imageledger init" in caught.value.hint
    assert "--project" in caught.value.hint


def test_an_empty_file_is_a_project_with_every_default(tmp_path):
    opened = open_project(written(tmp_path, ""))
    assert opened.declared == Declared()
    assert opened.sources == ()
    assert opened.tables == {}


def test_everything_that_is_declared_is_read(tmp_path):
    opened = open_project(
        written(
            tmp_path,
            'dataset = "faces"\nseed = 7\nlabels = ["photo", "made"]\nvalid_fraction = 0.25\n'
            '[[source]]\naddress = "folder:a"\nlabels = { "x/**" = "photo" }\ninclude = ["**/*.jpg"]\nlimit = 5\n'
            '[[source]]\naddress = "kaggle:a/b@3"\nlabel = "made"\n[normalize]\nsize = 256\n',
        )
    )
    assert (opened.dataset, opened.declared.seed, opened.declared.labels) == ("faces", 7, ("photo", "made"))
    first = SourceEntry(address="folder:a", labels={"x/**": "photo"}, include=("**/*.jpg",), limit=5)
    assert opened.sources == (first, SourceEntry(address="kaggle:a/b@3", label="made"))
    assert opened.tables == {"normalize": {"size": 256}}


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("dataset = faces", "not valid TOML"),
        ('dataset = "a"\ndataset = "b"', "not valid TOML"),
        ('colour = "red"', "unknown setting 'colour'"),
        ('[[source]]\naddress = "folder:a"\nlable = "real"', "unknown setting 'lable'"),
        ("[normalise]\nsize = 256", "unknown table .normalise."),
        ("[dataset]", "unknown table .dataset."),
        ("[[source]]\nlabel = 'real'", "source.. 1: address is missing"),
        ("source = 3", "written as ..source.. tables"),
        ('[source]\naddress = "folder:a"', "written as ..source.. tables"),
        ('seed = "42"', 'seed must be a whole number, not "42"'),
        ("seed = true", "seed must be a whole number, not true"),
        ("seed = 4.5", "seed must be a whole number"),
        ("dataset = 2024-05-01", 'dataset must be text, not "2024-05-01"'),
        ('labels = "real"', "labels must be a list"),
        ('labels = ["real", 3]', "labels must be text, not 3"),
        ('labels = ["real"]', "labels must be two different names"),
        ('labels = ["ai", "ai"]', "labels must be two different names"),
        ('labels = ["a", "b", "c"]', "labels must be two different names"),
        ('labels = ["", "ai"]', "'' cannot name a folder"),
        ('labels = ["real", "../ai"]', "cannot name a folder"),
        ('order = ["fetch", "whitten"]', "unknown stage 'whitten' in order"),
        ('order = ["fetch", "normalize", "normalize"]', "name no stage twice"),
        ('order = ["normalize", "fetch"]', "order must begin with fetch"),
        ("order = []", "order must begin with fetch"),
        ('dataset = ""', "cannot name a folder"),
        ('dataset = ".."', "cannot name a folder"),
        ('dataset = "a/b"', "cannot name a folder"),
        ('dataset = "a\\nb"', "cannot name a folder"),
        ("valid_fraction = 1", "valid_fraction must lie between 0 and 1"),
        ("valid_fraction = nan", "valid_fraction must lie between 0 and 1"),
        ("per_class = 0", "per_class must be at least 1"),
    ],
)
def test_what_cannot_be_used_is_refused_with_the_file_and_the_setting(tmp_path, text, complaint):
    with pytest.raises(ConfigError, match=complaint) as caught:
        open_project(written(tmp_path, text))
    assert str(tmp_path / FILE) in caught.value.what


def test_bytes_that_are_no_text_are_refused(tmp_path):
    (tmp_path / FILE).write_bytes(b'dataset = "\xff"')
    with pytest.raises(ConfigError, match="not valid TOML"):
        open_project(tmp_path)


def test_an_unknown_setting_names_those_that_are_known():
    with pytest.raises(ConfigError) as caught:
        settings(Sizes, {"sise": 3})
    assert caught.value.hint == "known here: size, quality, names, strict, title, by_name"


def test_options_overrule_the_table_and_none_does_not():
    assert settings(Sizes, {"size": 256, "quality": 1}, {"size": 128, "quality": None}) == Sizes(size=128, quality=1.0)
    assert settings(Sizes, {"size": 256}, {"size": 0, "strict": False}) == Sizes(size=0)
    assert settings(Sizes, {}, {}) == Sizes()


def test_values_arrive_in_the_types_that_were_asked_for():
    found = settings(Sizes, {"quality": 1, "names": ["a"], "title": "t", "by-name": {"a": "b"}})
    assert (found.quality, found.names, found.title, found.by_name) == (1.0, ("a",), "t", {"a": "b"})
    assert isinstance(found.quality, float)


@pytest.mark.parametrize("table", [{"size": True}, {"strict": 1}, {"names": "a"}, {"names": [1]}, {"title": 3}])
def test_a_value_of_the_wrong_type_is_refused(table):
    with pytest.raises(ConfigError, match=re.escape(next(iter(table)))):
        settings(Sizes, table)


def test_every_stage_reads_what_the_stage_before_it_in_the_order_writes(tmp_path):
    opened = open_project(written(tmp_path, 'dataset = "d"\norder = ["fetch", "whiten", "dedupe", "manifest"]'))
    assert opened.manifest("fetch") == tmp_path.resolve() / "manifests" / "d" / "fetched.jsonl"
    assert opened.before("whiten") == opened.manifest("fetch")
    assert opened.before("dedupe") == opened.manifest("whiten")
    for stage in ("fetch", "normalize"):
        with pytest.raises(ConfigError, match=f"no stage comes before {stage}") as caught:
            opened.before(stage)
        assert "--from" in caught.value.hint
    assert set(MANIFEST_OF) >= set(opened.declared.order)


def test_a_second_process_is_told_who_holds_the_lock_and_a_killed_holder_blocks_nobody(tmp_path):
    opened = open_project(written(tmp_path, 'dataset = "d"'))
    holder = subprocess.Popen([sys.executable, slow_stage.__file__, str(tmp_path), "lock", "60", "1"])
    try:
        while not (tmp_path / "locked").exists():
            assert holder.poll() is None
            time.sleep(0.01)
        with pytest.raises(BusyError) as caught, opened.lock("curate fetch"):
            pytest.fail("two commands were let in at once")
        assert f"curate whiten, process {holder.pid}" in caught.value.what
        assert "until it has finished" in caught.value.hint
    finally:
        holder.send_signal(signal.SIGKILL)
        holder.wait()
    with opened.lock("curate fetch"):
        assert f"process {os.getpid()}" in (opened.folder / ".lock.holder").read_text()
    assert not (opened.folder / ".lock.holder").exists()


def test_the_lock_is_given_back_when_the_work_fails(tmp_path):
    opened = open_project(written(tmp_path, ""))
    with pytest.raises(ZeroDivisionError), opened.lock("curate fetch"):
        raise ZeroDivisionError
    with opened.lock("curate fetch"):
        pass


def test_two_datasets_do_not_wait_for_each_other(tmp_path):
    with open_project(written(tmp_path, 'dataset = "one"')).lock("curate fetch"):
        other = open_project(written(tmp_path, 'dataset = "two"'))
        with other.lock("curate fetch"):
            assert (other.folder / ".lock.holder").is_file()
