"""A dataset from Python: its pictures are found by name, errors say what to do, notebooks get small and safe HTML."""

import re
import shutil
from dataclasses import replace

import pytest
from audit_world import HOSTILE
from dataset_world import draw_photos, leave_run, make
from drawn import encoded
from PIL import Image

import imageledger as il
from imageledger import manifest, notebook
from imageledger.dataset.dataset import Dataset
from imageledger.dataset.progress import shown_in_notebook, track_for
from imageledger.errors import ConfigError, ManifestError, RunError, StoreError
from imageledger.types import untracked


@pytest.fixture(scope="module")
def faces(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dataset")
    draw_photos(folder / "photos")
    made = make(folder / "faces", folder / "photos")
    leave_run(made, "first")
    leave_run(made, "second")
    return made


@pytest.fixture
def hostile(tmp_path, faces):
    """A dataset with one picture whose name is written to act on a page."""
    record = replace(
        faces.records("fetched")[0], source="folder:x", member=HOSTILE, reason="<b>why</b>", status="rejected"
    )
    other = il.create(tmp_path / "hostile", progress=False)
    manifest.write(other.project.manifest("fetch"), [record])
    return other


def test_open_finds_the_project_from_a_folder_inside_it(faces):
    assert il.open(faces.root / "manifests").root == faces.root


def test_open_says_where_there_is_no_project(tmp_path):
    with pytest.raises(ConfigError, match=r"no imageledger\.toml") as caught:
        il.open(tmp_path)
    assert "imageledger init" in caught.value.hint
    assert caught.value.__notes__ == [f"Try: {caught.value.hint}"]


def test_create_leaves_a_project_alone_that_is_there(faces):
    with pytest.raises(ConfigError, match="exists already"):
        il.create(faces.root)


@pytest.mark.parametrize("key", ["real/001.png", "photos/real/001.png"])
def test_a_picture_is_found_by_its_member_or_the_end_of_its_path(faces, key):
    assert faces[key].record.member == "real/001.png"
    assert key in faces


def test_a_picture_is_found_by_its_name_and_by_its_key(faces):
    picture = faces["real/001.png"]
    assert faces[picture.name].record == faces[picture.record.key].record == picture.record


def test_a_name_of_two_pictures_names_them_both(faces):
    with pytest.raises(ManifestError, match=r"2 pictures of portraits are called '001.png'") as caught:
        faces["001.png"]
    assert "#real/001.png" in caught.value.hint
    assert "#ai/001.png" in caught.value.hint
    assert "001.png" not in faces


def test_an_unknown_name_suggests_those_that_are_like_it(faces):
    with pytest.raises(ManifestError, match=r"no picture of portraits is called 'real/1\.png'") as caught:
        faces["real/1.png"]
    assert "real/001.png" in caught.value.hint


def test_a_picture_shows_what_it_was_and_what_it_became(faces):
    picture = faces["real/001.png"]
    assert picture.original().size == (160, 160)
    assert picture.image().size == picture.matte().size == (64, 64)
    assert picture.image().getpixel((0, 0)) == (255, 255, 255)
    assert [words.partition("@")[0] for words in picture.history] == ["fetch", "normalize", "whiten"]


def test_a_picture_without_a_matte_has_none(faces):
    record = next(iter(faces.records("fetched")))
    assert il.Picture(record, faces.project.store).matte() is None


def test_a_picture_whose_object_is_gone_says_so(faces):
    lost = replace(faces.records()[0], file="0" * 64 + ".png")
    with pytest.raises(StoreError, match="cannot be opened"):
        il.Picture(lost, faces.project.store).image()


def test_a_dataset_counts_and_yields_its_pictures(faces):
    assert len(faces) == len(list(faces)) == 24
    assert bool(il.Dataset(faces.root))


def test_a_frame_has_a_row_per_picture_and_the_path_of_its_file(faces):
    frame = faces.frame("final")
    assert len(frame) == 24
    assert frame["status"].value_counts().to_dict() == {"ok": 20, "unused": 4}
    assert faces.frame("manifest").equals(frame)
    assert all(map(_is_file, frame["path"]))


def _is_file(path):
    from pathlib import Path

    return Path(path).is_file()


@pytest.mark.parametrize(
    ("stage", "hint"), [("finale", "fetched, normalized, deduped, whitened, final"), ("final", "made so far: fetched")]
)
def test_a_stage_that_is_not_there_says_which_are(hostile, stage, hint):
    with pytest.raises((ConfigError, ManifestError)) as caught:
        hostile.frame(stage)
    assert hint in caught.value.hint


def test_an_empty_dataset_says_what_to_do_first(tmp_path):
    empty = il.create(tmp_path, progress=False)
    assert repr(empty) == "dataset portraits\n  nothing fetched yet"
    with pytest.raises(ManifestError, match="has no pictures yet"):
        len(empty)


def test_show_batch_takes_equally_many_of_each_label(faces):
    chosen = faces._some(faces.records("final"), 6, seed=0)
    assert [picture.label for picture in chosen] == ["real"] * 3 + ["ai"] * 3
    assert all(picture.status == "ok" for picture in chosen)
    assert faces.show_batch(6).width > 600


def test_show_batch_of_nothing_says_so(hostile):
    with pytest.raises(ManifestError, match="no usable pictures"):
        hostile.show_batch()


def test_verify_returns_what_is_damaged(faces, tmp_path):
    assert faces.verify() == []
    other = il.create(tmp_path / "damaged", progress=False)
    manifest.write(other.project.manifest("fetch"), faces.records("fetched")[:1])
    assert other.verify()[0]["what"] == "fetched.card.json"


def test_strict_refuses_pictures_that_cannot_be_read(tmp_path):
    (tmp_path / "torn").mkdir()
    (tmp_path / "torn" / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n torn")
    torn = il.create(tmp_path / "project", progress=False)
    torn.fetch(f"folder:{tmp_path / 'torn'}", label="real")
    with pytest.raises(il.LedgerError, match="could not be read"):
        torn.normalize(size=64, detector="cascade", strict=True, workers=1)


def test_a_setting_without_its_source_is_refused(faces):
    with pytest.raises(ConfigError, match="is said of a source"):
        faces.fetch(label="real")


def test_runs_are_found_by_name(faces):
    assert list(faces.runs) == ["first", "second"]
    assert faces.runs["first"].facts.settings["arch"] == "resnet18"
    with pytest.raises(RunError, match="no finished run 'third'") as caught:
        faces.runs["third"]
    assert caught.value.hint == "runs here: first, second"


def test_a_run_has_its_predictions_as_a_frame(faces):
    frame = faces.runs["first"].frame()
    assert len(frame) == 20
    assert set(frame["label"]) == {"real", "ai"}


def test_a_run_without_figures_says_so(faces):
    with pytest.raises(RunError, match="has no figure roc"):
        faces.runs["first"].figure("roc")


def test_an_audit_of_a_run_is_of_that_run(faces):
    assert faces.runs["first"].audit.top_losses().subject == "first"
    assert faces.audit.top_losses().subject == "second"


def test_files_of_an_audit_are_written_where_output_says(faces, tmp_path):
    report = faces.audit.top_losses("first", all=True, output=tmp_path / "audit")
    assert sorted(path.name for path in (tmp_path / "audit").iterdir()) == sorted(
        name.replace("top-losses", "top-losses-all") for name in report.contents
    )
    assert report.figure().format == "PNG"


def test_a_page_in_a_notebook_is_escaped_and_stands_in_a_frame(faces):
    html = faces.audit.top_losses("first", all=True, k=4)._repr_html_()
    assert re.fullmatch(r'<iframe sandbox srcdoc="[^"]*" style="[^"]*"></iframe>', html)
    assert "<html" not in html
    assert notebook.fits(html)


def test_a_page_with_many_pictures_is_shown_with_smaller_ones():
    noise = Image.effect_noise((200, 200), 80)
    page = f"<html><body>{notebook.thumbnail(noise, 200) * 40}{notebook.picture(encoded(noise))}</body></html>"
    assert not notebook.fits(notebook.framed(page))
    shown = notebook.small_enough(page)
    assert notebook.fits(shown)
    assert shown.count("data:image/") == 41


def test_a_page_whose_words_alone_are_too_many_is_not_shown():
    assert notebook.small_enough("x" * notebook.LARGEST) == ""


def test_a_report_says_what_it_found_in_a_few_lines(faces):
    report = faces.audit.top_losses("first", all=True, k=4)
    assert repr(report).splitlines() == ["audit top-losses of first", *(f"  {words}" for words in report.sentences)]


def test_a_page_that_is_too_large_gives_way_to_sentences_and_tables(faces):
    report = faces.audit.top_losses("first", all=True, k=4)
    large = replace(report, contents={**report.contents, "top-losses.html": lambda: b"x" * notebook.LARGEST})
    html = large._repr_html_()
    assert "<iframe" not in html
    assert "<table" in html
    assert notebook.fits(html)


def test_names_that_act_on_a_page_are_shown_as_they_are(hostile):
    picture = hostile[("folder:x", HOSTILE)]
    for html in (hostile._repr_html_(), picture._repr_html_(), notebook.Rows([{HOSTILE: HOSTILE}])._repr_html_()):
        assert "<script>" not in html
        assert "<b>" not in html
    assert "&lt;script&gt;" in picture._repr_html_()


def test_a_dataset_in_a_notebook_shows_its_stages_and_runs(faces):
    html = faces._repr_html_()
    assert "whiten" in html
    assert "first" in html
    assert notebook.fits(html)


def test_long_tables_are_cut_and_say_so():
    html = notebook.table([{"n": number} for number in range(100)])
    assert "… and 40 more rows" in html
    assert ">59<" in html
    assert ">60<" not in html


def test_an_outcome_says_what_became_of_the_pictures(faces):
    outcome = faces.dedupe()
    assert repr(outcome) == "dedupe: 24 ok (0 worked on, 24 reused)"
    assert "<td style='text-align: right'>12</td>" in outcome._repr_html_()


def test_an_outcome_in_a_notebook_says_why_pictures_were_set_aside(tmp_path, faces):
    strict = il.create(tmp_path / "strict", progress=False)
    manifest.write(strict.project.manifest("fetch"), faces.records("fetched"))
    shutil.copy(manifest.card_path(faces.project.manifest("fetch")), strict.project.folder)
    (strict.root / "data" / "objects").symlink_to(faces.root / "data" / "objects")
    outcome = strict.normalize(size=512, detector="cascade", workers=1)
    assert "24 rejected" in repr(outcome)
    assert "12 × " in outcome._repr_html_()


def test_progress_can_be_turned_off():
    assert track_for(False) is untracked


def test_away_from_a_terminal_and_a_notebook_there_is_no_progress(capsys):
    assert list(track_for(True)(range(3), 3, "counting")) == [0, 1, 2]
    assert capsys.readouterr() == ("", "")


def test_the_progress_of_a_notebook_hands_every_row_on(monkeypatch):
    shown = []

    class Display:
        update = staticmethod(shown.append)

    monkeypatch.setattr("imageledger.dataset.progress._display", lambda html: shown.append(html) or Display)
    monkeypatch.setattr("imageledger.dataset.progress._html", str)
    monkeypatch.setattr("imageledger.dataset.progress.EVERY", 0)
    assert list(shown_in_notebook("ab", 2, "<i>")) == ["a", "b"]
    assert "&lt;i&gt; 0/2" in shown[0]
    assert "1/2" in shown[1]
    assert shown[-1] == ""


def test_a_dataset_says_its_name_and_stages(faces):
    assert isinstance(faces, Dataset)
    assert repr(faces).splitlines()[0] == "dataset portraits"
    assert "final: 20 ok, 4 unused" in repr(faces)
