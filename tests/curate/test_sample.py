import hashlib
import io
import json
import subprocess
import sys
from collections import Counter

import numpy as np
import pytest
from PIL import Image

from curate.sources import BadMember
from curate.sources.sample import Planted, Sample, files, found, open_sample, write_truth
from curate.sources.sample import plan as planned
from curate.sources.sample.person import invent
from curate.sources.sample.pipelines import AI, REAL
from imageledger import demo, manifest
from imageledger.errors import SourceError
from imageledger.record import Record, Step

SAMPLE = Sample(42)


def planted(problem, turn=0):
    shots = [shot for shot in planned.plan(42).values() if shot.problem == problem]
    return next(shot for shot in shots if shot.turn == turn)


def opened(name):
    image = Image.open(io.BytesIO(SAMPLE.read(name)))
    image.load()
    return image


def likeness(shot):
    one, other = (np.asarray(opened(name).convert("L").resize((32, 32)), float) for name in (shot.name, shot.of))
    return np.abs((one[:, ::-1] if shot.problem == planned.MIRRORED else one) - other).mean()


def digests(seed, names):
    code = (
        "import hashlib, sys\nfrom curate.sources.sample import Sample\n"
        "for name in sys.argv[2:]: print(hashlib.sha256(Sample(int(sys.argv[1])).read(name)).hexdigest())"
    )
    command = [sys.executable, "-c", code, str(seed), *names]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()


def row(name, status="ok", seen=None, **rest):
    steps = (Step(did="normalize@1", on="", found=seen),) if seen else ()
    return Record(source="sample:42", member=name, label=name.partition("/")[0], status=status, steps=steps, **rest)


def test_an_address_without_a_seed_means_seed_42(project):
    assert open_sample("sample:", project) == open_sample("sample:42", project) == SAMPLE
    assert (SAMPLE.address, SAMPLE.licence, SAMPLE.digest) == ("sample:42", "CC0-1.0", "sample@3:42")


@pytest.mark.parametrize("seed", ["x", "-1", "4.2", "４２", "9" * 40])
def test_a_seed_that_is_no_whole_number_is_refused(project, seed):
    with pytest.raises(SourceError) as refused:
        open_sample(f"sample:{seed}", project)
    assert "sample:42" in refused.value.hint


@pytest.mark.long
def test_two_fresh_processes_draw_the_same_bytes():
    names = [planted(planned.CLEAN, 5).name, planted(planned.PALETTE, 1).name, planted(planned.RECOMPRESSED, 2).name]
    first = digests(42, names)
    assert first == digests(42, reversed(names))[::-1]
    assert first == [hashlib.sha256(SAMPLE.read(name)).hexdigest() for name in names]


def test_another_seed_draws_other_people():
    shared = sorted(set(planned.plan(42)) & set(planned.plan(43)))[:3]
    assert all(Sample(43).read(name) != SAMPLE.read(name) for name in shared)


def test_members_are_sorted_and_listed_without_drawing(monkeypatch):
    monkeypatch.setattr("curate.sources.sample.content", lambda shot: pytest.fail("drew a picture"))
    names = [member.name for member in SAMPLE.members()]
    assert names == sorted(set(names))
    assert Counter(name.partition("/")[0] for name in names) == dict.fromkeys((REAL, AI), planned.PICTURES_PER_CLASS)


def test_a_name_that_is_not_in_the_plan_is_a_bad_member():
    with pytest.raises(BadMember):
        SAMPLE.read("real/../0001.jpg")


@pytest.mark.parametrize("seed", [42, 0, 7, 123456789])
def test_every_seed_plants_every_problem_in_both_classes(seed):
    seen = Counter((shot.problem, shot.label) for shot in planned.plan(seed).values() if shot.problem)
    wanted = {(problem, label): n for problem, n in planned.PLANTED_PER_CLASS.items() for label in (REAL, AI)}
    assert seen == wanted


@pytest.mark.parametrize("seed", [42, 0, 7, 123456789])
def test_no_original_is_copied_twice(seed):
    originals = [shot.of for shot in planned.plan(seed).values() if shot.of]
    assert len(originals) == len(set(originals)) > 0


