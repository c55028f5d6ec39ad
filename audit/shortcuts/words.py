"""What an audit of shortcuts says: findings in sentences, and tables for people."""

import math

from audit.findings import Finding, Severity, notes
from audit.shortcuts import chosen, power
from audit.shortcuts.judge import MADE_BY, DatasetProbes, StageProbes
from audit.words import DRAWN, DRAWN_NOTE, family_in_words
from curate.evidence.advice import advised
from curate.evidence.measure import FETCHED
from curate.evidence.probe import ENOUGH
from curate.evidence.verdict import ALL, AT_MOST, CLEAN, INCONCLUSIVE, SHORTCUT, Probe
from curate.nuisance import family, in_words
from imageledger.intervals import with_interval
from imageledger.letters import visible
from imageledger.types import Key, Row

SMALL = 300
"""Below so many pictures per class the sentences say how hard CLEAN is to reach."""

NAMED = 4
"""So many sources are named in a sentence; the rest are counted."""

EXAMPLES = 3
"""So many pictures of each class stand for a family: those that its probe is surest of."""

MARKS = {SHORTCUT: "✗", INCONCLUSIVE: "?", CLEAN: "✓"}
SEVERITY = {SHORTCUT: Severity.PROBLEM, INCONCLUSIVE: Severity.UNDECIDED, CLEAN: Severity.NOTE}
ABSENT = "–"


def p_in_words(p: float) -> str:
    """Format a p-value as short as it stays honest."""
    return f"{p:.2f}" if p >= 0.1 else f"{p:.3f}" if p >= 0.001 else "<0.001"


def number(value: float) -> str:
    """Format a measured number shortly; "–" where there is none."""
    if not math.isfinite(value):
        return ABSENT
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def pictures_in_words(probed: DatasetProbes, stage: StageProbes) -> str:
    """Say what was probed: "100 real and 100 ai pictures, final"."""
    negatives, positives = stage.counts
    counted = f"{negatives} {probed.labels[0]} and {positives} {probed.labels[1]} pictures"
    return f"{counted}, as they are" if probed.fetch else f"{counted}, {stage.stage}"


def conclusion(stage: StageProbes) -> str:
    """Say in one plain sentence what the file alone tells at a stage."""
    probe = stage.conclusive
    what = "the file alone" if probe.family == ALL else f"{family_in_words(probe.family)} alone"
    auc = f"AUC {with_interval(probe.auc, probe.low, probe.high)}"
    if probe.transfer:
        auc += f", {chosen.ELSEWHERE}"
    capital = what[0].upper() + what[1:]
    if probe.verdict == SHORTCUT:
        return f"{capital} tells the classes apart with {auc}."
    if probe.verdict == CLEAN:
        return f"{capital} does not tell the classes apart: {auc}, within {1 - AT_MOST:.2f}–{AT_MOST:.2f}."
    return f"It is undecided whether {what} tells the classes apart: {auc}."


def findings(probed: DatasetProbes) -> list[Finding]:
    """Return what a terminal shows: the conclusion, what a person must know to read it, and what to do."""
    last = probed.last
    legend = f"{', '.join(f'{mark} {name}' for name, mark in MARKS.items())}, {ABSENT} does not apply."
    return [
        *notes(legend if len(probed.stages) > 1 else ""),
        Finding(severity=SEVERITY[last.conclusive.verdict], sentence=conclusion(last)),
        *notes(*remarks(probed)),
        *(
            Finding(
                severity=Severity.PROBLEM, sentence=f"What to do about {name}: {advice}", records=surest(last, probe)
            )
            for probe, (name, advice) in zip(last.shortcuts, to_do(probed), strict=True)
        ),
    ]


def surest(stage: StageProbes, probe: Probe) -> list[Key]:
    """Return the keys of the pictures of each class that the scores of a probe give away most."""
    rows = sorted(range(len(probe.scores)), key=lambda row: float(probe.scores[row]))
    negatives = [row for row in rows if not stage.positive[row]][:EXAMPLES]
    positives = [row for row in reversed(rows) if stage.positive[row]][:EXAMPLES]
    return [stage.table.records[row].key for row in (*negatives, *positives)]


