import io
import json
import math
from dataclasses import replace

import imagehash
import numpy as np
import pytest
from drawn import ORIENTATIONS, encoded, face_box, fetched, portrait
from PIL import Image

from curate.cli import main
from curate.faces.detector import detector
from curate.normalize import work as stage
from curate.normalize.settings import NormalizeSettings
from curate.normalize.work import normalize
from imageledger import manifest
from imageledger.errors import ConfigError
from imageledger.record import Record


def grey(width, height, seed=0):
    cells = np.random.default_rng(seed).integers(30, 220, (4, 4, 3), dtype=np.uint8)
    return Image.fromarray(cells).resize((width, height), Image.Resampling.BICUBIC)


def rows_of(project, members, workers=1, **settings):
    fetched(project, members)
    outcome = normalize(
        project, NormalizeSettings(**{"recipe": "plain", "detector": "cascade", **settings}), workers=workers
    )
    return list(manifest.read(outcome.path))


def opened(project, record):
    return Image.open(io.BytesIO(project.store.read(record.file)))


def test_every_picture_becomes_a_jpeg_of_one_size_with_the_right_suffix(project):
    image, _ = portrait(1, 300)
    rows = rows_of(
        project,
        {
            "real/a.png": encoded(image),
            "ai/b.jpg": encoded(image.convert("CMYK"), "JPEG"),
            "ai/c": encoded(image, "GIF"),
        },
        size=128,
    )
    assert [row.status for row in rows] == ["ok"] * 3
    for row in rows:
        picture = opened(project, row)
        assert (picture.format, picture.size, picture.mode) == ("JPEG", (128, 128), "RGB")
        assert row.file.endswith(".jpg")
        assert (row.width, row.height) == (128, 128)
        assert row.file != row.origin == row.steps[-1].on
    assert [row.found("normalize")["format"] for row in rows] == ["png", "jpeg", "gif"]
    assert [row.found("normalize")["mode"] for row in rows] == ["RGB", "CMYK", "P"]


def test_png_is_written_when_asked_for(project):
    (row,) = rows_of(project, {"real/a": encoded(grey(64, 64), "WEBP")}, size=32, format="png")
    assert row.file.endswith(".png")
    assert opened(project, row).format == "PNG"


def test_all_jpegs_share_one_table_and_carry_no_metadata(project):
    exif = Image.Exif()
    exif[0x010E] = "a secret"
    members = {
        "real/a": encoded(grey(90, 80), "JPEG", quality=30, exif=exif),
        "ai/b": encoded(grey(80, 90, 2), icc_profile=b"broken"),
    }
    one, other = (opened(project, row) for row in rows_of(project, members, size=64))
    assert one.quantization == other.quantization
    assert one.layer == other.layer
    assert not {"exif", "icc_profile", "comment"} & (set(one.info) | set(other.info))


def test_a_picture_that_is_too_small_is_rejected_never_enlarged(project):
    small, large = rows_of(project, {"real/a": encoded(grey(300, 400)), "real/b": encoded(grey(512, 512))}, size=512)
    assert (small.status, small.reason) == ("rejected", "too small: 300 px, plain to 512 px needs 512")
    assert small.file == small.origin
    assert (small.width, small.height) == (300, 400)
    assert small.phash
    assert large.status == "ok"


def test_the_square_lies_around_the_face_and_the_face_box_on_the_face(project):
    image, _ = portrait(3, 300)
    wide = Image.new("RGB", (900, 400), (110, 130, 150))
    wide.paste(image, (560, 50))
    (row,) = rows_of(project, {"real/a": encoded(wide)}, size=128, recipe="forensic")
    found = row.found("normalize")
    left, top, right, bottom = found["crop"]
    assert right - left == bottom - top >= 1.6 * 128
    assert 0 < left < right < 900
    assert 0 < top < bottom < 400
    assert left < 640 < 780 < right
    seen, said = face_box(opened(project, row)), found["face"]
    assert np.abs(np.subtract(seen, said)).max() < 16
    assert found["notes"] == []


def test_a_face_that_the_square_leaves_out_is_not_named(project):
    image, _ = portrait(3, 300)
    tall = Image.new("RGB", (400, 1200), (110, 130, 150))
    tall.paste(image, (50, 870))
    (row,) = rows_of(project, {"real/a": encoded(tall)}, size=200, recipe="forensic")
    box = row.found("normalize").get("face")
    assert box is None or box[3] - box[1] > 20


