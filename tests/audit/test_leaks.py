"""Leaks across a split and across labels: what is found, on drawn and on real pictures, and what is not."""

from dataclasses import replace

import pytest
from originals import jpeg, png, row, scene
from PIL import Image, ImageOps

from audit.leaks import report as leak_report
from audit.leaks.pairs import compare
from imageledger.record import Record
from imageledger.store import Store


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "objects")


def find(rows, store, **options):
    return compare(sorted(rows, key=lambda record: record.key), store, **options)


def sentences(found):
    return [finding.sentence for finding in leak_report.findings(found)]


def kinds(found):
    return sorted((leak.kind, leak.one.member, leak.other.member) for leak in found.leaks)


def test_copies_across_the_split_are_found_and_say_how_they_are_alike(store):
    first, second, third = (scene(seed) for seed in range(3))
    rows = [
        row(store, jpeg(first), "a.jpg", split="train"),
        row(store, jpeg(first.resize((160, 160)), 60), "a-small.jpg", split="valid"),
        row(store, jpeg(second), "b.jpg", split="valid"),
        row(store, jpeg(ImageOps.mirror(second)), "b-mirrored.jpg", split="train"),
        row(store, jpeg(third), "c.jpg", split="train"),
        row(store, jpeg(third), "c-again.jpg", split="valid"),
        row(store, jpeg(scene(9)), "alone.jpg", split="valid"),
    ]
    found = find(rows, store)
    assert kinds(found) == [
        ("mirrored copy", "b-mirrored.jpg", "b.jpg"),
        ("near-duplicate", "a.jpg", "a-small.jpg"),
        ("same original", "c.jpg", "c-again.jpg"),
    ]
    assert all(leak.crosses and not leak.conflicts and leak.similarity >= 0.88 for leak in found.leaks)
    assert {leak.why for leak in found.leaks if leak.kind == "same original"} == {"same bytes"}
    assert any("pHash distance" in leak.why for leak in found.leaks)


def test_the_same_pixels_in_another_file_are_the_same_original(store):
    image = scene(0)
    rows = [row(store, png(image), "a.png", split="train")]
    rows.append(row(store, png(image)[:-12] + png(image)[-12:] + b"\0", "b.png", split="valid"))
    assert kinds(find(rows, store)) == [("same original", "a.png", "b.png")]
    assert find(rows, store).leaks[0].why == "same pixels"


def test_copies_on_one_side_are_no_leak(store):
    rows = [row(store, jpeg(scene(0), quality), f"{quality}.jpg", split="train") for quality in (50, 90)]
    assert find(rows, store).leaks == ()


def test_rows_that_are_not_trained_on_do_not_leak(store):
    rows = [
        row(store, jpeg(scene(0)), "a.jpg", split="train"),
        row(store, jpeg(scene(0)), "b.jpg"),
        row(store, jpeg(scene(0)), "c.jpg", split="valid").failed("not chosen", "unused"),
    ]
    assert find(rows, store).leaks == ()


def test_one_declared_group_on_both_sides_is_found_without_any_likeness(store):
    rows = [
        row(store, jpeg(scene(0)), "a.jpg", split="train", group="person-7"),
        row(store, jpeg(scene(1)), "b.jpg", split="valid", group="person-7"),
        row(store, jpeg(scene(2)), "c.jpg", split="valid", group="person-8"),
    ]
    found = find(rows, store)
    assert kinds(found) == [("same group", "a.jpg", "b.jpg")]
    assert found.leaks[0].similarity is None
    assert found.leaks[0].why == "both belong to person-7"


def test_a_group_that_holds_both_labels_on_one_side_is_neither_leak_nor_conflict(store):
    rows = [
        row(store, jpeg(scene(0)), "a.jpg", split="train", group="person-7"),
        row(store, jpeg(scene(1)), "b.jpg", split="train", group="person-7", label="ai"),
    ]
    assert find(rows, store).leaks == ()


