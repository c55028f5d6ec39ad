"""What the stages noted of a picture: written and read by type, and refused when it is not theirs."""

import pytest
from PIL import Image

from curate import history
from curate.faces.face import Face
from curate.history import Fetched, Normalized, Whitened, noted
from imageledger.errors import ManifestError
from imageledger.record import Record, Step

PICTURE = Record(source="folder:x", member="1.jpg", label="real")
NOTES = {
    "fetch": (history.fetched, Fetched(bytes=10, format="jpeg")),
    "normalize": (
        history.normalized,
        Normalized(
            format="gif", mode="P", size=(9, 8), tables=0, pixels="ab", mirrored="p:0", frames=2, notes=(),
            crop=(0, 0, 8, 8), face=(1, 1, 4, 4),
        ),
    ),
    "whiten": (history.whitened, Whitened(coverage=0.5, pieces=1, softness=0, raw=(0.0, 0.9))),
}  # fmt: skip


def after(stage, found):
    return PICTURE.after(Step(did=f"{stage}@1", on="", found=found))


@pytest.mark.parametrize("stage", NOTES)
def test_what_is_noted_is_read_back_from_a_manifest(stage):
    read, note = NOTES[stage]
    assert read(Record.from_line(after(stage, noted(note)).to_line())) == note


@pytest.mark.parametrize("stage", NOTES)
def test_a_stage_that_has_not_been_there_noted_nothing(stage):
    read, note = NOTES[stage]
    assert read(PICTURE) == read(after(stage, {})) == type(note)()


def test_a_zero_and_an_empty_list_are_noted_and_what_does_not_apply_is_left_out():
    assert noted(Normalized(tables=0, notes=())) == {"tables": 0, "notes": []}


def test_a_key_that_no_stage_of_ours_writes_is_an_error_that_names_it():
    with pytest.raises(ManifestError, match=r"folder:x#1\.jpg: normalize notes no 'face_count'"):
        history.normalized(after("normalize", {"face_count": 1}))


@pytest.mark.parametrize(
    ("stage", "found"),
    [
        ("normalize", {"face": [1, 2, 3]}),
        ("normalize", {"face": [1, 2, 3, 4.5]}),
        ("normalize", {"faces": "one"}),
        ("normalize", {"points": [1, 2, 3]}),
        ("normalize", {"size": "large"}),
        ("normalize", {"mirrored": 5}),
        ("whiten", {"raw": [0.0, "high"]}),
        ("whiten", {"softness": True}),
        ("fetch", {"bytes": "many"}),
    ],
)
def test_a_value_of_another_kind_is_an_error_that_names_it(stage, found):
    with pytest.raises(ManifestError, match=f"the {next(iter(found))!r} of {stage} cannot be"):
        NOTES[stage][0](after(stage, found))


def test_the_face_is_that_of_the_picture_as_it_is_now():
    normalized = after("normalize", noted(Normalized(face=(1, 1, 4, 4))))
    assert history.face_of(normalized) == Face(box=(1, 1, 4, 4))
    assert history.face_of(normalized.after(Step(did="whiten@3", on="", found={"face": [0, 0, 2, 2]}))).box == (
        0,
        0,
        2,
        2,
    )
    assert history.face_of(normalized.after(Step(did="whiten@3", on="", found={"coverage": 1}))).box == (1, 1, 4, 4)
    assert history.face_of(PICTURE) is None


def test_whether_anyone_looked_for_a_face_is_known_apart_from_whether_there_is_one():
    assert history.looked_for_face(after("normalize", {"notes": ["no face found"]}))
    assert not history.looked_for_face(after("normalize", {}))


def test_a_matte_is_laid_where_its_crop_was_cut_out():
    whole = history.on_original(Image.new("L", (4, 4), 255), (8, 0, 16, 8), (20, 10))
    assert whole.size == (20, 10)
    assert whole.getbbox() == (8, 0, 16, 8)


def test_what_normalize_made_is_known_before_and_after_whiten():
    made = Record(source="s", member="m", label="real", file="a.jpg")
    assert history.made_by_normalize(made) == "a.jpg"
    assert history.made_by_normalize(made.after(Step(did="whiten@3", on="a.jpg"), file="b.png")) == "a.jpg"
