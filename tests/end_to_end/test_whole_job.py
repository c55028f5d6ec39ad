"""The whole main job on real portraits: from two Kaggle datasets to the real faces that the model called AI."""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from kaggle_server import Published, folder_members, serve
from PIL import Image
from scipy.stats import mannwhitneyu

from imageledger import manifest
from imageledger.config import OUTPUT, open_project

pytestmark = pytest.mark.long

REAL, AI = "kaggle:ana/photographs@1", "kaggle:ben/generated@2"
PORTRAITS = "portraits/ffhq-vs-stylegan2"


class Job:
    """A project folder in which commands are typed, and what each of them printed."""

    def __init__(self, root: Path, environment: dict[str, str], testdata: Path) -> None:
        self.root = root
        self.home = root / "home"
        own = {"HOME": str(self.home), "REMBG_HOME": str(root / "rembg")}
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith("XDG_")}
        self.environment |= environment | own
        self.testdata = testdata
        self.said: dict[str, str] = {}
        self.result: dict[str, str] = {}
        self.probes: dict[str, dict[str, dict[str, Any]]] = {}

    def type(self, *words: str) -> None:
        """Type one command; it must succeed."""
        done = subprocess.run(
            [sys.executable, "-m", "imageledger", *words],
            cwd=self.root, env=self.environment, capture_output=True, text=True,
        )  # fmt: skip
        assert done.returncode == 0, f"{words}\n{done.stdout}\n{done.stderr}"
        name = " ".join(words[:2])
        self.said[name], self.result[name] = done.stderr, done.stdout

    def curate(self) -> None:
        """Type all curation commands."""
        self.type("curate", "fetch", REAL, "--label", "real")
        self.type("curate", "fetch", AI, "--label", "ai", "--generator", "stylegan2")
        models = self.testdata / "models"
        face_model = models / "face_detection_yunet_2026may.onnx"
        self.type("curate", "normalize", "--size", "256", "--face-model", str(face_model))
        self.type("curate", "dedupe")
        self.type("curate", "whiten", "--model-path", str(models / "mediapipe_selfie.onnx"))
        self.type("curate", "manifest", "--export", "exported")

    def manifests(self) -> dict[str, bytes]:
        """Return the bytes of every manifest and card."""
        return {path.name: path.read_bytes() for path in sorted((self.root / "manifests" / "faces").glob("*.json*"))}


@pytest.fixture(scope="module")
def job(testdata, tmp_path_factory):
    """The job, done once: two published datasets, curated, trained on and audited."""
    root = tmp_path_factory.mktemp("job")
    copies = folder_members(testdata / "duplicates" / "copies", "copies")
    published = {
        "ana/photographs": Published({1: folder_members(testdata / PORTRAITS / "real", "real") | copies}),
        "ben/generated": Published({1: {}, 2: folder_members(testdata / PORTRAITS / "ai", "ai")}),
    }
    with serve(published) as server:
        job = Job(root, server.environment, testdata)
        job.type("init", "--dataset", "faces")
        job.curate()
        weights = testdata / "models" / "squeezenet1_1-imagenet-features.safetensors"
        learner = ("--arch", "squeezenet1_1", "--weights", str(weights), "--size", "128", "--epochs", "4")
        job.type("train", "run", *learner, "--name", "first")
        job.type("audit", "top-losses", "first")
        few = ("--family", "container", "--family", "jpeg-history", "--most", "30")
        for stage, families in (("fetched", few), ("final", ())):
            job.type("audit", "shortcuts", "--stage", stage, *families, "--json")
            job.probes[stage] = {
                probe["family"]: probe for probe in json.loads(job.result["audit shortcuts"])["stages"][0]["probes"]
            }
        job.type("audit", "leaks", "--fail-on", "leak")
        job.type("audit", "reliance", "first")
        yield job


@pytest.fixture(scope="module")
def final(job):
    """The rows of the final manifest."""
    return list(manifest.read(job.root / "manifests" / "faces" / "final.jsonl"))


def test_the_final_manifest_holds_a_hundred_of_each_class_with_an_eighty_twenty_split(final):
    used = [(record.label, record.split) for record in final if record.status == "ok"]
    assert {kind: used.count(kind) for kind in set(used)} == {
        ("real", "train"): 80, ("real", "valid"): 20, ("ai", "train"): 80, ("ai", "valid"): 20,
    }  # fmt: skip


def test_every_picture_that_was_fetched_is_still_a_row(job, final):
    fetched = list(manifest.read(job.root / "manifests" / "faces" / "fetched.jsonl"))
    assert [record.key for record in final] == [record.key for record in fetched]
    assert len([record for record in fetched if record.source == AI]) == 120


def test_rows_carry_version_licence_and_generator(final):
    assert {record.source for record in final} == {REAL, AI}
    assert {record.licence for record in final} == {"CC0-1.0"}
    assert {record.generator for record in final if record.label == "ai"} == {"stylegan2"}