def test_a_picture_under_both_labels_is_a_conflict_on_one_side_and_without_a_split_too(store):
    for split in ("train", ""):
        rows = [row(store, jpeg(scene(0)), "a.jpg", split=split)]
        rows.append(row(store, jpeg(scene(0), 60), "b.jpg", label="ai", split=split))
        found = find(rows, store)
        assert [leak.conflicts for leak in found.leaks] == [True]
        assert not found.leaks[0].crosses
        assert "1 pair under both labels: one label of each is wrong." in sentences(found)
    assert "without a split" in sentences(found)[0]


def test_without_a_split_copies_of_one_label_are_no_leak(store):
    rows = [row(store, jpeg(scene(0), quality), f"{quality}.jpg") for quality in (50, 90)]
    assert find(rows, store).leaks == ()


def test_many_copies_of_one_picture_give_one_pair_a_picture_and_not_their_product(store):
    same = row(store, jpeg(scene(0)), "0.jpg", split="train")
    rows = [same, *(replace(same, member=f"{n}.jpg", split="valid" if n % 2 else "train") for n in range(1, 60))]
    found = find(rows, store)
    assert len(found.leaks) == 30
    assert {record.name for leak in found.leaks for record in (leak.one, leak.other)} == {r.name for r in rows}


def test_a_source_of_one_class_is_always_said_with_the_remedy(store):
    rows = [
        row(store, jpeg(scene(0)), "a.jpg", source="kaggle:x/real@1", split="train"),
        row(store, jpeg(scene(1)), "b.jpg", source="kaggle:y/ai@1", label="ai", split="train"),
        row(store, jpeg(scene(2)), "c.jpg", source="zip:both", split="valid"),
        row(store, jpeg(scene(3)), "d.jpg", source="zip:both", label="ai", split="valid"),
    ]
    found = find(rows, store)
    assert [(one.source, one.label, one.pictures) for one in found.sources] == [
        ("kaggle:x/real@1", "real", 1),
        ("kaggle:y/ai@1", "ai", 1),
    ]
    said = sentences(found)[-1]
    assert "no audit can tell face from source" in said
    assert "a source that holds both classes" in said
    assert find(rows[2:], store).sources == ()
    assert find(rows[:1], store).sources == ()  # one class alone has nothing to differ from


def test_rows_without_hashes_are_hashed_here(store):
    rows = []
    for member, quality, split in (("a.jpg", 50, "train"), ("b.jpg", 90, "valid")):
        made = row(store, jpeg(scene(0), quality), member, split=split)
        rows.append(Record(source="s", member=member, label="real", split=split, file=made.file))
    found = find(rows, store)
    assert kinds(found) == [("near-duplicate", "a.jpg", "b.jpg")]
    assert found.unchecked == ()


def test_what_is_missing_is_said_and_nothing_is_raised(store):
    ghost = "0" * 64 + ".jpg"
    rows = [
        row(store, jpeg(scene(0)), "a.jpg", split="train"),
        Record(source="s", member="ghost.jpg", label="real", split="valid", origin=ghost),
        Record(source="s", member="nothing.jpg", label="real", split="valid"),
        row(store, jpeg(scene(1), 40), "c.jpg", split="train"),
        row(store, jpeg(scene(1), 90), "d.jpg", split="valid"),
    ]
    store.path(rows[-1].origin).unlink()
    found = find(rows, store)
    assert found.leaks == ()
    reasons = {one.name: one.reason for one in found.unchecked}
    assert "is missing" in reasons["s#ghost.jpg"]
    assert "names no picture" in reasons["s#nothing.jpg"]
    assert "hashes are near" in reasons["folder:drawn#c.jpg and folder:drawn#d.jpg"]
    assert leak_report.warnings(found)[0] == "4 pictures or pairs could not be compared"


