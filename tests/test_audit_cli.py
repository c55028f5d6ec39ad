"""audit top-losses on a project made by hand: what it prints, what it writes, and what cannot break it."""

import csv
import io
import json
import re
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from browser import dom_of, screenshot
from PIL import Image, ImageDraw

from audit.cli import main
from imageledger import manifest
from imageledger.config import Project
from imageledger.record import Record, Step
from train.run import Prediction, Run, write_predictions

HOSTILE = "real/<script>alert(1)</script>\x1b[31m\u202e'\"&.jpg"
FORMULA = '=HYPERLINK("http://x","y").jpg'


def encoded(image: Image.Image, kind: str, **options) -> bytes:
    target = io.BytesIO()
    image.save(target, kind, **options)
    return target.getvalue()


def portrait(shade: int) -> Image.Image:
    image = Image.new("RGB", (120, 160), (40, 90, shade))
    ImageDraw.Draw(image).ellipse((30, 30, 90, 110), fill=(220, 180, 150))
    return image


def curated(project: Project, member: str, label: str, number: int, content: bytes | None = None) -> Record:
    """A record as all stages leave it behind, its objects in the store."""
    store, original = project.store, portrait(5 * number)
    content = content or encoded(original, "JPEG")
    origin = store.put(content, "jpg")
    square = original.crop((0, 20, 120, 140))
    normal = store.put(encoded(square, "JPEG", quality=90), "jpg")
    alpha = Image.new("L", square.size)
    ImageDraw.Draw(alpha).ellipse((20, 5, 100, 119), fill=255)
    white = Image.composite(square, Image.new("RGB", square.size, "white"), alpha)
    steps = (
        Step(did="fetch@1", on="", found={"bytes": len(content), "format": "jpeg"}),
        Step(did="normalize@1", on=origin, settings={"size": 120, "quality": 90}, found={"notes": ["no face found"]}),
        Step(did="dedupe@1", on=normal, settings={"distance": 6}),
        Step(did="whiten@1", on=normal, settings={"matting": "grabcut"}, found={"coverage": 0.4321987}),
    )
    return Record(
        source="kaggle:somebody/faces@3", member=member, label=label, origin=origin, licence="CC-BY-4.0",
        generator="camera" if label == "real" else "stylegan2", group=f"c{number}", split="valid", width=120,
        height=120, file=store.put(encoded(white, "PNG"), "png"), matte=store.put(encoded(alpha, "PNG"), "png"),
        steps=steps,
    )  # fmt: skip


def said_of(record: Record, probability: float) -> Prediction:
    true = probability if record.label == "ai" else 1 - probability
    return Prediction(
        source=record.source, member=record.member, file=record.file, label=record.label, split=record.split,
        probability=probability, loss=float(-np.log(true)), predicted="ai" if probability >= 0.5 else "real",
    )  # fmt: skip


def train(project: Project, records: list[Record], probabilities: dict[str, float], **changes) -> Path:
    """Leave a run behind as train run does; returns its folder."""
    records = sorted(records, key=lambda record: record.key)
    path = project.manifest("manifest")
    manifest.write(path, records)
    folder = project.runs / "first"
    run = Run(
        name="first", manifest=str(path.relative_to(project.root)), manifest_digest=manifest.digest(path),
        labels=("real", "ai"), settings={"arch": "resnet18", "epochs": 3}, versions={"torch": "2"},
    )  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    replace(run, **changes).save(folder)
    write_predictions(folder, [said_of(record, probabilities[record.member]) for record in records])
    return folder


@pytest.fixture
def trained(project) -> Path:
    """A run on eight pictures: two reals called ai, one of them with hostile words in its name; one ai called real."""
    names = {"real/1.jpg": 0.7, HOSTILE: 0.9, "real/3.jpg": 0.2, "real/4.jpg": 0.1}
    fakes = {"ai/1.jpg": 0.4, "ai/2.jpg": 0.8, "ai/3.jpg": 0.9, FORMULA: 0.95}
    records = [curated(project, name, "real", number) for number, name in enumerate(names)]
    records += [curated(project, name, "ai", number + 10) for number, name in enumerate(fakes)]
    return train(project, records, names | fakes)