def test_enough_pictures_of_each_class_have_nothing_wrong_that_costs_them():
    kept = (planned.CLEAN, *(problem for problem, status in planned.EXPECTED.items() if status in ("ok", "suspect")))
    counts = Counter(shot.label for shot in planned.plan(42).values() if shot.problem in kept)
    assert min(counts.values()) >= 120
    assert all(min(shot.size) >= 430 for shot in planned.plan(42).values() if shot.problem != planned.TOO_SMALL)


@pytest.mark.parametrize("turn", [0, 1, 2])
def test_a_wrong_extension_hides_another_format(turn):
    shot = planted(planned.WRONG_EXTENSION, turn)
    true = opened(shot.name).format
    assert true == planned.DISGUISES[turn][0]
    assert shot.name.rpartition(".")[2] != planned.SUFFIXES[true]


@pytest.mark.parametrize("turn", [0, 1, 2])
def test_a_turned_file_says_how_to_turn_it_back(turn):
    shot = planted(planned.ROTATED, turn)
    image = opened(shot.name)
    assert image.getexif()[0x0112] == planned.ORIENTATIONS[turn]
    assert image.size == (shot.size if planned.ORIENTATIONS[turn] == 3 else shot.size[::-1])


@pytest.mark.parametrize(
    ("problem", "turn", "mode"),
    [
        (planned.CMYK, 0, "CMYK"),
        (planned.PALETTE, 0, "P"),
        (planned.PALETTE, 1, "P"),
        (planned.ALPHA, 0, "RGBA"),
        (planned.SIXTEEN_BIT, 0, "I;16"),
    ],
)
def test_an_odd_mode_is_really_in_the_file(problem, turn, mode):
    image = opened(planted(problem, turn).name)
    assert image.mode == mode
    assert (problem, turn) != (planned.PALETTE, 1) or image.format == "GIF"


def test_a_sixteen_bit_file_uses_all_of_its_range():
    pixels = np.asarray(opened(planted(planned.SIXTEEN_BIT).name))
    assert pixels.max() > 40_000
    assert pixels.dtype == np.uint16


