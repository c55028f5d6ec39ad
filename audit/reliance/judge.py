"""Does a model lean on what the file gives away? Its answers, the numbers of the file and the swaps in, a verdict out.

Both may be right for different reasons, so nothing is compared across the classes. That answers go with numbers within
a class shows no reliance: the face may show what the numbers see. That answers change with the delivery does.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from statistics import NormalDist

import numpy as np

from audit.reliance.explained import WEAK, Explained
from audit.reliance.swaps import EVERYTHING, Swap
from curate.evidence.verdict import ALL, Probe
from imageledger.counted import Counted, Groups, mean_by_group
from imageledger.intervals import holm
from imageledger.types import Bools, Floats, Ints, Key

RELIES, INDEPENDENT, INCONCLUSIVE = "RELIES", "INDEPENDENT", "INCONCLUSIVE"
CANNOT = "CANNOT BE ASKED"
"""Nothing in the files tells the classes apart, so that there is nothing to rely on."""

SURE = 0.01
"""A swap is said to move the answers, and numbers to go with them, below this corrected p-value."""

FEWEST = 4
"""Groups of a class below which a rank correlation has no interval."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """How far the model's answers follow the scores of one probe within the classes.

    `by_class` are Spearman's rank correlations (-1..1) in the negative and the positive class, `rho` both combined
    with its 95 % interval, `p` that of no or a reversed connection (one-sided; Holm-corrected over the families).
    """

    family: str
    auc: float
    by_class: tuple[float, float]
    rho: float
    low: float
    high: float
    p: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """How much more closely than another model, `name`, one follows the file: a difference of rank correlations.

    `mine` and `theirs` are the links to all families together; `low` and `high` are the 95 % interval of `value`. Where
    the `reliability` of both models' answers is known (`audit.reliance.noise`), the noise of training is taken out of
    all.
    """

    name: str
    mine: Link
    theirs: Link
    value: float
    low: float
    high: float
    reliability: tuple[float, float] | None = None

    @property
    def shown(self) -> bool:
        """Whether the interval excludes 0."""
        return not self.low <= 0 <= self.high


@dataclass(frozen=True, slots=True, kw_only=True)
class Reliance:
    """What one run's answers have to do with the file.

    `model` and `file` are right on the same pictures; `cells` holds, for each label and for either call of the joint
    probe (negative, positive), on which of these pictures the model is right. `explained` is what numbers say of the
    answers within a class, `links` how far the answers follow the probes' scores, which come from pictures outside the
    chosen set where numbers chose it. `answers` are the model's P(positive) of each picture, `probe` the joint probe
    with its scores of them (logits), `positive` what they are.
    """

    links: tuple[Link, ...]
    model: Counted
    file: Counted
    cells: tuple[tuple[Counted, Counted], tuple[Counted, Counted]]
    answers: Floats = field(repr=False)
    probe: Probe = field(repr=False)
    positive: Bools = field(repr=False)
    groups: Groups = field(repr=False)
    explained: tuple[Explained, ...] = ()
    swaps: tuple[Swap, ...] = ()

    @property
    def joint(self) -> Link:
        """The link to all families together."""
        return next(link for link in self.links if link.family == ALL)

    @property
    def going_with(self) -> list[Explained]:
        """The families whose numbers go with the answers within a class for certain, the closest first."""
        return sorted((one for one in self.explained if one.p < SURE), key=lambda one: -one.share)

    @property
    def moved(self) -> list[Swap]:
        """The swaps that move both classes towards the class of the delivery, by the margin and for certain."""
        corrected = holm([swap.p for swap in self.swaps])
        return [swap for swap, p in zip(self.swaps, corrected, strict=True) if p < SURE]

    @property
    def whole(self) -> Swap | None:
        """The swap of everything at once, or the only one; None where nothing was swapped."""
        return next((swap for swap in self.swaps if swap.what == EVERYTHING), self.swaps[0] if self.swaps else None)

    @property
    def verdict(self) -> str:
        """RELIES, INDEPENDENT, INCONCLUSIVE or CANNOT BE ASKED."""
        if self.moved:
            return RELIES
        if self.probe.low <= 0.5 and not self.swaps:
            return CANNOT
        still = bool(self.swaps) and all(swap.still for swap in self.swaps)
        apart = all(one.high < WEAK for one in self.explained) and self.joint.high < WEAK**0.5
        return INDEPENDENT if still and apart else INCONCLUSIVE

    @property
    def worst(self) -> tuple[int, int]:
        """The cell with the lowest accuracy: the label and the call of the file, each 0 or 1."""
        there = [(row, column) for row in (0, 1) for column in (0, 1) if self.cells[row][column].total]
        return min(there, key=lambda cell: self.cells[cell[0]][cell[1]].share)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunReliance:
    """What became of one run: its answers to the `pictures` it is judged by, and what a person should be warned of.

    `keys` are those of the pictures, in the order of the answers. `skipped` says why no deliveries were swapped, ""
    when they were. `chosen` says that numbers chose the pictures, so that the file was asked outside of them. `beside`
    compares the run with another one.
    """

    run: str
    labels: tuple[str, str]
    pictures: str
    split: str
    keys: Sequence[Key]
    reliance: Reliance
    skipped: str = ""
    warnings: Sequence[str] = ()
    drawn: bool = False
    chosen: bool = False
    beside: Beside | None = None


def judge(
    answers: Floats, positive: Bools, probes: Sequence[Probe], rows: Sequence[int] | Ints, groups: Groups
) -> Reliance:
    """Compare the model's answers with probes on some of the pictures that these were made from.

    `answers` are P(positive) of the pictures `rows` (places among those probed), `groups` names what belongs together
    of these, `positive` are the labels of all probed.
    The joint probe must be among `probes`; families that do not vary are left out.
    """
    places = np.asarray(rows)
    truth = positive[places]
    joint = next(probe for probe in probes if probe.family == ALL)
    said = called(joint.scores, positive)[places]
    model = Counted((answers >= 0.5) == truth, groups)
    telling = [probe for probe in probes if probe.family == ALL or np.ptp(probe.scores) > 0]
    (first, second), (third, fourth) = (
        (model.but(side & ~said), model.but(side & said)) for side in (~truth, truth)
    )  # fmt: skip
    return Reliance(
        links=tuple(linked(answers, truth, [replace(probe, scores=probe.scores[places]) for probe in telling], groups)),
        model=model,
        file=Counted(said == truth, groups),
        cells=((first, second), (third, fourth)),
        answers=answers,
        probe=replace(joint, scores=joint.scores[places]),
        positive=truth,
        groups=groups,
    )


def beside(
    reliance: Reliance, other: Floats, name: str, reliability: tuple[float, float] | None = None
) -> Beside:  # fmt: skip
    """Ask whether a model follows the file more closely than another one, whose P(positive) of the pictures is given.

    Both correlations come from the same pictures: their intervals are combined after Zou (2007), Toward using
    confidence intervals to compare correlations, whose covariance is that of Pearson and Filon (1898). `reliability`,
    of the one's and of the other's answers, takes the noise of training out of either (Spearman 1904); how well it is
    known itself does not enter the interval.
    """
    mine, theirs = reliance.joint, link(other, reliance.positive, reliance.probe, reliance.groups)
    shared = link(reliance.answers, reliance.positive, replace(reliance.probe, scores=other), reliance.groups).rho
    first, second = mine.rho, theirs.rho  # how they vary together is read off them as they were seen
    both = (shared - first * second / 2) * (1 - first**2 - second**2 - shared**2) + shared**3
    together = both / max((1 - first**2) * (1 - second**2), 1e-9)

    if reliability:
        mine, theirs = noiseless(mine, reliability[0]), noiseless(theirs, reliability[1])

    def reach(up: float, down: float) -> float:
        return math.sqrt(max(0.0, up**2 + down**2 - 2 * together * up * down))

    value = mine.rho - theirs.rho
    low = value - reach(mine.rho - mine.low, theirs.high - theirs.rho)
    high = value + reach(mine.high - mine.rho, theirs.rho - theirs.low)
    return Beside(name=name, mine=mine, theirs=theirs, value=value, low=low, high=high, reliability=reliability)


def noiseless(observed: Link, reliability: float) -> Link:
    """Take the noise of training out of a link, given the reliability (0..1, not 0) of the model's answers."""

    def grown(rho: float) -> float:
        return min(1.0, max(-1.0, rho / math.sqrt(reliability)))

    return replace(
        observed, by_class=(grown(observed.by_class[0]), grown(observed.by_class[1])),
        rho=grown(observed.rho), low=grown(observed.low), high=grown(observed.high),
    )  # fmt: skip


