"""What to do about a shortcut, by what has been done already: nothing is recommended twice."""

from collections.abc import Collection

from curate.history import FACE, FORENSIC, MATCH, NORMALIZE, WHITEN
from curate.nuisance.seen import Family
from curate.nuisance.spelling import spelled

REMEDIES = {
    NORMALIZE: "curate normalize takes every picture through one crop, one size and one encoder",
    FORENSIC: "curate normalize --recipe forensic takes both classes through one crop, one downscale and one encode",
    WHITEN: "curate whiten gives both classes one background",
    MATCH: "curate manifest --match {family} chooses pictures that agree in it",
    FACE: "curate whiten --region face shows no background at all",
}
"""What each step does against a shortcut."""

NAMES = {NORMALIZE: "normalizing", FORENSIC: "the recipe forensic", WHITEN: "whitening", MATCH: "matching",
         FACE: "the region face"}  # fmt: skip

LEFT = (
    "is left after {done}: it lies in what the pictures show, or is the generator's own trace. Fetch pictures of both "
    "classes that agree in it; audit reliance tests whether a model leans on it."
)


def advised(about: Family, done: Collection[str]) -> str:
    """Say what to do about a family that is a shortcut, where `done` is what `curate.history.done_to` says."""
    undone = [step for step in about.removed_by if not _is_done(step, about, done)]
    if len(undone) == len(about.removed_by):
        return about.advice
    if not undone:
        names = [NAMES[step] for step in about.removed_by]
        return f"This {LEFT.format(done=' and '.join([', '.join(names[:-1]), names[-1]] if names[1:] else names))}"
    ways = "; ".join(REMEDIES[step].format(family=spelled(about.name)) for step in undone)
    return f"Not done yet: {ways}."


def _is_done(step: str, about: Family, done: Collection[str]) -> bool:
    return step in done or f"{step}:{about.name}" in done
