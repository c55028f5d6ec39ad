"""The section of misclassified pictures: what it shows, what it says where something is missing, hostile names."""

import json
from dataclasses import replace

import pytest
import trainings
from audit_world import HOSTILE, Page, run_on_eight
from needs import needs
from train_world import build

from audit import page
from audit.report.mistakes.attended import overlay_name
from audit.report.mistakes.kept import FOLDER
from audit.report.mistakes.work import mistakes
from audit.report.subject import subject_of


def shown(section) -> str:
    """The section on a page of its own."""
    step = {"sentence": "", "command": ""}
    return page.render(
        "report/page.html", script="", heading="Mistakes", about="", drawn="", warnings=[], sentences=[], step=step,
        chart=None, sections=[section],
    )  # fmt: skip


@pytest.fixture
def eight(project):
    return run_on_eight(project)


def test_mistakes_of_both_classes_are_shown_surest_first_with_what_is_known_of_them(project, eight):
    section = mistakes(subject_of(project))
    reals, fakes = section.directions
    assert (reals.actual, reals.called, reals.total) == ("real", "ai", 2)
    assert (fakes.actual, fakes.called, fakes.total) == ("ai", "real", 1)
    assert [card.prediction.member for card in reals.cards] == [HOSTILE, "real/1.jpg"]
    first = reals.cards[0]
    assert first.entry.seen.image is not None
    assert first.entry.original.image is not None
    assert first.entry.matte.image is not None
    assert first.proposals[0].cause == "no face"
    assert section.causes == {card.prediction.key: "no face" for one in section.directions for card in one.cards}
    assert set(section.links) == set(section.causes)


def test_where_the_models_are_gone_the_section_says_so_and_shows_the_rest(project, eight):
    section = mistakes(subject_of(project))
    assert any("Where the model looked is not known" in line for line in section.lines)
    card = section.directions[0].cards[0]
    assert card.heat.image is None
    assert card.heat.missing
    assert section.attention is None
    assert not card.neighbours


def test_the_page_loads_nothing_and_names_of_strangers_are_inert(project, eight):
    section = mistakes(subject_of(project))
    text = shown(section)
    seen = Page(text)
    assert "<script>alert" not in text
    assert "\u202e" not in text
    assert "\x1b" not in text
    assert all(value.startswith("data:image/") for value in seen.loaded)
    assert {card.anchor for one in section.directions for card in one.cards} <= set(seen.ids)
    assert len(set(seen.ids)) == len(seen.ids)


def test_the_data_is_json_and_names_every_mistake(project, eight):
    section = mistakes(subject_of(project))
    data = json.loads(json.dumps(section.data(), allow_nan=False))
    assert [row["member"] for row in data["real called ai"]["pictures"]] == [HOSTILE, "real/1.jpg"]
    assert data["ai called real"]["causes"] == {"no face": 1}


def test_without_a_run_there_is_no_section(project, eight):
    assert mistakes(replace(subject_of(project), run=None, folder=None, predictions=())) is None


def test_an_overlay_is_named_by_its_object_alone():
    assert overlay_name("a" * 64 + ".png") == "a" * 64 + ".png"
    with pytest.raises(ValueError, match="not the name of an object"):
        overlay_name("../../run.json")


@pytest.mark.long
def test_of_a_trained_run_heat_maps_and_nearest_training_pictures_are_shown_and_kept(tmp_path, quick_probe):
    needs("fastai")
    from train.config import TrainSettings

    project = build(tmp_path / "trained", train=8, valid=6)
    settings = TrainSettings(arch="squeezenet1_1", weights="none", epochs=1, size=64, batch_size=8)
    folder, _ = trainings.train(project, "tiny", settings)
    section = mistakes(subject_of(project))
    cards = [card for one in section.directions for card in one.cards]
    assert cards
    # No stage has looked for faces in these drawings, and the model that would may be neither here nor to be had.
    assert [line for line in section.lines if "the face model" not in line] == []
    for card in cards:
        assert card.heat.image is not None
        assert {near.label for near in card.neighbours} == {"real", "ai"}
        assert all(near.shown.image is not None for near in card.neighbours)
        assert (folder / "audit" / FOLDER / overlay_name(card.prediction.file)).is_file()
    lines = (folder / "audit" / FOLDER / "shares.jsonl").read_text().splitlines()
    again = mistakes(subject_of(project))
    assert (folder / "audit" / FOLDER / "shares.jsonl").read_text().splitlines() == lines
    assert [card.heat.image.size for one in again.directions for card in one.cards] == [
        card.heat.image.size for card in cards
    ]
