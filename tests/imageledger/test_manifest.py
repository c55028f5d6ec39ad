"""Manifests and cards: streamed, checked line by line, the same bytes for the same work."""

import gzip
import json
import os

import pytest

from imageledger import manifest
from imageledger.errors import ManifestError
from imageledger.manifest import Card, Tally
from imageledger.record import Record


def rows(count: int, label: str = "real") -> list[Record]:
    return [Record(source="folder:x", member=f"{number:03}.jpg", label=label) for number in range(count)]


def card(**changes) -> Card:
    plain = {"dataset": "d", "stage": "fetch@1", "input": "", "settings": {}, "versions": {}, "rows": 0, "digest": ""}
    return Card(**plain | changes)


def test_what_was_written_is_read_back_in_order(tmp_path):
    manifest.write(tmp_path / "a.jsonl", rows(20))
    assert list(manifest.read(tmp_path / "a.jsonl")) == rows(20)


def test_a_compressed_manifest_reads_like_a_plain_one_and_holds_no_clock(tmp_path):
    for name in ("a.jsonl.gz", "b.jsonl.gz"):
        manifest.write(tmp_path / name, rows(20))
    assert list(manifest.read(tmp_path / "a.jsonl.gz")) == rows(20)
    assert (tmp_path / "a.jsonl.gz").read_bytes() == (tmp_path / "b.jsonl.gz").read_bytes()


def test_a_manifest_is_streamed_and_not_held_whole(tmp_path):
    manifest.write(tmp_path / "a.jsonl", rows(3))
    with (tmp_path / "a.jsonl").open("a") as file:
        file.write("damaged")
    reading = manifest.read(tmp_path / "a.jsonl")
    assert [next(reading).member for _ in range(3)] == ["000.jpg", "001.jpg", "002.jpg"]
    with pytest.raises(ManifestError):
        next(reading)


def test_a_bad_line_is_refused_with_the_file_and_the_number_of_the_line(tmp_path):
    path = tmp_path / "a.jsonl"
    bad = '{"source":"folder:x","member":"002.jpg","label":"real","file":"../../x"}'
    path.write_text("".join(f"{text}\n" for text in (rows(1)[0].to_line(), rows(2)[1].to_line(), bad)))
    with pytest.raises(ManifestError, match=r"a\.jsonl:3: '\.\./\.\./x' is not the name of an object"):
        list(manifest.read(path))


