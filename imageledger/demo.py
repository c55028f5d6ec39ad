"""The guided tour: run the commands that a user would type on drawn pictures, and count the problems they find."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from imageledger import manifest
from imageledger.config import MANIFEST_OF, Project
from imageledger.errors import LedgerError
from imageledger.intervals import with_interval
from imageledger.manifest import Card
from imageledger.record import STATUSES

SOURCE = "sample:42"
RUN = "demo"
LOOK = Path("data", "audit", "shortcuts", "shortcuts")
"""What `audit shortcuts` writes, without a suffix."""
FALL = ("fetched", "normalized", "whitened", "final")
EMBEDDED_TRAINING = (
    *("--arch", "timm:test_resnet", "--weights", "none", "--size", "64", "--epochs", "30", "--batch-size", "16"),
)
"""A tiny ResNet that learns the drawn classes from scratch in half a minute on one core."""

DOWNLOADS = (
    "This downloads YuNet (0.2 MB, MIT) into the cache folder of imageledger,\n"
    "rembg's u2net_human_seg (176 MB, Apache-2.0) into rembg's folder\n"
    "and ResNet18's ImageNet weights (45 MB) into torch's cache, unless they are there already."
)


@dataclass(frozen=True, slots=True)
class Took:
    """One command of the tour and how long it took, in seconds."""

    command: str
    seconds: float


def commands(full: bool) -> list[list[str]]:
    """Return the commands of the tour, as typed after `imageledger`."""
    faces = [] if full else ["--detector", "cascade", "--save"]
    matting = [] if full else ["--matting", "grabcut", "--save"]
    training = [] if full else list(EMBEDDED_TRAINING)
    return [
        ["curate", "fetch", SOURCE],
        ["curate", "normalize", *faces],
        ["curate", "dedupe"],
        ["curate", "whiten", *matting],
        ["curate", "manifest"],
        ["audit", "shortcuts", "--stage", "all"],
        ["train", "run", "--name", RUN, *training],
        ["audit", "top-losses", RUN, "--all", "-k", "8"],
        ["audit", "report", RUN],
    ]


def walk(project: Project, full: bool, tell: Callable[[str], None]) -> Iterator[Took]:
    """Run the commands in the project folder, one after the other; raise LedgerError at the first that fails."""
    for words in commands(full):
        if words[0] == "train" and (project.runs / RUN / "run.json").is_file():
            tell(f"\n(run {RUN} has been trained already)")
            continue
        tell(f"\n$ {' '.join(words)}")
        begun = time.monotonic()
        done = subprocess.run([sys.executable, "-m", "imageledger", *words], cwd=project.root, env=os.environ)
        if done.returncode:
            raise LedgerError(
                f"`{' '.join(words)}` ended with exit code {done.returncode}",
                "correct what it reports above; the same demo command continues",
            )
        yield Took(" ".join(words[:2]), time.monotonic() - begun)


def summary(project: Project, took: Sequence[Took]) -> list[dict[str, Any]]:
    """Return a row per stage: how many pictures came in, what became of them, and how many seconds it took."""
    seconds = {entry.command: entry.seconds for entry in took}
    rows = []
    for stage in MANIFEST_OF:
        card = Card.read(manifest.card_path(project.manifest(stage)))
        counts = {status: sum(label.get(status, 0) for label in card.counts.values()) for status in STATUSES}
        rows.append({"stage": stage, "in": card.rows, **counts, "seconds": round(seconds[f"curate {stage}"])})
    return rows


def planted(project: Project) -> list[dict[str, Any]]:
    """Write the problems planted in the drawn pictures to truth.jsonl; return how many of each kind were found."""
    from imageledger.dataset.legs import DOORS

    predictions = project.runs / RUN / "predictions.jsonl"
    rows: list[dict[str, Any]] = DOORS.load("curate", ModuleType).planted(project, SOURCE, predictions)
    return rows


def story(project: Project) -> list[str]:
    """Say in three sentences what the tour has shown; every figure is read from what its commands wrote."""
    stages = json.loads((project.root / LOOK.with_suffix(".json")).read_text(encoding="utf-8"))["stages"]
    together = {stage["stage"]: probe for stage in stages for probe in stage["probes"] if probe["family"] == "all"}
    run = json.loads((project.runs / RUN / "run.json").read_text(encoding="utf-8"))
    model, file = run["metrics"]["valid"]["accuracy"], run["file_alone"]["all"]
    first, last = together["fetched"], together["final"]
    between = ", ".join(f"{stage} with {together[stage]['auc']:.2f}" for stage in FALL[1:-1])
    chance = "holds" if last["low"] <= 0.5 <= last["high"] else "does not hold"
    alone = file["hits"] / file["n"]
    more = model["interval"][0] > file["high"]
    return [
        f"As fetched, the file alone tells the classes apart with AUC {_area(first)}, {between}, and in the final set "
        f"with {_area(last)}, an interval that {chance} chance, 0.50 (verdict: {last['verdict']}).",
        f"The model is right about {model['hits']} of {model['n']} portraits that it had never seen "
        f"({with_interval(model['share'], *model['interval'])}), the file alone about {file['hits']} of {file['n']} "
        f"({with_interval(alone, file['low'], file['high'])}).",
        "So the model has learned more than the file gives away: curation kept the trace that was planted in the faces."
        if more
        else "So it is not shown that the model has learned more than the file gives away.",
    ]


def _area(probe: dict[str, Any]) -> str:
    return with_interval(probe["auc"], probe["low"], probe["high"])


def places(project: Project) -> list[tuple[str, Path]]:
    """Return what there is to look at, and where it lies."""
    run = project.runs / RUN
    return [
        ("the final dataset, for a spreadsheet", project.folder / "final.csv"),
        ("the planted problems", project.folder / "truth.jsonl"),
        (
            "what the files give away, fetched and curated (page)",
            project.root / LOOK.with_suffix(".html"),
        ),
        ("learning curve and confusion matrix", run / "figures"),
        ("the pictures with the highest losses (page)", run / "audit" / "top-losses-all-k-8.html"),
        ("the pictures with the highest losses (sheet)", run / "audit" / "top-losses-all-k-8.png"),
        ("all of it on one page, to open in a browser", run / "audit" / "report.html"),
    ]
