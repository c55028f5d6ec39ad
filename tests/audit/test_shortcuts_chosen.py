"""A final set that was chosen by numbers: the audit says so, and quotes probes that share no picture with it."""

import json

import pytest
from matched_pictures import pictures
from originals import written

from audit.cli import main as audit
from curate.cli import main as curate

pytestmark = [pytest.mark.long, pytest.mark.usefixtures("quick_probe")]


@pytest.fixture
def chosen(project, runner):
    """A project whose final manifest was matched on tone: 12 of 30 pictures of each label."""
    written(project.manifest("whiten"), pictures(project.store, 30, lighter=30))
    ran = runner.invoke(curate, ["manifest", "--per-class", "12", "--match", "tone", "--workers", "1", "--quiet"])
    assert ran.exit_code == 0, ran.output
    return project


def test_the_table_the_page_and_the_object_name_both_figures_and_which_to_quote(chosen, runner):
    ran = runner.invoke(audit, ["shortcuts", "--family", "tone", "--family", "border", "--quiet"])
    assert ran.exit_code == 0, ran.output
    said = " ".join(ran.output.split())
    assert "Chosen on these numbers: 24 of 60 candidates, so that probes of tone tell the classes apart less." in said
    assert "judged by probes that share no picture with the choice" in said
    assert "The larger figure counts, and is the one to quote." in said
    folder = chosen.root / "data" / "audit" / "shortcuts"
    assert "inside, not<br>to be quoted" in (folder / "shortcuts-final-tone-border.html").read_text(encoding="utf-8")
    told = json.loads((folder / "shortcuts-final-tone-border.json").read_text(encoding="utf-8"))["stages"][-1]
    assert (told["chosen_on"], told["passed_over"]) == (["tone"], 36)
    tone = next(probe for probe in told["probes"] if probe["family"] == "tone")
    assert tone["auc"] == max(tone["from_chosen_auc"], tone["from_candidates_auc"])
    assert tone["inside_auc"] is not None


def test_a_plain_choice_is_judged_as_ever(chosen, runner):
    runner.invoke(curate, ["manifest", "--per-class", "12", "--match", "off", "--workers", "1", "--quiet"])
    ran = runner.invoke(audit, ["shortcuts", "--family", "tone", "--json", "--quiet"])
    assert json.loads(ran.stdout)["stages"][0]["chosen_on"] == []
