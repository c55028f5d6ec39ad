"""Families by name: cold, spelled as people like, and strangers' families beside ours."""

import subprocess
import sys

import pytest
from stranger import install

from curate import nuisance
from curate.manifest.work import ManifestSettings
from curate.nuisance import FAMILIES, family, known
from imageledger import plugins
from imageledger.errors import ConfigError

EYES = """
from curate.nuisance.seen import Family

FAMILY = Family(
    name="eye_colour", version=1, measure=lambda seen: {"blue": 0.5}, advice="Photograph other people."
)
"""


@pytest.fixture(autouse=True)
def fresh(monkeypatch):
    yield
    monkeypatch.undo()
    plugins.announced.cache_clear()


def test_the_names_are_read_without_numpy():
    text = "import sys; from curate.nuisance import FAMILIES; print(len(FAMILIES), 'numpy' in sys.modules)"
    ended = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True)
    assert ended.stdout.split() == ["12", "False"]


def test_families_may_be_written_with_dashes_spaces_and_underscores_and_unknown_ones_name_the_known():
    assert known(["jpeg-history", "Tone", "jpeg history", "jpeg_history"]) == ("jpeg_history", "tone")
    with pytest.raises(ConfigError, match="no family 'faces'") as caught:
        known(["tone", "faces"])
    assert "jpeg-history" in caught.value.hint


@pytest.mark.parametrize("spelling", ["face-geometry", "face geometry", "face_geometry"])
def test_the_project_file_takes_every_spelling_and_the_card_has_one(spelling):
    assert ManifestSettings(match=("tone", spelling)).match == ("tone", "face_geometry")


def test_what_is_matched_on_stands_apart_or_speaks_for_the_file_is_said_by_the_families():
    assert set(FAMILIES.names()) - set(nuisance.matched()) == {"naming"}
    assert nuisance.apart() == ("naming",)
    assert nuisance.for_files() == ("container", "metadata", "geometry", "jpeg_history", "resampling", "chroma")
    assert ManifestSettings().match == nuisance.matched()


def test_a_stranger_s_family_is_measured_named_and_matched_on_like_ours(monkeypatch, tmp_path):
    install(monkeypatch, tmp_path, "imageledger.families", {"eye_colour": "eyes:FAMILY"}, eyes=EYES)
    assert FAMILIES.names()[-1] == "eye_colour"
    assert known(["eye-colour"]) == ("eye_colour",)
    assert family("eye_colour").title == "eye-colour"
    assert nuisance.matched()[-1] == "eye_colour"
