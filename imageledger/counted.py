"""Pictures counted with what belongs together: the one type from which an interval or a test of a share is made.

Pictures of one group (near-duplicates, one person) agree more than others do, so that counts of single pictures promise
too much.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from imageledger.intervals import fisher, share_in_words, wilson
from imageledger.types import Bools, Floats, Ints

Groups = Sequence[str] | Sequence[int] | Ints
"""What belongs together: a name or a number for each picture."""


@dataclass(frozen=True, slots=True, eq=False)
class Counted:
    """Which of n pictures are something (`flags`), and the group of each.

    >>> sure = Counted(np.array([True] * 36 + [False] * 4), range(40))
    >>> str(sure)
    '36/40 = 90.0 % [76.9–96.0]'
    >>> str(Counted(sure.flags, [row // 4 for row in range(40)]))
    '36/40 = 90.0 % [52.3–98.7]'
    """

    flags: Bools = field(repr=False)
    groups: Groups = field(repr=False)

    def __post_init__(self) -> None:
        """Refuse counts without groups: ValueError."""
        if len(self.flags) != len(self.groups):
            raise ValueError(f"{len(self.flags)} pictures with {len(self.groups)} groups")

    @property
    def hits(self) -> int:
        """How many pictures are."""
        return int(np.sum(self.flags))

    @property
    def total(self) -> int:
        """How many pictures there are."""
        return len(self.flags)

    @property
    def share(self) -> float:
        """The share of them, 0..1; 0 of none."""
        return self.hits / self.total if self.total else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % Wilson interval of the share, on the effective number of pictures (Rao and Scott 1992)."""
        effect = self._effect
        return wilson(self.hits / effect, self.total / effect)

    def __str__(self) -> str:
        """Write the share with its interval."""
        return share_in_words(self.hits, self.total, self.interval)

    def but(self, rows: Bools) -> "Counted":
        """Return the count of some of the pictures."""
        return Counted(np.asarray(self.flags)[rows], np.asarray(self.groups)[rows])

    def against(self, other: "Counted") -> float:
        """Return the two-sided p of Fisher's exact test that two shares are equal, on effective numbers of pictures."""
        (hits, total), (other_hits, other_total) = self._effective, other._effective
        return fisher(hits, total - hits, other_hits, other_total - other_hits)

    def as_json(self) -> dict[str, object]:
        """Return the count as run.json and reports hold it."""
        return {"share": self.share, "interval": list(self.interval), "hits": self.hits, "n": self.total}

    @property
    def _effective(self) -> tuple[int, int]:
        effect = self._effect
        return round(self.hits / effect), round(self.total / effect)

    @property
    def _effect(self) -> float:
        if not self.total:
            return 1.0
        numbers = np.unique(np.asarray(self.groups), return_inverse=True)[1]
        if int(numbers.max()) + 1 == self.total:
            return 1.0
        share = self.share
        off = (np.asarray(self.flags, dtype=np.float64) - share) / self.total
        return design_effect(variance(off, numbers), share * (1 - share) / self.total, numbers) * few(numbers)


def of_each(flags: Iterable[bool]) -> Counted:
    """Count what has no groups by its nature, such as drawn sets: each is one of its own."""
    each = np.fromiter(flags, dtype=bool)
    return Counted(each, range(len(each)))


def mean_by_group(values: Floats, groups: Groups) -> Floats:
    """Return the mean of each group's values, in the order of the groups."""
    place = np.unique(np.asarray(groups), return_inverse=True)[1]
    return np.asarray(np.bincount(place, weights=values) / np.bincount(place))


def variance(influence: Floats, groups: Ints) -> float:
    """Return the variance of a sum of influences (n, mean zero), each group (0, 1, …) one draw."""
    sums = np.bincount(groups, weights=influence)
    return float(sums @ sums * len(sums) / max(len(sums) - 1, 1))


def design_effect(seen: float, plain: float, groups: Ints) -> float:
    """Return by how much groups make the variance of a mean larger than single pictures would: 1 at least.

    It is at most twice, and where the variance of single pictures (`plain`) is 0, as if all of a group agreed.
    """
    most = float(np.square(np.bincount(groups)).sum() / len(groups))
    return float(np.clip(seen / plain, 1, 2 * most)) if plain > 1e-12 else most


def few(groups: Ints) -> float:
    """Return the factor of a variance that a t quantile with (groups - 1) degrees of freedom stands for.

    Korn and Graubard (1998).
    """
    from scipy.special import ndtri, stdtrit

    return float((stdtrit(max(int(groups.max()), 1), 0.975) / ndtri(0.975)) ** 2)
