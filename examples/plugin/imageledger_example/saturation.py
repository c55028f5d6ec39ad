"""A probe family: how colourful the picture is, whoever it shows."""

from collections.abc import Mapping

from curate.nuisance.seen import Family, Seen


def measure(seen: Seen) -> Mapping[str, float]:
    """Return the mean distance between the largest and the smallest channel, and the share of grey pixels."""
    spread = seen.small.max(axis=2).astype(float) - seen.small.min(axis=2)
    return {"saturation": float(spread.mean()), "grey_share": float((spread < 8).mean())}


FAMILY = Family(
    name="saturation",
    version=1,
    measure=measure,
    removed_by=("match",),
    advice="Choose pictures that agree in how colourful they are (curate manifest --match saturation).",
)
