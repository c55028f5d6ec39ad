"""Settings live in one place: options beside imageledger.toml are said, can be kept, and are seen afterwards."""

import json

import pytest
from click.testing import CliRunner
from drawn import encoded, fetched, portrait

from curate.cli import main
from curate.run.plan import changed, plan
from imageledger.cli import main as ledger
from imageledger.config import open_project

PICTURES = {
    f"{label}/{n}.png": encoded(portrait(n + start, 144)[0])
    for label, start in (("real", 0), ("ai", 10))
    for n in range(3)
}


@pytest.fixture
def photos(project):
    """Three drawn portraits of each class, fetched."""
    fetched(project, PICTURES)
    return project


def curate(*words):
    done = CliRunner().invoke(main, list(words), catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stderr


def toml(project):
    return (project.root / "imageledger.toml").read_text()


def test_an_option_beside_the_file_is_said_and_changes_no_file(photos):
    before = toml(photos)
    said = curate("normalize", "--size", "48", "--format", "png")
    assert "Not what imageledger.toml says: size 48 (there: auto), format png (there: jpeg)." in said
    assert "curate run goes by the file; --save writes this into it" in said
    assert toml(photos) == before


def test_save_keeps_it_with_the_comments_and_the_next_call_goes_by_it(photos):
    mine = f'# mine\ndataset = "{photos.dataset}"\n\n[normalize]  # here\ndetector = "cascade"\nquality = 80\n'
    (photos.root / "imageledger.toml").write_text(mine)
    assert "Kept in imageledger.toml: size 48." in curate("normalize", "--size", "48", "--save")
    assert toml(photos) == f"{mine}size = 48\n"
    said = curate("normalize")
    assert "0 worked on, 6 reused" in said
    assert "imageledger.toml" not in said


def test_settings_that_stand_at_the_top_are_kept_there(photos):
    curate("normalize", "--size", "48")
    curate("dedupe")
    curate("manifest", "--per-class", "3", "--match", "off", "--from", str(photos.manifest("dedupe")), "--save")
    again = open_project(photos.root)
    assert again.declared.per_class == 3
    assert again.tables["manifest"] == {"match": []}


def test_a_stage_made_by_hand_is_seen_in_status_and_in_the_plan_of_a_run(photos):
    curate("normalize", "--size", "48")
    curate("dedupe")
    assert changed(photos) == {"normalize": {"size": (48, "auto")}}
    rows = {row["stage"]: (row["would be"], row["because"]) for row in plan(photos)}
    assert rows["fetch"] == ("kept", "nothing has changed")
    assert rows["normalize"] == ("made anew", "size 48 → auto")
    assert rows["dedupe"] == ("made anew", "a stage before it changes")
    assert rows["whiten"] == ("made", "it has not been made")
    said = CliRunner().invoke(ledger, ["status"]).stderr
    assert "normalize was made with size 48; imageledger.toml says auto, and curate run makes it anew with that" in said
    files = {path: path.read_bytes() for path in photos.folder.iterdir()}
    assert "size 48 → auto" in CliRunner().invoke(main, ["run", "--dry-run"]).stdout
    assert {path: path.read_bytes() for path in photos.folder.iterdir()} == files


def test_a_size_that_the_pictures_ask_for_today_is_no_difference(photos):
    curate("normalize")
    assert changed(photos) == {}
    size = json.loads(photos.manifest("normalize").with_suffix(".card.json").read_text())["settings"]["size"]
    curate("normalize", "--size", str(size))
    assert changed(photos) == {}


def test_an_older_stage_is_made_anew_by_the_plan(photos):
    curate("normalize")
    curate("dedupe")
    fetched(photos, PICTURES | {"real/new.png": encoded(portrait(99, 144)[0])})
    assert {row["stage"]: row["because"] for row in plan(photos)}["normalize"] == "the stage before it is newer"


def test_a_training_that_has_begun_and_not_ended_is_seen_in_status(photos):
    for name, content in (("one", b'{"kind": "cross-validation"}'), ("torn", b"{"), ("odd", b"[]")):
        draft = photos.runs / f".{name}.part"
        draft.mkdir(parents=True)
        (draft / "job.json").write_bytes(content)
    said = CliRunner().invoke(ledger, ["status"]).stderr
    assert "run one has begun and not ended: train cross-validate --name one, with the same options, carries on" in said
    assert "torn" not in said
