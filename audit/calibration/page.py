"""The page of an audit of calibration: how often each probability came true, before and after the temperature."""

from collections.abc import Sequence

from markupsafe import Markup

from audit.audit_page import Drawing
from audit.calibration.bins import Bin
from audit.calibration.judge import RunCalibration
from audit.charts.plane import Series, plane

READING = (
    "On the diagonal, what the model says comes true. Band: where 19 of 20 perfectly calibrated models would lie. "
    "Diamond: outside of it. Vertical lines: 95 % intervals over groups."
)


def drawings(result: RunCalibration) -> list[Drawing]:
    """Draw the reliability diagram as the model says it, and after the temperature."""
    positive = result.answers.labels[1]
    return [
        Drawing(title="As the model says it", drawn=_drawn(result.before, positive), note=READING),
        Drawing(title="Calibrated, on pictures that the temperature was not fitted on",
                drawn=_drawn(result.after, positive)),
    ]  # fmt: skip


def _drawn(bins: Sequence[Bin], positive: str) -> Markup:
    inside = [(part.said, part.share) for part in bins if not part.off]
    outside = [(part.said, part.share) for part in bins if part.off]
    band = [(part.said, part.least, part.most) for part in bins]
    series = [
        Series(name="", points=(), colour="faint", band=band),
        *(_interval(part) for part in bins),
        Series(name="within the band", points=inside, colour="fine", shape="o", joined=False),
        Series(name="outside it", points=outside, colour="problem", shape="D", joined=False),
    ]
    return plane(series, x=f"P({positive})", y=f"share that is {positive}", xs=(0, 1), ys=(0, 1), diagonal=True,
                 label=f"Share of {positive} pictures by P({positive}), in {len(bins)} bins, and the band of "
                 "calibrated models")  # fmt: skip


def _interval(part: Bin) -> Series:
    colour = "problem" if part.off else "fine"
    return Series(name="", points=[(part.said, part.low), (part.said, part.high)], colour=colour)
