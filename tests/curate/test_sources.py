"""Folders and zips: what is read of them in place, and what is refused."""

import io
import os
import struct
import warnings
import zipfile

import pytest

from curate import sources
from curate.sources import BadMember, Member, archive, open_source
from imageledger.errors import SourceError


def zip_at(path, members, compression=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", compression) as made, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, content in members:
            made.writestr(name, content)
    return path


def names(source):
    return [member.name for member in source.members()]


def test_a_folder_lists_its_files_sorted_and_leaves_out_what_is_hidden_or_leads_away(project, caplog):
    root = project.root / "pictures"
    (root / "b").mkdir(parents=True)
    (root / "__MACOSX").mkdir()
    (root / ".thumbs").mkdir()
    outside = project.root / "secret.jpg"
    for path in (root / "b/2.jpg", root / "a.jpg", root / ".DS_Store", root / "__MACOSX/x.jpg", root / ".thumbs/t.jpg"):
        path.write_bytes(b"x")
    outside.write_bytes(b"y")
    (root / "away.jpg").symlink_to(outside)
    (root / "near.jpg").symlink_to(root / "a.jpg")
    (root / "gone.jpg").symlink_to(root / "nowhere.jpg")
    os.mkfifo(root / "pipe.jpg")
    source = open_source("folder:pictures", project)

    assert source.members() == [Member("a.jpg", 1), Member("b/2.jpg", 1), Member("near.jpg", 1)]
    assert (
        "left out 1 × a link that leads out of the folder: 'away.jpg'; curate fetch --follow-links reads" in caplog.text
    )
    assert "left out 1 × a link that leads nowhere or in a circle: 'gone.jpg'" in caplog.text
    assert "left out 1 × a device or a pipe: 'pipe.jpg'" in caplog.text
    assert (source.digest, source.read("b/2.jpg"), source.head("a.jpg")) == ("", b"x", b"x")


def test_a_file_that_vanishes_or_is_far_too_large_is_a_bad_member(project, monkeypatch):
    (project.root / "p").mkdir()
    (project.root / "p/a.jpg").write_bytes(b"12345")
    (project.root / "p/b.jpg").write_bytes(b"1")
    source = open_source("folder:p", project)
    names(source)
    (project.root / "p/b.jpg").unlink()
    with pytest.raises(BadMember, match="cannot be read: No such file"):
        source.read("b.jpg")
    assert source.head("b.jpg") == b""
    monkeypatch.setattr(sources, "MOST_BYTES", 4)
    with pytest.raises(BadMember) as error:
        source.read("a.jpg")
    assert error.value.status == "rejected"


def test_names_are_nfc_and_valid_unicode_whatever_the_disk_holds(project):
    root = project.root / "p"
    root.mkdir()
    (root / "u\u0308ber.jpg").write_bytes(b"1")
    with open(os.fsencode(root) + b"/\xff.jpg", "wb") as file:  # noqa: PTH123
        file.write(b"2")
    source = open_source("folder:p", project)
    assert names(source) == ["%FF.jpg", "\u00fcber.jpg"]
    assert source.read("%FF.jpg") == b"2"
    assert source.read("\u00fcber.jpg") == b"1"


@pytest.mark.parametrize(
    ("address", "what"),
    [
        ("folder:none", "does not exist"),
        ("folder:imageledger.toml", "is not a folder"),
        ("zip:none.zip", "does not exist"),
        ("zip:.", "is not a file"),
        ("ftp:x", "is not the address of a source"),
        ("imageledger.toml", "is not the address of a source"),
    ],
)
def test_a_source_that_cannot_be_opened_says_why_and_what_to_do(project, address, what):
    with pytest.raises(SourceError, match=what) as error:
        open_source(address, project).members()
    assert error.value.hint


def test_a_zip_is_read_in_place_and_hostile_names_are_only_strings(project, caplog):
    zip_at(project.root / "z.zip", [
        ("real/1.jpg", b"one"), ("../../up.jpg", b"up"), ("/etc/root.jpg", b"root"), ("real/", b""),
        ("__MACOSX/real/._1.jpg", b"fork"), ("real/.DS_Store", b"x"), ("win\\2.jpg", b"two"),
        ("real/1.jpg", b"one again"), ("cafe\u0301.jpg", b"nfd"), ("caf\u00e9.jpg", b"nfc"),
    ])  # fmt: skip
    source = open_source("zip:z.zip", project)

    assert names(source) == sorted(
        ["../../up.jpg", "/etc/root.jpg", "caf\u00e9.jpg", "caf\u00e9~d7150bc6.jpg", "real/1.jpg", "win\\2.jpg"]
    )
    assert source.read("../../up.jpg") == b"up"
    assert source.read("real/1.jpg") == b"one again"
    assert [source.read("caf\u00e9.jpg"), source.read("caf\u00e9~d7150bc6.jpg")] == [b"nfc", b"nfd"]
    assert "names that occur again, so that only their last file counts: 1" in caplog.text
    assert sorted(path.name for path in project.root.iterdir()) == ["data", "imageledger.toml", "z.zip"]
    assert [path.name for path in (project.root / "data").iterdir()] == ["stamps"]
    assert source.digest.startswith("sha256:")


def test_damaged_and_encrypted_members_are_bad_members_and_the_others_are_read(project):
    path = zip_at(project.root / "z.zip", [("a.jpg", b"A" * 500), ("b.jpg", b"B" * 500), ("c.jpg", b"C" * 50)], 0)
    content = bytearray(path.read_bytes())
    content[content.index(b"A" * 500)] ^= 1
    second = content.rindex(b"PK\x01\x02", 0, content.rindex(b"PK\x01\x02"))
    content[second + 8] |= 1
    path.write_bytes(content)
    source = open_source("zip:z.zip", project)

    with pytest.raises(BadMember, match="damaged in the zip: Bad CRC-32"):
        source.read("a.jpg")
    with pytest.raises(BadMember, match="encrypted"):
        source.read("b.jpg")
    assert source.head("b.jpg") == b""
    assert source.read("c.jpg") == b"C" * 50


def test_a_member_that_lies_about_its_size_never_grows_beyond_it(project):
    path = zip_at(project.root / "z.zip", [("bomb.jpg", bytes(50_000_000))])
    content = bytearray(path.read_bytes())
    entry = content.rindex(b"PK\x01\x02")
    content[entry + 24 : entry + 28] = struct.pack("<L", 1000)
    path.write_bytes(content)
    with pytest.raises(BadMember, match="damaged in the zip"):
        open_source("zip:z.zip", project).read("bomb.jpg")


def test_a_member_above_the_limit_is_rejected_without_being_read(project, monkeypatch):
    zip_at(project.root / "z.zip", [("bomb.jpg", bytes(5_000_000))])
    monkeypatch.setattr(sources, "MOST_BYTES", 1_000_000)
    with pytest.raises(BadMember, match="more than the limit") as error:
        open_source("zip:z.zip", project).read("bomb.jpg")
    assert error.value.status == "rejected"


def test_a_member_that_unpacks_a_thousandfold_is_rejected_before_it_fills_the_memory(project):
    with zipfile.ZipFile(project.root / "z.zip", "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("bomb.jpg", b"\xff\xd8\xff" + bytes(40_000_000))
        made.writestr("flat.bmp", b"BM" + bytes(400_000))
    source = open_source("zip:z.zip", project)
    with pytest.raises(BadMember, match="would unpack to 40 MB") as caught:
        source.read("bomb.jpg")
    assert caught.value.status == "rejected"
    assert len(source.read("flat.bmp")) == 400_002


def test_a_zip_that_unpacks_to_thousandfold_its_size_as_a_whole_is_refused_before_it_is_read(project, monkeypatch):
    zip_at(project.root / "z.zip", [(f"{n}.png", b"\x89PNG" + bytes(3_000_000)) for n in range(9)])
    assert len(open_source("zip:z.zip", project).members()) == 9
    monkeypatch.setattr(archive, "MOST_TOTAL", 20_000_000)
    with pytest.raises(SourceError, match=r"in 9 files would unpack to 27 MB: no pictures do") as caught:
        open_source("zip:z.zip", project).members()
    assert "fetch the folder" in caught.value.hint
    zip_at(project.root / "z.zip", [(f"{n}.png", bytes(3_000_000)) for n in range(9)], zipfile.ZIP_STORED)
    assert len(open_source("zip:z.zip", project).members()) == 9


def test_a_packing_that_python_does_not_know_is_a_bad_member(project):
    path = zip_at(project.root / "z.zip", [("a.jpg", b"A" * 500)])
    content = bytearray(path.read_bytes())
    for place in (content.index(b"PK\x03\x04") + 8, content.rindex(b"PK\x01\x02") + 10):
        content[place : place + 2] = struct.pack("<H", 9)
    path.write_bytes(content)
    with pytest.raises(BadMember, match="cannot be read"):
        open_source("zip:z.zip", project).read("a.jpg")


def test_a_zip_with_an_absurd_table_of_contents_is_refused_before_it_is_read(project, monkeypatch):
    zip_at(project.root / "z.zip", [(f"{n}.jpg", b"") for n in range(100)])
    monkeypatch.setattr(archive, "LARGEST_DIRECTORY", 1000)
    monkeypatch.setattr(zipfile, "ZipFile", None)
    with pytest.raises(SourceError, match="table of contents"):
        open_source("zip:z.zip", project).members()


@pytest.mark.parametrize("content", [b"", b"<html>", b"PK\x03\x04 and nothing else"])
def test_what_is_no_zip_is_an_error_of_the_source(project, content):
    (project.root / "z.zip").write_bytes(content)
    with pytest.raises(SourceError, match="is not a zip that can be read"):
        open_source("zip:z.zip", project).members()


def test_a_torn_zip_is_an_error_of_the_source(project):
    whole = io.BytesIO()
    zip_at(whole, [("a.jpg", b"A" * 500)])
    (project.root / "z.zip").write_bytes(whole.getvalue()[:-30])
    with pytest.raises(SourceError, match="is not a zip"):
        open_source("zip:z.zip", project).members()


TAR = """
import io
import tarfile

from curate.sources import HEAD, Member, names_a_path
from curate.sources.folder import place


class Tar:
    licence, digest = "", ""

    def __init__(self, address, path):
        self.address, self.path = address, path

    def members(self):
        with tarfile.open(self.path) as tar:
            return sorted(Member(info.name, info.size) for info in tar if info.isfile())

    def head(self, name):
        return self.read(name)[:HEAD]

    def read(self, name):
        with tarfile.open(self.path) as tar:
            return tar.extractfile(name).read()


@names_a_path
def open_tar(address, project):
    return Tar(address, place(address, project))
"""


def test_a_stranger_s_source_is_one_file_and_is_fetched_like_ours(monkeypatch, tmp_path, project, runner):
    import tarfile

    from drawn import encoded, portrait
    from stranger import install

    from curate.cli import main
    from imageledger import manifest, plugins

    install(monkeypatch, tmp_path / "packages", "imageledger.sources", {"tar": "tars:open_tar"}, tars=TAR)
    picture = tmp_path / "1.png"
    picture.write_bytes(encoded(portrait(1, 64)[0]))
    with tarfile.open(project.root / "faces.tar", "w") as tar:
        tar.add(picture, "1.png")
    ended = runner.invoke(main, ["fetch", "tar:faces.tar", "--label", "real"])
    monkeypatch.undo()
    plugins.announced.cache_clear()
    assert ended.exit_code == 0, ended.output
    (row,) = manifest.read(project.manifest("fetch"))
    assert (row.source, row.member, row.status) == ("tar:faces.tar", "1.png", "ok")
