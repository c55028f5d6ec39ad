"""The one next step after an audit of shortcuts, by its verdict and by what has been done already."""

from audit.shortcuts.judge import DatasetProbes
from audit.shortcuts.power import needed_in_words
from curate.evidence.measure import FINAL, MODEL_INPUT
from curate.evidence.verdict import CLEAN, SHORTCUT
from curate.history import FORENSIC, MATCH, NORMALIZE, WHITEN
from imageledger.config import FILE, Declared

CROSSED, RELIED = "train cross-validate", "audit reliance"
"""Commands that have been run on these pictures, as `DatasetProbes.done` names them."""


def next_step(probed: DatasetProbes) -> str:
    """Say in one sentence what to do next."""
    last = probed.last
    if last.shortcuts or last.conclusive.verdict == SHORTCUT:
        return _after_shortcut(probed)
    if last.conclusive.verdict == CLEAN:
        if probed.fetch:
            return f"{_begin(probed)}, curate run, and then train run."
        if CROSSED in probed.done:
            return "audit report sets this beside what the model was right about."
        return "train cross-validate shows whether a model tells the classes apart by what the file does not say."
    needed = needed_in_words(last.conclusive)
    if not needed:
        return "add pictures of both classes; so far nothing is decided."
    return f"add pictures: {needed} of each class would decide in 8 of 10 cases."


def _after_shortcut(probed: DatasetProbes) -> str:
    done, stage = probed.done, probed.last.stage
    if probed.fetch:
        return (
            f"{_begin(probed)} and curate run make both classes alike, and audit shortcuts --stage all shows what is "
            "left."
        )
    if FINAL in done and stage not in (FINAL, MODEL_INPUT):
        return "audit shortcuts --stage final shows what is left in the pictures that were chosen."
    if NORMALIZE in done and FORENSIC not in done:
        return "curate normalize --recipe forensic, then curate run: the recipe makes the delivery of both alike."
    if not {NORMALIZE, WHITEN, FINAL} <= done:
        return "curate run makes both classes alike, and shows what the files then give away."
    if not any(what.startswith(f"{MATCH}:") for what in done):
        return "curate manifest without --match off chooses pictures in which the classes agree."
    if RELIED not in done:
        return "audit reliance tests whether a model leans on what is left."
    if probed.last.one_sided:
        return "fetch both classes from one source, or each from several: all that curation can do has been done."
    return "audit report sets this beside what the model was right about: all that curation can do has been done."


def _begin(probed: DatasetProbes) -> str:
    """Say how the pictures of a folder become those of a project, whose labels may have to be declared."""
    named = ", ".join(f'"{label}"' for label in probed.labels)
    own = "" if probed.labels == Declared().labels else f" with labels = [{named}] in {FILE}"
    return f"imageledger init DIR makes a project{own}; in it, curate fetch {probed.fetch}"
