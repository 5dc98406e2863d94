"""What a Sharpe ratio is worth: by itself, as the best of many, and how long a record has to be.

Everywhere: `ratio` is mean / sd of one period's returns, never annualised; g3 the skewness and g4 the kurtosis (normal
3, not the excess), both biased, as in the papers. What is not defined is NaN.
"""

import math
from typing import Final

from plimsoll.engine.errors import InputError
from plimsoll.engine.kernels.overfit.normal import cdf, quantile

EULER: Final = 0.5772156649015329


def spread(ratio: float, g3: float, g4: float) -> float:
    """Return the variance of an estimated ratio times n - 1; NaN where the moments contradict each other.

        1 - g3 SR + (g4 - 1) / 4 SR^2

    Source: Mertens (2002), Comments on variance of the IID estimator in Lo (2002).
    """
    variance = 1.0 - g3 * ratio + (g4 - 1.0) / 4.0 * ratio * ratio
    return variance if variance > 0.0 else math.nan


def psr(ratio: float, n: int, g3: float, g4: float, against: float = 0.0) -> float:
    """Return the probabilistic Sharpe ratio: the probability that the true ratio exceeds `against`, after n periods.

        PSR = Phi((SR - SR*) sqrt(n - 1) / sqrt(1 - g3 SR + (g4 - 1) / 4 SR^2))

    Source: Bailey & Lopez de Prado (2012), The Sharpe ratio efficient frontier, eq. 11.
    """
    variance = spread(ratio, g3, g4)
    if math.isnan(variance) or n < 2:
        return math.nan
    return cdf((ratio - against) * math.sqrt(n - 1.0) / math.sqrt(variance))


def min_track_record(ratio: float, g3: float, g4: float, against: float = 0.0, level: float = 0.95) -> float:
    """Return after how many periods PSR reaches `level`; infinity where the ratio does not exceed `against`.

        MinTRL = 1 + (1 - g3 SR + (g4 - 1) / 4 SR^2) (z / (SR - SR*))^2,   Phi(z) = level

    Raises
    ------
    InputError
        `level` is not between a half and 1.

    Source: Bailey & Lopez de Prado (2012), eq. 13.
    """
    if not 0.5 < level < 1.0:
        raise InputError(f"level {level!r}", where="minimum track record", fix="a probability between .5 and 1")
    variance = spread(ratio, g3, g4)
    if math.isnan(variance) or math.isnan(against):
        return math.nan
    if ratio <= against:
        return math.inf
    return 1.0 + variance * (quantile(1.0 - level) / (ratio - against)) ** 2


def expected_maximum(trials: float) -> float:
    """Return what the largest of so many independent standard normal numbers is on average, nearly.

        m(N) = (1 - e) z(1 - 1 / N) + e z(1 - 1 / (N e)),   with Euler's constant and Euler's number

    A number of trials need not be whole: those that move together count for less. Of one, the largest is itself: 0, and
    so below about 1.4, where the formula, meant for many, would fall below that.

    Raises
    ------
    InputError
        Less than one trial, or not a number.

    Source: Bailey & Lopez de Prado (2014), The deflated Sharpe ratio, eq. 6, there from extreme value theory.
    """
    if not 1.0 <= trials < math.inf:
        raise InputError(f"{trials!r} trials", where="expected maximum", fix="count at least one")
    if trials == 1.0:
        return 0.0
    return max(0.0, -(1.0 - EULER) * quantile(1.0 / trials) - EULER * quantile(1.0 / (trials * math.e)))


def lucky_ratio(variance: float, trials: float) -> float:
    """Return SR0 = sqrt(V) m(N): the ratio that the best of N trials without any skill would show on average.

    variance : V, of the per-period ratios of the trials.

    Raises
    ------
    InputError
        The variance is 0 or not a number, or there is less than one trial.

    Source: Bailey & Lopez de Prado (2014), eq. 6.
    """
    if not 0.0 < variance < math.inf:
        raise InputError(
            f"the Sharpe ratios of the trials have variance {variance:g}",
            where="deflated Sharpe ratio",
            cause="one trial only, or the same one again and again",
            fix="pass the variance over trials that differ; of a single one, ask for the probabilistic Sharpe ratio",
        )
    return math.sqrt(variance) * expected_maximum(trials)


def dsr(ratio: float, n: int, g3: float, g4: float, variance: float, trials: float) -> float:
    """Return the deflated Sharpe ratio: PSR against what luck would show as the best of so many independent trials.

    n : periods. variance : of the per-period ratios of the trials.

    Raises
    ------
    InputError
        As `lucky_ratio`.

    Source: Bailey & Lopez de Prado (2014), eq. 9.
    """
    return psr(ratio, n, g3, g4, lucky_ratio(variance, trials))


def min_backtest_years(trials: float, target: float = 1.0) -> float:
    """Return how many years of data so many trials need, lest the best of them reach `target` a year by luck alone.

        MinBTL = (m(N) / target)^2 <= 2 ln N / target^2

    target : an annualised Sharpe ratio.

    Raises
    ------
    InputError
        The target is not positive, or there is less than one trial.

    Source: Bailey, Borwein, Lopez de Prado & Zhu (2014), Pseudo-mathematics and financial charlatanism, theorem 2.
    """
    if not 0.0 < target < math.inf:
        raise InputError(f"target {target!r}", where="minimum backtest length", fix="an annualised ratio above 0")
    return (expected_maximum(trials) / target) ** 2