def test_no_known_pair_of_copies_is_on_both_sides_or_used_twice(testdata, final):
    by_name = {Path(record.member).name: record for record in final if record.source == REAL}
    with (testdata / "duplicates" / "pairs.csv").open() as rows:
        pairs = [(Path(row["a"]).name, Path(row["b"]).name) for row in csv.DictReader(rows)]
    assert pairs
    for one, other in pairs:
        used = [by_name[name] for name in (one, other) if by_name[name].status == "ok"]
        assert len(used) < 2, f"{one} and {other} are both used"


def test_no_two_different_people_were_called_duplicates(final):
    merged = [record for record in final if record.status == "duplicate" and not record.member.startswith("copies/")]
    kept = {record.duplicate_of for record in merged}
    assert not merged, f"{[record.member for record in merged]} duplicates of {kept}"


def test_every_used_picture_is_white_where_its_matte_is_empty(job, final):
    store = open_project(job.root).store
    for record in [record for record in final if record.status == "ok"][::10]:
        picture = Image.open(store.path(record.file))
        matte = Image.open(store.path(record.matte))
        pairs = zip(picture.getdata(), matte.getdata(), strict=True)
        assert {colour for colour, alpha in pairs if alpha == 0} <= {(255, 255, 255)}


def test_the_model_learns_more_than_chance_could(job):
    run = job.root / "data" / "runs" / "first"
    assert json.loads((run / "run.json").read_text())["metrics"]["valid"]["accuracy"]["n"] == 40
    rows = [json.loads(line) for line in (run / "predictions.jsonl").read_text().splitlines()]
    ai, real = ([row["probability"] for row in rows if (row["split"], row["label"]) == ("valid", label)]
                for label in ("ai", "real"))  # fmt: skip
    assert mannwhitneyu(ai, real, alternative="greater").pvalue < 0.01


def test_the_audit_shows_the_misclassified_real_portraits(job):
    run = job.root / "data" / "runs" / "first"
    predictions = [json.loads(line) for line in (run / "predictions.jsonl").read_text().splitlines()]
    wrong = [row for row in predictions if (row["split"], row["label"], row["predicted"]) == ("valid", "real", "ai")]
    with (run / "audit" / "top-losses.csv").open() as rows:
        listed = list(csv.DictReader(rows))
    assert [row["member"] for row in listed] == [row["member"] for row in sorted(wrong, key=lambda row: -row["loss"])]
    sheet = Image.open(run / "audit" / "top-losses.png")
    assert min(sheet.size) > 200
    page = (run / "audit" / "top-losses.html").read_text()
    assert all(row["member"] in page for row in listed)
    assert REAL in page or not listed


def test_the_raw_files_alone_tell_the_classes_apart_and_curated_ones_do_so_less(job):
    fetched, final = job.probes["fetched"], job.probes["final"]
    assert fetched["all"]["auc"] >= 0.99
    for family in ("container", "jpeg_history"):
        assert fetched[family]["verdict"] == "SHORTCUT"
        assert fetched[family]["auc"] >= 0.99
        assert final[family]["auc"] < 0.9
    assert final["all"]["auc"] < 0.92
    assert final["metadata"]["verdict"] == "CLEAN"
    assert "no audit" in job.result["audit shortcuts"]  # each class has its own source


def test_the_run_sets_its_accuracy_beside_what_the_file_alone_reaches(job):
    run = json.loads((job.root / "data/runs/first/run.json").read_text())
    together = job.probes["final"]["all"]
    assert run["file_alone"]["auc"] == pytest.approx(together["auc"])
    assert f"the file alone: AUC {together['auc']:.2f}" in job.said["train run"]
    assert "the file alone" in job.result["audit reliance"]


def test_the_exported_tree_is_one_that_fastai_reads(job):
    counts = {
        f"{split}/{label}": len(list((job.root / "exported" / split / label).iterdir()))
        for split in ("train", "valid") for label in ("real", "ai")
    }  # fmt: skip
    assert counts == {"train/real": 80, "train/ai": 80, "valid/real": 20, "valid/ai": 20}


def test_the_second_run_does_no_pixel_work_and_ends_with_the_same_bytes(job):
    before = job.manifests()
    job.curate()
    assert job.manifests() == before
    for stage in ("fetch", "normalize", "dedupe", "whiten", "manifest"):
        assert f"{stage}: 0 worked on" in job.said[f"curate {stage}"]


def test_nothing_is_written_outside_the_project_but_the_face_model_and_the_fonts_of_matplotlib(job):
    """Above all no device id of onnxruntime, which cuts out the people here."""
    written = {path.relative_to(job.home).as_posix() for path in job.home.rglob("*") if path.is_file()}
    own = {path for path in written if not path.startswith(".cache/matplotlib/")}
    assert own == {".cache/imageledger/face_detection_yunet_2026may.onnx"}


def test_what_commands_write_into_data_is_what_fetch_never_reads(job):
    folders = {f"data/{path.name}" for path in (job.root / "data").iterdir() if path.is_dir()}
    assert folders <= OUTPUT


def test_status_and_verify_find_everything_in_order(job):
    job.type("status")
    job.type("verify")
    assert "first" in job.result["status"]
