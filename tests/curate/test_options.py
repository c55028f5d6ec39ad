"""What a stage did, printed: counts, the reasons that are new, and where the manifest lies."""

import json
import re

import pytest

from curate.options import show
from imageledger.errors import GateFailed
from imageledger.manifest import Tally
from imageledger.reasons import kinds_of
from imageledger.record import Record
from imageledger.stage import Outcome


def outcome(tmp_path, *rows: Record) -> Outcome:
    tally = Tally()
    for row in rows:
        tally.add(row)
    return Outcome(stage="normalize", path=tmp_path / "normalized.jsonl", tally=tally, worked=2, reused=1)


def portrait(number: int, label: str = "real") -> Record:
    return Record(source="folder:x", member=f"{number}.jpg", label=label)


def test_a_report_counts_by_label_and_status_and_ends_with_the_path(tmp_path, capsys):
    done = outcome(tmp_path, portrait(1), portrait(2).failed("torn"), portrait(3, "ai"))
    show(done)
    out, err = capsys.readouterr()
    assert re.search(r"label\W+ok\W+duplicate\W+unreadable\W+rejected\W+unused\W+total", out)
    assert re.search(r"real\W+1\W+0\W+1\W+0\W+0\W+2", out)
    assert out.endswith(f"{tmp_path / 'normalized.jsonl'}\n")
    assert err == "  real: 1 × torn\nnormalize: 2 worked on, 1 reused\n"


def test_a_report_as_json_is_nothing_but_json_on_stdout(tmp_path, capsys):
    show(outcome(tmp_path, portrait(1)), as_json=True)
    assert json.loads(capsys.readouterr().out) == [
        {"label": "real", "ok": 1, "duplicate": 0, "unreadable": 0, "rejected": 0, "unused": 0, "total": 1}
    ]


def test_reasons_that_differ_only_in_numbers_are_counted_together(tmp_path, capsys):
    rows = [portrait(n).failed(f"{100 + n} px, needs 512", "rejected") for n in range(40)]
    show(outcome(tmp_path, *rows))
    assert "  real: 40 × 100–139 px, needs 512\n" in capsys.readouterr().err


def test_reasons_beyond_the_most_frequent_are_summed_up(tmp_path, capsys):
    words = ["torn", "empty", "odd", "flat", "dark", "grey", "wide"]
    rows = [portrait(n).failed(word) for n, word in enumerate(words)]
    show(outcome(tmp_path, *rows))
    assert "  real: 2 for other reasons, listed in the manifest\n" in capsys.readouterr().err


def test_strict_ends_with_3_only_when_pictures_could_not_be_read(tmp_path):
    show(outcome(tmp_path, portrait(1), portrait(2).failed("small", "rejected")), strict=True)
    with pytest.raises(GateFailed, match="1 pictures could not be read"):
        show(outcome(tmp_path, portrait(1), portrait(2).failed("torn")), strict=True)


def test_reasons_of_earlier_stages_are_not_repeated(tmp_path, capsys):
    torn, small = portrait(1).failed("torn"), portrait(2)
    before = outcome(tmp_path, torn, small).tally
    done = outcome(tmp_path, torn, small.failed("too small", "rejected"))
    show(Outcome(stage="x", path=done.path, tally=done.tally, worked=1, reused=0, before=before))
    assert capsys.readouterr().err == "  real: 1 × too small\nx: 1 worked on, 0 reused\n"


def test_what_differs_within_a_kind_of_reason_is_a_range_or_left_open():
    reasons = {
        "copy of folder:x#a.jpg": 1, "copy of folder:y#b.jpg": 2,
        "too small: 9 px, needs 512": 3, "too small: 40 px, needs 512": 1,
    }  # fmt: skip
    assert kinds_of(reasons) == [("too small: 9–40 px, needs 512", 4), ("copy of …", 3)]
