import json

import numpy as np
import pytest
from drawn import encoded, fetched, portrait
from PIL import Image

from curate.cli import main
from curate.normalize.settings import NormalizeSettings
from curate.normalize.size import fitting
from curate.normalize.work import normalize
from curate.pictures import pixels
from imageledger import manifest
from imageledger.errors import ConfigError


def ramp(size, number):
    """A picture from dark to light; no two numbers give the same."""
    return Image.merge("RGB", [*[Image.linear_gradient("L").resize(size)] * 2, Image.new("L", size, number)])


def sides_of(project, **sides):
    """A dataset of plain pictures with these shorter sides a label; the longer one is 40 px longer."""
    members = {
        f"{label}/{number:03}": encoded(ramp((side + 40, side), number))
        for label, numbers in sides.items()
        for number, side in enumerate(numbers)
    }
    return fetched(project, members)


def test_auto_takes_the_largest_multiple_of_8_that_95_percent_of_each_label_reach(project):
    sides_of(project, real=[900] * 19 + [40], ai=[204] * 19 + [40])
    found = fitting(project, NormalizeSettings(detector="cascade", recipe="plain"))
    assert (found.size, found.sides) == (200, {"ai": 204, "real": 900})
    assert fitting(project, NormalizeSettings(detector="cascade", recipe="forensic")).size == 112


def test_one_small_picture_too_many_counts(project):
    sides_of(project, real=[900] * 18 + [120, 120], ai=[300] * 20)
    assert fitting(project, NormalizeSettings(detector="cascade", recipe="plain")).size == 120


def test_auto_never_takes_more_than_usual_networks_do(project):
    sides_of(project, real=[1400], ai=[1500])
    found = fitting(project, NormalizeSettings(detector="cascade"))
    assert (found.size, found.needs) == (224, 391)
    assert "the largest that auto chooses" in found.why


def test_the_first_pass_reads_headers_only_and_leaves_out_what_has_none(project, monkeypatch):
    torn = encoded(portrait(1, 200)[0], "JPEG")[:900]
    members = {"real/a": torn, "real/b": b"<html>", "real/c": b"", "ai/a": encoded(portrait(2, 300)[0])}
    fetched(project, members)
    monkeypatch.setattr(pixels, "decode", None)
    assert fitting(project, NormalizeSettings(detector="cascade", recipe="plain")).sides == {"real": 200, "ai": 300}


def test_auto_is_the_default_and_the_card_holds_the_number_not_the_word(project, runner):
    sides_of(project, real=[300] * 3, ai=[310] * 3)
    done = runner.invoke(main, ["normalize", "--workers", "1"])
    assert done.exit_code == 0, done.output
    card = json.loads(manifest.card_path(project.manifest("normalize")).read_text())
    assert (card["settings"]["size"], card["settings"]["recipe"]) == (168, "forensic")
    assert "--size auto chose 168 px" in done.stderr
    assert "ai 310 px, real 300 px" in done.stderr
    assert {row.width for row in manifest.read(project.manifest("normalize"))} == {168}


def test_a_size_that_changes_is_said_aloud_and_one_that_stays_is_not(project, runner):
    sides_of(project, ai=[310] * 3, real=[300] * 3)
    runner.invoke(main, ["normalize", "--workers", "1"])
    sides_of(project, ai=[310] * 3, real=[300] * 4)
    same = runner.invoke(main, ["normalize", "--workers", "1"])
    assert "1 worked on, 6 reused" in same.stderr
    assert "before" not in same.stderr
    sides_of(project, ai=[310] * 3, real=[300] * 4 + [200])
    other = runner.invoke(main, ["normalize", "--workers", "1"])
    assert "The size was 168 px before, so this stage and all later ones make every picture again" in other.stderr
    assert "--size 168 keeps the old size" in other.stderr
    assert "8 worked on, 0 reused" in other.stderr