def test_no_face_is_noted_and_not_rejected(project):
    (row,) = rows_of(project, {"real/a": encoded(grey(200, 100))}, size=64)
    found = row.found("normalize")
    assert row.status == "ok"
    assert found["notes"] == ["no face found"]
    assert found["crop"] == [50, 0, 150, 100]
    assert "face" not in found


def test_with_require_face_a_picture_without_one_is_rejected(project):
    members = {"real/a": encoded(grey(200, 200)), "real/b": encoded(portrait(1, 200)[0])}
    without, with_face = rows_of(project, members, size=64, require_face=True)
    assert (without.status, without.reason) == ("rejected", "no face found")
    assert with_face.status == "ok"


def test_the_hash_is_that_of_the_upright_original_whole(project):
    image, _ = portrait(4, 320)
    members = {
        "real/upright": encoded(image),
        **{f"real/turned{n}": encoded(image, orientation=n) for n in ORIENTATIONS},
    }
    rows = rows_of(project, members, size=64)
    assert {row.phash for row in rows} == {f"p:{imagehash.phash(image)}"}
    mirror = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    mirrored = {row.found("normalize")["mirrored"] for row in rows}
    assert all(int(hash[2:], 16).bit_count() and (int(hash[2:], 16) ^ int(str(imagehash.phash(mirror)), 16)).bit_count()
               <= 2 for hash in mirrored)  # fmt: skip
    assert len({row.found("normalize")["pixels"] for row in rows}) == 1
    assert len({row.file for row in rows}) == 1


def test_the_same_pixels_in_two_lossless_formats_have_one_pixel_digest(project):
    members = {"real/a": encoded(grey(70, 70)), "real/b": encoded(grey(70, 70), "BMP"), "real/c": encoded(grey(71, 70))}
    one, same, other = (row.found("normalize")["pixels"] for row in rows_of(project, members, size=64))
    assert one == same != other


def test_a_torn_picture_is_an_unreadable_row_and_the_rest_goes_on(project):
    members = {
        "real/a": b"<html>not found</html>",
        "real/b": encoded(grey(99, 99), "JPEG")[:500],
        "real/c": b"",
        "real/d": encoded(grey(99, 99)),
    }
    rows = rows_of(project, members, size=64)
    assert [row.status for row in rows] == ["unreadable"] * 3 + ["ok"]
    assert all(row.reason for row in rows[:3])
    assert all(row.file == row.origin for row in rows[:3])


@pytest.mark.long
def test_two_workers_write_the_same_bytes_as_one(project):
    members = {f"real/{n}": encoded(portrait(n, 120)[0]) for n in range(8)}
    rows_of(project, members, size=64)
    output = project.manifest("normalize")
    alone = output.read_bytes()
    output.unlink()
    rows_of(project, members, workers=2, size=64)
    assert output.read_bytes() == alone


def test_a_second_run_works_on_nothing_and_another_size_on_everything(project):
    fetched(project, {f"real/{n}": encoded(grey(90, 90, n)) for n in range(3)})
    first = normalize(project, NormalizeSettings(detector="cascade", recipe="plain", size=64), workers=1)
    before = first.path.read_bytes()
    again = normalize(project, NormalizeSettings(detector="cascade", recipe="plain", size=64), workers=1)
    assert (first.worked, again.worked, again.reused) == (3, 0, 3)
    assert again.path.read_bytes() == before
    assert normalize(project, NormalizeSettings(detector="cascade", recipe="plain", size=48), workers=1).worked == 3
    assert normalize(project, NormalizeSettings(detector="cascade", recipe="forensic", size=48), workers=1).worked == 3


def test_no_function_that_makes_the_pixels_is_told_the_label(project):
    content = encoded(portrait(5, 200)[0])
    one, other = rows_of(project, {"real/a": content, "ai/a": content}, size=64)
    assert (one.file, one.steps) == (other.file, other.steps)


@pytest.mark.parametrize(
    "wrong",
    [
        {"size": 8},
        {"size": 10**6},
        {"size": "large"},
        {"recipe": "x"},
        {"format": "webp"},
        {"quality": 0},
        {"quality": 101},
    ],
)
def test_settings_that_cannot_be_met_are_refused(wrong):
    with pytest.raises(ConfigError) as refused:
        NormalizeSettings(**wrong)
    assert refused.value.hint


