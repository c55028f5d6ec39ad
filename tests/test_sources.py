"""Folders, zips, addresses, labels, samples, licences and the ledger."""

import io
import os
import struct
import warnings
import zipfile

import pytest

from curate import sources
from curate.sources import BadMember, Member, archive, ledger, open_source
from curate.sources.choose import compiled, is_hidden, label_of, matches, parse_labels, sample, wanted
from curate.sources.entries import check, located, named, write
from curate.sources.licences import concern, is_allowed, spdx
from imageledger.config import SourceEntry, open_project
from imageledger.errors import ConfigError, SourceError


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
    assert "left out, as they lead out of the folder: 1 links" in caplog.text
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
    assert names(source) == ["\u00fcber.jpg", "\ufffd.jpg"]
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

    assert names(source) == sorted(["../../up.jpg", "/etc/root.jpg", "caf\u00e9.jpg", "real/1.jpg", "win\\2.jpg"])
    assert source.read("../../up.jpg") == b"up"
    assert source.read("real/1.jpg") == b"one again"
    assert "names that occur more than once, of which the last counts: 2" in caplog.text
    assert sorted(path.name for path in project.root.iterdir()) == ["imageledger.toml", "z.zip"]
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
    with pytest.raises(BadMember, match="is the most") as error:
        open_source("zip:z.zip", project).read("bomb.jpg")
    assert error.value.status == "rejected"


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


@pytest.mark.parametrize(
    ("glob", "name", "expected"),
    [
        ("real/**", "real/1.jpg", True),
        ("real/**", "real/a/b/1.jpg", True),
        ("real/**", "unreal/1.jpg", False),
        ("real/**", "data/real/1.jpg", False),
        ("**/real/**", "data/real/1.jpg", True),
        ("**/real/**", "real/1.jpg", True),
        ("*.jpg", "a/1.jpg", False),
        ("**/*.jpg", "1.jpg", True),
        ("a?.png", "a1.png", True),
        ("a?.png", "a/.png", False),
        ("[ab]*.png", "b2.png", True),
        ("[!ab]*.png", "b2.png", False),
        ("[a-c].png", "b.png", True),
        ("a+(b).jpg", "a+(b).jpg", True),
        ("REAL/*", "real/1.jpg", False),
        ("win/*", "win\\2.jpg", True),
        ("cafe\u0301/*", "caf\u00e9/1.jpg", True),
    ],
)
def test_globs_cover_whole_paths_and_only_two_stars_cross_folders(glob, name, expected):
    assert matches(glob, name) is expected


def test_a_bad_range_in_a_glob_is_an_error_of_the_configuration():
    with pytest.raises(ConfigError, match="is not a pattern"):
        compiled("[z-a].jpg")


def test_the_first_glob_that_matches_gives_the_label():
    table = {"real/odd/**": "ai", "real/**": "real"}
    assert label_of("real/odd/1.jpg", table) == ("real/odd/**", "ai")
    assert label_of("real/1.jpg", table) == ("real/**", "real")
    assert label_of("other/1.jpg", table) == ("", "")


def test_labels_are_read_from_one_option_and_nonsense_is_refused():
    assert parse_labels("real/**=real, a=b/**=ai") == {"real/**": "real", "a=b/**": "ai"}
    for text in ("real", "=real", "real/**=", "", "a=b,"):
        with pytest.raises(ConfigError, match="is not GLOB=LABEL"):
            parse_labels(text)


def test_include_and_exclude_and_hidden_names():
    assert wanted("a/1.jpg", (), ())
    assert wanted("a/1.jpg", ("a/**",), ())
    assert not wanted("a/1.jpg", ("b/**",), ())
    assert not wanted("a/1.jpg", ("a/**",), ("**/1.jpg",))
    assert all(is_hidden(name) for name in (".a", "x/.b/c", "__MACOSX/c", "x\\.b"))
    assert not any(is_hidden(name) for name in ("../x", "./y", "a.b/c"))


def test_a_sample_keeps_most_of_its_names_when_others_are_added():
    old = [f"{n}.jpg" for n in range(1000)]
    first = sample(old, 100, seed=42)
    assert len(first) == 100
    assert first == sample(reversed(old), 100, seed=42)
    assert first != sample(old, 100, seed=43)
    assert len(first & sample([*old, *(f"new{n}.jpg" for n in range(50))], 100, seed=42)) >= 88
    assert sample(old, 0, seed=42) == set(old)
    assert first <= sample(old, 200, seed=42)


@pytest.mark.parametrize(
    ("said", "known", "worry"),
    [
        (["CC0: Public Domain"], "CC0-1.0", False),
        (["CC-BY-SA-4.0"], "CC-BY-SA-4.0", False),
        (["Attribution 4.0 International (CC BY 4.0)"], "CC-BY-4.0", False),
        (["Apache 2.0"], "Apache-2.0", False),
        (["MIT", "MIT"], "MIT", False),
        (["CC BY-NC-SA 4.0"], "CC-BY-NC-SA-4.0", True),
        (["Attribution-NonCommercial-NoDerivatives 4.0 International (CC BY-NC-ND 4.0)"], "CC-BY-NC-ND-4.0", True),
        (["CC-BY-ND-4.0"], "CC-BY-ND-4.0", True),
        (["MIT", "CC BY-NC 4.0"], "MIT AND CC-BY-NC-4.0", True),
        (["other"], "unknown", True),
        (["Other (specified in description)"], "Other (specified in description)", True),
        (["unknown"], "unknown", True),
        ([], "unknown", True),
        ([""], "unknown", True),
    ],
)
def test_licences_get_their_spdx_names_and_restrictive_ones_are_remarked(said, known, worry):
    assert spdx(said) == known
    assert bool(concern(spdx(said))) is worry


