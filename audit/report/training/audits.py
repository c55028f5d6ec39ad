"""What audits of the run found: calibration, robustness. What they kept in, drawings out. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from audit.calibration.bins import FEWEST, bins_of
from audit.charts.matrix import Cell, MatrixRow, matrix
from audit.charts.plane import Series, plane
from audit.charts.rows import Bar, rows
from audit.report.training.answers import Held
from audit.report.training.block import Block
from audit.robustness.judge import SURE
from audit.shortcuts.words import p_in_words
from imageledger.intervals import with_interval

CALIBRATION = "Whether the probabilities come true"
ROBUSTNESS = "What recompression, scaling and noise do"


def calibration(held: Held, kept: Mapping[str, Any], missing: Sequence[tuple[str, str]]) -> Block:
    """Draw how often each probability came true, before and after the temperature where the audit has fitted one."""
    sought = held.run.labels[1]
    sentences = [str(sentence) for sentence in kept.get("sentences", ())]
    series = []
    if kept:
        before, after = kept["bins"]["before"], kept["bins"]["after"]
        series = [_bins("as the model says it", before, "usual", "o"), _bins("calibrated", after, "positive", "s")]
    elif len(held.rows) >= 2 * FEWEST:
        before = [
            {"said": part.said, "hits": part.hits, "n": part.n, "low": part.low, "high": part.high,
             "least": part.least, "most": part.most}
            for part in bins_of(held.scores, held.positive, held.groups, held.run.seed)
        ]  # fmt: skip
        series = [_bins("as the model says it", before, "usual", "o")]
    else:
        sentences = [f"{len(held.rows)} pictures are too few to compare probabilities with shares."]
    if not series:
        return Block(name="calibration", title=CALIBRATION, sentences=sentences, missing=missing)
    band = [(float(part["said"]), float(part["least"]), float(part["most"])) for part in before]
    grey = Series(name="", points=[], colour="faint", band=band)
    drawing = plane(
        [grey, *series], x=f"P({sought}) that the model gives", y=f"share that is {sought}", xs=(0, 1), ys=(0, 1),
        diagonal=True, height=300, label="Reliability: how often each probability came true",
    )  # fmt: skip
    return Block(
        name="calibration", title=CALIBRATION, sentences=sentences, drawings=[drawing], missing=missing,
        key=["dashed diagonal: probabilities that come true", "vertical lines: 95 % intervals",
             "grey: where 19 of 20 calibrated models lie"],
        figures={"bins": before, **({"temperature": kept["temperature"]} if kept else {})},
    )  # fmt: skip


def _bins(name: str, bins: Sequence[Mapping[str, Any]], colour: str, shape: str) -> Series:
    return Series(
        name=name, colour=colour, shape=shape,
        points=[(float(part["said"]), part["hits"] / part["n"]) for part in bins],
        whiskers=[(float(part["said"]), float(part["low"]), float(part["high"])) for part in bins],
    )  # fmt: skip


def robustness(kept: Mapping[str, Any], missing: Sequence[tuple[str, str]]) -> Block:
    """Draw the accuracy on JPEG qualities by sizes as a heat map, and every other change as a row."""
    if not kept:
        return Block(name="robustness", title=ROBUSTNESS, missing=missing)
    clean, changes = kept["unchanged"], kept["changes"]
    grid = [cell for cell in changes if cell["quality"]]
    others = sorted((cell for cell in changes if not cell["quality"]), key=lambda cell: cell["accuracy"]["value"])
    right = clean["accuracy"]["value"]
    return Block(
        name="robustness", title=ROBUSTNESS, sentences=[str(sentence) for sentence in kept["sentences"]],
        drawings=[_grid(grid, right), _others(others, clean)],
        key=["shade: accuracy lost", "✗ costs accuracy for certain", "line: accuracy on the unchanged pictures"],
        figures={"unchanged": clean, "changes": changes},
    )  # fmt: skip


def _grid(cells: Sequence[Mapping[str, Any]], right: float) -> Any:
    qualities = sorted({cell["quality"] for cell in cells}, reverse=True)
    scales = sorted({cell["scale"] for cell in cells}, reverse=True)
    at = {(cell["quality"], cell["scale"]): cell for cell in cells}
    lines = [
        MatrixRow(
            name=f"JPEG {quality:g}",
            cells=[_cell(at.get((quality, scale)), right) for scale in scales],
        )
        for quality in qualities
    ]
    names = ["size as it is" if scale == 1 else f"size ×{scale:g}" for scale in scales]
    return matrix(lines, names, corner="", label="Accuracy by JPEG quality and size")


def _cell(cell: Mapping[str, Any] | None, right: float) -> Cell:
    if cell is None:
        return Cell(words="–")
    accuracy = cell["accuracy"]
    lost = right - accuracy["value"]
    certain = _costs(cell, right)
    return Cell(
        words=f"{100 * accuracy['value']:.0f} %" + (" ✗" if certain else ""), shade=min(1.0, max(0.0, 2 * lost)),
        colour="problem" if certain else "undecided" if lost > 0 else "usual", title=_said(cell),
    )  # fmt: skip


def _costs(cell: Mapping[str, Any], right: float) -> bool:
    return bool(cell["p"] < SURE and cell["accuracy"]["value"] < right)


def _said(cell: Mapping[str, Any]) -> str:
    accuracy, flips = (
        with_interval(cell[name]["value"], cell[name]["low"], cell[name]["high"], percent=True)
        for name in ("accuracy", "flips")
    )
    return f"{cell['name']}: accuracy {accuracy}, another answer on {flips}, corrected p = {p_in_words(cell['p'])}"


def _others(cells: Sequence[Mapping[str, Any]], clean: Mapping[str, Any]) -> Any:
    right = clean["accuracy"]["value"]
    bars = [
        Bar(
            name=str(cell["name"]), value=100 * cell["accuracy"]["value"], low=100 * cell["accuracy"]["low"],
            high=100 * cell["accuracy"]["high"], colour="problem" if certain else "usual",
            shape="D" if certain else "o", strong=cell is clean,
            words=f"{cell['n'] - sum(cell['wrong'])} of {cell['n']}" + (" ✗" if certain else ""),
        )
        for cell in [clean, *cells]
        for certain in [cell is not clean and _costs(cell, right)]
    ]  # fmt: skip
    least = min(50.0, *(bar.low or 0.0 for bar in bars))
    return rows(bars, x="right about so many %, with 95 % intervals", ends=(least, 100), middle=100 * right, words=96,
                label="Accuracy under blur, noise, WebP and a screenshot")  # fmt: skip
