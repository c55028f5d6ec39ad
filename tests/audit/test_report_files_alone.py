"""The report's part on shortcuts: true to what audit shortcuts kept, and silent about other pictures than today's."""

import json

import pytest
from audit_world import Page
from report_world import left_by_shortcuts
from shortcut_world import HOSTILE

from audit import kept, page
from audit.report.files_alone.told import told_of
from audit.report.files_alone.work import COMMAND, files_alone
from audit.report.subject import subject_of
from imageledger import manifest

FOLDER = "data/audit/shortcuts"


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    """A measured dataset whose shortcuts have been audited; tests that change it take a copy of their own."""
    from imageledger.config import open_project

    root = tmp_path_factory.mktemp("report")
    (root / "imageledger.toml").write_text('dataset = "drawn"\n', encoding="utf-8")
    opened = open_project(root)
    left_by_shortcuts(opened)
    return opened


def shown(project):
    section = files_alone(subject_of(project))
    assert section is not None
    return section, page.render(section.template, section=section)


def test_every_family_has_its_auc_and_a_mark_at_every_stage(measured):
    section, text = shown(measured)
    assert [stage.stage for stage in section.told.stages] == ["fetched", "normalized", "final"]
    assert "0.93 ✗" in text
    assert "0.50 ✓" in text
    assert section.sentences[1] == "AUC stage by stage: 0.90 fetched, 0.90 normalized, 0.90 final."


def test_the_auc_inside_the_choice_is_shown_and_said_not_to_be_quoted(measured):
    section, text = shown(measured)
    assert section.table[0]["inside, not to be quoted"] == "0.40 [0.30–0.50]"
    assert section.table[0]["from all candidates of the other half"] == "0.80 [0.70–0.90]"
    assert "it is not to be quoted" in text


def test_the_strongest_number_is_named_in_words_with_its_distribution_and_examples(measured):
    section, text = shown(measured)
    card = next(card for card in section.cards if card.probe.family == "tone")
    assert card.feature == "mean brightness (0 to 255)"
    assert "real: median" in str(card.drawing)
    assert [len(side) for side in card.examples] == [3, 3]
    assert all(example.shown.image and example.value == example.value for side in card.examples for example in side)
    assert {example.record.label for example in card.examples[1]} == {"ai"}
    assert text.count("data:image/webp") == 12


def test_every_link_of_the_heat_map_leads_to_the_card_of_the_family(measured):
    parsed = Page(shown(measured)[1])
    assert parsed.links
    assert {link.removeprefix("#") for link in parsed.links} <= set(parsed.ids)


def test_a_hostile_name_is_only_words(measured):
    examples = {"tone": [["folder:drawn", HOSTILE]]}
    path = measured.root / FOLDER / "shortcuts.json"
    before = path.read_bytes()
    found = kept.read(path)
    path.write_bytes(kept.encoded({**found.data, "examples": examples}, found.about))
    try:
        text = shown(measured)[1]
    finally:
        path.write_bytes(before)
    assert "<script" not in text
    assert "&lt;script&gt;alert(1)" in text
    assert "\x1b" not in text


def test_without_an_audit_the_part_names_the_command(project):
    left_by_shortcuts(project)
    (project.root / FOLDER / "shortcuts.json").unlink()
    section, text = shown(project)
    assert section.missing == [("What the files give away has not been measured.", COMMAND)]
    assert COMMAND in text


def test_stages_that_have_changed_since_are_left_out_and_named(project):
    left_by_shortcuts(project, fetched="sha256:other")
    section, _ = shown(project)
    assert [stage.stage for stage in section.told.stages] == ["normalized", "final"]
    assert section.missing == [("shortcuts.json is about other pictures than today's: fetched.", COMMAND)]
    manifest.write(project.manifest("manifest"), [])
    manifest.write(project.manifest("normalize"), [])
    section, _ = shown(project)
    assert section.told is None
    assert "normalized, final" in section.missing[0][0]


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda values: {**values, "stage": "fetched"}, "is damaged: it does not match its seal"),
        (lambda values: {name: value for name, value in values.items() if name not in ("about", "seal")},
         "is of an older version and does not say what it is about"),
    ],
)  # fmt: skip
def test_a_file_that_is_damaged_or_older_says_so(measured, tmp_path, damage, said):
    path = tmp_path / "shortcuts.json"
    values = json.loads((measured.root / FOLDER / "shortcuts.json").read_text(encoding="utf-8"))
    path.write_text(json.dumps(damage(values)), encoding="utf-8")
    assert said in kept.read(path).why


@pytest.mark.parametrize("change", [{"verdict": "FINE"}, {"auc": "much"}, {"low": None}, {"family": 3}])
def test_values_that_no_audit_writes_are_refused(measured, change):
    found = kept.read(measured.root / FOLDER / "shortcuts.json").data
    stage = {**found["stages"][0], "probes": [{**found["stages"][0]["probes"][0], **change}]}
    with pytest.raises((ValueError, TypeError)):
        told_of({**found, "stages": [stage]}, {"fetched": True})


def test_its_content_is_plain_json(measured):
    told = json.loads(json.dumps(shown(measured)[0].data(), allow_nan=False))
    assert told["judged"] == "final"
    assert told["stages"][2]["probes"][0]["area"] == {
        "auc": 0.93,
        "low": pytest.approx(0.88),
        "high": pytest.approx(0.98),
    }
    assert told["strongest"]["tone"] == "mean brightness (0 to 255)"
