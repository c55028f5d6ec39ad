"""What a model makes of a kind of picture that it has not seen, in words."""

from collections.abc import Mapping
from typing import Any

from train.runs import Run

Figure = Mapping[str, Any]


def headline(run: Run) -> str:
    """Say what happens on the worst part, in one sentence."""
    by, worst = run.evaluation["by"], run.evaluation["parts"][0]
    measure = f"recall of {worst['label']}" if worst["label"] else "balanced accuracy"
    said = f"On unseen {by} {worst['name']}: {measure} {in_words(worst['unseen'])} of {worst['pictures']} pictures"
    if "value" not in worst["seen"]:
        return f"{said}."
    known = f"{in_words(worst['seen'])} of {worst['seen']['n']}"
    return f"{said}; by models that know the {by}, but not the picture, {known}."


def below_chance(run: Run) -> str:
    """Say what it means when the model takes an unseen part for the other class more than a coin would; "" if none."""
    parts, by = run.evaluation["parts"], run.evaluation["by"]
    below = sum(one["auc"].get("high", 1.0) < 0.5 for one in parts)
    if not below:
        return ""
    return (
        f"For {below} of {len(parts)} the AUC lies below chance: what was learned without the {by} speaks against it. "
        "Models do that which tell sources apart, and not what makes a picture real; audit leaks names sources of one "
        "class, audit shortcuts what gives them away."
    )


def rows(run: Run) -> list[dict[str, str]]:
    """Return one row a part for a table, the worst first."""
    return [
        {
            f"{run.evaluation['by']} left out": one["name"],
            "pictures": f"{one['pictures']} {one['label']}".strip(),
            "unseen": in_words(one["unseen"]),
            "known": in_words(one["seen"]) + (f" of {one['seen']['n']}" if one["seen"] else ""),
            "other class": in_words(one["other"]),
            "AUC unseen": in_words(one["auc"]),
        }
        for one in run.evaluation["parts"]
    ]


def in_words(figure: Figure) -> str:
    """Write a figure with its interval: "0.31 [0.20-0.44]"."""
    if "value" not in figure:
        return "too few" if "refused" in figure else "-"
    return f"{figure['value']:.2f} [{figure['low']:.2f}-{figure['high']:.2f}]"