def test_a_size_of_ones_own_that_rejects_pictures_hears_of_the_one_that_fits(project, runner):
    sides_of(project, real=[300] * 3, ai=[900] * 3)
    done = runner.invoke(main, ["normalize", "--size", "256", "--workers", "1"])
    assert "real: 3 × too small: 300 px, forensic to 256 px needs 444" in done.stderr
    assert "--size auto chose 168 px" in done.stderr
    assert "--size auto" not in runner.invoke(main, ["normalize", "--size", "100", "--workers", "1"]).stderr


def test_where_pictures_are_too_small_for_any_size_it_says_what_to_do(project, runner):
    sides_of(project, real=[32] * 3, ai=[300] * 3)
    done = runner.invoke(main, ["normalize"])
    assert done.exit_code == 1
    assert "Error: no size from 64 px keeps 95 % of each label" in done.stderr
    assert "real 32 px" in done.stderr
    assert "Try: --size N" in done.stderr
    small = runner.invoke(main, ["normalize", "--recipe", "plain", "--size", "32", "--workers", "1"])
    assert small.exit_code == 0, small.output


def test_a_project_without_one_readable_picture_gets_as_far_as_its_reasons(project, runner):
    fetched(project, {"real/a": b"<html>", "ai/b": b""})
    done = runner.invoke(main, ["normalize", "--workers", "1"])
    assert done.exit_code == 0, done.output
    assert [row.status for row in manifest.read(project.manifest("normalize"))] == ["unreadable"] * 2


def test_the_library_resolves_auto_by_itself_and_two_runs_agree(project):
    sides_of(project, real=[300] * 3, ai=[310] * 3)
    first = normalize(project, NormalizeSettings(detector="cascade"), workers=1)
    before = first.path.read_bytes()
    assert normalize(project, NormalizeSettings(detector="cascade"), workers=1).reused == 6
    assert first.path.read_bytes() == before


@pytest.mark.parametrize("words", [["--size", "0"], ["--size", "-3"], ["--size", "big"], ["--recipe", "magic"]])
def test_what_is_neither_a_size_nor_a_recipe_is_refused(project, runner, words):
    sides_of(project, real=[300], ai=[300])
    done = runner.invoke(main, ["normalize", *words])
    assert done.exit_code == 1
    assert "Error: normalize: " in done.stderr


def test_the_comparison_that_moved_says_what_its_command_is_now(project, runner):
    done = runner.invoke(main, ["normalize", "--compare"])
    assert done.exit_code == 1
    assert done.stderr.endswith("Try: audit recipes\n")
    assert "--compare" not in runner.invoke(main, ["normalize", "--help"]).stdout


def test_the_header_of_a_bomb_is_not_believed(project):
    name = project.store.put(encoded(Image.new("L", (4, 4))), "png")
    assert pixels.shorter_side(project.store.path(name)) == 4
    assert pixels.shorter_side(project.root / "nothing.png") == 0


def test_the_size_does_not_depend_on_how_a_picture_is_turned(project):
    wide = Image.fromarray(np.zeros((100, 200, 3), np.uint8))
    for number in (1, 6, 8):
        name = project.store.put(encoded(wide, "JPEG", orientation=number), "jpg")
        assert pixels.shorter_side(project.store.path(name)) == 100


def test_settings_of_the_project_may_say_auto_or_a_number(project, runner):
    sides_of(project, real=[300], ai=[300])
    (project.root / "imageledger.toml").write_text(
        'dataset = "drawn"\n[normalize]\ndetector = "cascade"\nsize = "auto"\n'
    )
    assert "auto chose 168" in runner.invoke(main, ["normalize", "--workers", "1"]).stderr
    (project.root / "imageledger.toml").write_text('dataset = "drawn"\n[normalize]\ndetector = "cascade"\nsize = 96\n')
    assert "auto" not in runner.invoke(main, ["normalize", "--workers", "1"]).stderr
    with pytest.raises(ConfigError):
        NormalizeSettings(detector="cascade", size="small")
