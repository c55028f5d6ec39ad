"""What an audit of shortcuts says: sentences, tables for the terminal, rows for CSV, and one object for JSON."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from audit.shortcuts.work import MADE_BY, Audit, Judged, title_of
from audit.words import DRAWN, DRAWN_NOTE
from curate.evidence.measure import FETCHED
from curate.evidence.probe import ALL, CLEAN, INCONCLUSIVE, SHORTCUT, Probe
from curate.nuisance import family
from imageledger.sheet import visible

SMALL = 300
"""Below so many pictures a class the sentences say how hard CLEAN is to reach."""

NAMED = 4
"""So many sources are named in a sentence; the rest are counted."""

MARKS = {SHORTCUT: "✗", INCONCLUSIVE: "?", CLEAN: "✓"}
ABSENT = "–"
CSV_FIELDS = (
    "stage", "family", "features", "auc", "low", "high", "chance", "p", "verdict", "needed", "model",
    "strongest", "strongest_auc", "median_negative", "median_positive", "negatives", "positives",
)  # fmt: skip


def feature_of(name: str) -> str:
    """Name a feature as people read it."""
    return name.replace("_", " ").replace(".", ": ", 1)


def auc_in_words(auc: float, low: float, high: float) -> str:
    """Format an AUC with its interval: "0.97 [0.94-0.99]"."""
    return f"{auc:.2f} [{low:.2f}-{high:.2f}]"


def p_in_words(p: float) -> str:
    """Format a p-value as short as it stays honest."""
    return f"{p:.2f}" if p >= 0.1 else f"{p:.3f}" if p >= 0.001 else "<0.001"


def pictures_in_words(audit: Audit, one: Judged) -> str:
    """Say what was judged: "100 real and 100 ai pictures, final"."""
    negatives, positives = one.counts
    return f"{negatives} {audit.labels[0]} and {positives} {audit.labels[1]} pictures, {one.stage}"


def conclusion(audit: Audit, one: Judged) -> str:
    """Say in one plain sentence what the file alone tells at a stage."""
    told = one.conclusive
    what = "The file alone" if told.family == ALL else f"{title_of(told.family).capitalize()} alone"
    figure = f"AUC {auc_in_words(told.auc, told.low, told.high)}"
    if told.verdict == SHORTCUT:
        return f"{what} tells the classes apart with {figure}."
    if told.verdict == CLEAN:
        return f"{what} does not tell the classes apart: {figure}."
    return f"Whether {what[0].lower()}{what[1:]} tells the classes apart is not decided: {figure}."


def sentences(audit: Audit) -> list[str]:
    """Say what came out: the conclusion first, then what a person must know to read it."""
    return [conclusion(audit, audit.last), *notes(audit)]


def notes(audit: Audit) -> list[str]:
    """Say what a person must know to read the conclusion."""
    one = audit.last
    drawn = any(record.source.startswith(DRAWN) for record in one.table.records)
    said = [DRAWN_NOTE] if drawn else []
    if one.there > len(one.positive):
        said.append(
            f"Looked at {len(one.positive)} of {one.there} pictures, at most {audit.asked.most} of each label, "
            "which are enough for every verdict; --most looks at more."
        )
    if len(audit.judged) > 1:
        said.append(_course(audit))
    said.extend(_families(one))
    said.extend(_what_is_left(one))
    said.extend(_sources(one))
    said.extend(_unseen(audit, one))
    said.extend(_small(one))
    if audit.absent:
        makers = dict.fromkeys(f"curate {MADE_BY[stage]}" for stage in audit.absent)
        said.append(f"Not there yet: {', '.join(audit.absent)} (made by {', '.join(makers)}).")
    return said


def to_do(one: Judged) -> list[tuple[str, str]]:
    """Return for each shortcut, clearest first, its family and what to do about it."""
    return [(title_of(probe.family), family(probe.family).advice) for probe in one.shortcuts]


def spoken(audit: Audit) -> list[str]:
    """Return everything a terminal shows below the tables: the sentences, and what to do about each shortcut."""
    legend = f"{', '.join(f'{mark} {name}' for name, mark in MARKS.items())}, {ABSENT} does not apply."
    return [
        *([legend] if len(audit.judged) > 1 else []),
        *sentences(audit),
        *(f"What to do about {name}: {advice}" for name, advice in to_do(audit.last)),
    ]


def tables(audit: Audit) -> list[tuple[list[dict[str, Any]], str]]:
    """Return the tables a terminal shows, each with its title: one stage in full, or all of them side by side."""
    if len(audit.judged) == 1:
        one = audit.last
        return [(stage_table(audit, one), pictures_in_words(audit, one))]
    return [(course_table(audit), "AUC by stage")]


def stage_table(audit: Audit, one: Judged) -> list[dict[str, Any]]:
    """Return one stage as rows for the terminal, narrow enough for 120 columns."""
    rows = []
    for probe in one.probes:
        rows.append(
            {
                "family": title_of(probe.family),
                "features": str(probe.features),
                "AUC": f"{probe.auc:.2f}",
                "95 % interval": f"{probe.low:.2f}-{probe.high:.2f}",
                "chance": f"{probe.chance:.2f}",
                "p": p_in_words(probe.p),
                "verdict": probe.verdict,
                f"strongest feature: median {' / '.join(visible(label) for label in audit.labels)}": _strongest(probe),
                "needed": f"{probe.needed}" if probe.needed else "",
            }
        )
    return rows


def course_table(audit: Audit) -> list[dict[str, Any]]:
    """Return every stage side by side as rows for the terminal: families down, AUC and a mark of the verdict."""
    rows = []
    for name in families_of(audit):
        probes = {one.stage: one.of(name) for one in audit.judged}
        cells = {
            stage: f"{probe.auc:.2f} {MARKS[probe.verdict]}" if probe else ABSENT for stage, probe in probes.items()
        }
        rows.append({"family": title_of(name), **cells})
    return rows


def families_of(audit: Audit) -> list[str]:
    """Name the families that apply at any stage, in the order of every table, all together last."""
    named = {probe.family for one in audit.judged for probe in one.probes}
    return [name for name in (*audit.asked.families, ALL) if name in named]


def csv_rows(audit: Audit) -> list[dict[str, Any]]:
    """Return one row a stage and family."""
    rows = []
    for one in audit.judged:
        negatives, positives = one.counts
        for probe in one.probes:
            rows.append({"stage": one.stage, **_plain(probe), "negatives": negatives, "positives": positives})
    return rows


def plain(audit: Audit, files: Mapping[str, Path] | None = None) -> dict[str, Any]:
    """Return the whole audit as one object for JSON, with the files it was written to where they are given."""
    told = {
        "dataset": audit.dataset,
        "labels": list(audit.labels),
        "seed": audit.asked.seed,
        "permutations": audit.asked.permutations,
        "verdict": audit.last.conclusive.verdict,
        "stage": audit.last.stage,
        "sentences": sentences(audit),
        "stages": [
            {
                "stage": one.stage,
                "pictures": dict(zip(audit.labels, one.counts, strict=True)),
                "probes": [_plain(probe) for probe in one.probes],
                "unseen_sources": None if one.unseen is None else {
                    "auc": one.unseen.auc, "low": one.unseen.low, "high": one.unseen.high,
                    "sources": dict(zip(audit.labels, one.unseen.sources, strict=True)),
                },
                "one_class_sources": one.one_sided,
            }
            for one in audit.judged
        ],
        "to_do": [{"family": name, "advice": advice} for name, advice in to_do(audit.last)],
        "absent": list(audit.absent),
    }  # fmt: skip
    return told | ({"files": {kind: str(path) for kind, path in files.items()}} if files else {})


def _course(audit: Audit) -> str:
    steps = [f"{one.conclusive.auc:.2f} {one.stage}" for one in audit.judged]
    return f"{title_of(audit.last.conclusive.family).capitalize()}, stage by stage: {', '.join(steps)}."


def _families(one: Judged) -> list[str]:
    names = [f"{title_of(probe.family)} {probe.auc:.2f}" for probe in one.shortcuts]
    if not names or one.together is None:
        return []
    if len(names) == 1:
        return [f"One family is a shortcut by itself: {names[0]}."]
    return [f"{len(names)} families are shortcuts by themselves: {', '.join(names)}."]


def _what_is_left(one: Judged) -> list[str]:
    """Say what a shortcut in pixels may be once the delivery of both classes has been made alike."""
    steps = (step for record in one.table.records for step in record.steps if step.did.startswith("normalize"))
    recipes = {step.settings.get("recipe") for step in steps} if one.stage != FETCHED else set()
    if recipes != {"forensic"} or not any(family(probe.family).of == "pixels" for probe in one.shortcuts):
        return []
    return [
        "These pictures went through the recipe forensic, so what families of pixels still tell may be what was "
        "photographed or the generator's own trace, and not the delivery; audit reliance tells whether a model leans "
        "on it."
    ]


def _sources(one: Judged) -> list[str]:
    held = one.one_sided
    if not held:
        return []
    lists = [f"only {label}: {_some(sources)}" for label, sources in held.items()]
    total = len({record.source for record in one.table.records})
    if sum(map(len, held.values())) == total:
        return [
            f"Every source holds one class alone ({'; '.join(lists)}): the classes also differ by source, and no audit "
            "can tell face from source. Fetch both classes from one source, or each class from several."
        ]
    return [
        f"Some sources hold one class alone ({'; '.join(lists)}): what is peculiar to them passes for their class. "
        "Leave them out, or fetch the other class from them as well."
    ]


def _some(sources: list[str]) -> str:
    shown = ", ".join(visible(source) for source in sources[:NAMED])
    return shown + (f" and {len(sources) - NAMED} more" if len(sources) > NAMED else "")


def _unseen(audit: Audit, one: Judged) -> list[str]:
    if one.unseen is None:
        return []
    several = [
        f"{label} has {count}" for label, count in zip(audit.labels, one.unseen.sources, strict=True) if count > 1
    ]
    figure = auc_in_words(one.unseen.auc, one.unseen.low, one.unseen.high)
    return [f"On sources that it has not seen ({', '.join(several)}), the joint probe reaches AUC {figure}."]


def _small(one: Judged) -> list[str]:
    each, open_ones = min(one.counts), [probe for probe in one.probes if probe.verdict == INCONCLUSIVE]
    if each >= SMALL or not open_ones:
        return []
    chance = max(probe.chance for probe in open_ones)
    return [
        f"With {each} pictures a class, chance alone reaches AUC {chance:.2f}: CLEAN is hard to reach below 300 to 500 "
        "a class, and INCONCLUSIVE does not mean clean."
    ]


def _strongest(probe: Probe) -> str:
    if probe.strongest is None:
        return ABSENT
    medians = " / ".join(number(value) for value in probe.strongest.medians)
    return f"{feature_of(probe.strongest.feature)} {medians}"


def number(value: float) -> str:
    """Format a measured number shortly; "–" where there is none."""
    if not math.isfinite(value):
        return ABSENT
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def _plain(probe: Probe) -> dict[str, Any]:
    strongest = probe.strongest
    medians = [value if math.isfinite(value) else None for value in strongest.medians] if strongest else [None, None]
    return {
        "family": probe.family, "features": probe.features, "auc": probe.auc, "low": probe.low, "high": probe.high,
        "chance": probe.chance, "p": probe.p, "verdict": probe.verdict, "needed": probe.needed, "model": probe.model,
        "strongest": strongest.feature if strongest else "", "strongest_auc": strongest.auc if strongest else None,
        "median_negative": medians[0], "median_positive": medians[1],
    }  # fmt: skip