def test_an_allow_list_admits_what_it_names_under_any_spelling():
    assert is_allowed("CC-BY-4.0", ())
    assert is_allowed("CC-BY-4.0", ["cc by 4.0"])
    assert not is_allowed("unknown", ["CC-BY-4.0"])
    assert not is_allowed("MIT AND CC-BY-NC-4.0", ["MIT"])


def test_the_ledger_keeps_the_date_of_the_content_and_refuses_to_read_damage(project, monkeypatch):
    ledger.note(project, "zip:a.zip", sha256="1", licence="MIT")
    path = ledger.path(project)
    path.write_text(path.read_text().replace(ledger.entry(project, "zip:a.zip")["fetched"], "2020-01-01"))
    ledger.note(project, "zip:a.zip", licence="CC0-1.0")
    assert ledger.entry(project, "zip:a.zip") == {"sha256": "1", "licence": "CC0-1.0", "fetched": "2020-01-01"}
    ledger.note(project, "zip:a.zip", sha256="2")
    assert ledger.entry(project, "zip:a.zip")["fetched"] > "2020-01-01"
    assert ledger.entry(project, "zip:b.zip") == {}
    path.write_text("{")
    with pytest.raises(SourceError, match="is damaged"):
        ledger.entry(project, "zip:a.zip")


def test_a_path_on_the_command_line_counts_from_where_it_was_typed(project, tmp_path_factory):
    away = tmp_path_factory.mktemp("away")
    (project.root / "sub").mkdir()
    assert located("folder:pictures", project, project.root / "sub") == "folder:sub/pictures"
    assert located("zip:../z.zip", project, project.root / "sub") == "zip:z.zip"
    assert located(f"folder:{away}", project, project.root) == f"folder:{away}"
    assert located("kaggle:a/b", project, away) == "kaggle:a/b"
    with pytest.raises(SourceError, match="names no path"):
        located("folder:", project, project.root)


TOML = """# our project
dataset = "drawn"  # the name

[[source]]
# bought in May
address = "kaggle:ana/faces@1"
label = "real"  # all of them
include = ["a/**"]

[normalize]
size = 256
"""


def test_a_new_source_is_appended_and_every_comment_stays(project):
    path = project.root / "imageledger.toml"
    path.write_text(TOML)
    write(open_project(), [SourceEntry(address="zip:z.zip", labels={"r/**": "real", "f/**": "ai"}, limit=5)])
    text = path.read_text()

    assert all(piece in text for piece in ("# our project", "# the name", "# bought in May", "# all of them"))
    again = open_project()
    assert [entry.address for entry in again.sources] == ["kaggle:ana/faces@1", "zip:z.zip"]
    assert list(again.sources[1].labels) == ["r/**", "f/**"]
    assert (again.sources[1].limit, again.tables["normalize"]) == (5, {"size": 256})


def test_a_source_that_is_there_is_updated_and_what_fetch_does_not_know_stays(project):
    path = project.root / "imageledger.toml"
    path.write_text(TOML)
    opened = open_project()
    entry = named("kaggle:ana/faces@2", opened, labels={"a/**": "ai"}, generator="sd15")
    write(opened, [entry])
    (known,) = open_project().sources

    assert (known.address, known.label, known.labels) == ("kaggle:ana/faces@2", "", {"a/**": "ai"})
    assert (known.include, known.generator) == (("a/**",), "sd15")
    assert "# bought in May" in path.read_text()
    before = path.read_bytes()
    write(open_project(), [named("kaggle:ana/faces", open_project())])
    assert path.read_bytes() == before


def test_sources_written_as_an_inline_list_are_understood(project):
    path = project.root / "imageledger.toml"
    path.write_text('dataset = "drawn"\nsource = [{address = "folder:a", label = "real"}]\n')
    write(open_project(), [SourceEntry(address="folder:b", labels={"x/**": "ai"})])
    assert [(entry.address, entry.label) for entry in open_project().sources] == [
        ("folder:a", "real"),
        ("folder:b", ""),
    ]


def test_a_source_declared_twice_or_with_an_unknown_label_is_refused(project):
    one = SourceEntry(address="folder:a", label="real")
    with pytest.raises(ConfigError, match="declared twice"):
        check([one, one], project)
    with pytest.raises(ConfigError, match="'reel' is not a label of this project") as error:
        check([SourceEntry(address="folder:a", labels={"**": "reel"})], project)
    assert "real or ai" in error.value.hint
    with pytest.raises(ConfigError, match="both label and labels"):
        check([SourceEntry(address="folder:a", label="ai", labels={"**": "ai"})], project)
