"""Advice on shortcuts: what has been done is never recommended again."""

import pytest

from curate.evidence.advice import advised
from curate.history import done_to
from curate.nuisance import FAMILIES, family
from imageledger.record import Record, Step

FORENSIC = Step(did="normalize@3", on="", settings={"recipe": "forensic"})
WHITENED = Step(did="whiten@4", on="", settings={"region": "white"})
COMMANDS = (
    "curate normalize",
    "curate whiten (",
    "curate whiten,",
    "--match",
    "--recipe forensic",
    "recipe `forensic`",
)


def record(*steps):
    return Record(source="folder:a", member="1.jpg", label="real", steps=steps)


@pytest.mark.parametrize("name", list(FAMILIES))
def test_after_forensic_whitening_and_matching_none_of_them_is_recommended(name):
    told = advised(family(name), done_to([record(FORENSIC, WHITENED)], matched_on=list(FAMILIES)))
    assert not [command for command in COMMANDS if command in told], told
    assert len(told.split()) > 5


@pytest.mark.parametrize("name", list(FAMILIES))
def test_before_anything_was_done_the_advice_is_that_of_the_family(name):
    assert advised(family(name), frozenset()) == family(name).advice


def test_what_is_left_to_do_is_named():
    told = advised(family("border"), done_to([record(FORENSIC)]))
    assert "curate whiten gives both classes one background" in told
    assert "curate manifest --match border" in told
    assert "forensic" not in told


def test_only_what_was_done_to_all_pictures_counts():
    assert "whiten" not in done_to([record(FORENSIC, WHITENED), record(FORENSIC)])
    assert done_to([]) == frozenset()


def test_a_match_on_another_family_is_no_match_on_this_one():
    assert "curate manifest --match tone" in advised(family("tone"), done_to([], ["border"]))
