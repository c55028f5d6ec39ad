"""Looking at a stage: what stands on the sheet, in which order, and what is said where there is nothing to show."""

import tracemalloc

import numpy as np
import pytest
from drawn import portrait
from looked_world import HOSTILE, SIDE, project_at
from PIL import Image, ImageOps

import imageledger
from curate.cli import main
from curate.look import figure, judge, pictures, work
from curate.look.judge import Sample, ordered, shares, spread, worst_mattes
from curate.look.settings import LookSettings
from imageledger import manifest
from imageledger.errors import ConfigError, ManifestError
from imageledger.record import Record


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    return project_at(tmp_path_factory.mktemp("looked"))


@pytest.fixture
def whitened(project):
    return list(manifest.read(project.manifest("whiten")))


def rows(count, **more):
    return (Record(source="s", member=f"{n:06}", label="real", **more) for n in range(count))


def test_a_sample_shows_every_label_and_status_and_says_out_of_how_many(whitened):
    sections = spread(whitened, 12)
    assert [section.words for section in sections] == [
        "ai, ok: 5 of 15", "ai, unreadable: 1", "real, ok: 4 of 16", "real, rejected: 2"
    ]  # fmt: skip
    assert sum(len(section.records) for section in sections) == 12


@pytest.mark.parametrize("count", [1, 7, 23, 24, 25, 48, 49, 1000, 9999])
def test_a_sample_is_even_and_in_order(count):
    [section] = spread(rows(count), 24)
    places = [int(record.member) for record in section.records]
    assert len(places) == min(count, 24)
    assert places == sorted(set(places))
    assert np.diff([*places, count]).max() <= 2 * max(1, count / 24) + 1


def test_a_sample_of_a_hundred_thousand_holds_those_that_are_shown():
    sample, held = Sample(24), 0
    for n in range(100_000):
        sample.add(n)
        held = max(held, len(sample._kept))
    assert sample.seen == 100_000
    assert held <= 48


@pytest.mark.parametrize("sort", [None, "size", "member"])
def test_choosing_from_many_rows_takes_no_memory_for_those_not_shown(sort):
    tracemalloc.start()
    try:
        [section] = spread(rows(20_000), 24) if sort is None else ordered(rows(20_000, width=9, height=9), sort, 24)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(section.records) == 24
    assert peak < 400_000


@pytest.mark.parametrize(("sizes", "most"), [([95, 3, 95, 1], 24), ([5], 24), ([9] * 30, 24), ([], 24), ([0, 8], 3)])
def test_places_are_shared_out_equally_and_none_is_lost(sizes, most):
    rooms = shares(sizes, most)
    assert sum(rooms) == min(most, sum(sizes))
    assert all(room <= size for room, size in zip(rooms, sizes, strict=True))
    unfilled = [room for room, size in zip(rooms, sizes, strict=True) if room < size]
    assert not unfilled or max(unfilled) - min(unfilled) <= 1


@pytest.mark.parametrize(
    ("sort", "reverse", "first"),
    [("size", False, [0, 1]), ("size", True, [29, 28]), ("face", False, [0, 1]), ("matte", False, [40, 42]),
     ("matte", True, [0, 1])],
)  # fmt: skip
def test_an_order_begins_with_the_smallest_and_reversed_with_the_largest(whitened, sort, reverse, first):
    cut = [record for record in whitened if record.steps and (sort == "matte" or record.status == "ok")]
    [section] = ordered(cut, sort, 2, reverse=reverse)
    assert [int(record.member[-7:-4]) for record in section.records] == first


@pytest.mark.parametrize("reverse", [False, True])
def test_pictures_without_the_number_come_last_and_are_counted(whitened, reverse):
    [section] = ordered(whitened, "face", 99, reverse=reverse)
    assert [judge.value_of(record, "face") for record in section.records[-4:]] == [None] * 4
    assert "4 without known face come last" in section.title


def test_the_order_of_names_can_be_read_from_both_ends(whitened):
    [section] = ordered(whitened, "member", 3)
    [backwards] = ordered(whitened, "member", 3, reverse=True)
    assert list(section.records) == whitened[:3]
    assert list(backwards.records) == whitened[:-4:-1]