def test_damaged_hashes_of_a_stranger_are_made_again(store):
    rows = [row(store, jpeg(scene(0), 50), "a.jpg", split="train", phash="p:zz")]
    strange = row(store, jpeg(scene(0), 90), "b.jpg", split="valid")
    step = replace(strange.steps[1], found={**strange.steps[1].found, "mirrored": 5, "size": "large"})
    rows.append(replace(strange, steps=(step,)))
    assert kinds(find(rows, store)) == [("near-duplicate", "a.jpg", "b.jpg")]


@pytest.mark.parametrize("original", ["aaa-orig.jpg", "ukbench00120.jpg"])
def test_every_edit_of_a_photograph_is_found(testdata, store, original):
    paths = sorted((testdata / "duplicates" / "edits").glob("*.jpg"))
    copies = {path.name: path for path in paths if path.name.startswith("ukbench") == original.startswith("ukbench")}
    rows = [
        row(store, path.read_bytes(), name, split="train" if name == original else "valid")
        for name, path in copies.items()
    ]
    found = {leak.other.member for leak in find(rows, store).leaks}
    assert len(copies) > 4
    assert found == set(copies) - {original}


def test_the_sheet_shows_both_pictures_of_a_pair_and_says_where_one_is_gone(store, tmp_path):
    rows = [row(store, jpeg(scene(0)), "a.jpg", split="train"), row(store, jpeg(scene(0)), "b.jpg", split="valid")]
    found = find(rows, store)
    report = leak_report.report(found, store, "final.jsonl", tmp_path / "out")
    files = report.write()
    with Image.open(files["png"]) as page:
        corner = page.getpixel((200, 200))
    store.path(rows[0].origin).unlink()
    assert report.write() == files
    with Image.open(files["png"]) as page:
        assert page.getpixel((200, 200)) != corner


def test_turned_cropped_and_framed_copies_across_the_split_are_found(store):
    first, second, third = (scene(seed) for seed in range(3))
    rows = [
        row(store, jpeg(first), "a.jpg", split="train"),
        row(store, jpeg(first.transpose(Image.Transpose.ROTATE_90)), "a-turned.jpg", split="valid"),
        row(store, jpeg(second), "b.jpg", split="train"),
        row(store, jpeg(second.crop((48, 48, 272, 272))), "b-cropped.jpg", split="valid"),
        row(store, jpeg(third), "c.jpg", split="train"),
        row(store, jpeg(ImageOps.expand(third, 64, "black")), "c-framed.jpg", split="valid"),
    ]
    found = find(rows, store)
    assert {leak.kind for leak in found.leaks} == {"part of the same picture"}
    assert {(leak.one.member, leak.other.member) for leak in found.leaks} == {
        ("a.jpg", "a-turned.jpg"), ("b.jpg", "b-cropped.jpg"), ("c.jpg", "c-framed.jpg"),
    }  # fmt: skip
    told = " ".join(sentences(found))
    assert "3 pairs across the split" in told
    assert "Looked for in the originals" in told
    assert find(rows, store, most=5).leaks == ()
    assert "Not looked for" in " ".join(sentences(find(rows, store, most=5)))


def test_the_same_picture_trained_on_is_found_where_the_originals_have_nothing_in_common(store):
    face = scene(5, (256, 256))
    files = [store.put(jpeg(face.rotate(angle, expand=True), quality), "jpg") for angle, quality in ((0, 90), (90, 70))]
    rows = [
        row(store, jpeg(scene(seed)), f"{seed}.jpg", split=split, file=file)
        for seed, split, file in zip((1, 2), ("train", "valid"), files, strict=True)
    ]
    found = find(rows, store)
    assert [(leak.kind, leak.one.member, leak.other.member) for leak in found.leaks] == [
        ("part of the same picture", "1.jpg", "2.jpg")
    ]
    assert "turned by 90° in the pictures trained on" in found.leaks[0].why
    assert "the originals and the pictures trained on" in " ".join(sentences(found))
