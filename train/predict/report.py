"""What `train predict` says of a model and of each picture."""

from collections.abc import Iterator
from typing import Any

from imageledger import manifest
from imageledger.types import Row
from train import views
from train.models.open_model import RESIZED_ONLY, Opened


def about(opened: Opened) -> Iterator[str]:
    """Say in a few sentences what the model is, and what to know before its answers are read."""
    package = opened.package
    done = [f"{step['did'].partition('@')[0]} ({_settings(step['settings'])})" for step in package.steps.plain()]
    side = views.side(package.views)
    sees = f"at {side} px" if side else f"on {views.count(package.views)} squares of each picture"
    yield f"{package.name}: {', '.join([*done, f'{package.backbone} {sees}'])}"
    if not done:
        yield RESIZED_ONLY
    if least := package.steps.least_side:
        yield f"It can be asked about pictures of at least {least} px on the shorter side."
    if package.calibration is None:
        yield (
            "Not calibrated: the network is often too sure of itself. audit calibration RUN fits a temperature, and "
            "a band of probabilities that get no verdict."
        )
    elif package.calibration.rough:
        yield f"The calibration rests on only {package.calibration.n} pictures: it is rough."
    here = manifest.versions_of(package.made_with)
    if other := [name for name, version in package.made_with.items() if here.get(name, version) != version]:
        versions = ", ".join(f"{name} {package.made_with[name]} (here {here[name]})" for name in other)
        yield f"The training pictures were made with {versions}: the same steps may give slightly other pixels here."


def _settings(settings: Any) -> str:
    known = ("recipe", "size", "region", "face_size", "matting", "model")
    return ", ".join(f"{name} {settings[name]}" for name in known if name in settings)


def in_words(row: Row) -> dict[str, str]:
    """Return the row of one picture for a table."""
    from rich.markup import escape  # a stranger's model names the label in the head of the table

    stability = row["stability"]
    steady = (
        f"{stability['of'] - stability['flips']} of {stability['of']}, ±{stability['spread'] / 2:.2f}"
        if stability
        else ""
    )
    return {
        "picture": row["picture"],
        escape(f"P({row['positive']})"): "" if row["probability"] is None else f"{row['probability']:.2f}",
        "verdict": row["verdict"] or row["status"],
        "holds": steady,
        "beware": "; ".join(row["warnings"]) or row["reason"],
    }
