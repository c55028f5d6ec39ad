"""Gather what is known of a training: from the run, what audits of it kept, and runs that held something out."""

import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from audit import kept
from audit.report.subject import Subject
from audit.report.training import answers, audits, history, unseen
from audit.report.training.answers import Held
from audit.report.training.block import Block
from audit.report.verdict import judged
from imageledger.errors import RunError
from imageledger.types import Track, untracked
from train.pictures import VALID
from train.runs import FOLDS, HOLD_OUT, SPLIT, Run, content_of

LEFT_OUT = ("devices",)
"""Settings that say nothing about what was trained."""

VERIFY = "imageledger verify"

UNMEASURED = {
    "calibration": "Whether a temperature corrects the probabilities has not been measured.",
    "robustness": "What recompression and scaling do to the answers has not been measured.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingSection:
    """What is shown of a training, block by block."""

    blocks: Sequence[Block]
    anchor: str = "training"
    title: str = "Training: how well the model does, and on what"
    template: str = "report/training/section.html"
    style: str = "report/training/section.css"

    def data(self) -> Mapping[str, Any]:
        """Return every block by its name."""
        return {block.name: block.data() for block in self.blocks}


def training(subject: Subject, *, track: Track = untracked) -> TrainingSection | None:
    """Show how well the model of a run does; None where nothing was trained.

    Trains and asks nothing: what was not measured, is damaged or is about other answers names the command.
    """
    run, folder = subject.run, subject.folder
    if run is None or folder is None:
        return None
    made: list[tuple[str, Callable[[], Block]]] = [
        (history.TITLE, lambda: history.learning_curve(_histories(folder, run), run.early_stopping)),
        (unseen.TITLE, lambda: _hold_out(subject, run)),
        ("Settings", lambda: _settings(run)),
    ]
    if held := _held(subject, run):
        made[:0] = [
            ("Who was called what", lambda: answers.confusion(held)),
            ("How well it ranks", lambda: answers.roc(held)),
        ]
        made[3:3] = [
            (audits.CALIBRATION, lambda: audits.calibration(held, *_kept(folder, run, "calibration"))),
            (audits.ROBUSTNESS, lambda: audits.robustness(*_kept(folder, run, "robustness"))),
            ("Right, by what made the pictures", lambda: answers.by_origin(held, subject.by_key)),
        ]
    return TrainingSection(blocks=[_made(title, make) for title, make in track(made, len(made), "drawing")])


def _made(title: str, make: Callable[[], Block]) -> Block:
    """Make a block; where a file of the run does not hold what it should, a block that says so."""
    try:
        return make()
    except RunError as error:
        return Block(name=_name(title), title=title, missing=[(f"{error.what}.", VERIFY)])
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        why = f"The files of the run do not hold what they should ({type(error).__name__}: {error})."
        return Block(name=_name(title), title=title, missing=[(why[:300], VERIFY)])


def _name(title: str) -> str:
    return title.lower().replace(" ", "_")


def _quoted(run: Run) -> str:
    return shlex.quote(run.name)


def _held(subject: Subject, run: Run) -> Held | None:
    """Return the answers about pictures that the model had not seen, None where there are none."""
    rows = [row for row in subject.predictions if row.split == VALID or run.kind != SPLIT]
    rows = [row for row in rows if row.label in run.labels]
    found = judged(run, rows, subject.by_key)
    return Held(run=run, rows=rows, found=found) if found else None


def _histories(folder: Path, run: Run) -> list[list[history.Epoch]]:
    """Read the history of the one training, or of each fold of the first repeat."""
    folds = sorted((folder / FOLDS).glob("1-*/history.csv")) if run.kind != SPLIT else []
    places = [path.parent for path in folds] or [folder]
    return [
        history.epochs_of(content_of(place, "history.csv")) for place in places if (place / "history.csv").is_file()
    ]


def _kept(folder: Path, run: Run, audit: str) -> tuple[Mapping[str, Any], list[tuple[str, str]]]:
    """Return what an audit kept, or the sentence and the command that stand in its place."""
    found = kept.of_run(folder, audit)
    if found.data:
        return found.data, []
    return {}, [(f"{found.why}." if found.why else UNMEASURED[audit], f"audit {audit} {_quoted(run)}")]


def _hold_out(subject: Subject, run: Run) -> Block:
    """Show the run itself where it holds parts out, else the newest hold-out on the same pictures."""
    if run.kind == HOLD_OUT:
        return unseen.hold_out(run)
    runs = subject.project.runs.glob("*/run.json")
    for path in sorted(runs, key=lambda path: path.stat().st_mtime, reverse=True):
        try:
            other = Run.load(path.parent)
        except RunError:
            continue
        if other.kind == HOLD_OUT and other.manifest_digest == run.manifest_digest:
            return unseen.hold_out(other)
    return unseen.not_measured(subject.chosen, run.labels)


def _settings(run: Run) -> Block:
    settings = {name: value for name, value in run.settings.items() if name not in LEFT_OUT}
    if isinstance(path := settings.get("weights"), str) and ("/" in path or "\\" in path):
        settings["weights"] = path.replace("\\", "/").rsplit("/", 1)[-1]
    pairs = {
        "kind": run.kind, **settings, "device": run.device, "precision": run.precision,
        "versions": [f"{name} {version}" for name, version in run.versions.items()],
    }  # fmt: skip
    return Block(name="settings", title="Settings", pairs=pairs, wide=True)
