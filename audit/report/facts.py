"""What has been done so far in a project, as the next step needs to know it: read from cards, steps and files."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

from audit.report.next_step import Done
from audit.report.subject import Subject
from audit.report.verdict import Judged
from imageledger import decisions, manifest, overview
from imageledger.errors import ManifestError
from imageledger.manifest import Card
from train.runs import Run

RUN_AUDITS = ("reliance", "robustness", "calibration", "slices", "labels")


def done_of(subject: Subject, found: Judged | None) -> Done:
    """Gather what was done about a dataset, and about the run where there is one."""
    project, run = subject.project, subject.run
    counts = Counter(record.label for record in subject.chosen)
    stage = next((row["stage"] for row in overview.stages(project) if row["state"] != "current"), "")
    done = Done(
        stage=stage,
        counts={label: counts[label] for label in subject.labels} if subject.chosen else {},
        recipe=_recipe(subject),
        whitened=any(record.matte for record in subject.chosen),
        matched=bool(_settings(project.manifest("manifest")).get("match")),
        one_sided=_one_sided(subject),
        generators=len({record.generator for record in subject.chosen if record.label == subject.labels[1]}),
        decided=len(decisions.concerned(decisions.read(project.folder / decisions.FILE), subject.rows)),
        audits=_audits(subject),
    )
    return _with_run(done, run, found) if run else done


def _with_run(done: Done, run: Run, found: Judged | None) -> Done:
    done = replace(done, run=run.name, kind=run.kind, file_verdict=run.file_alone.get("verdict", ""))
    if found is None:
        return done
    return replace(done, accuracy=found.accuracy, mistakes=found.right.total - found.right.hits)


def _audits(subject: Subject) -> frozenset[str]:
    there = {"shortcuts"} if any((subject.project.root / "data/audit/shortcuts").glob("shortcuts*.json")) else set()
    if subject.folder:
        there |= {name for name in RUN_AUDITS if any((subject.folder / "audit").glob(f"{name}.*"))}
    return frozenset(there)


def _recipe(subject: Subject) -> str:
    steps = (record.stated("normalize").get("recipe", "") for record in subject.chosen)
    recipes = {str(recipe) for recipe in steps}
    return recipes.pop() if len(recipes) == 1 else ""


def _settings(path: Path) -> dict[str, object]:
    try:
        return dict(Card.read(manifest.card_path(path)).settings)
    except ManifestError:
        return {}


def _one_sided(subject: Subject) -> bool:
    """Tell whether every source holds a single class."""
    held: dict[str, set[str]] = {}
    for record in subject.chosen:
        held.setdefault(record.source, set()).add(record.label)
    return bool(held) and all(len(labels) == 1 for labels in held.values())