def alarms(stage: StageProbes) -> list[str]:
    """Say which probes are below chance for certain, and whether the joint probe is below one of its families."""
    lines = []
    below = [probe for probe in stage.probes if probe.below_chance]
    if below:
        names = ", ".join(
            f"{family_in_words(probe.family)} {with_interval(probe.auc, probe.low, probe.high)}" for probe in below
        )
        lines.append(
            f"Below chance for certain: {names}. Either the pictures come in pairs that are not declared, or they were "
            "chosen so that these numbers agree. Either way, a probe inside this set says nothing about new pictures."
        )
    joint = stage.together
    above = [probe for probe in stage.shortcuts if joint is not None and joint.high < probe.low]
    if joint is not None and above:
        names = ", ".join(f"{family_in_words(probe.family)} {probe.auc:.2f}" for probe in above)
        lines.append(
            f"All families together reach AUC {joint.auc:.2f}, less than {names} alone: with so many numbers the joint "
            "probe is blind to what a single family shows. Quote the family."
        )
    return lines


def sentences(probed: DatasetProbes) -> list[str]:
    """Say what came out: the conclusion first, then what a person must know to read it."""
    return [conclusion(probed.last), *remarks(probed)]


def remarks(probed: DatasetProbes) -> list[str]:
    """Say what a person must know to read the conclusion."""
    last = probed.last
    lines = [*probed.beside]
    lines += [DRAWN_NOTE] if any(record.source.startswith(DRAWN) for record in last.table.records) else []
    if last.there > len(last.positive):
        lines.append(
            f"{len(last.positive)} of {last.there} pictures were measured, at most {probed.most} of each label"
            + (", which is enough for every verdict" if probed.most >= ENOUGH else "")
            + "; --most measures more."
        )
    if len(probed.stages) > 1:
        lines.append(_course(probed))
    lines += [
        *chosen.remarks(last),
        *alarms(last),
        *power.remarks(last),
        *power.looks(last),
        *_families(last),
        *_what_is_left(last),
        *_sources(last),
        *_unseen(probed, last),
        *_small(last),
    ]
    if probed.absent:
        makers = dict.fromkeys(f"curate {MADE_BY[stage]}" for stage in probed.absent)
        lines.append(f"Not made yet: {', '.join(probed.absent)} (by {', '.join(makers)}).")
    return lines


def to_do(probed: DatasetProbes) -> list[tuple[str, str]]:
    """Return for each shortcut, clearest first, its family and what to do about it that has not been done."""
    return [(family_in_words(probe.family), advice_on(probed, probe)) for probe in probed.last.shortcuts]


def advice_on(probed: DatasetProbes, probe: Probe) -> str:
    """Say what to do about the shortcut of one family; what has been done is not recommended again."""
    return advised(family(probe.family), probed.done)


def tables(probed: DatasetProbes) -> dict[str, list[Row]]:
    """Return the table a terminal shows, by its title: one stage in full, or all of them side by side."""
    if len(probed.stages) == 1:
        return {pictures_in_words(probed, probed.last): stage_table(probed, probed.last)}
    return {"AUC by stage": course_table(probed)}


def stage_table(probed: DatasetProbes, stage: StageProbes) -> list[Row]:
    """Return one stage as rows for the terminal, narrow enough for 120 columns."""
    medians = " / ".join(visible(label) for label in probed.labels)
    rows = [
        {
            "family": family_in_words(probe.family),
            "AUC": with_interval(probe.auc, probe.low, probe.high),
            chosen.INSIDE: chosen.inside_of(probe),
            "chance": f"{probe.chance:.2f}",
            "p": p_in_words(probe.p),
            "verdict": probe.verdict,
            f"strongest feature: median {medians}": _strongest(probe),
            "leak seen from": power.leak_in_words(probe),
            "needed": power.needed_in_words(probe),
        }
        for probe in stage.probes
    ]
    empty = [name for name in ("needed", chosen.INSIDE) if not any(row[name] for row in rows)]
    return [{name: value for name, value in row.items() if name not in empty} for row in rows]


