"""Records: what a line holds, what comes back from it, and which lines are refused."""

import json
import random
import unicodedata
from dataclasses import FrozenInstanceError, fields

import pytest

from imageledger.errors import ManifestError
from imageledger.record import OK, REJECTED, STATUSES, UNREADABLE, Record, Step

OBJECT = "ab" * 32 + ".jpg"
MATTE = "cd" * 32 + ".png"
FULL = Record(
    source="kaggle:owner/slug@3",
    member="real/Ünïcode ✓ 名前/😀.jpg",
    origin=OBJECT,
    file=OBJECT,
    label="real",
    generator="camera",
    licence="CC-BY-4.0",
    group="c1",
    pair="pair:1",
    split="train",
    width=512,
    height=512,
    phash="p:0123456789abcdef",
    matte=MATTE,
    status="duplicate",
    reason="a copy of another",
    duplicate_of="kaggle:owner/slug@3#real/1.jpg",
    similarity=0.1 + 0.2,
    steps=(
        Step(did="fetch@1", on="", found={"bytes": 10, "format": "jpeg"}),
        Step(did="normalize@1", on=OBJECT, settings={"size": 512}, found={"crop": [0, 0, 5, 5], "notes": []}),
    ),
)


def line(**changes) -> str:
    return json.dumps({"source": "folder:x", "member": "1.jpg", "label": "real"} | changes)


def drawn_text(chance: random.Random) -> str:
    alphabet = 'aé\u0301\u0308n\n\t\r\b\f\x00\x1b"\\/#:, \u2028\u2029\u202e\x85\ufeff名😀\u1e9b\u0323Å'
    return unicodedata.normalize("NFC", "".join(chance.choices(alphabet, k=chance.randrange(1, 12))))


def test_a_record_comes_back_from_its_line_as_it_was():
    assert Record.from_line(FULL.to_line()) == FULL


def test_any_text_comes_back_from_its_line_whatever_letters_it_is_made_of():
    chance = random.Random(1)
    for _ in range(3000):
        text = [drawn_text(chance) for _ in range(5)]
        step = Step(
            did="fetch@1", on=OBJECT, settings={text[0]: text[1]}, found={"notes": [text[2], {"deep": text[3]}]}
        )
        record = Record(source=text[0], member=text[1], label=text[2], reason=text[3], group=text[4], steps=(step,))
        written = record.to_line()
        assert Record.from_line(written) == record
        assert "\n" not in written
        assert "\r" not in written


def test_decomposed_letters_are_written_composed():
    record = Record(source="folder:x", member="e\u0301.jpg", label="real")
    assert Record.from_line(record.to_line()).member == "é.jpg"


def test_an_escape_before_a_combining_mark_stays_an_escape():
    record = Record(source="folder:x", member="a\n\u0303b", label="real")
    assert Record.from_line(record.to_line()) == record


def test_defaults_are_left_out():
    assert json.loads(Record(source="s", member="m", label="ai").to_line()) == {
        "source": "s",
        "member": "m",
        "label": "ai",
    }


def test_keys_stand_in_the_order_of_declaration():
    declared = [spec.name for spec in fields(Record)]
    assert list(json.loads(FULL.to_line())) == declared
    shuffled = json.dumps(dict(reversed(json.loads(FULL.to_line()).items())))
    assert Record.from_line(shuffled).to_line() == FULL.to_line()


def test_letters_beyond_ascii_are_written_as_they_are():
    assert "名前/😀" in FULL.to_line()


@pytest.mark.parametrize(
    ("hostile", "complaint"),
    [
        (line(file="../../etc/passwd"), "not the name of an object"),
        (line(origin="/etc/passwd"), "not the name of an object"),
        (line(matte=OBJECT.upper()), "not the name of an object"),
        (line(file=OBJECT + "\n"), "not the name of an object"),
        (line(file="ab" * 32 + ".jpg/x"), "not the name of an object"),
        (line(colour="red"), "no field 'colour'"),
        (line(steps=[{"did": "a@1", "on": "", "who": "me"}]), "no field 'who'"),
        (line(steps=[{"did": "a@1"}]), "lacks on"),
        (line(steps=["a@1"]), "must be a JSON object"),
        (line(steps={"did": "a@1"}), "'steps' must be list"),
        (line(steps=[{"did": "a@1", "on": "", "found": [1]}]), "'found' must be dict"),
        (line(member=7), "'member' must be str"),
        (line(member=None), "'member' must be str"),
        (line(label=["real"]), "'label' must be str"),
        (line(width="512"), "'width' must be int"),
        (line(width=5.5), "'width' must be int"),
        (line(width=True), "'width' must be int"),
        (line(similarity=True), "'similarity' must be"),
        (line(similarity=float("nan")), "NaN"),
        (line(similarity=float("-inf")), "Infinity"),
        (line(similarity="§").replace('"\\u00a7"', "1e999"), "1e999"),
        (line(steps=[{"did": "a@1", "on": "", "found": {"raw": [float("inf")]}}]), "Infinity"),
        (line(status="fine"), "not a status"),
        (line(split="test"), "not a split"),
        (line(member="\ud800.jpg"), "surrogate"),
        (line(member="e\u0301.jpg"), "NFC"),
        ('{"source": "folder:x", "member": "1.jpg"}', "lacks label"),
        ("[]", "must be a JSON object, not list"),
        ("7", "must be a JSON object, not int"),
        ("null", "must be a JSON object"),
        ('{"source": "folder:x"', "not a line of JSON"),
        ("", "not a line of JSON"),
        ("[" * 200_000, "not a line of JSON"),
        ('{"width": ' + "1" * 5000 + "}", "not a line of JSON"),
    ],
    ids=lambda value: value[:40] if isinstance(value, str) else "",
)
def test_a_line_that_holds_what_a_record_may_not_is_refused(hostile, complaint):
    with pytest.raises(ManifestError, match=complaint.replace("'", ".")):
        Record.from_line(hostile)


def test_a_number_that_json_cannot_hold_is_never_written():
    record = Record(source="s", member="m", label="real", similarity=float("nan"))
    with pytest.raises(ValueError, match="JSON"):
        record.to_line()


def test_a_record_cannot_be_changed_in_place():
    with pytest.raises(FrozenInstanceError):
        FULL.label = "ai"  # type: ignore[misc]


def test_after_a_step_the_chain_is_one_longer_and_the_old_record_is_as_it_was():
    before = Record(source="s", member="m", label="real", file=OBJECT)
    after = before.after(Step(did="whiten@1", on=OBJECT), file=MATTE, matte=MATTE)
    assert (after.file, after.steps[-1].on) == (MATTE, OBJECT)
    assert before.steps == ()


def test_a_failed_record_keeps_its_files_and_carries_the_reason():
    failed = Record(source="s", member="m", label="real", file=OBJECT).failed("truncated JPEG")
    assert (failed.status, failed.reason, failed.file) == (UNREADABLE, "truncated JPEG", OBJECT)
    rejected = failed.failed("too small", REJECTED, Step(did="normalize@1", on=OBJECT))
    assert (rejected.status, len(rejected.steps)) == (REJECTED, 1)


def test_found_is_what_the_last_step_of_a_stage_saw():
    record = Record(source="s", member="m", label="real").after(Step(did="whiten@1", on="", found={"coverage": 1}))
    record = record.after(Step(did="whiten@2", on="", found={"coverage": 2}))
    assert record.found("whiten") == {"coverage": 2}
    assert record.found("white") == {}


def test_every_status_can_be_read_back():
    for status in STATUSES:
        assert Record.from_line(line(status=status)).status == status
    assert Record.from_line(line()).status == OK
