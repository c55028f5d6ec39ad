"""audit shortcuts FOLDER: any folder of pictures, with no project, and nothing is written into it."""

import json
import shutil
import tempfile
from pathlib import Path

import pytest
from drawn import encoded, portrait
from PIL import Image, ImageEnhance

import imageledger as il
from audit.cli import main
from imageledger.errors import ConfigError, GateFailed

pytestmark = pytest.mark.usefixtures("quick_probe")

EACH = 14
FAST = ["--permutations", "300", "--family", "container", "--quiet"]


def fill(folder: Path, *, darker: float = 1.0, first: int = 0, kind: str = "JPEG") -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(first, first + EACH):
        image: Image.Image = ImageEnhance.Brightness(portrait(seed=number, size=72)[0]).enhance(darker)
        (folder / f"{number:03}.{kind.lower()}").write_bytes(encoded(image, kind))


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """photos/real and photos/ai, the latter darker and PNG; nothing else."""
    folder = tmp_path_factory.mktemp("anywhere") / "photos"
    fill(folder / "real")
    fill(folder / "ai", darker=0.5, first=50, kind="PNG")
    return folder


@pytest.fixture
def photos(drawn, tmp_path, monkeypatch):
    """A copy of the pictures, seen from a working directory that is no project."""
    shutil.copytree(drawn, tmp_path / "photos")
    monkeypatch.chdir(tmp_path)
    return Path("photos")


@pytest.fixture
def temporary(tmp_path, monkeypatch):
    """An empty place for temporary files."""
    place = tmp_path / "temporary"
    place.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    return place


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def held(folder):
    return {path.relative_to(folder).as_posix(): path.lstat().st_mtime_ns for path in folder.rglob("*")}


def test_a_folder_needs_no_project_stays_as_it_is_and_leaves_nothing_behind(photos, temporary, runner):
    before = held(photos)
    ran = runner.invoke(main, ["shortcuts", "photos", "--labels", "real/**=real,ai/**=ai", *FAST])
    assert ran.exit_code == 0, ran.output
    assert "Container alone tells the classes apart with AUC 1.00" in ran.stdout
    assert f"{EACH} real and {EACH} ai pictures, as they are" in ran.stdout
    assert held(photos) == before
    assert list(temporary.iterdir()) == []
    made = Path("shortcuts-photos")
    assert sorted(path.suffix for path in made.iterdir()) == [".csv", ".html", ".json", ".png"]
    assert ran.stdout.splitlines()[-1] == str(made.resolve() / "shortcuts-container.html")
    assert "Next: " not in ran.output  # --quiet


def test_the_result_ends_with_one_next_step_that_the_way_on_takes(photos, runner):
    ran = runner.invoke(main, ["shortcuts", "photos", *FAST, "--json"])
    told = json.loads(ran.stdout)
    assert f"curate fetch folder:{photos.resolve()} --labels 'ai/**=ai,real/**=real' and curate run" in told["next"]
    page = Path(told["files"]["html"]).read_text(encoding="utf-8")
    assert page.count("<strong>Next:</strong>") == 1


def test_two_folders_name_two_classes_and_that_is_said(photos, runner):
    ran = runner.invoke(main, ["shortcuts", "photos", *FAST])
    assert "The names of two folders gave the labels: ai/** is ai and real/** is real." in ran.stdout


def test_classes_may_be_anything_and_then_it_is_said_what_is_not_asked(photos, runner):
    (photos / "real").rename(photos / "cats")
    (photos / "ai").rename(photos / "dogs")
    told = json.loads(runner.invoke(main, ["shortcuts", "photos", *FAST, "--json"]).stdout)
    assert told["labels"] == ["cats", "dogs"]
    assert any("cats and dogs need not be photographs and generated pictures" in line for line in told["sentences"])
    assert 'with labels = ["cats", "dogs"] in imageledger.toml' in told["next"]


