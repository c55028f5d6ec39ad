"""The page of audit report: whole in itself, safe from what it shows, and true to the run that it is about."""

import base64
import hashlib
import json
import re

import pytest
from audit_world import HOSTILE, Page, curated, run_on_eight

from audit.cli import main
from imageledger import manifest


@pytest.fixture
def trained(project):
    """The folder of a run on eight pictures."""
    return run_on_eight(project)


def written(runner, *words):
    """Run audit report; returns what it printed."""
    done = runner.invoke(main, ["report", *words])
    assert done.exit_code == 0, done.output
    return done


def text_of(folder):
    return (folder / "audit" / "report.html").read_text(encoding="utf-8")


def test_the_page_loads_nothing_and_its_one_script_is_allowed_by_its_hash(trained, runner):
    written(runner)
    text = text_of(trained)
    page = Page(text)
    assert page.loaded
    assert all(address.startswith("data:image/") for address in page.loaded)
    assert all(link.startswith("#") for link in page.links)
    assert not {"link", "iframe", "object", "embed"} & set(page.tags)
    (script,) = re.findall(r'<script type="module">(.*?)</script>', text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in text
    assert "unsafe-eval" not in text


def test_a_hostile_name_is_only_words_on_the_page(trained, runner):
    written(runner)
    text = text_of(trained)
    assert text.count("<script") == 1
    assert "&lt;script&gt;alert(1)" in text
    assert not re.search("[\x1b\u202e]", text)


def test_every_link_of_the_page_leads_somewhere(trained, runner):
    written(runner)
    page = Page(text_of(trained))
    assert {link.removeprefix("#") for link in page.links} <= set(page.ids)
    assert len(set(page.ids)) == len(page.ids)


def test_the_first_lines_say_how_often_the_model_is_right_and_what_comes_next(trained, runner):
    done = written(runner)
    lines = done.stdout.splitlines()
    assert "right about 62 % [31–86] of 8 portraits that it had not seen" in lines[0]
    assert "not shown to be better than a coin" in lines[1]
    assert lines[3].startswith("Next: ")
    page = Page(text_of(trained)).words
    assert all(line.removeprefix("Next: ")[:40] in page for line in lines[:4])


def test_every_picture_is_on_the_page_with_what_one_filters_by(trained, runner):
    written(runner)
    items = re.findall(r"<li tabindex[^>]*>", text_of(trained))
    assert len(items) == 8
    losses = [float(re.search(r'data-loss="([^"]+)"', item).group(1)) for item in items]
    assert losses == sorted(losses, reverse=True)
    assert sum('class="wrong"' in item for item in items) == 3
    assert {re.search(r'data-label="(\w+)"', item).group(1) for item in items} == {"real", "ai"}


def test_the_json_holds_the_same_pictures_and_sentences(trained, runner):
    done = written(runner, "--json")
    content = json.loads((trained / "audit" / "report.json").read_text(encoding="utf-8"))
    printed = json.loads(done.stdout)
    assert printed.pop("files").keys() == {"html", "json"}
    assert printed == content
    assert len(content["sentences"]) == 3
    assert HOSTILE in {row["member"] for row in content["pictures"]["pictures"]}


def test_output_names_the_file_of_the_page_and_leaves_the_usual_one_alone(trained, runner, tmp_path):
    written(runner, "first", "-o", str(tmp_path / "elsewhere" / "mine.html"))
    assert sorted(path.name for path in (tmp_path / "elsewhere").iterdir()) == ["mine.html", "mine.json"]
    assert not (trained / "audit" / "report.html").exists()


def test_before_the_first_training_the_page_shows_the_dataset_alone(project, runner):
    records = sorted(
        (curated(project, f"{label}/1.jpg", label, n) for n, label in enumerate(("ai", "real"))), key=lambda r: r.key
    )
    manifest.write(project.manifest("manifest"), records)
    done = written(runner)
    assert "No model has been trained yet" in done.stdout
    page = Page((project.root / "data/audit/report.html").read_text(encoding="utf-8"))
    assert page.words.count("1.jpg") >= 2


def test_a_picture_that_is_gone_or_damaged_is_said_in_its_place(trained, runner, project):
    record = next(manifest.read(project.manifest("manifest")))
    project.store.path(record.file).unlink()
    written(runner)
    assert "object missing" in Page(text_of(trained)).words


def test_an_unknown_run_is_an_error_that_names_the_runs(trained, runner):
    done = runner.invoke(main, ["report", "absent"])
    assert done.exit_code == 1
    assert "runs here: first" in done.output
    assert "Traceback" not in done.output


def test_two_reports_of_the_same_run_have_the_same_bytes(trained, runner):
    written(runner)
    first = (trained / "audit" / "report.html").read_bytes()
    written(runner)
    assert (trained / "audit" / "report.html").read_bytes() == first