def test_alpha_is_clear_in_the_corners_and_solid_in_the_middle():
    alpha = opened(planted(planned.ALPHA).name).getchannel("A")
    assert alpha.getpixel((0, 0)) == 0
    assert alpha.getpixel((alpha.width // 2, alpha.height // 2)) == 255


@pytest.mark.parametrize("turn", [0, 2])
def test_a_torn_file_opens_but_does_not_load(turn):
    image = Image.open(io.BytesIO(SAMPLE.read(planted(planned.TORN, turn).name)))
    with pytest.raises(OSError, match="truncated"):
        image.load()


def test_an_empty_file_and_a_web_page_are_no_pictures():
    assert SAMPLE.read(planted(planned.EMPTY).name) == b""
    assert SAMPLE.read(planted(planned.WEB_PAGE).name).startswith(b"<!DOCTYPE html>")


@pytest.mark.long
@pytest.mark.parametrize("label", [REAL, AI])
def test_byte_copies_are_equal_and_other_copies_only_look_alike(label):
    for shot in planned.plan(42).values():
        if shot.label != label or shot.turn or shot.problem not in planned.COPIES:
            continue
        assert (SAMPLE.read(shot.name) == SAMPLE.read(shot.of)) == (shot.problem == planned.BYTE_COPY)
        assert likeness(shot) < 3


@pytest.mark.long
def test_a_conflict_is_one_picture_under_both_labels():
    conflicts = [shot for shot in planned.plan(42).values() if shot.problem == planned.CONFLICT]
    assert {shot.label for shot in conflicts} == {REAL, AI}
    for shot in conflicts:
        assert not shot.of.startswith(shot.label)
        assert (SAMPLE.read(shot.name) == SAMPLE.read(shot.of)) == (shot.label == REAL)
        assert likeness(shot) < 3


def test_a_wrong_label_is_drawn_by_the_other_pipeline():
    shot = next(s for s in planned.plan(42).values() if s.problem == planned.WRONG_LABEL and s.label == AI)
    assert shot.how == REAL
    assert files.exif(invent(shot.chance), shot)


def test_a_clean_photograph_names_its_camera_and_a_generated_picture_none():
    clean = [s for s in planned.plan(42).values() if not s.problem and s.format == "JPEG"]
    camera, generator = (next(s for s in clean if s.label == label) for label in (REAL, AI))
    assert opened(camera.name).getexif()[files.MAKE]
    assert not opened(generator.name).getexif()


@pytest.mark.long
def test_most_faces_are_found_in_both_classes():
    from drawn import face_box

    for label in (REAL, AI):
        names = [s.name for s in planned.plan(42).values() if s.label == label and not s.problem][:12]
        assert sum(face_box(opened(name).convert("RGB")) is not None for name in names) >= 9


def test_the_truth_names_every_problem_and_is_written_the_same_each_time(tmp_path):
    truth = SAMPLE.truth()
    write_truth(tmp_path / "a.jsonl", truth)
    write_truth(tmp_path / "b.jsonl", Sample(42).truth())
    assert (tmp_path / "a.jsonl").read_bytes() == (tmp_path / "b.jsonl").read_bytes()
    assert len(truth) == 2 * sum(planned.PLANTED_PER_CLASS.values())
    assert {row.problem for row in truth} == set(planned.EXPECTED)
    assert {row.member for row in truth} <= {member.name for member in SAMPLE.members()}


def test_nothing_is_found_in_an_empty_manifest():
    assert not any(row["found"] for row in found(SAMPLE.truth(), []))


def test_found_believes_only_what_the_rows_say():
    truth = [
        Planted(problem=planned.WRONG_EXTENSION, member="ai/1.jpg", expected="ok"),
        Planted(problem=planned.WRONG_EXTENSION, member="ai/2.jpg", expected="ok"),
        Planted(problem=planned.ROTATED, member="ai/3.jpg", expected="ok"),
        Planted(problem=planned.BYTE_COPY, member="ai/4.jpg", of="ai/5.jpg", expected="duplicate"),
        Planted(problem=planned.BYTE_COPY, member="ai/6.jpg", of="ai/1.jpg", expected="duplicate"),
        Planted(problem=planned.CONFLICT, member="ai/7.jpg", of="real/7.jpg", expected="rejected"),
        Planted(problem=planned.WRONG_LABEL, member="ai/8.jpg", expected="suspect"),
        Planted(problem=planned.TOO_SMALL, member="ai/9.jpg", expected="rejected"),
    ]
    rows = [
        row("ai/1.jpg", seen={"format": "png"}),
        row("ai/2.jpg", "unreadable", seen={"format": "png"}),
        row("ai/3.jpg", "unused", seen={"notes": ["turned upright by EXIF"]}),
        row("ai/4.jpg"),
        row("ai/5.jpg", "duplicate", duplicate_of="sample:42#ai/4.jpg"),
        row("ai/6.jpg"),
        row("ai/7.jpg", "rejected"),
        row("real/7.jpg"),
        row("ai/8.jpg"),
        row("ai/9.jpg", "rejected"),
    ]
    counts = {line["problem"]: (line["planted"], line["found"]) for line in found(truth, rows)}
    assert counts == {
        planned.WRONG_EXTENSION: (2, 1), planned.ROTATED: (1, 1), planned.BYTE_COPY: (2, 1), planned.CONFLICT: (1, 0),
        planned.WRONG_LABEL: (1, 0), planned.TOO_SMALL: (1, 1),
    }  # fmt: skip
    suspected = found(truth, rows, suspects={"ai/8.jpg"})
    assert {line["problem"]: line["found"] for line in suspected}[planned.WRONG_LABEL] == 1


def test_the_demo_reaches_what_was_planted_through_the_door(project):
    truth = SAMPLE.truth()
    first, second = [line.member for line in truth if line.problem == planned.WRONG_LABEL][:2]
    origin = "0" * 64 + ".jpg"
    rows = [Record(source="sample:42", member=name, origin=origin, file=origin, label="ai") for name in (first, second)]
    manifest.write(project.manifest("manifest"), rows)
    answers = [
        {"member": first, "label": "ai", "predicted": "real"},
        {"member": second, "label": "ai", "predicted": "ai"},
    ]
    path = project.runs / demo.RUN / "predictions.jsonl"
    path.parent.mkdir(parents=True)
    path.write_text("".join(f"{json.dumps(answer)}\n" for answer in answers))
    counts = {line["problem"]: line["found"] for line in demo.planted(project)}
    assert counts[planned.WRONG_LABEL] == 1
    assert len((project.folder / "truth.jsonl").read_text().splitlines()) == len(truth)
