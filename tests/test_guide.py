"""The guide shows only pictures that the project's own script makes, and shows all of them or names the rest."""

import re

from source_tree import ROOT


def test_every_picture_of_the_guide_is_there_and_made_by_the_script():
    script = (ROOT / "docs/screenshots.py").read_text(encoding="utf-8")
    made = set(re.findall(r'"([\w-]+\.png)"', script))
    shown = set(re.findall(r"\]\(guide/([\w-]+\.png)\)", (ROOT / "docs/guide.md").read_text(encoding="utf-8")))
    there = {path.name for path in (ROOT / "docs/guide").glob("*.png")}
    assert shown
    assert shown <= there
    assert there == made