def test_the_worst_mattes_are_the_refused_and_the_doubtful_ones_that_stayed(whitened):
    sections = worst_mattes(whitened, 8)
    assert [section.title for section in sections] == [
        "ai, kept, the least contrast at the edge", "real, refused", "real, kept, the least contrast at the edge"
    ]  # fmt: skip
    assert [record.member for record in sections[0].records] == ["ai/029.png", "ai/027.png", "ai/025.png"]
    assert {record.status for record in sections[1].records} == {"rejected"}


@pytest.mark.parametrize(
    ("asked", "what"),
    [
        ({"worst": "mattes", "pairs": True}, "two sheets"),
        ({"worst": "mattes", "sort": "size"}, "their own order"),
        ({"worst": "mattes", "reverse": True}, "their own order"),
        ({"pairs": True, "status": "ok"}, "pairs are duplicates, not ok"),
        ({"pairs": True, "sort": "face"}, "not sorted by face"),
        ({"sort": "similarity"}, "only copies have a similarity"),
        ({"reverse": True}, "reverse turns an order round"),
        ({"status": "fine"}, "'fine' is no status"),
        ({"sort": "loss"}, "'loss' is no sort"),
        ({"worst": "faces"}, "'faces' is no worst"),
        ({"n": 0}, "at least one picture"),
        ({"n": 401}, "at most 400 pictures"),
        ({"columns": 0}, "at least one picture"),
    ],
)
def test_what_cannot_be_asked_for_together_is_refused_with_a_sentence(project, runner, asked, what):
    with pytest.raises(ConfigError, match=what):
        LookSettings(**asked)


@pytest.mark.parametrize(
    ("stage", "asked", "what", "hint"),
    [
        (
            "whitened",
            {"status": "duplicate"},
            "whitened has no duplicate picture",
            "ai 15 ok, 1 unreadable; real 16 ok",
        ),
        ("whitened", {"pairs": True}, "whitened has no picture that is a copy of another", "there are: ai 15 ok"),
        ("deduped", {"worst": "mattes"}, "deduped has no picture with a matte", "curate whiten makes mattes"),
        ("whitened", {"label": "fake"}, "no picture of whitened has the label 'fake'", "labels: ai, real"),
        ("final", {}, "has no final pictures yet", "made so far: deduped, whitened"),
        ("whitened", {"label": "ai", "status": "rejected"}, "no rejected ai picture", "there are"),
    ],
)
def test_where_there_is_nothing_to_show_it_says_what_there_is(project, stage, asked, what, hint):
    with pytest.raises(ManifestError, match=what) as caught:
        work.look(project, stage, settings=LookSettings(**asked))
    assert hint in caught.value.hint


def test_an_unknown_stage_is_refused_with_those_there_are(project):
    with pytest.raises(ConfigError, match="no stage 'washed'") as caught:
        work.look(project, "washed")
    assert "whitened" in caught.value.hint


def test_only_what_is_shown_is_opened(project, monkeypatch):
    opened = []
    monkeypatch.setattr(pictures, "show_object", lambda store, name: opened.append(name) or pictures.Shown(missing="x"))
    work.look(project, "whitened", settings=LookSettings(n=5))
    assert len(opened) == 5


def test_missing_damaged_and_broken_pictures_stand_there_with_the_reason(tmp_path):
    project = project_at(tmp_path)
    gone, rotten = list(project.store)[:2]
    project.store.path(gone).unlink()
    project.store.path(rotten).chmod(0o644)
    project.store.path(rotten).write_bytes(b"rot")
    broken = project.store.put(b"\xff\xd8\xff\xe0 torn", "jpg")
    record = Record(source="s", member="m", label="real")
    said = [pictures.as_it_is(project.store, record.after(None, file=name))[0].missing
            for name in (gone, rotten, broken, "")]  # fmt: skip
    assert said == ["object missing", "damaged: the bytes do not match the name", "cannot be shown: broken picture",
                    "never fetched"]  # fmt: skip
    for settings in (LookSettings(n=99), LookSettings(worst="mattes")):
        assert work.look(project, "whitened", settings=settings).picture.mode == "RGB"
    assert work.look(project, "deduped", settings=LookSettings(pairs=True)).picture.mode == "RGB"