def test_what_cannot_be_read_is_counted_named_and_left_out(photos, runner):
    whole = (photos / "real" / "000.jpeg").read_bytes()
    (photos / "real" / "torn.jpeg").write_bytes(whole[: len(whole) // 2])
    (photos / "real" / "text.jpg").write_text("hello")
    (photos / "ai" / "notes.txt").write_text("hello")
    (photos / "ai" / "link.jpg").symlink_to("/etc/hostname")
    (photos / "loose.png").write_bytes((photos / "ai" / "050.png").read_bytes())
    told = json.loads(runner.invoke(main, ["shortcuts", "photos", *FAST, "--json"]).stdout)
    (line,) = [line for line in told["sentences"] if "left out" in line]
    assert line.startswith("5 files were left out: ")
    for name in ("real/torn.jpeg (cannot be decoded", "real/text.jpg (not a picture", "ai/notes.txt (by content no",
                 "ai/link.jpg (a link that leads out", "loose.png (no label)"):  # fmt: skip
        assert name in line
    assert told["stages"][0]["pictures"] == {"real": EACH, "ai": EACH}


def test_byte_copies_stay_together_and_those_under_both_labels_are_counted(photos, runner):
    shutil.copy(photos / "real" / "000.jpeg", photos / "ai" / "both.jpeg")
    ran = runner.invoke(main, ["shortcuts", "photos", *FAST])
    assert (
        "1 picture is a byte copy of another, and copies stay together in every fold; 1 stand under both" in ran.stdout
    )


def test_a_table_names_the_pictures_wherever_they_lie_and_what_is_not_there_is_said(photos, runner):
    rows = [f"{photos / 'real' / name},real" for name in names(photos / "real")]
    rows += [f"{(photos / 'ai' / name).resolve()},ai" for name in names(photos / "ai")]
    Path("labels.csv").write_text("\n".join(["path,label", *rows, "gone.jpg,ai"]), encoding="utf-8")
    for asked in (["labels.csv"], ["photos", "--labels", "labels.csv"]):
        told = json.loads(runner.invoke(main, ["shortcuts", *asked, *FAST, "--json"]).stdout)
        assert told["stages"][0]["pictures"] == {"real": EACH, "ai": EACH}
        assert "1 file was left out: gone.jpg (named in the table, and not there)." in told["sentences"]
        assert "--table" in told["next"]


def test_at_most_so_many_of_each_label_are_read(photos, runner):
    told = runner.invoke(main, ["shortcuts", "photos", "--most", "12", *FAST])
    assert "24 of 28 pictures were measured, at most 12 of each label" in told.stdout
    assert Path("shortcuts-photos/shortcuts-container-most-12.html").is_file()


def test_from_inside_the_folder_the_files_go_beside_it(photos, runner, monkeypatch):
    monkeypatch.chdir(photos)
    ran = runner.invoke(main, ["shortcuts", ".", *FAST])
    assert ran.exit_code == 0, ran.output
    assert [path.name for path in Path("..").resolve().iterdir()] != ["photos"]
    assert names(Path()) == ["ai", "real"]
    assert (Path("..") / "shortcuts-photos").is_dir()


def one_class(photos):
    shutil.rmtree(photos / "ai")
    return ["photos", "--labels", "real/**=real"]


def flat(photos):
    for name in names(photos / "real"):
        (photos / "real" / name).rename(photos / name)
    shutil.rmtree(photos / "real")
    shutil.rmtree(photos / "ai")
    return ["photos"]


def table(text):
    def write(photos):
        Path("t.csv").write_text(text, encoding="utf-8")
        return ["t.csv"]

    return write


@pytest.mark.parametrize(
    ("asked", "what", "way_on"),
    [
        (one_class, "there is a single label, real", "compares two classes"),
        (flat, "no label says which pictures are what", "--labels FILE.csv"),
        (lambda photos: ["nowhere"], "nowhere does not exist", "a .csv with the columns"),
        (lambda photos: ["photos/real/000.jpeg"], "is a file, and neither", "name a folder"),
        (lambda photos: ["photos", "--labels", "a/**=a,b/**=b"], "holds no pictures that were asked for", "ai/ (14)"),
        (lambda photos: ["photos", "--labels", "real"], "is not GLOB=LABEL", "such as"),
        (lambda photos: ["photos", "--labels", "no.csv"], "the table no.csv is not there", "check the path"),
        (lambda photos: ["photos", "--labels", "real/**=a,ai/**=b,**=c"], "there are 3 labels: a, b, c", "two classes"),
        (lambda photos: ["photos", "--stage", "final"], "a folder has no stages", "leave the stage out"),
        (lambda photos: ["photos", "-o", "photos/out"], "lies among the pictures", "outside of photos"),
        (table("path,label\ngone.jpg,real\nlost.jpg,ai\n"), "none of the 2 files", "count from the folder"),
        (table("picture,label\nphotos/real/000.jpeg,real\n"), "row 2: no path", "one column holds the paths"),
        (table("path,class\nphotos/real/000.jpeg,real\n"), "labels no picture", "its column label"),
        (table("path,label\n"), "labels no picture", "its column label"),
    ],
)  # fmt: skip
def test_every_failure_says_what_is_wrong_and_what_to_do(photos, runner, asked, what, way_on):
    ran = runner.invoke(main, ["shortcuts", *asked(photos), *FAST])
    assert (ran.exit_code, ran.stdout) == (1, "")
    error, way = ran.stderr.splitlines()[-2:]
    assert what in error
    assert way.startswith("Try: ")
    assert way_on in way


def test_an_empty_folder_and_a_project_are_told_apart_from_pictures(tmp_path, runner, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    assert "empty holds no pictures" in runner.invoke(main, ["shortcuts", "empty", *FAST]).stderr
    il.create("faces")
    ran = runner.invoke(main, ["shortcuts", "faces", *FAST])
    assert "Try: audit shortcuts --project faces looks at it" in ran.stderr


def test_labels_without_a_folder_are_a_usage_error(tmp_path, runner, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert runner.invoke(main, ["shortcuts", "--labels", "a=b"]).exit_code == 2


def test_hostile_names_of_folders_reach_neither_terminal_nor_markup(photos, runner):
    (photos / "real").rename(photos / "[red]<hr>\x1b[31m")
    ran = runner.invoke(main, ["shortcuts", "photos", *FAST])
    assert ran.exit_code == 0, ran.output
    page = Path("shortcuts-photos/shortcuts-container.html").read_text(encoding="utf-8")
    assert "\x1b" not in ran.output + page
    assert "<hr>" not in page
    assert "[red]" in ran.stdout


def test_the_python_call_returns_the_same_report_and_writes_only_where_asked(photos, temporary):
    asked = {"family": "container", "permutations": 300, "progress": False}
    report = il.shortcuts(photos, labels={"real/**": "real", "ai/**": "ai"}, **asked)
    assert report.verdict == "SHORTCUT"
    assert not Path("shortcuts-photos").exists()
    assert "<html" in report._repr_html_() or "SHORTCUT" in report._repr_html_()
    assert report.figure().width > 300
    with pytest.raises(GateFailed):
        il.shortcuts(photos, fail_on="shortcut", output="out", **asked)
    assert sorted(path.suffix for path in Path("out").iterdir()) == [".csv", ".html", ".json", ".png"]
    with pytest.raises(ConfigError):
        il.shortcuts(photos, labels="real/**=real", **asked)


def test_without_the_face_model_the_cascade_looks_and_that_is_said(photos, runner, monkeypatch):
    from curate.faces import models
    from imageledger.errors import ModelError

    def nowhere(*_, **__):
        raise ModelError("the face model could not be downloaded")

    monkeypatch.setattr(models, "_download", nowhere)
    monkeypatch.setattr(models, "place_of", lambda model: Path("no-cache") / model.name)
    ran = runner.invoke(main, ["shortcuts", "photos", "--family", "face-geometry", "--permutations", "300"])
    assert ran.exit_code == 0, ran.output
    assert "the cascade looks for faces instead" in ran.stderr
