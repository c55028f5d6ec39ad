"""When are permutations enough? As many as a verdict hangs on, and no more (Besag and Clifford 1991)."""

import math

SETTLED = 10
"""So many permutations that reach the true statistic settle a p-value near the limit; with fewer"""
AT_MOST_TIMES = 10
"""up to so many times the permutations are drawn."""
PLAIN, EARLIEST = 50, 500
"""So many that reach it settle any p-value, once EARLIEST are drawn."""
CLEAR, FAR = 3, 8.0
"""Where none reaches it, permutations end once the p-value is below the limit by this factor, or where the statistic
lies so many standard deviations beyond what chance gives at the largest."""
TINY = 1e-9
MOST_EVER = 100_000
"""No more are drawn for any limit: late looks at growing sets would ask for millions."""


def most_for(permutations: int, limit: float) -> int:
    """Return how many permutations are drawn at most where a verdict needs a p-value below `limit`."""
    return max(AT_MOST_TIMES * permutations, min(MOST_EVER, math.ceil(AT_MOST_TIMES / limit)))


def p_value(reached: int, count: int, away: float) -> float:
    """Return the p-value of a statistic that `reached` of `count` permutations reach, `away` deviations from chance.

    Where none reaches it and it lies FAR away it is called TINY, which no count of permutations would prove. A normal
    tail, to which sums over exchanged labels tend (Hoeffding 1951), holds a millionth of that there.

    >>> p_value(0, 1999, 3.0), p_value(3, 1999, 9.0), p_value(0, 1999, 9.0)
    (0.0005, 0.002, 1e-09)
    """
    plain = (1 + reached) / (1 + count)
    return min(plain, TINY) if not reached and away >= FAR else plain


def settled(reached: int, count: int, away: float, permutations: int, limit: float, most: int) -> bool:
    """Tell whether more permutations would change no verdict; at least `permutations` unless the p-value is plain."""
    if reached >= PLAIN and count >= min(EARLIEST, permutations):
        return True
    if count < permutations:
        return False
    clear = not reached and (away >= FAR or 1 / (1 + count) < limit / CLEAR)
    return clear or reached >= SETTLED or count >= most
