"""What would have been found, and what it would take: words for the power of an audit of shortcuts."""

import math

from audit.shortcuts.judge import StageProbes
from audit.words import family_in_words
from curate.evidence.verdict import SHORTCUT, SURE, Probe


def needed_in_words(probe: Probe) -> str:
    """Say how many pictures of each class would decide: "130–620", "130 or more"; "" where none are missing."""
    fewest, most = probe.needed
    if not fewest:
        return ""
    return f"{fewest} or more" if not most else f"{fewest}–{most}" if most > fewest else str(fewest)


def leak_in_words(probe: Probe) -> str:
    """Say from which share of one class on a leak would be found: "20 %", "none" for none, "–" for no numbers."""
    if probe.strongest is None:
        return "–"
    return "none" if probe.detectable is None else f"{100 * probe.detectable:.0f} %"


def remarks(stage: StageProbes) -> list[str]:
    """Say which leak would have been found, for the families that are not shortcuts."""
    blind = [probe for probe in stage.families or stage.probes if probe.verdict != SHORTCUT and probe.strongest]
    if not blind:
        return []
    worst = max(blind, key=lambda probe: probe.detectable or math.inf)
    if worst.detectable is None:
        several = sum(probe.detectable is None for probe in blind)
        return [
            f"In {several} of {len(blind)} families that are not shortcuts, so few pictures would not show even a leak "
            "in the whole of a class in 8 of 10 cases. Their silence says nothing."
        ]
    best = min(blind, key=lambda probe: probe.detectable or math.inf)
    shares = leak_in_words(worst)
    if best.detectable != worst.detectable:
        shares = f"{leak_in_words(best)} ({family_in_words(best.family)}) to {shares} ({family_in_words(worst.family)})"
    return [
        "Leaks were planted in these pictures' own numbers: of those that put a share of one class beyond all other "
        f"pictures in one number, 8 in 10 are found from a share of {shares}. Smaller leaks may be there."
    ]


def looks(stage: StageProbes) -> list[str]:
    """Say how often the pictures of the stage were looked at, after the first time."""
    if stage.look.number == 1:
        return []
    return [
        f"This is look {stage.look.number} at changing {stage.stage} pictures. A shortcut therefore needs a corrected "
        f"p below {stage.look.sure:.2g}: all looks together may raise a false alarm in {SURE:.0%} of cases."
    ]
