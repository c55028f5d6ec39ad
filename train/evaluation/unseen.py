"""What a model makes of a kind of picture that it has not seen, in words."""

from collections.abc import Mapping
from typing import Any

from imageledger.intervals import with_interval
from train.evaluation.foreign import FEWEST
from train.runs import Run

Figure = Mapping[str, Any]


def headline(run: Run) -> str:
    """Say what happens on the worst part, in one sentence."""
    by, worst = run.evaluation["by"], run.evaluation["parts"][0]
    measure = f"recall of {worst['label']}" if worst["label"] else "balanced accuracy"
    sentence = f"Unseen {by} {worst['name']}: {measure} {in_words(worst['unseen'])} on {worst['pictures']} pictures"
    if "value" not in worst["seen"]:
        return f"{sentence}."
    known = f"{in_words(worst['seen'])} on {worst['seen']['n']}"
    return f"{sentence}; models that know the {by} but not the picture reach {known}."


def below_chance(run: Run) -> str:
    """Say what it means when the model takes an unseen part for the other class more than a coin would; "" if none."""
    parts, by = run.evaluation["parts"], run.evaluation["by"]
    below = sum(part["auc"].get("high", 1.0) < 0.5 for part in parts)
    if not below:
        return ""
    return (
        f"For {below} of {len(parts)} the AUC lies below chance: what the model learned from the others misleads it on "
        f"an unseen {by}. Such a model tells sources apart rather than real from generated. audit leaks lists sources "
        "with a single class, audit shortcuts what gives them away."
    )


def apart(run: Run) -> list[str]:
    """Say of which sources the model that never met them tells the pictures from others of the same label."""
    if run.evaluation["by"] != "source":
        return []
    told = [each for part in run.evaluation["parts"] for each in part.get("apart", ())]
    if not told:
        return [
            f"Whether the models tell pictures of one label apart by source was not asked: fewer than {FEWEST} of a "
            "label were held out on either side."
        ]
    return [each["sentence"] for each in told]


def rows(run: Run) -> list[dict[str, str]]:
    """Return one row per part for a table, the worst first."""
    return [
        {
            f"{run.evaluation['by']} left out": part["name"],
            "pictures": f"{part['pictures']} {part['label']}".strip(),
            "unseen": in_words(part["unseen"]),
            "known": in_words(part["seen"]) + (f" on {part['seen']['n']}" if part["seen"] else ""),
            "other class": in_words(part["other"]),
            "AUC unseen": in_words(part["auc"]),
            **(
                {"told from others of its label": ", ".join(map(in_words, part["apart"])) or "-"}
                if "apart" in part
                else {}
            ),
        }
        for part in run.evaluation["parts"]
    ]


def in_words(figure: Figure) -> str:
    """Write a figure with its interval: "0.31 [0.20–0.44]"."""
    if "value" not in figure:
        return "too few" if "refused" in figure else "-"
    return with_interval(figure["value"], figure["low"], figure["high"])
