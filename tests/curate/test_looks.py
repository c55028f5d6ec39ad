"""Looking again while pictures are added: what a look may err is spent, and the same pictures are the same look."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from curate.evidence.looks import Look, look
from curate.evidence.verdict import SURE
from imageledger.errors import LedgerError
from imageledger.record import Record

ROWS = [Record(source="s", member=f"{n}", label="real", origin=f"{n}", file=f"{n}") for n in range(20)]


def test_all_looks_that_there_will_ever_be_may_err_as_often_as_one():
    assert 0.99 * SURE < sum(Look(number=n).sure for n in range(1, 1000)) < SURE


def test_the_same_pictures_are_the_same_look_in_any_order_and_added_ones_another(project):
    assert look(project, "final", ROWS[:10], 42).number == 1
    assert look(project, "final", ROWS[:10][::-1], 42).number == 1
    assert look(project, "final", ROWS, 42).number == 2
    assert look(project, "final", ROWS[:10], 42).number == 1


def test_another_seed_other_pixels_or_another_label_are_another_look_and_other_stages_count_alone(project):
    look(project, "final", ROWS, 42)
    assert look(project, "final", ROWS, 43).number == 2
    assert look(project, "final", [replace(ROWS[0], file="other"), *ROWS[1:]], 42).number == 3
    assert look(project, "final", [replace(ROWS[0], label="ai"), *ROWS[1:]], 42).number == 4
    assert look(project, "whitened", ROWS, 42).number == 1


def test_two_looks_at_once_are_both_counted(project):
    with ThreadPoolExecutor(8) as pool:
        numbers = list(pool.map(lambda n: look(project, "final", ROWS[: n + 1], 42).number, range(16)))
    assert sorted(numbers) == list(range(1, 17))


@pytest.mark.parametrize("content", ["{", "[]", '{"a": 3}'])
def test_a_damaged_list_is_refused_rather_than_begun_anew(project, content):
    look(project, "final", ROWS, 42)
    path = project.root / "data" / "audit" / "looks.json"
    assert len(json.loads(path.read_text())) == 1
    path.write_text(content)
    with pytest.raises(LedgerError, match="how often"):
        look(project, "final", ROWS, 42)
