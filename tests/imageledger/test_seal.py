"""Seals: no flipped bit passes, and what was made before there were seals is still read."""

import json
import subprocess

import pytest

from imageledger import seal
from imageledger.errors import StoreError


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "deep").mkdir()
    for name, text in (("run.json", "{}"), ("deep/figure.png", "png"), (".hidden", "x"), ("job.json", "x")):
        (tmp_path / name).write_text(text)
    seal.write(tmp_path, leave_out=["job.json"])
    return tmp_path


def flips(content: bytes):
    for place in range(len(content)):
        for bit in (0, 3, 7):
            yield content[:place] + bytes([content[place] ^ 1 << bit]) + content[place + 1 :]


def test_a_finished_folder_is_sealed_so_that_sha256sum_reads_it_too(folder):
    assert set(seal.sums(folder)) == {"run.json", "deep/figure.png"}
    assert list(seal.check(folder)) == []
    ended = subprocess.run(
        ["sha256sum", "--check", "--strict", seal.FILE], cwd=folder, capture_output=True, check=False
    )
    assert ended.returncode == 0


def test_of_a_sealed_folder_within_only_its_seal_is_named(folder):
    seal.write(folder / "deep")
    seal.write(folder)
    assert set(seal.sums(folder)) == {"run.json", "job.json", f"deep/{seal.FILE}"}


def test_any_bit_of_a_sealed_file_or_of_the_seal_itself_is_found(folder):
    for name in ("run.json", seal.FILE):
        sound = (folder / name).read_bytes()
        for content in flips(sound):
            (folder / name).write_bytes(content)
            assert list(seal.check(folder, ["run.json", "deep/figure.png"]))
        (folder / name).write_bytes(sound)


def test_a_sealed_file_is_read_only_when_it_matches(folder):
    assert seal.read(folder / "run.json") == b"{}"
    (folder / "run.json").write_text("[]")
    with pytest.raises(StoreError, match=r"run\.json is damaged, or was changed") as caught:
        seal.read(folder / "run.json")
    assert "imageledger verify" in caught.value.hint


def test_a_missing_a_nameless_and_an_unsealed_file_are_told_apart(folder):
    (folder / "deep" / "figure.png").unlink()
    (folder / "weights").write_text("new")
    assert list(seal.check(folder, ["weights"])) == [
        ("deep/figure.png", "is missing"),
        ("weights", "is not in the seal"),
    ]
    (folder / seal.FILE).unlink()
    assert not seal.has(folder)
    assert seal.read(folder / "weights") == b"new"


def test_sealed_values_are_read_in_any_order_and_spelling_but_not_changed():
    values = seal.sealed({"rows": 5, "ü": [1.0, None], "labels": ("a", "b")})
    again = json.loads(json.dumps(values))
    assert seal.opened(dict(reversed(again.items()))) == {"rows": 5, "ü": [1.0, None], "labels": ["a", "b"]}
    assert seal.opened({"rows": 5}) == {"rows": 5}
    for changed in ({**again, "rows": 6}, {**again, "more": 1}, {**again, "seal": 7}, [], None):
        with pytest.raises(ValueError, match=r"does not match its seal|no object"):
            seal.opened(changed)


def test_a_sealed_line_and_sealed_bytes_are_read_back_and_no_flip_of_them_passes():
    row = {"object": "ab", "values": {"n": 0.25, "m": None}}
    line = seal.line_of(row)
    assert json.loads(line)["values"] == row["values"]
    assert seal.of_line(line + "\n") == row == seal.of_line(json.dumps(row))
    for content in flips(line.encode()):
        try:
            read = seal.of_line(content.decode("utf-8", "replace"))
        except ValueError:
            continue
        assert not isinstance(read, dict) or set(read) != set(row)
    whole = seal.sealed_bytes(b"numbers")
    assert seal.opened_bytes(whole) == (b"numbers", True)
    assert seal.opened_bytes(b"numbers") == (b"numbers", False)
    for content in flips(whole):
        try:
            assert seal.opened_bytes(content) == (content, False)  # the mark is gone: the reader finds what is too much
        except ValueError as error:
            assert "does not match its seal" in str(error)  # noqa: PT017
