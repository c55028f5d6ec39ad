"""A small dataset with a known difference at every stage, and probes made by hand, for the tests of audit shortcuts."""

from dataclasses import replace

import numpy as np
from drawn import encoded, portrait
from PIL import Image, ImageEnhance

from audit.shortcuts.judge import DatasetProbes, StageProbes
from curate.evidence.measure import Table
from curate.evidence.verdict import ALL, Probe, Strongest
from imageledger import manifest
from imageledger.config import Project
from imageledger.record import Record, Step

HOSTILE = "ai/<script>alert(1)</script>\x1b[31m\u202e'\"&.png"
FAST = ["--permutations", "300", "--family", "tone", "--family", "container"]
"""Two families and few permutations: what most tests of the command ask for."""
STEM = "shortcuts-final-container-tone"
"""What the files of such an audit are called."""


def dataset(project: Project, each: int = 16, *, darker: float = 0.6, final: bool = True) -> list[Record]:
    """Write fetched.jsonl, normalized.jsonl and final.jsonl: darker ai pictures, png only as fetched; return the last.

    Both classes come from one source. With `darker` 1.0 the classes do not differ once they are normalized.
    """
    records = []
    for number in range(2 * each):
        label = "real" if number < each else "ai"
        member = HOSTILE if number == each else f"{label}/{number:03}.{'jpg' if label == 'real' else 'png'}"
        records.append(_made(project, member, label, number, darker if label == "ai" else 1.0))
    records.sort(key=lambda record: record.key)
    normalized = [replace(record, split="", steps=record.steps[:2]) for record in records]
    fetched = [replace(record, file=record.origin, steps=record.steps[:1]) for record in normalized]
    manifest.write(project.manifest("fetch"), fetched)
    manifest.write(project.manifest("normalize"), normalized)
    if final:
        manifest.write(project.manifest("manifest"), records)
    return records


def _made(project: Project, member: str, label: str, number: int, darker: float) -> Record:
    image, _ = portrait(seed=number, size=96)
    image = ImageEnhance.Brightness(image).enhance(darker)
    original = encoded(image, "JPEG", quality=80) if label == "real" else encoded(image, "PNG")
    origin = project.store.put(original, "jpg" if label == "real" else "png")
    small = image.resize((60, 60), Image.Resampling.LANCZOS)
    file = project.store.put(encoded(small, "JPEG", quality=90), "jpg")
    steps = (Step(did="fetch@1", on=""), Step(did="normalize@1", on=origin, found={"face": [15, 10, 45, 50]}))
    return Record(
        source="folder:drawn", member=member, label=label, origin=origin, file=file, width=60, height=60,
        split="valid" if number % 5 == 0 else "train", steps=steps,
    )  # fmt: skip


def probe_of(
    family: str, auc: float = 0.9, verdict: str = "SHORTCUT", needed: tuple[int, int] = (0, 0), rows: int = 40
) -> Probe:
    """A probe made by hand; its interval is 0.05 wide on either side."""
    strongest = Strongest(
        feature="tone.mean" if family == ALL else "mean", auc=auc, low=auc - 0.05, high=auc + 0.05,
        medians=(0.25, 1234.5),
    )  # fmt: skip
    return Probe(
        family=family, features=3, auc=auc, low=auc - 0.05, high=min(auc + 0.05, 1.0), model="linear", p=0.0004,
        chance=0.61, verdict=verdict, needed=needed, detectable=0.3,
        strongest=strongest, measured=1.0, scores=np.linspace(-1, 1, rows),
    )  # fmt: skip


def stage_of(
    stage: str, *probes: Probe, each: int = 20, sources: tuple[str, str] = ("folder:a", "folder:a")
) -> StageProbes:
    """A stage made by hand: `each` pictures per class, of one source per class."""
    records = [
        Record(source=sources[label == "ai"], member=f"{label}/{number}.jpg", label=label)
        for label in ("real", "ai")
        for number in range(each)
    ]
    values = {"tone": np.arange(2.0 * each).reshape(-1, 1)}
    table = Table(records=records, columns={"tone": ["mean"]}, values=values)
    return StageProbes(stage=stage, table=table, positive=np.arange(2 * each) >= each, probes=probes)


def probed_of(*stages: StageProbes, **changes) -> DatasetProbes:
    """The probes of a dataset, made by hand."""
    families = tuple({probe.family: None for stage in stages for probe in stage.probes if probe.family != ALL})
    probed = DatasetProbes(
        dataset="drawn", labels=("real", "ai"), stages=stages, families=families, seed=42, permutations=2000, most=3000
    )
    return replace(probed, **changes)
