"""Pairs that are declared: what two paths have in common names a photograph and its twin."""

from dataclasses import replace

import pytest

from curate.fetch.work import pair_of
from imageledger.config import SourceEntry
from imageledger.errors import ConfigError


def test_a_declared_pair_is_named_by_what_two_paths_have_in_common():
    entry = SourceEntry(address="folder:twins", pair=r"(\d+)")
    assert pair_of(entry, "real/17.jpg") == pair_of(replace(entry, address="zip:b.zip"), "ai/17.png") == "pair:17"
    assert (pair_of(entry, "real/none.jpg"), pair_of(SourceEntry(address="x"), "17.jpg")) == ("", "")
    for wrong in ("(", r"\d+"):
        with pytest.raises(ConfigError, match="no regular expression with one group"):
            pair_of(replace(entry, pair=wrong), "17.jpg")
