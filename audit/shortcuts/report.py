"""Write an audit of shortcuts as a report: findings, tables, rows, one object for scripts, a figure and a page."""

import math
from collections.abc import Sequence
from functools import cache, partial
from pathlib import Path

from audit import kept
from audit.findings import Report, csv_bytes
from audit.shortcuts import figure, page, words
from audit.shortcuts.judge import DatasetProbes, StageProbes
from audit.shortcuts.way_out import next_step
from curate.evidence.verdict import Probe, Told
from imageledger.config import Project
from imageledger.types import Row

CSV_FIELDS = (
    "stage", "family", "features", "auc", "low", "high", "chance", "p", "verdict", "needed_fewest", "needed_most",
    "detectable", "model",
    "strongest", "strongest_auc", "strongest_low", "strongest_high", "median_negative", "median_positive", "measured",
    "negatives", "positives", "inside_auc", "inside_low", "inside_high", "from_chosen_auc", "from_chosen_low",
    "from_chosen_high", "from_candidates_auc", "from_candidates_low", "from_candidates_high",
)  # fmt: skip


def report(project: Project, probed: DatasetProbes, folder: Path, variant: Sequence[object] = ()) -> Report:
    """Write the probes of a dataset as a report, whose files go into `folder`; equal probes give equal bytes."""
    rows, content = csv_rows(probed), data(probed)
    drawn = cache(partial(figure.png, probed))
    return Report(
        audit="shortcuts",
        subject=probed.dataset,
        verdict=str(probed.last.conclusive.verdict),
        findings=words.findings(probed),
        tables=words.tables(probed),
        rows=rows,
        data=content,
        contents={
            "shortcuts.csv": lambda: csv_bytes(CSV_FIELDS, rows),
            "shortcuts.json": lambda: kept.encoded(content | {"examples": examples(probed)}, probed.manifests),
            "shortcuts.png": drawn,
            "shortcuts.html": lambda: _encoded(page.html_text(probed, page.cards_of(project, probed), drawn())),
        },
        folder=folder,
        variant=variant,
        next_step=next_step(probed),
        refusal=probed.refusal,
    )


def csv_rows(probed: DatasetProbes) -> list[Row]:
    """Return one row per stage and family."""
    rows = []
    for stage in probed.stages:
        negatives, positives = stage.counts
        for probe in stage.probes:
            rows.append({"stage": stage.stage, **_numbers(probe), "negatives": negatives, "positives": positives})
    return rows


def data(probed: DatasetProbes) -> Row:
    """Return the whole audit as one object for JSON."""
    return {
        "dataset": probed.dataset,
        "labels": list(probed.labels),
        "seed": probed.seed,
        "permutations": probed.permutations,
        "verdict": probed.last.conclusive.verdict,
        "stage": probed.last.stage,
        "sentences": words.sentences(probed),
        "stages": [_stage(probed, stage) for stage in probed.stages],
        "to_do": [{"family": name, "advice": advice} for name, advice in words.to_do(probed)],
        "next": next_step(probed),
        "absent": list(probed.absent),
    }


def examples(probed: DatasetProbes) -> Row:
    """Return for each family the keys of the pictures of the last stage that give it away most, both classes."""
    return {probe.family: [list(key) for key in words.surest(probed.last, probe)] for probe in probed.last.probes}


def _stage(probed: DatasetProbes, stage: StageProbes) -> Row:
    unseen = stage.unseen
    return {
        "stage": stage.stage,
        "pictures": dict(zip(probed.labels, stage.counts, strict=True)),
        "probes": [_numbers(probe) for probe in stage.probes],
        "unseen_sources": unseen and {
            "auc": unseen.auc, "low": unseen.low, "high": unseen.high,
            "sources": dict(zip(probed.labels, unseen.sources, strict=True)),
        },
        "one_class_sources": stage.one_sided,
        "chosen_on": list(stage.chosen_on),
        "passed_over": stage.passed_over,
        "look": stage.look.number,
        "p_below": stage.look.sure,
    }  # fmt: skip


def _numbers(probe: Probe) -> Row:
    strongest = probe.strongest
    medians = [value if math.isfinite(value) else None for value in strongest.medians] if strongest else [None, None]
    return {
        "family": probe.family, "features": probe.features, "auc": probe.auc, "low": probe.low, "high": probe.high,
        "chance": probe.chance, "p": probe.p, "verdict": probe.verdict,
        "needed_fewest": probe.needed[0] or None, "needed_most": probe.needed[1] or None,
        "detectable": probe.detectable, "model": probe.model,
        "strongest": strongest.feature if strongest else "", "strongest_auc": strongest.auc if strongest else None,
        "strongest_low": strongest.low if strongest else None, "strongest_high": strongest.high if strongest else None,
        "median_negative": medians[0], "median_positive": medians[1], "measured": probe.measured,
        **_told("inside", probe.inside),
        **_told("from_chosen", probe.transfer.chosen if probe.transfer else None),
        **_told("from_candidates", probe.transfer.candidates if probe.transfer else None),
    }  # fmt: skip


def _told(name: str, told: Told | None) -> Row:
    if told is None:
        return dict.fromkeys((f"{name}_auc", f"{name}_low", f"{name}_high"))
    return {f"{name}_auc": told.auc, f"{name}_low": told.low, f"{name}_high": told.high}


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", errors="backslashreplace")
