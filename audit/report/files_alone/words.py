"""What the part on shortcuts says: typed values in, sentences and charts out. Pure."""

from collections.abc import Sequence

from markupsafe import Markup

from audit.charts.matrix import Cell, MatrixRow, matrix
from audit.charts.rows import Bar, rows
from audit.report.files_alone.told import ProbeTold, StageTold, Told
from audit.shortcuts.chosen import ELSEWHERE
from audit.shortcuts.words import ABSENT, MARKS, p_in_words
from audit.words import family_in_words
from curate.evidence.verdict import ALL, AT_MOST, CLEAN, INCONCLUSIVE, SHORTCUT
from curate.nuisance import in_words
from curate.nuisance.spelling import spelled
from imageledger.types import Row

COLOURS = {SHORTCUT: ("problem", "D"), INCONCLUSIVE: ("undecided", "o"), CLEAN: ("fine", "s")}


def anchor_of(family: str) -> str:
    """Return the id of a family's place on the page."""
    return f"files-alone-{spelled(family)}"


def sentences(told: Told, stage: StageTold) -> list[str]:
    """Say what the file alone tells, how that fell from stage to stage, and which families are shortcuts."""
    course = ", ".join(f"{each.together.area.auc:.2f} {each.stage}" for each in told.stages)
    names = [family_in_words(probe.family) for probe in of_verdict(stage, SHORTCUT)]
    shortcuts = f"Shortcuts by themselves: {', '.join(names)}." if names else ""
    return [
        conclusion(stage),
        f"AUC stage by stage: {course}." if len(told.stages) > 1 else "",
        shortcuts,
        _inside(stage),
    ]


def conclusion(stage: StageTold) -> str:
    """Say in one sentence what the file alone tells of the pictures of a stage."""
    probe = stage.together
    what = "the file alone" if probe.family == ALL else f"{family_in_words(probe.family)} alone"
    auc = f"AUC {probe.area}" + (f", {ELSEWHERE}" if probe.from_chosen else "")
    if probe.verdict == SHORTCUT:
        return f"Without any face, {what} tells the classes of the {stage.stage} pictures apart: {auc}."
    if probe.verdict == CLEAN:
        return f"{what[0].upper()}{what[1:]} does not tell the classes of the {stage.stage} pictures apart: {auc}, " \
               f"within {1 - AT_MOST:.2f}–{AT_MOST:.2f}."  # fmt: skip
    return f"It is undecided whether {what} tells the classes of the {stage.stage} pictures apart: {auc}."


def of_verdict(stage: StageTold, verdict: str) -> list[ProbeTold]:
    """Return the single families of a verdict, the clearest first."""
    probes = (probe for probe in stage.probes if probe.verdict == verdict and probe.family != ALL)
    return sorted(probes, key=lambda probe: -probe.area.auc)


def heat_map(told: Told, linked: Sequence[str]) -> Markup:
    """Draw families by stages, with the AUC and the mark of the verdict; names of `linked` families lead to cards."""
    lines = [
        MatrixRow(
            name=family_in_words(name), cells=[_cell(stage, stage.of(name)) for stage in told.stages],
            link=anchor_of(name) if name in linked else "", strong=name == ALL,
        )
        for name in told.families
    ]  # fmt: skip
    return matrix(lines, [stage.stage for stage in told.stages], corner="numbers of",
                  label="AUC of every family of numbers at every stage")  # fmt: skip


def _cell(stage: StageTold, probe: ProbeTold | None) -> Cell:
    if probe is None:
        return Cell(words=ABSENT, title=f"does not apply to {stage.stage} pictures")
    colour, _ = COLOURS[probe.verdict]
    return Cell(
        words=f"{probe.area.auc:.2f} {MARKS[probe.verdict]}", shade=2 * abs(probe.area.auc - 0.5), colour=colour,
        title=f"{family_in_words(probe.family)}, {stage.stage}: AUC {probe.area}, by chance up to {probe.chance:.2f}, "
        f"p = {p_in_words(probe.p)}, {probe.verdict}",
    )  # fmt: skip


def areas(stage: StageTold) -> Markup:
    """Draw the AUC of every family with its interval, and hollow the AUC inside the chosen set."""
    bars = [
        Bar(
            name=family_in_words(probe.family), value=probe.area.auc, low=probe.area.low, high=probe.area.high,
            colour=COLOURS[probe.verdict][0], shape=COLOURS[probe.verdict][1], strong=probe.family == ALL,
            words=f"{probe.area} {MARKS[probe.verdict]}", other=probe.inside.auc if probe.inside else None,
        )
        for probe in stage.probes
    ]  # fmt: skip
    least = min([0.4, *(bar.low for bar in bars if bar.low is not None), *(bar.other or 1.0 for bar in bars)])
    return rows(bars, x="AUC with its 95 % interval (0.5 is a coin)", ends=(least, 1.0), middle=0.5, words=132,
                label=f"AUC of every family, {stage.stage} pictures")  # fmt: skip


def judged_rows(stage: StageTold) -> list[Row]:
    """Return for each family the AUC to quote, those of either lesson, and the one inside the chosen set."""
    if not any(probe.inside for probe in stage.probes):
        return []
    return [
        {
            "numbers of": family_in_words(probe.family),
            "to quote": str(probe.area) if probe.from_chosen else ABSENT,
            "from what the other half chose": str(probe.from_chosen or ABSENT),
            "from all candidates of the other half": str(probe.from_candidates or ABSENT),
            "inside, not to be quoted": str(probe.inside or ABSENT),
        }
        for probe in stage.probes
    ]


def strongest(probe: ProbeTold) -> str:
    """Name the strongest feature of a probe for people; "" where its numbers are the same for every picture."""
    return in_words(probe.family, probe.strongest) if probe.strongest else ""


def _inside(stage: StageTold) -> str:
    if not stage.chosen_on:
        return ""
    return (
        "The pictures were chosen so that these numbers agree. The AUC inside the chosen set (hollow) is pushed to 0.5 "
        "and below by the choice itself: it is not to be quoted. The filled marks are of probes that learned from "
        "other pictures."
    )