def test_copies_are_shown_least_similar_first_and_a_conflict_of_labels_once(project):
    copied = judge.copies(manifest.read(project.manifest("dedupe")), ("real", "ai"))
    [section] = ordered(copied, "similarity", 9)
    assert [record.member for record in section.records] == [
        "real/copy-small.png", "real/copy-mirrored.png", "real/copy-turned.png", "ai/060.png"
    ]  # fmt: skip
    frames = {record.member: pictures.side_by_side(project.store, record, None) for record in section.records}
    assert frames["real/copy-small.png"][0].missing == "not in this manifest"


WHOLE = portrait(7, 200)[0]


@pytest.mark.parametrize(
    ("copy", "part"),
    [
        (WHOLE.resize((150, 150)), False),
        (ImageOps.mirror(WHOLE), False),
        (WHOLE.rotate(90), True),
        (WHOLE.crop((20, 20, 180, 180)), True),
    ],
    ids=["smaller", "mirrored", "turned", "cropped"],
)
def test_a_copy_is_laid_on_the_other_picture_before_they_are_compared(copy, part):
    aligned = np.asarray(pictures.difference(WHOLE, copy, part=part), dtype=int)
    laid = aligned[aligned != pictures.OUTSIDE]
    stranger = np.asarray(pictures.difference(WHOLE, portrait(8, 200)[0]), dtype=int)
    assert (255 - laid).mean() < 0.35 * (255 - stranger).mean()


def test_a_difference_is_dark_where_the_copy_was_changed():
    changed = WHOLE.copy()
    changed.paste((0, 0, 0), (80, 80, 110, 110))
    apart = np.asarray(pictures.difference(WHOLE, changed), dtype=int)
    assert apart[85:105, 85:105].mean() < 120
    assert apart[:60, :60].min() == 255


def test_the_reason_stands_under_a_refused_picture_and_the_number_under_a_sorted_one(whitened):
    torn = next(record for record in whitened if record.status == "rejected")
    assert figure.of_picture(torn) == [f"{SIDE} × {SIDE} px", "matte: 40 % of the face cut off"]
    assert figure.of_matte(torn) == ["contrast at the edge 3.0", "40 % of the face cut off"]
    assert figure.of_sorted(torn, "face")[:2] == ["real, rejected", "no known face"]
    assert figure.of_sorted(whitened[0], "size")[1] == "shorter side 110 px as fetched"


def test_the_command_writes_the_sheet_and_prints_its_path_alone(project, runner, monkeypatch):
    monkeypatch.chdir(project.root)
    monkeypatch.setenv("TERM", "xterm-kitty")
    done = runner.invoke(main, ["look", "--columns", "3", "-n", "9"])
    assert done.exit_code == 0, done.output
    path = project.root / "data" / "look" / "whitened.png"
    assert done.stdout == f"{path}\n"
    assert "Pictures of drawn, whitened: 9 of 34." in done.stderr
    whole = path.read_bytes()
    narrow = runner.invoke(main, ["look", "whiten", "--status", "rejected", "--label", "real"])
    assert narrow.stdout == f"{path.with_name('whitened-real-rejected.png')}\n"
    assert path.read_bytes() == whole
    called = imageledger.open(project.root, progress=False).look("whitened", columns=3, n=9)
    with Image.open(path) as written:
        assert np.array_equal(np.asarray(written), np.asarray(called))


@pytest.mark.parametrize("words", [("--worst", "mattes", "--pairs"), ("--status", "unused"), ("washed",)])
def test_the_command_ends_with_a_sentence_where_it_can_show_nothing(project, runner, monkeypatch, words):
    monkeypatch.chdir(project.root)
    done = runner.invoke(main, ["look", *words])
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.startswith("Error: ")
    assert "Try: " in done.stderr


def test_no_name_can_break_a_sheet(project):
    looked = work.look(project, "whitened", settings=LookSettings(sort="member", reverse=True, n=3))
    assert looked.picture.width < 1000
    assert HOSTILE in {record.member for record in manifest.read(project.manifest("whiten"))}


def test_a_status_and_an_order_of_the_command_are_those_of_the_record():
    options = {param.name: param for param in main.commands["look"].params}
    assert tuple(options["status"].type.choices) == judge.STATUSES
    assert tuple(options["sort"].type.choices) == judge.SORTS
