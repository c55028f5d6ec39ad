"""Intervals for shares, and a test of two shares, so that no accuracy is shown without its interval."""

from collections.abc import Sequence
from math import sqrt
from statistics import NormalDist


def wilson(hits: float, total: float, level: float = 0.95) -> tuple[float, float]:
    """Return the Wilson score interval of a share, both ends in 0..1; (0, 1) when nothing was counted.

    Wilson, E. B. (1927). Probable inference, the law of succession, and statistical inference.
    """
    if total == 0:
        return 0.0, 1.0
    z = NormalDist().inv_cdf(0.5 + level / 2)
    share = hits / total
    centre = (share + z * z / (2 * total)) / (1 + z * z / total)
    reach = z * sqrt(share * (1 - share) / total + z * z / (4 * total * total)) / (1 + z * z / total)
    return max(0.0, centre - reach), min(1.0, centre + reach)


def share_in_words(hits: int, total: int, interval: Sequence[float]) -> str:
    """Write a share with the ends of its 95 % interval: "36/40 = 90.0 % [76.9–96.0]"."""
    if total == 0:
        return "0/0 (nothing to count)"
    low, high = interval
    return f"{hits}/{total} = {100 * hits / total:.1f} % [{100 * low:.1f}–{100 * high:.1f}]"


def fisher(hits: int, misses: int, other_hits: int, other_misses: int) -> float:
    """Return the two-sided p of Fisher's exact test that two shares are equal, in 0..1.

    Fisher, R. A. (1922). On the interpretation of chi-square from contingency tables, and the calculation of P.
    """
    from scipy.stats import fisher_exact

    return float(fisher_exact([[hits, misses], [other_hits, other_misses]])[1])


def hanley_mcneil(area: float, ones: int, zeros: int) -> float:
    """Return the variance of an AUC (0..1) of so many positive and negative pictures.

    Hanley, J. A. and McNeil, B. J. (1982), with both exponential classes as large as their mean (Newcombe 2006).
    """
    half = (ones + zeros) / 2 - 1
    return area * (1 - area) * (1 + half * ((1 - area) / (2 - area) + area / (1 + area))) / (ones * zeros)


def newcombe(area: float, ones: int, zeros: int, scale: float = 1.0) -> tuple[float, float]:
    """Return the 95 % interval of an AUC, both ends in 0..1; `scale` multiplies its variance, as groups do.

    It solves |area - t| = 1.96 sd(t) for both ends and so holds the truth near 0 and 1 too, where resampling gives an
    interval without width. Newcombe, R. G. (2006). Confidence intervals for an effect size measure based on the
    Mann-Whitney statistic, method 5.

        >>> low, high = newcombe(1.0, 50, 50)
        >>> round(low, 3), high
        (0.96, 1.0)
    """
    from scipy.optimize import brentq

    inside, normal = min(max(area, 1e-9), 1 - 1e-9), NormalDist().inv_cdf(0.975)

    def beyond(t: float) -> float:
        return float((inside - t) ** 2 - normal**2 * scale * hanley_mcneil(t, ones, zeros))

    low, high = float(brentq(beyond, 0, inside)), float(brentq(beyond, inside, 1))
    return (low if area > 0 else 0.0), (high if area < 1 else 1.0)


def holm(p_values: Sequence[float]) -> list[float]:
    """Correct several p-values for their number (Holm 1979); none exceeds 1."""
    corrected = [1.0] * len(p_values)
    highest = 0.0
    for rank, place in enumerate(sorted(range(len(p_values)), key=lambda n: p_values[n])):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[place]))
        corrected[place] = highest
    return corrected


def p_stated(p: float) -> str:
    """Write a p-value as it stands behind the letter p: "= 0.017", or "< 0.001".

    >>> p_stated(0.0171), p_stated(0.00006)
    ('= 0.017', '< 0.001')
    """
    return "< 0.001" if p < 0.001 else f"= {p:.3f}"


def with_interval(
    value: float,
    low: float,
    high: float,
    *,
    percent: bool = False,
    digits: int = 2,
    ends: int | None = None,
    signed: bool = False,
) -> str:
    """Write a number with its 95 % interval, in the one form used everywhere.

    `digits` are those after the point, and `ends` those of the interval where they differ; `signed` is for differences
    and correlations.

    >>> with_interval(0.781, 0.69, 0.841)
    '0.78 [0.69–0.84]'
    >>> with_interval(0.781, 0.69, 0.841, percent=True)
    '78 % [69–84]'
    >>> with_interval(0.061, -0.07, 0.19, signed=True)
    '+0.06 [-0.07 to +0.19]'
    >>> with_interval(0.7812, 0.69, 0.841, digits=3, ends=2)
    '0.781 [0.69–0.84]'
    """
    sign, between = ("+", " to ") if signed else ("", "–")
    if percent:
        return f"{100 * value:{sign}.0f} % [{100 * low:{sign}.0f}{between}{100 * high:{sign}.0f}]"
    ends = digits if ends is None else ends
    return f"{value:{sign}.{digits}f} [{low:{sign}.{ends}f}{between}{high:{sign}.{ends}f}]"