def course_table(probed: DatasetProbes) -> list[Row]:
    """Return every stage side by side as rows for the terminal: families down, AUC and a mark of the verdict."""
    rows = []
    for name in families_of(probed):
        probes = {stage.stage: stage.of(name) for stage in probed.stages}
        cells = {
            stage: f"{probe.auc:.2f} {MARKS[probe.verdict]}" if probe else ABSENT for stage, probe in probes.items()
        }
        rows.append({"family": family_in_words(name), **cells})
    return rows


def families_of(probed: DatasetProbes) -> list[str]:
    """Name the families that apply at any stage, in the order of every table, all together last."""
    named = {probe.family for stage in probed.stages for probe in stage.probes}
    return [name for name in (*probed.families, ALL) if name in named]


def _course(probed: DatasetProbes) -> str:
    steps = [f"{stage.conclusive.auc:.2f} {stage.stage}" for stage in probed.stages]
    name = family_in_words(probed.last.conclusive.family)
    return f"{name[0].upper()}{name[1:]}, stage by stage: {', '.join(steps)}."


def _families(stage: StageProbes) -> list[str]:
    names = [f"{family_in_words(probe.family)} {probe.auc:.2f}" for probe in stage.shortcuts]
    if not names or stage.together is None:
        return []
    if len(names) == 1:
        return [f"One family is a shortcut by itself: {names[0]}."]
    return [f"{len(names)} families are shortcuts by themselves: {', '.join(names)}."]


def _what_is_left(stage: StageProbes) -> list[str]:
    """Say what a shortcut in pixels may be once the delivery of both classes has been made alike."""
    steps = (step for record in stage.table.records for step in record.steps if step.did.startswith("normalize"))
    recipes = {step.settings.get("recipe") for step in steps} if stage.stage != FETCHED else set()
    if recipes != {"forensic"} or not any(family(probe.family).of == "pixels" for probe in stage.shortcuts):
        return []
    return [
        "The recipe forensic has made the delivery of these pictures alike. What families of pixels still tell may be "
        "what was photographed, or the generator's own trace; audit reliance tests whether a model relies on it."
    ]


def _sources(stage: StageProbes) -> list[str]:
    held = stage.one_sided
    if not held:
        return []
    lists = "; ".join(f"only {label}: {_some(sources)}" for label, sources in held.items())
    total = len({record.source for record in stage.table.records})
    if sum(map(len, held.values())) == total:
        return [
            f"Every source holds a single class ({lists}). The classes therefore differ by source too, and no audit "
            "can tell face from source. Fetch both classes from one source, or each class from several."
        ]
    return [
        f"Some sources hold a single class ({lists}), so their peculiarities pass for their class. Leave them out, or "
        "fetch the other class from them as well."
    ]


def _some(sources: list[str]) -> str:
    shown = ", ".join(visible(source) for source in sources[:NAMED])
    return shown + (f" and {len(sources) - NAMED} more" if len(sources) > NAMED else "")


def _unseen(probed: DatasetProbes, stage: StageProbes) -> list[str]:
    if stage.unseen is None:
        return []
    several = [
        f"{label} has {count}" for label, count in zip(probed.labels, stage.unseen.sources, strict=True) if count > 1
    ]
    auc = with_interval(stage.unseen.auc, stage.unseen.low, stage.unseen.high)
    return [f"On sources that it has not seen ({', '.join(several)}), the joint probe reaches AUC {auc}."]


def _small(stage: StageProbes) -> list[str]:
    each, undecided = min(stage.counts), [probe for probe in stage.probes if probe.verdict == INCONCLUSIVE]
    if each >= SMALL or not undecided:
        return []
    chance = max(probe.chance for probe in undecided)
    return [
        f"With {each} pictures per class, chance alone reaches AUC {chance:.2f}. CLEAN is hard to reach below 300 to "
        "500 per class, and INCONCLUSIVE does not mean clean."
    ]


def _strongest(probe: Probe) -> str:
    if probe.strongest is None:
        return ABSENT
    medians = " / ".join(number(value) for value in probe.strongest.medians)
    return f"{visible(in_words(probe.family, probe.strongest.feature))}: {medians}"