def test_an_empty_line_is_refused(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text(f"{rows(1)[0].to_line()}\n\n")
    with pytest.raises(ManifestError, match=r"a\.jsonl:2"):
        list(manifest.read(path))


@pytest.mark.parametrize("members", [("b", "a"), ("a", "a"), ("a", "B")])
def test_keys_that_do_not_ascend_or_occur_twice_are_refused(tmp_path, members):
    path = tmp_path / "a.jsonl"
    manifest.write(path, [Record(source="folder:x", member=member, label="real") for member in members])
    with pytest.raises(ManifestError, match=rf"a\.jsonl:2: folder:x#{members[1]} does not come after"):
        list(manifest.read(path))


def test_the_source_comes_before_the_member_in_the_order(tmp_path):
    records = [Record(source="a", member="z", label="real"), Record(source="b", member="a", label="real")]
    manifest.write(tmp_path / "a.jsonl", records)
    assert list(manifest.read(tmp_path / "a.jsonl")) == records


def test_separators_that_only_some_programs_take_for_line_ends_split_no_line(tmp_path):
    records = [Record(source="folder:x", member=f"a{mark}b", label="real") for mark in "\x0b\x0c\x1c\x85\u2028\u2029"]
    manifest.write(tmp_path / "a.jsonl", records)
    assert list(manifest.read(tmp_path / "a.jsonl")) == records


def test_a_missing_manifest_says_how_to_see_what_there_is(tmp_path):
    with pytest.raises(ManifestError, match="there is no manifest") as caught:
        list(manifest.read(tmp_path / "none.jsonl"))
    assert "imageledger status" in caught.value.hint


@pytest.mark.parametrize("where", [0, 4, 12, 40, -2])
def test_a_damaged_compressed_manifest_is_refused(tmp_path, where):
    path = tmp_path / "a.jsonl.gz"
    manifest.write(path, rows(200))
    content = bytearray(path.read_bytes())
    content[where] ^= 0xFF
    path.write_bytes(content)
    if where == 4:  # the clock in the head of a gzip file is free
        assert list(manifest.read(path)) == rows(200)
        return
    with pytest.raises(ManifestError):
        list(manifest.read(path))


def test_a_compressed_manifest_that_was_cut_off_is_refused(tmp_path):
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(gzip.compress(b"".join(f"{row.to_line()}\n".encode() for row in rows(200)))[:-30])
    with pytest.raises(ManifestError, match="cannot be read"):
        list(manifest.read(path))


def test_bytes_that_are_no_text_are_refused(tmp_path):
    (tmp_path / "a.jsonl").write_bytes(b'{"source":"folder:x","member":"\xff","label":"real"}\n')
    with pytest.raises(ManifestError, match="cannot be read"):
        list(manifest.read(tmp_path / "a.jsonl"))


def test_a_card_comes_back_as_it_was(tmp_path):
    written = card(settings={"size": 512}, versions={"pillow": "13"}, rows=2, counts={"real": {"ok": 2}})
    (tmp_path / "a.card.json").write_text(written.to_json())
    assert Card.read(tmp_path / "a.card.json") == written


def test_a_card_holds_no_clock_and_no_path():
    names = set(json.loads(card().to_json()))
    assert names == {"dataset", "stage", "input", "settings", "versions", "rows", "digest", "counts", "schema", "seal"}


@pytest.mark.parametrize(
    "text",
    ["", "[]", "7", "{}", "{", '{"colour": 1}', "\x00", "§counts=[]", "§rows=twelve", "§rows=true", "§settings=7",
     "§schema=2", '§counts={"real": 3}', '§counts={"real": {"ok": "x"}}', "§versions=null", "§digest=5"],
)  # fmt: skip
def test_what_is_not_a_card_is_refused(tmp_path, text):
    path = tmp_path / "a.card.json"
    if text.startswith("§"):
        name, _, value = text[1:].partition("=")
        value = json.loads(value) if value != "twelve" else value
        text = json.dumps(json.loads(card().to_json()) | {name: value})
    path.write_text(text)
    with pytest.raises(ManifestError, match=r"a\.card\.json is not a card"):
        Card.read(path)


def test_the_card_of_a_manifest_lies_beside_it(tmp_path):
    for name in ("final.jsonl", "final.jsonl.gz"):
        assert manifest.card_path(tmp_path / name) == tmp_path / "final.card.json"


def test_the_digest_is_that_of_the_bytes(tmp_path):
    (tmp_path / "a").write_bytes(b"")
    assert manifest.digest(tmp_path / "a") == (
        "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    )


def test_versions_of_packages_leave_out_what_is_not_installed():
    found = manifest.versions_of(["pillow", "no-such-package-anywhere"])
    assert list(found) == ["pillow"]


def test_a_tally_counts_by_label_and_status_and_keeps_reasons():
    tally = Tally()
    for row in (*rows(2), rows(1, "ai")[0], rows(1, "ai")[0].failed("torn")):
        assert tally.add(row) is row
    assert tally.rows == 4
    assert tally.plain() == {"ai": {"ok": 1, "unreadable": 1}, "real": {"ok": 2}}
    assert tally.reasons["ai"] == {"torn": 1}
    assert tally.total("ok") == 3


def test_a_manifest_that_cannot_be_written_leaves_the_old_one_as_it_was(tmp_path, monkeypatch):
    path = tmp_path / "a.jsonl"
    manifest.write(path, rows(3))

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        manifest.write(path, rows(5))
    assert list(manifest.read(path)) == rows(3)
    assert [found.name for found in tmp_path.iterdir()] == ["a.jsonl"]
