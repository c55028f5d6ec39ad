"""Objects: named by their content, read-only, whole or not there."""

import hashlib
import os
import stat
import threading
import time

import pytest

from imageledger.errors import StoreError
from imageledger.store import Store, name_of, write_whole


@pytest.fixture
def store(tmp_path) -> Store:
    return Store(tmp_path / "objects")


def files(store: Store) -> list[str]:
    return sorted(path.name for path in store.root.rglob("*") if path.is_file())


def test_an_object_is_named_by_the_sha256_of_its_bytes(store):
    name = store.put(b"picture", "jpg")
    assert name == f"{hashlib.sha256(b'picture').hexdigest()}.jpg" == name_of(b"picture", "jpg")
    assert store.path(name).relative_to(store.root).as_posix() == f"{name[:2]}/{name}"
    assert store.read(name) == b"picture"


def test_objects_are_read_only(store):
    path = store.path(store.put(b"picture", "jpg"))
    assert stat.S_IMODE(path.stat().st_mode) == 0o444


def test_the_same_bytes_put_twice_are_one_file_written_once(store):
    name = store.put(b"picture", "jpg")
    first = store.path(name).stat()
    assert store.put(b"picture", "jpg") == name
    assert files(store) == [name]
    assert store.path(name).stat().st_ino == first.st_ino


def test_an_object_that_was_cut_short_is_written_again(store):
    path = store.path(store.put(b"picture", "jpg"))
    path.chmod(0o644)
    path.write_bytes(b"pic")
    store.put(b"picture", "jpg")
    assert path.read_bytes() == b"picture"


def test_a_half_written_file_never_has_the_name_of_an_object(store, monkeypatch):
    seen = []

    def cut(_):
        seen.extend(files(store))
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", cut)
    with pytest.raises(OSError, match="No space left"):
        store.put(b"picture", "jpg")
    assert len(seen) == 1
    assert seen[0].startswith(".")
    assert list(store) == []
    assert files(store) == []


def test_what_a_killed_process_left_behind_is_no_object(store):
    name = store.put(b"picture", "jpg")
    (store.root / name[:2] / ".half.part").write_bytes(b"pic")
    (store.root / name[:2] / "notes.txt").write_bytes(b"pic")
    assert list(store) == [name]


def test_old_drafts_of_killed_processes_are_swept_and_new_ones_left_to_their_writers(store):
    name = store.put(b"picture", "jpg")
    folder = store.root / name[:2]
    for draft, age in ((".old.part", 7200), (".new.part", 60)):
        (folder / draft).write_bytes(b"pic")
        os.utime(folder / draft, (time.time() - age,) * 2)
    assert store.sweep() == 1
    assert sorted(path.name for path in folder.iterdir()) == [".new.part", name]


def test_many_writers_of_one_object_leave_one_whole_file(store):
    content = os.urandom(300_000)
    writers = [threading.Thread(target=store.put, args=(content, "png")) for _ in range(8)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert files(store) == [name_of(content, "png")]
    assert store.is_sound(name_of(content, "png"))


@pytest.mark.parametrize(
    "name",
    ["", "x", "../../etc/passwd", "/etc/passwd", "ab" * 32, "AB" * 32 + ".jpg", "ab" * 32 + ".JPG", "ab" * 32 + ".",
     "ab" * 32 + ".jpg/..", "ab" * 32 + ".jpg\n", "ab" * 31 + ".jpg", "../" + "ab" * 32 + ".jpg",
     "ab" * 32 + ".tar.gz", "٣" * 64 + ".jpg", "ab" * 32 + ".j\x00g"],
)  # fmt: skip
def test_a_name_that_is_no_object_name_is_refused_everywhere(store, name):
    for ask in (store.path, store.has, store.read, store.is_sound):
        with pytest.raises(StoreError, match="is not the name of an object"):
            ask(name)


@pytest.mark.parametrize("suffix", ["", "JPG", "../x", "a/b", "muchtoolong"])
def test_a_suffix_that_makes_no_object_name_writes_nothing(store, suffix):
    with pytest.raises(StoreError):
        store.put(b"picture", suffix)
    assert not store.root.exists()


def test_one_flipped_bit_is_seen(store):
    content = bytearray(os.urandom(5000))
    path = store.path(name := store.put(bytes(content), "jpg"))
    assert store.is_sound(name)
    content[2500] ^= 1
    path.chmod(0o644)
    path.write_bytes(content)
    assert not store.is_sound(name)


@pytest.mark.parametrize("damage", [b"", b"another", b"hello\x01"])
def test_bytes_that_do_not_match_their_name_are_never_read_as_the_object(store, damage):
    name = store.put(b"hello\x00", "bin")
    store.path(name).chmod(0o644)
    store.path(name).write_bytes(damage)
    with pytest.raises(StoreError, match="is damaged") as caught:
        store.read(name)
    assert "verify --remove-damaged" in caught.value.hint


def test_a_missing_object_is_not_sound_and_reading_it_says_what_makes_it_again(store):
    name = name_of(b"picture", "jpg")
    assert not store.has(name)
    assert not store.is_sound(name)
    with pytest.raises(StoreError, match="is missing") as caught:
        store.read(name)
    assert "curate run" in caught.value.hint


def test_objects_are_listed_in_order(store):
    names = {store.put(bytes([number]), "jpg") for number in range(50)}
    assert list(store) == sorted(names)


def test_a_store_without_a_folder_is_empty(store):
    assert list(store) == []


def test_a_file_has_its_real_name_only_when_it_is_whole(tmp_path, monkeypatch):
    target = tmp_path / "deep" / "file.json"
    write_whole(target, b"old")
    monkeypatch.setattr(os, "replace", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        write_whole(target, b"new")
    assert target.read_bytes() == b"old"
    assert [path.name for path in target.parent.iterdir()] == ["file.json"]