def test_the_command_prints_its_table_as_json_and_nothing_else_on_stdout(project, runner):
    fetched(project, {"real/a": encoded(grey(90, 90)), "ai/b": b"<html>"})
    done = runner.invoke(main, ["normalize", "--recipe", "plain", "--size", "64", "--json"])
    assert [(row["label"], row["ok"], row["unreadable"]) for row in json.loads(done.stdout)] == [
        ("ai", 0, 1),
        ("real", 1, 0),
    ]


def test_with_strict_an_unreadable_picture_makes_the_command_exit_3(project, runner):
    fetched(project, {"real/a": encoded(grey(90, 90)), "ai/b": b"<html>"})
    assert runner.invoke(main, ["normalize", "--recipe", "plain", "--size", "64"]).exit_code == 0
    strict = runner.invoke(main, ["normalize", "--recipe", "plain", "--size", "64", "--strict"])
    assert strict.exit_code == 3
    assert "1 pictures could not be read" in strict.stderr


def test_the_command_takes_its_settings_from_the_project_and_options_win(project, runner):
    with (project.root / "imageledger.toml").open("a") as file:
        file.write('recipe = "plain"\nsize = 48\nrequire-face = true\n')
    fetched(project, {"real/a": encoded(portrait(1, 200)[0]), "real/b": encoded(grey(200, 200))})
    assert runner.invoke(main, ["normalize"]).exit_code == 0
    assert [row.reason or row.width for row in manifest.read(project.manifest("normalize"))] == [48, "no face found"]
    assert runner.invoke(main, ["normalize", "--size", "32"]).exit_code == 0
    assert next(manifest.read(project.manifest("normalize"))).width == 32


def test_an_impossible_size_is_an_error_with_a_way_out(project, runner):
    fetched(project, {"real/a": encoded(grey(90, 90))})
    done = runner.invoke(main, ["normalize", "--size", "3"])
    assert done.exit_code == 1
    assert "Error: normalize: size 3" in done.stderr
    assert "Try: " in done.stderr


@pytest.mark.long
def test_every_bad_file_goes_through_the_real_commands_in_one_go(project, runner, testdata):
    folder = testdata / "bad-input"
    assert runner.invoke(main, ["fetch", f"folder:{folder}", "--label", "real"]).exit_code == 0
    done = runner.invoke(main, ["normalize", "--recipe", "plain", "--size", "16", "--workers", "1"])
    assert done.exit_code == 0, done.output
    output = project.manifest("normalize")
    rows = list(manifest.read(output))
    assert len(rows) == sum(1 for _ in folder.iterdir())
    for row in rows:
        assert row.status in ("ok", "unreadable", "rejected"), row.name
        assert bool(row.reason) == (row.status != "ok"), row.name
        assert "0x" not in row.reason
    assert sum(row.status == "ok" for row in rows) > 40
    assert {"too small: 10 px, plain to 16 px needs 16", "more than 120 million pixels"} <= {row.reason for row in rows}
    first = output.read_bytes()
    assert (
        "0 worked on"
        in runner.invoke(main, ["normalize", "--recipe", "plain", "--size", "16", "--workers", "1"]).stderr
    )
    assert output.read_bytes() == first
    output.unlink()
    assert runner.invoke(main, ["normalize", "--recipe", "plain", "--size", "16", "--workers", "2"]).exit_code == 0
    assert output.read_bytes() == first


def test_real_portraits_come_out_square_sharp_and_with_their_face(project, testdata):
    files = sorted((testdata / "portraits" / "ffhq-vs-stylegan2" / "real").iterdir())[:4]
    for row in rows_of(project, {f"real/{file.name}": file.read_bytes() for file in files}, size=256):
        left, top, right, bottom = row.found("normalize")["face"]
        assert 0.35 * 256 < right - left < 0.8 * 256
        assert math.dist(((left + right) / 2, (top + bottom) / 2), (128, 128)) < 45
        assert np.asarray(opened(project, row).convert("L"), dtype=float).std() > 20


def test_a_record_is_worked_on_without_its_label(project):
    content = encoded(grey(90, 90))
    name = project.store.put(content, "png")
    record = Record(source="s", member="m", label="real", origin=name, file=name)
    chosen = NormalizeSettings(detector="cascade", size=64)
    signed = stage.Stage(name="normalize", version=1)
    done = [
        stage.normalize_record(one, stage=signed, settings=chosen, finder=detector("cascade"), store=project.store)
        for one in (record, replace(record, label="ai"))
    ]
    assert done[0] == replace(done[1], label="real")