def linked(answers: Floats, positive: Bools, probes: Iterable[Probe], groups: Groups) -> list[Link]:
    """Return one link a probe; p-values are corrected over the families, that of all together stands alone."""
    links = [link(answers, positive, probe, groups) for probe in probes]
    families = [correlation for correlation in links if correlation.family != ALL]
    corrected: Mapping[str, float] = dict(
        zip(
            (correlation.family for correlation in families),
            holm([correlation.p for correlation in families]),
            strict=True,
        )
    )
    return [replace(correlation, p=corrected.get(correlation.family, correlation.p)) for correlation in links]


def link(answers: Floats, positive: Bools, probe: Probe, groups: Groups) -> Link:
    """Correlate ranks within each class and combine them; classes of fewer than FEWEST groups say nothing.

    A group of a class counts once, by the means of its logits and scores. Spearman's correlation has the variance of
    Fieller, Hartley and Pearson (1957); the classes are combined by inverse variance, as Stouffer's method does with
    weights √(n − 3).
    """
    by_class, weights = [], []
    inside = np.clip(answers, 1e-12, 1 - 1e-12)
    logits = np.log(inside) - np.log1p(-inside)
    for side in (~positive, positive):
        mine, file = (mean_by_group(values[side], np.asarray(groups)[side]) for values in (logits, probe.scores))
        by_class.append(spearman(mine, file))
        weights.append(max(0, len(mine) - 3))
    total = sum(weights)
    if total <= 0:
        return Link(family=probe.family, auc=probe.auc, by_class=(0.0, 0.0), rho=0.0, low=-1.0, high=1.0, p=1.0)
    z = sum(w * math.atanh(min(max(rho, -0.999), 0.999)) for rho, w in zip(by_class, weights, strict=True)) / total
    spread = math.sqrt(1.06 / total)
    return Link(
        family=probe.family, auc=probe.auc, by_class=(by_class[0], by_class[1]), rho=math.tanh(z),
        low=math.tanh(z - 1.96 * spread), high=math.tanh(z + 1.96 * spread), p=1 - NormalDist().cdf(z / spread),
    )  # fmt: skip


def spearman(one: Floats, other: Floats) -> float:
    """Return Spearman's rank correlation, -1..1, ties at their mean rank; 0 where either does not vary."""
    from scipy.stats import rankdata

    if len(one) < FEWEST:
        return 0.0
    first, second = (ranks - ranks.mean() for ranks in (rankdata(one), rankdata(other)))
    size = math.sqrt(float(first @ first) * float(second @ second))
    return float(first @ second) / size if size else 0.0


def called(scores: Floats, positive: Bools) -> Bools:
    """Return what scores say: as many pictures are called positive, from the highest down, as are positive."""
    order = np.argsort(np.argsort(-scores, kind="stable"), kind="stable")
    return np.asarray(order < positive.sum())
