"""The page and the sheet of audit top-losses: what they show, and that no name or file can break them."""

import re
from dataclasses import replace

import numpy as np
import pytest
from audit_world import curated, page_of, portrait, run_on_eight, train
from browser import dom_of, screenshot
from drawn import encoded
from PIL import Image

from audit.cli import main
from imageledger import manifest


@pytest.fixture
def trained(project):
    """The folder of a run on eight pictures."""
    return run_on_eight(project)


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


@pytest.mark.long
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


@pytest.mark.long
def test_a_browser_obeys_the_page_and_runs_no_script_on_it(trained, runner, tmp_path):
    runner.invoke(main, ["top-losses"])
    text = (trained / "audit" / "top-losses.html").read_text(encoding="utf-8")
    probe = tmp_path / "probe.html"
    probe.write_text(text + "<script>document.body.dataset.ran = 'yes'</script>", encoding="utf-8")
    assert 'data-ran="yes"' not in dom_of(probe)


@pytest.mark.long
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
