"""The normal distribution."""

import math
from statistics import NormalDist
from typing import Final

_STANDARD: Final = NormalDist()


def cdf(z: float) -> float:
    """Return the probability that a standard normal number is below z, full relative precision in both tails."""
    return 0.5 * math.erfc(-z / math.sqrt(2.0))


def quantile(p: float) -> float:
    """Return the z that a standard normal number is below with probability p; -inf at 0, inf at 1, NaN outside.

    Near 1 what is left to 1 is known to 16 decimals only: ask for ``-quantile(1 - p)`` where that is the given number.
    Source: Wichura (1988), Algorithm AS 241, about 16 digits, as in Python's `statistics`.
    """
    if 0.0 < p < 1.0:
        return _STANDARD.inv_cdf(p)
    return -math.inf if p == 0.0 else math.inf if p == 1.0 else math.nan
