"""Pictures as dedupe sees them, and the plan that is made of those that are said to be alike."""

from curate.dedupe.judge import Picture, candidates, decide, fold, verified
from curate.dedupe.told import NOTHING_TOLD

LEAST = 0.9


def picture(name, phash=0, label="real", group="", kept=False, area=100, **more):
    values = {"origin": f"{name}-bytes", "pixels": f"{name}-pixels", "mirrored": 2**63 + 1, "pair": "", **more}
    return Picture(
        key=("s", name),
        label=label,
        group=group,
        phash=phash,
        kept=kept,
        rank=(-area, 0, 0, values["origin"]),
        **values,
    )


def planned(pictures, scores, within=6, **how):
    """The plan for pictures of which only these pairs of names are alike, whichever comes first."""

    def alike(one, other, mirrored):
        names = frozenset((one.key[1], other.key[1]))
        return 0.1 if mirrored else {frozenset(pair): score for pair, score in scores.items()}.get(names, 0.2)

    folded = fold(pictures, how.get("told", NOTHING_TOLD))
    heads = [same[0] for same in folded]
    return decide(folded, verified(heads, candidates(heads, within), alike, LEAST), alike, LEAST, **how)


def statuses(plan):
    return {name: verdict.status for (_, name), verdict in plan.verdicts.items()}
