"""What audits leave behind for the report, written by hand: nothing is probed, trained or asked."""

from dataclasses import replace

import numpy as np
from shortcut_world import dataset, probe_of, probed_of

from audit.robustness.changes import PERTURBATIONS
from audit.robustness.judge import RunRobustness, judge
from audit.robustness.report import report as robustness_report
from audit.shortcuts.judge import StageProbes
from audit.shortcuts.report import report as shortcuts_report
from curate.evidence import measure
from curate.evidence.verdict import ALL, Told, Transfer
from imageledger import manifest
from imageledger.config import Project
from train.answers import Answers

STAGES = {"fetched": "fetch", "normalized": "normalize", "final": "manifest"}


def _named(probe, feature):
    return replace(probe, strongest=replace(probe.strongest, feature=feature))


def left_by_shortcuts(project: Project, **digests: str):
    """Make a dataset, measure its tone, and leave what audit shortcuts would keep; returns the final records.

    `digests` take the place of those of the manifests, by stage.
    """
    records = dataset(project)
    table = measure.measure(project, records, ["tone"], workers=1)
    positive = np.array([record.label == "ai" for record in records])
    rows = len(records)
    tone = _named(probe_of("tone", 0.93, rows=rows), "brightness")
    joint = _named(probe_of(ALL, 0.9, rows=rows), "tone.brightness")
    elsewhere = Transfer(
        family="tone", chosen=Told(auc=0.9, low=0.85, high=0.95), candidates=Told(auc=0.8, low=0.7, high=0.9),
        p=0.001, chance=0.6, scores=np.zeros(rows),
    )  # fmt: skip
    final = [replace(probe, inside=Told(auc=0.4, low=0.3, high=0.5), transfer=elsewhere) for probe in (tone, joint)]
    clean = replace(_named(probe_of("tone", 0.5, "CLEAN", rows=rows), "brightness"))
    stages = {"fetched": (tone, joint), "normalized": (clean, joint), "final": tuple(final)}
    made = [
        StageProbes(stage=stage, table=table, positive=positive, probes=probes, there=rows,
                    chosen_on=("tone",) if stage == "final" else ())
        for stage, probes in stages.items()
    ]  # fmt: skip
    held = {stage: manifest.digest(project.manifest(step)) for stage, step in STAGES.items()}
    probed = probed_of(*made, manifests={**held, **digests})
    report = shortcuts_report(project, probed, project.root / "data" / "audit" / "shortcuts")
    replace(report, contents={"shortcuts.json": report.contents["shortcuts.json"]}).write()
    return records


def left_by_robustness(project: Project, folder, *, worse: int) -> None:
    """Leave what audit robustness would keep of a run whose answers to all JPEGs of quality 40 change `worse` times."""
    from audit.kept import digests_of

    answers = Answers.of(project, folder).held_out()
    shares = np.repeat(answers.shares[:, None], 1 + len(PERTURBATIONS), axis=1)
    for column, change in enumerate(PERTURBATIONS, 1):
        if change.quality == 40:
            shares[:worse, column] = 1 - shares[:worse, column]
    clean, *cells = judge(shares, answers.positive, answers.group_numbers)
    result = RunRobustness(answers=answers, clean=clean, cells=tuple(cells), models=1)
    replace(robustness_report(result, folder / "audit"), contents={}, about=digests_of(folder)).write()
