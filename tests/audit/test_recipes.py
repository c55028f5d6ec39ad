import json

import numpy as np
import pytest
from drawn import encoded, fetched, portrait

from audit.cli import main
from audit.recipes import candidates as recipes
from audit.recipes.candidates import Candidate
from curate.faces.detector import detector
from curate.normalize.recipes import FORENSIC, PLAIN, RECIPES
from imageledger import manifest
from imageledger.errors import ManifestError
from imageledger.record import Record

pytestmark = pytest.mark.long

FEW = (Candidate(name="none", format="png"), Candidate(name="forensic", recipe=FORENSIC, size=96))


def portraits(project, count=12, side=192, ai=None):
    members = {f"real/{n:02}": encoded(portrait(n, side)[0], "JPEG", quality=60) for n in range(count)}
    members |= {f"ai/{n:02}": encoded(portrait(50 + n, ai or side)[0]) for n in range(count)}
    return fetched(project, members)


def test_every_candidate_has_a_row_with_what_is_left_and_what_is_kept_and_nothing_is_written(project):
    portraits(project)
    before = {file: file.read_bytes() for file in project.root.rglob("*") if file.is_file()}
    rows, remark = recipes.compare(project, candidates=FEW, workers=2)
    assert {file: file.read_bytes() for file in project.root.rglob("*") if file.is_file()} == before
    none, forensic = rows
    assert [row["recipe"] for row in rows] == ["none", "forensic"]
    assert (none["size"], forensic["size"], forensic["n"]) == ("", 96, 24)
    assert none["JPEG"] > 0.9
    assert none["old JPEG"] > 0.9 > forensic["old JPEG"]
    for row in rows:
        assert all(0 <= row[name] <= 1 for name in ("resampling", "face", "tone", "trace"))
        assert "[" in row["joint"]
        assert "network" not in row
    assert remark.startswith("A face was found in 100 % of ai")
    alone, _ = recipes.compare(project, candidates=FEW[:1], workers=1)
    assert alone == rows[:1]


def test_the_sample_is_chosen_by_content_and_not_by_order():
    rows = [
        Record(source="s", member=f"{n:03}", label=("real", "ai")[n % 2], origin=f"{n * 7919 % 997:064x}.jpg",
               status="ok" if n % 5 else "unreadable")
        for n in range(100)
    ]  # fmt: skip
    chosen = recipes.sampled(rows, 10)
    assert [sum(row.label == label for row in chosen) for label in ("real", "ai")] == [10, 10]
    assert all(row.status == "ok" for row in chosen)
    assert {row.origin for row in chosen} == {row.origin for row in recipes.sampled(reversed(rows), 10)}
    assert recipes.sampled(rows[:4], 10) == rows[1:4]


def test_too_few_pictures_are_an_error_with_a_way_out(project, runner):
    portraits(project, count=3)
    with pytest.raises(ManifestError, match="10 pictures of each label"):
        recipes.compare(project, candidates=FEW, workers=1)
    done = runner.invoke(main, ["recipes", "--workers", "1"])
    assert done.exit_code == 1
    assert "Error: a comparison needs 10" in done.stderr


def test_a_picture_that_is_too_small_has_no_look_and_one_that_is_torn_none_at_all(project):
    torn, whole = encoded(portrait(1, 100)[0])[:900], encoded(portrait(1, 100)[0])
    fetched(project, {"real/a": torn, "real/b": whole})
    first, second = manifest.read(project.manifest("fetch"))
    given = {"candidates": FEW, "store": project.store, "strength": 0.2, "traced": "real", "network": False,
             "finder": detector("cascade")}  # fmt: skip
    assert recipes.tried(first, **given).results == ()
    none, forensic = recipes.tried(second, **given).results
    assert none is not None
    assert none.traced is not None
    assert forensic is None


def test_the_size_of_a_candidate_is_what_the_sample_allows(project):
    records = list(manifest.read(portraits(project, side=192, ai=100)))
    few = (Candidate(name="plain", recipe=PLAIN), Candidate(name="forensic", recipe=FORENSIC), FEW[0])
    assert [recipes.fitted(one, records, project.store).size for one in few] == [96, 48, 224]


def test_the_command_prints_its_rows_as_json_and_says_how_many_faces_it_found(project, runner, monkeypatch):
    portraits(project)
    monkeypatch.setattr(recipes, "CANDIDATES", FEW[1:])
    done = runner.invoke(main, ["recipes", "--sample", "10", "--json", "--workers", "1"])
    assert done.exit_code == 0, done.output
    assert [row["n"] for row in json.loads(done.stdout)] == [20]
    assert "a face" not in done.stdout.lower()
    assert not manifest.card_path(project.manifest("normalize")).exists()


def test_the_default_recipe_and_plain_are_among_the_candidates():
    known = {one.recipe for one in recipes.CANDIDATES}
    assert {None, *RECIPES.values()} <= known


def test_frozen_features_of_a_real_network_get_a_column(project, testdata):
    portraits(project)
    weights = testdata / "models" / "squeezenet1_1-imagenet-features.safetensors"
    rows, _ = recipes.compare(project, candidates=FEW[1:], weights=str(weights), workers=1)
    assert 0 <= rows[0]["network"] <= 1


def test_frozen_features_are_one_row_a_picture(testdata):
    frozen = pytest.importorskip("train.network.frozen")
    describe = frozen.extractor(str(testdata / "models" / "squeezenet1_1-imagenet-features.safetensors"))
    pictures = np.random.default_rng(0).integers(0, 255, (18, 64, 64, 3), dtype=np.uint8)
    found = describe(pictures)
    assert found.shape == (18, 512)
    assert np.allclose(found[:2], describe(pictures[:2]), atol=1e-4)
