"""What must be said of pictures that were chosen by the very numbers that judge them."""

from audit.shortcuts.judge import StageProbes
from audit.words import family_in_words
from curate.evidence.verdict import ALL, Probe
from curate.nuisance import apart
from imageledger.intervals import with_interval

INSIDE = "inside, not to be quoted"
"""The column of AUCs that a cross-validation inside the chosen set gives."""

ELSEWHERE = "judged by probes that share no picture with the choice"


def inside_of(probe: Probe) -> str:
    """Write the AUC inside the chosen set; "" where the pictures were not chosen by numbers."""
    return with_interval(probe.inside.auc, probe.inside.low, probe.inside.high) if probe.inside else ""


def remarks(stage: StageProbes) -> list[str]:
    """Say by which numbers the pictures were chosen, which figure is inside the set, and which one to quote."""
    if not stage.chosen_on:
        return []
    probe = stage.conclusive
    count = stage.there or len(stage.positive)
    others = {probe.family for probe in stage.families} - set(stage.chosen_on) - set(apart())
    by = ", ".join(map(family_in_words, stage.chosen_on)) if others else "all families"
    of = f"{count} of {count + stage.passed_over} candidates"
    chosen = f"Chosen on these numbers: {of}, so that probes of {by} tell the classes apart less."
    name = "all families together" if probe.family == ALL else family_in_words(probe.family)
    if probe.transfer is None:
        return [
            f"{chosen} Every AUC is inside the chosen set, where the choice itself pushes it to 0.5 and below: none "
            "may be quoted, and none is proof. There are too few pictures to judge each half of the choice by the "
            "other; fetch more, or choose with --match off."
        ]
    half, whole = (with_interval(told.auc, told.low, told.high)
                   for told in (probe.transfer.chosen, probe.transfer.candidates))  # fmt: skip
    return [
        f"{chosen} The candidates were divided into two halves before, and each half chose alone. Probes of {name} "
        f"that learned from the choice of the other half reach AUC {half}; from all candidates of the other half, "
        f"{whole}. The larger figure counts, and is the one to quote. Inside the chosen set it would be "
        f"{inside_of(probe)}: the choice itself pushes that to 0.5 and below."
    ]
