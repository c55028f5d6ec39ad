"""Measuring nuisance features: as the picture was at a stage, once per object, and never a second time."""

import json
from dataclasses import replace

import numpy as np
import pytest
from drawn import encoded, fetched, portrait
from PIL import Image

from curate.evidence import measure as measuring
from curate.nuisance import FAMILIES, family
from curate.nuisance.seen import Seen
from imageledger import manifest
from imageledger.errors import StoreError
from imageledger.record import Record, Step


def drawn(project, count=3):
    pictures = {f"real/{n}.png": encoded(portrait(n, 96)[0]) for n in range(count)}
    return list(manifest.read(fetched(project, pictures)))


def measured(project, records, families=("container", "tone"), **options):
    return measuring.measure(project, records, families, workers=1, **options)


def kept(project):
    return {path.name: path.read_text().splitlines() for path in (project.root / "data" / "measured").glob("*")}


def test_every_family_is_measured_and_named_by_its_columns(project):
    table = measured(project, drawn(project, 2), tuple(FAMILIES))
    assert list(table.values) == list(FAMILIES)
    for name, values in table.values.items():
        assert values.shape == (2, len(table.columns[name]))
    assert np.isnan(table.values["matte"]).all()  # nobody has cut them out
    assert np.isfinite(table.values["tone"]).any()


def test_every_family_gives_the_same_features_for_any_picture():
    names = [
        {name: frozenset(family(name).measure(seen)) for name in FAMILIES}
        for seen in (
            Seen(content=encoded(portrait(1, 64)[0]), image=portrait(1, 64)[0], name="a#b.png"),
            Seen(content=b"", image=portrait(1, 200)[0], name="", alpha=portrait(1, 200)[1], box=None),
        )
    ]
    assert names[0] == names[1]


def test_numbers_of_damaged_bytes_are_never_kept_under_the_name_of_sound_ones(project):
    records = drawn(project)
    path = project.store.path(records[1].file)
    other = encoded(portrait(7, 96)[0])
    path.chmod(0o644)
    path.write_bytes(other)
    with pytest.raises(StoreError, match="is damaged"):
        measured(project, records)
    assert not any(records[1].file in line for lines in kept(project).values() for line in lines)


def test_a_picture_is_measured_once_and_its_numbers_are_kept_by_its_object(project):
    records = drawn(project)
    first = measured(project, records)
    lines = kept(project)
    for record in records:
        project.store.path(record.file).unlink()
    second = measured(project, records)  # no picture is there to be opened
    assert kept(project) == lines
    np.testing.assert_array_equal(first.values["tone"], second.values["tone"])


def test_a_line_torn_by_a_kill_is_measured_again(project):
    records = drawn(project)
    first = measured(project, records, ("tone",))
    (path,) = (project.root / "data" / "measured").glob("tone*")
    path.write_text(path.read_text()[:-40])
    again = measured(project, records, ("tone",))
    np.testing.assert_array_equal(first.values["tone"], again.values["tone"])
    assert all(json.loads(line) for line in path.read_text().splitlines()[-1:])


def test_the_original_and_the_file_of_now_are_two_pictures(project):
    (record,) = drawn(project, 1)
    now = project.store.put(encoded(portrait(0, 96)[0], "JPEG", quality=30), "jpg")
    record = record.after(Step(did="normalize@1", on=record.file), file=now)
    table = measured(project, [record]), measured(project, [record], stage=measuring.FETCHED)
    sums = [one.values["container"][0, one.columns["container"].index("luma table sum")] for one in table]
    assert sums[0] > 0 and not sums[1] > 0  # noqa: PT018  (a PNG has no table)


def test_the_model_sees_pixels_but_neither_files_nor_names(project):
    table = measured(project, drawn(project, 1), tuple(FAMILIES), stage=measuring.MODEL_INPUT)
    assert {family(name).of for name in table.values} == {"pixels"}
    assert any("-224px" in name for name in kept(project))


def test_pictures_that_have_the_size_of_the_model_are_measured_once_for_both(project):
    (record,) = drawn(project, 1)
    record = replace(record, width=measuring.MODEL_SIDE, height=measuring.MODEL_SIDE)
    now = measured(project, [record], ("tone",))
    lines = kept(project)
    table = measured(project, [record], ("tone",), stage=measuring.MODEL_INPUT)
    np.testing.assert_array_equal(now.values["tone"], table.values["tone"])
    assert kept(project) == lines


def test_the_matte_belongs_to_the_white_picture_and_not_to_the_original(project):
    image, alpha = portrait(3, 96)
    (record,) = list(manifest.read(fetched(project, {"real/a.png": encoded(image)})))
    matte = project.store.put(encoded(Image.fromarray(alpha)), "png")
    white = project.store.put(encoded(Image.composite(image, Image.new("RGB", image.size, "white"),
                                                      Image.fromarray(alpha))), "png")  # fmt: skip
    record = replace(record, file=white, matte=matte)
    now = measured(project, [record], ("matte",))
    before = measured(project, [record], ("matte",), stage=measuring.FETCHED)
    assert np.isfinite(now.values["matte"]).any()
    assert np.isnan(before.values["matte"]).all()


def test_a_picture_that_cannot_be_decoded_has_no_numbers_and_a_missing_object_is_said(project):
    broken = project.store.put(b"not a picture", "jpg")
    record = Record(source="s", member="m", label="real", origin=broken, file=broken)
    sound = drawn(project, 1)
    table = measured(project, [*sound, record], ("tone",))
    assert np.isnan(table.values["tone"][1]).all()
    missing = replace(sound[0], file="0" * 64 + ".png")
    with pytest.raises(StoreError, match="0000"):
        measured(project, [missing], ("tone",))


def test_the_order_in_the_archive_is_known_at_fetch_alone(project):
    records = drawn(project, 3)
    early = measured(project, records, ("naming",), stage=measuring.FETCHED)
    late = measured(project, records, ("naming",))
    places = early.values["naming"][:, early.columns["naming"].index("place")]
    assert list(places) == [0.0, 0.5, 1.0]
    for column in late.values["naming"].T:
        assert len(set(column[np.isfinite(column)])) <= 1


def test_rows_can_be_taken_in_any_order(project):
    table = measured(project, drawn(project))
    some = table.take([2, 0])
    assert [record.member for record in some.records] == [table.records[n].member for n in (2, 0)]
    np.testing.assert_array_equal(some.values["tone"], table.values["tone"][[2, 0]])