class Page(HTMLParser):
    """What a page holds, and what it would load."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.loaded: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.words = ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        for name, value in attrs:
            if name in ("src", "srcset", "data", "action", "poster", "background"):
                self.loaded.append(value)
            elif name == "id":
                self.ids.append(value)
            elif name == "href":
                self.links.append(value)

    def handle_data(self, data):
        self.words += data


def page_of(folder: Path) -> Page:
    return Page((folder / "audit" / "top-losses.html").read_text(encoding="utf-8"))


def rows_of(folder: Path) -> list[dict[str, str]]:
    with (folder / "audit" / "top-losses.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_real_portraits_called_ai_are_listed_with_counts_and_paths(trained, runner):
    ran = runner.invoke(main, ["top-losses"])
    assert ran.exit_code == 0, ran.output
    lines = ran.stdout.splitlines()
    assert lines[0].startswith("Of the real portraits, 2/4 = 50.0 %")
    assert lines[1].startswith("Of the ai portraits, 1/4 = 25.0 %")
    assert "Fisher's exact test, p = 1.00" in lines[2]
    assert lines[-3:] == [str(trained / "audit" / f"top-losses.{kind}") for kind in ("csv", "png", "html")]
    assert "2 real portraits called ai" in ran.stdout
    assert "real/1.jpg" in ran.stdout
    assert "real/3.jpg" not in ran.stdout
    assert "\x1b" not in ran.stdout + ran.stderr
    assert "\u202e" not in ran.stdout


def test_json_is_one_object_with_everything(trained, runner):
    ran = runner.invoke(main, ["top-losses", "first", "--json"])
    told = json.loads(ran.stdout)
    assert [picture["member"] for picture in told["pictures"]] == [HOSTILE, "real/1.jpg"]
    assert told["pictures"][0]["origin"].endswith(".jpg")
    assert [(row["wrong"], row["pictures"]) for row in told["counts"]] == [(2, 4), (1, 4)]
    assert told["fisher_p"] == pytest.approx(1.0)
    assert told["warnings"] == []
    assert Path(told["files"]["html"]).is_file()


def test_the_csv_has_one_row_a_picture_with_its_origin_and_licence(trained, runner):
    runner.invoke(main, ["top-losses"])
    first, second = rows_of(trained)
    assert (first["rank"], first["member"], first["page"]) == ("1", HOSTILE, "top-losses.html#p1")
    assert (second["member"], second["actual"], second["predicted"]) == ("real/1.jpg", "real", "ai")
    assert float(second["probability"]) == 0.7
    assert float(second["loss"]) == pytest.approx(-np.log(0.3))
    assert second["source"] == "kaggle:somebody/faces@3"
    assert second["licence"] == "CC-BY-4.0"
    assert re.fullmatch(r"[0-9a-f]{64}\.jpg", second["origin"])


def test_a_name_that_a_spreadsheet_would_run_is_defused_in_the_csv_only(trained, runner):
    ran = runner.invoke(main, ["top-losses", "--all", "--json"])
    row = next(row for row in rows_of(trained) if "HYPERLINK" in row["member"])
    assert row["member"] == f"'{FORMULA}"
    assert FORMULA in [picture["member"] for picture in json.loads(ran.stdout)["pictures"]]
    assert FORMULA in page_of(trained).words


def test_all_lists_every_picture_and_the_other_filters_select(trained, runner):
    runner.invoke(main, ["top-losses", "--all"])
    assert len(rows_of(trained)) == 8
    runner.invoke(main, ["top-losses", "--all", "-k", "3"])
    assert len(rows_of(trained)) == 3
    runner.invoke(main, ["top-losses", "--actual", "ai"])
    assert [row["member"] for row in rows_of(trained)] == ["ai/1.jpg"]
    ran = runner.invoke(main, ["top-losses", "-k", "1"])
    assert "the 1 worst of 2 real portraits called ai" in ran.stdout
    assert "The 1 worst of 2 real portraits called ai" in page_of(trained).words


def test_the_page_needs_nothing_but_itself_and_runs_no_script(trained, runner):
    runner.invoke(main, ["top-losses"])
    page = page_of(trained)
    assert page.loaded
    assert all(address.startswith("data:image/") for address in page.loaded)
    assert all(link.startswith("#") for link in page.links)
    assert not {"script", "link", "iframe", "object", "embed", "form"} & set(page.tags)
    text = (trained / "audit" / "top-losses.html").read_text(encoding="utf-8")
    assert "url(" not in text
    assert "@import" not in text


def test_a_hostile_member_name_is_only_words_on_the_page(trained, runner):
    runner.invoke(main, ["top-losses"])
    text = (trained / "audit" / "top-losses.html").read_text(encoding="utf-8")
    assert "<script" not in text
    assert "&lt;script&gt;alert(1)" in text
    assert "\x1b" not in text
    assert "\u202e" not in text


def test_each_picture_has_an_anchor_its_three_pictures_and_its_chain_in_order(trained, runner):
    runner.invoke(main, ["top-losses"])
    page = page_of(trained)
    assert page.ids == ["p1", "p2"]
    assert set(page.links) == {"#p1", "#p2"}
    assert page.tags.count("img") == 2 + 2 * 3
    record = next(
        r for r in manifest.read(trained.parents[2] / "manifests/drawn/final.jsonl") if r.member == "real/1.jpg"
    )
    entry = page.words[page.words.index("2. real called ai") :]
    entry = entry[entry.index("Chain") :]
    chain = [record.file, "whiten@1", "grabcut", "0.4322", record.steps[2].on, "dedupe@1", "normalize@1"]
    chain += ["no face found", record.origin, "fetch@1", "real/1.jpg", "kaggle:somebody/faces@3", "CC-BY-4.0"]
    places = [entry.index(word) for word in chain]
    assert places == sorted(places)


def test_the_sheet_shows_what_the_model_saw_and_the_original_beside_it(trained, runner):
    runner.invoke(main, ["top-losses"])
    with Image.open(trained / "audit" / "top-losses.png") as sheet:
        pixels = np.asarray(sheet.convert("RGB")).astype(int)
    background = (abs(pixels - np.array((40, 90, 0))) < 12).all(axis=2)
    assert sheet.width > 800
    assert background.sum() > 3000  # only the original has its background left


def test_an_original_in_cmyk_16_bit_or_on_its_side_is_shown(project, runner):
    sideways = portrait(0).rotate(90, expand=True)
    exif = Image.Exif()
    exif[0x0112] = 6
    kinds = {
        "real/cmyk.jpg": encoded(portrait(0).convert("CMYK"), "JPEG"),
        "real/deep.png": encoded(Image.fromarray(np.linspace(0, 65535, 6400, dtype=np.uint16).reshape(80, 80)), "PNG"),
        "real/turned.jpg": encoded(sideways, "JPEG", exif=exif),
        "real/moving.gif": encoded(portrait(0), "GIF", save_all=True, append_images=[portrait(200)]),
    }
    records = [curated(project, name, "real", number, content) for number, (name, content) in enumerate(kinds.items())]
    folder = train(project, records, dict.fromkeys(kinds, 0.9))
    ran = runner.invoke(main, ["top-losses"])
    assert ran.exit_code == 0
    assert "Warning" not in ran.stderr
    assert page_of(folder).tags.count("img") == 4 + 4 * 3


@pytest.mark.parametrize("content", [b"", b"not a picture", encoded(portrait(9), "JPEG")[:300], b"\x89PNG\r\n\x1a\nxx"])
def test_an_original_that_cannot_be_shown_leaves_words_in_its_place(project, runner, content):
    record = curated(project, "real/1.jpg", "real", 1)
    record = replace(record, origin=project.store.put(content or b" ", "jpg"))
    folder = train(project, [record], {"real/1.jpg": 0.9})
    ran = runner.invoke(main, ["top-losses"])
    assert ran.exit_code == 0, ran.output
    assert "Warning: 1 × cannot be shown" in ran.stderr
    assert "cannot be shown" in page_of(folder).words


def test_a_missing_and_a_damaged_object_are_named_not_fatal(project, runner):
    records = [curated(project, f"real/{n}.jpg", "real", n) for n in range(2)]
    folder = train(project, records, {"real/0.jpg": 0.9, "real/1.jpg": 0.8})
    project.store.path(records[0].file).unlink()
    damaged = project.store.path(records[1].origin)
    damaged.chmod(0o644)
    damaged.write_bytes(encoded(portrait(99), "JPEG"))
    ran = runner.invoke(main, ["top-losses"])
    assert ran.exit_code == 0
    assert "1 × object missing" in ran.stderr
    assert "1 × damaged: the bytes do not match the name" in ran.stderr
    assert "object missing" in page_of(folder).words


def test_a_changed_manifest_is_a_visible_warning_and_pictures_are_joined_by_key(trained, project, runner):
    path = project.manifest("manifest")
    records = [replace(r, label="ai") if r.member == "real/1.jpg" else r for r in manifest.read(path)]
    manifest.write(path, [record for record in records if record.member != HOSTILE])
    ran = runner.invoke(main, ["top-losses"])
    assert ran.exit_code == 0
    assert "Warning: manifests/drawn/final.jsonl has changed since this run was trained" in ran.stderr
    words = page_of(trained).words
    assert "has changed since this run was trained" in words
    assert "no longer in the manifest" in words
    assert "The manifest now labels it ai; the model was told real." in words


def test_a_manifest_that_is_gone_or_torn_still_gives_the_pictures(trained, project, runner):
    path = project.manifest("manifest")
    path.write_text("{torn", encoding="utf-8")
    assert "cannot be read" in runner.invoke(main, ["top-losses"]).stderr
    path.unlink()
    ran = runner.invoke(main, ["top-losses"])
    assert ran.exit_code == 0
    assert "final.jsonl is gone" in ran.stderr
    assert page_of(trained).tags.count("img") == 2 + 2


def test_no_match_says_so_and_still_counts_and_writes(project, runner):
    records = [curated(project, "real/1.jpg", "real", 1), curated(project, "ai/1.jpg", "ai", 2)]
    folder = train(project, records, {"real/1.jpg": 0.1, "ai/1.jpg": 0.9})
    ran = runner.invoke(main, ["top-losses"])
    assert ran.exit_code == 0
    assert "Of the real portraits, 0/1 = 0.0 %" in ran.stdout
    assert "No picture matches: there are no real portraits called ai here." in ran.stdout
    assert rows_of(folder) == []
    assert (folder / "audit" / "top-losses.csv").read_text(encoding="utf-8").startswith("rank,probability,loss,")
    assert "No real portraits called ai" in page_of(folder).words
    assert "No picture matches" in page_of(folder).words
    with Image.open(folder / "audit" / "top-losses.png") as sheet:
        assert sheet.width >= 640


def test_a_run_on_a_folder_shows_its_files_once_and_refuses_paths_out_of_it(project, runner):
    photos = project.root / "photos"
    (photos / "valid" / "real").mkdir(parents=True)
    portrait(3).save(photos / "valid" / "real" / "1.jpg")
    portrait(3).save(project.root / "secret.jpg")
    members = [
        "valid/real/1.jpg",
        "../secret.jpg",
        str(project.root / "secret.jpg"),
        "valid/..\\..\\secret.jpg",
        "a\0b",
    ]
    records = [Record(source="folder:photos", member=member, label="real", split="valid") for member in members]
    folder = train(project, records, dict.fromkeys(members, 0.9), folder=str(photos), manifest="", manifest_digest="")
    ran = runner.invoke(main, ["top-losses"])
    assert ran.exit_code == 0, ran.output
    assert "3 × refused: the member points out of its folder" in ran.stderr
    page = page_of(folder)
    assert page.tags.count("img") == 2  # the one picture, in the index and in its entry
    assert "Read as it is from the folder" in page.words


def test_drawn_pictures_are_said_to_mean_nothing_in_every_output(project, runner):
    record = replace(curated(project, "real/1.png", "real", 1), source="sample:42")
    folder = train(project, [record], {"real/1.png": 0.9})
    ran = runner.invoke(main, ["top-losses"])
    assert "No figure here means anything about portraits of real people." in ran.stdout
    assert "No figure here means anything" in page_of(folder).words
    assert rows_of(folder)[0]["note"] == "drawn picture"
    ran = runner.invoke(main, ["top-losses", "--json"])
    assert "No figure here means anything" in json.loads(ran.stdout)["sentences"][0]


def test_label_names_come_from_the_run(project, runner):
    record = replace(curated(project, "1.jpg", "real", 1), label="photo")
    folder = train(project, [record], {"1.jpg": 0.1})
    run = replace(Run.load(folder), labels=("photo", "made"))
    run.save(folder)
    write_predictions(folder, [replace(said_of(record, 0.9), predicted="made")])
    ran = runner.invoke(main, ["top-losses"])
    assert "1 photo portrait called made" in ran.stdout
    assert "P(made)" in ran.stdout


def test_what_cannot_be_audited_exits_1_with_a_hint(project, runner):
    ran = runner.invoke(main, ["top-losses"])
    assert (ran.exit_code, ran.stdout) == (1, "")
    assert "there is no finished run" in ran.stderr
    folder = train(project, [curated(project, "1.jpg", "real", 1)], {"1.jpg": 0.9})
    ran = runner.invoke(main, ["top-losses", "nope"])
    assert ran.exit_code == 1
    assert "runs here: first" in ran.stderr
    ran = runner.invoke(main, ["top-losses", "--actual", "cat"])
    assert ran.exit_code == 1
    assert "its labels: real, ai" in ran.stderr
    (folder / "predictions.jsonl").unlink()
    assert runner.invoke(main, ["top-losses"]).exit_code == 1


def test_all_with_a_label_is_a_usage_error(trained, runner):
    assert runner.invoke(main, ["top-losses", "--all", "--actual", "real"]).exit_code == 2


def test_the_output_folder_can_be_chosen_and_a_second_run_gives_the_same_bytes(trained, runner, tmp_path):
    for name in ("one", "two"):
        assert runner.invoke(main, ["top-losses", "-o", str(tmp_path / name)]).exit_code == 0
    for kind in ("csv", "png", "html"):
        first, second = ((tmp_path / name / f"top-losses.{kind}").read_bytes() for name in ("one", "two"))
        assert first == second
    assert not (trained / "audit").exists()


def test_the_command_works_without_ever_importing_torch(trained, project):
    script = (
        "import sys; from audit.cli import main; main(['top-losses', '--quiet'], standalone_mode=False); "
        "assert not {'torch', 'fastai', 'rembg', 'kaggle'} & set(sys.modules)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", script], cwd=project.root, capture_output=True, text=True, timeout=120, check=False
    )
    assert ran.returncode == 0, ran.stderr
    assert "real portraits" in ran.stdout


def test_a_browser_shows_every_picture_of_the_page(trained, runner, tmp_path):
    runner.invoke(main, ["top-losses"])
    text = (trained / "audit" / "top-losses.html").read_text(encoding="utf-8")
    counting = (
        "<script>addEventListener('load', () => { const all = [...document.images];"
        "document.body.dataset.shown = all.filter(i => i.naturalWidth > 0).length + ' of ' + all.length;"
        "document.body.dataset.wide = document.documentElement.scrollWidth <= innerWidth; })</script>"
    )
    probe = tmp_path / "probe.html"
    probe.write_text(re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", text) + counting, encoding="utf-8")
    dom = dom_of(probe)
    assert 'data-shown="8 of 8"' in dom
    assert 'data-wide="true"' in dom


def test_a_browser_obeys_the_page_and_runs_no_script_on_it(trained, runner, tmp_path):
    runner.invoke(main, ["top-losses"])
    text = (trained / "audit" / "top-losses.html").read_text(encoding="utf-8")
    probe = tmp_path / "probe.html"
    probe.write_text(text + "<script>document.body.dataset.ran = 'yes'</script>", encoding="utf-8")
    assert 'data-ran="yes"' not in dom_of(probe)


def test_a_browser_paints_the_page_light_and_dark(trained, runner, tmp_path):
    runner.invoke(main, ["top-losses"])
    corners = []
    for dark in (False, True):
        shot = screenshot(
            trained / "audit" / "top-losses.html", tmp_path / f"{dark}.png", width=1200, height=1600, dark=dark
        )
        with Image.open(shot) as picture:
            corners.append(picture.convert("L").getpixel((5, 5)))
            pixels = np.asarray(picture.convert("RGB")).astype(int)
        assert (abs(pixels - np.array((40, 90, 0))) < 12).all(axis=2).sum() > 2000  # the original is painted
    assert corners[0] > 200 > 60 > corners[1]
