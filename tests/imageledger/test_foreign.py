"""Whatever is wrong with JSON or TOML of unknown origin is one kind of error, with a sentence."""

import pytest

from imageledger.config import open_project
from imageledger.errors import ConfigError
from imageledger.foreign import json_of, toml_of

DEEP = b"[" * 200_000


@pytest.mark.parametrize(
    "content", [b"", b"{", b"\xff", DEEP, b"9" * 5000, b'"\\ud800"', b"\x00", b'{"a": 1}{', b"NaN,"]
)
def test_what_is_no_json_is_a_value_error(content):
    with pytest.raises(ValueError, match=r"."):
        json_of(content)


@pytest.mark.parametrize("content", [b"a", b"\xff", b"a = " + DEEP, b"a = " + b"9" * 5000, b"a = 1\na = 2", b"\x00"])
def test_what_is_no_toml_is_a_value_error_and_a_sentence_of_the_project(content, tmp_path):
    with pytest.raises(ValueError, match=r"."):
        toml_of(content)
    (tmp_path / "imageledger.toml").write_bytes(content)
    with pytest.raises(ConfigError, match="is not valid TOML"):
        open_project(tmp_path)


def test_a_byte_order_mark_is_no_fault():
    assert json_of(b'\xef\xbb\xbf{"a": "\\u00e9"}') == {"a": "é"}
    assert toml_of(b"\xef\xbb\xbfa = 1") == {"a": 1}
