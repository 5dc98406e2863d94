"""Statistics of returns against a benchmark: plain numpy.

`returns` and `benchmark` are (n,) simple returns of the same sessions; the conventions are those of
`plimsoll.engine.report.metrics.returns`.
"""

import math

import numpy as np

from plimsoll.engine.report.metrics.returns import NAN, SESSIONS_PER_YEAR, stdev
from plimsoll.engine.types import Bools, Floats


def beta(returns: Floats, benchmark: Floats) -> float:
    """Return cov(r, b) / var(b)."""
    if len(returns) < 2 or not stdev(benchmark) > 0.0:
        return NAN
    centred = benchmark - np.mean(benchmark)
    return float(np.mean((returns - np.mean(returns)) * centred)) / float(np.mean(centred * centred))


def alpha_ann(returns: Floats, benchmark: Floats, per_year: float = SESSIONS_PER_YEAR) -> float:
    """Return (mean r - beta mean b) * per_year: annualised by multiplication, not by compounding (Jensen 1968)."""
    return (_mean(returns) - beta(returns, benchmark) * _mean(benchmark)) * per_year


def correlation(returns: Floats, benchmark: Floats) -> float:
    """Return Pearson's correlation; NaN where either series does not move."""
    if len(returns) < 2 or not (stdev(returns) > 0.0 and stdev(benchmark) > 0.0):
        return NAN
    a, b = returns - np.mean(returns), benchmark - np.mean(benchmark)
    value = float(np.mean(a * b)) / math.sqrt(float(np.mean(a * a)) * float(np.mean(b * b)))
    return min(1.0, max(-1.0, value))


def tracking_error_ann(returns: Floats, benchmark: Floats, per_year: float = SESSIONS_PER_YEAR) -> float:
    """Return sd(r - b) * sqrt(per_year)."""
    return stdev(returns - benchmark) * math.sqrt(per_year)


def information_ratio(returns: Floats, benchmark: Floats, per_year: float = SESSIONS_PER_YEAR) -> float:
    """Return mean(r - b) / sd(r - b) * sqrt(per_year); empyrical and quantstats leave it per session."""
    active = returns - benchmark
    sd = stdev(active)
    return _mean(active) / sd * math.sqrt(per_year) if sd > 0.0 else NAN


def up_capture(returns: Floats, benchmark: Floats) -> float:
    """Return the geometric mean return over that of the benchmark, on sessions when the benchmark rose.

    Source: Morningstar's upside capture ratio, on sessions instead of months.
    """
    return _capture(returns, benchmark, benchmark > 0.0)


def down_capture(returns: Floats, benchmark: Floats) -> float:
    """Return the same on sessions when the benchmark fell: below 1 means falling less than it."""
    return _capture(returns, benchmark, benchmark < 0.0)


def _capture(returns: Floats, benchmark: Floats, where: Bools) -> float:
    ours, theirs = _geometric_mean(returns[where]), _geometric_mean(benchmark[where])
    return ours / theirs if theirs != 0.0 else NAN


def _geometric_mean(returns: Floats) -> float:
    if len(returns) == 0:
        return NAN
    if np.min(returns) <= -1.0:
        return -1.0
    return math.expm1(float(np.mean(np.log1p(returns))))


def _mean(values: Floats) -> float:
    return float(np.mean(values)) if len(values) else NAN
