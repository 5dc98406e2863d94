"""Statistics of one series of returns: plain numpy, no system, no tables.

Everywhere: `returns` (n,) simple returns per session, net of costs, oldest first, finite; 252 sessions a year;
standard deviations with ddof = 1; the equity index starts at 1 before the first return. What is not defined
(no returns, no volatility, no loss to divide by) is NaN, never an error and never infinite by accident: tables
show it as a dash and JSON as null.

Source of the definitions and of the differences between libraries: the standard statistics as in
empyrical-reloaded 0.7, except where a docstring says otherwise.
"""

import math
from collections.abc import Mapping
from typing import Any, Final, TypeAlias

import numpy as np

from plimsoll.engine.errors import DataError
from plimsoll.engine.kernels.overfit.sharpe import psr
from plimsoll.engine.types import Dates, Floats

SESSIONS_PER_YEAR: Final = 252.0
# Fewer sessions than a month say nothing about a year: 252 / n as an exponent or a factor makes noise of them.
FEWEST_SESSIONS: Final = 21
# The names of figures a year, as they stand in the blocks of `metrics.json`, in sweeps and in the trial ledger.
ANNUALISED: Final = frozenset(
    {
        *("cagr", "cagr_calendar", "cagr_lost", "vol_ann", "downside_dev_ann", "sharpe", "sharpe_excess"),
        *("sortino", "calmar", "alpha_ann", "alpha_excess_ann", "tracking_error_ann", "information_ratio"),
        *("turnover", "cost_bps", "two_sided_per_year", "one_way_per_year", "drag_bps_per_year"),
        *(f"{kind}_bps_per_year" for kind in ("commission", "spread", "impact", "fees", "financing", "borrow")),
    }
)
DAYS_PER_YEAR: Final = 365.25
DDOF: Final = 1
# A day's return is a ratio of two float64 amounts: below this a standard deviation, or a return that stands alone,
# is rounding, not risk, and a fall of the index below ten times that no drawdown.
ZERO_VOL: Final = 1e-13
SHALLOWEST: Final = 1e-12
NAN: Final = float("nan")

# A block of `metrics.json`: figures by key, and groups of others below them.
Figures: TypeAlias = dict[str, Any]


def checked(returns: Floats, name: str = "returns") -> Floats:
    """Return `returns` as a float64 array, or refuse it.

    Raises
    ------
    DataError
        If it is not one-dimensional or holds NaN or infinity; the message names the first bad position.
    """
    values = np.asarray(returns, dtype=np.float64)
    if values.ndim != 1:
        raise DataError(f"{name} must be one series, got an array of shape {values.shape}", fix="pass one column")
    bad = ~np.isfinite(values)
    if bad.any():
        first = int(np.argmax(bad))
        raise DataError(
            f"{int(bad.sum())} of {len(values)} {name} are NaN or infinite, the first at position {first}",
            cause="a session without a return is a hole, not a zero",
            fix="drop those sessions or repair the data before asking for statistics",
        )
    return values


def annualised(block: Mapping[str, Any], n: int) -> Figures:
    """Return a block of figures that rest on n sessions, those a year NaN where n is below `FEWEST_SESSIONS`."""
    return {key: NAN if n < FEWEST_SESSIONS and key in ANNUALISED else value for key, value in block.items()}


def _ratio(above: float, below: float) -> float:
    return above / below if below != 0.0 and math.isfinite(below) else NAN


def _sure(returns: Floats) -> Floats:
    """Return the values with 0 in place of what is rounding: a ratio over such a loss would be astronomical."""
    kept: Floats = np.where(np.abs(returns) > ZERO_VOL, returns, 0.0)
    return kept


def growth(returns: Floats) -> Floats:
    """Return the equity index (n + 1,): 1 before the first return, then its compounded value."""
    out = np.ones(len(returns) + 1)
    np.cumprod(1.0 + returns, out=out[1:])
    return out


def total_return(returns: Floats) -> float:
    """Return the compounded return over the whole series; 0 without returns."""
    return float(growth(returns)[-1]) - 1.0


def cagr(returns: Floats, per_year: float = SESSIONS_PER_YEAR) -> float:
    """Return the compound annual growth rate in trading time, E_n^(per_year / n) - 1; -1 once everything is lost."""
    return _cagr(growth(returns), per_year)


def _cagr(index: Floats, per_year: float) -> float:
    n = len(index) - 1
    return _annualised(float(index[-1]), per_year / n) if n else NAN


def cagr_calendar(returns: Floats, start: np.datetime64, end: np.datetime64) -> float:
    """Return E_n^(365.25 / days) - 1 with `days` counted from the close before the first return to the last one."""
    days = float((end.astype("datetime64[D]") - start.astype("datetime64[D]")).astype(np.int64))
    if len(returns) == 0 or days <= 0:
        return NAN
    return _annualised(float(growth(returns)[-1]), DAYS_PER_YEAR / days)


def start_of(sessions: Dates) -> np.datetime64:
    """Return the weekday before the first session: the close at which the index stood at 1."""
    first = np.datetime64(sessions[0], "D")
    before: np.datetime64 = np.busday_offset(first, -1, roll="forward")
    return before


def _annualised(final: float, power: float) -> float:
    if final <= 0.0:
        return -1.0
    exponent = power * math.log(final)
    return math.expm1(exponent) if exponent < 700.0 else math.inf


def stdev(returns: Floats) -> float:
    """Return the sample standard deviation per session (ddof = 1); NaN below two returns, 0 where it is rounding."""
    if len(returns) <= DDOF:
        return NAN
    sd = float(np.std(returns, ddof=DDOF))
    return sd if sd > ZERO_VOL else 0.0


def vol_ann(returns: Floats, per_year: float = SESSIONS_PER_YEAR) -> float:
    """Return the annualised volatility, sd * sqrt(per_year)."""
    return stdev(returns) * math.sqrt(per_year)


def sharpe(returns: Floats, risk_free: Floats | float = 0.0, per_year: float = SESSIONS_PER_YEAR) -> float:
    """Return mean(r - rf) / sd(r - rf) * sqrt(per_year) (Sharpe 1994), not CAGR over volatility.

    risk_free : (n,) return of the bill per session, or one number for all.
    """
    excess = returns - risk_free
    if len(excess) <= DDOF:
        return NAN
    return _ratio(float(np.mean(excess)), stdev(excess)) * math.sqrt(per_year)


def downside_dev_ann(returns: Floats, minimum: float = 0.0, per_year: float = SESSIONS_PER_YEAR) -> float:
    """Return sqrt(mean(min(r - minimum, 0)^2)) * sqrt(per_year), the mean taken over all n sessions."""
    if len(returns) == 0:
        return NAN
    below = np.minimum(_sure(returns - minimum), 0.0)
    return math.sqrt(float(np.mean(below * below)) * per_year)


def sortino(returns: Floats, minimum: float = 0.0, per_year: float = SESSIONS_PER_YEAR) -> float:
    """Return mean(r - minimum) * per_year / downside deviation (Sortino & Price 1994)."""
    if len(returns) == 0:
        return NAN
    return _ratio(float(np.mean(returns - minimum)) * per_year, downside_dev_ann(returns, minimum, per_year))


def underwater(returns: Floats) -> Floats:
    """Return (n,) the fraction below the highest close so far, the starting 1 included; <= 0."""
    return _underwater(growth(returns))


def _underwater(index: Floats) -> Floats:
    below: Floats = index[1:] / np.maximum.accumulate(index)[1:] - 1.0
    return below


def max_drawdown(returns: Floats) -> float:
    """Return the deepest fraction below a former peak, <= 0; a loss on the first day counts."""
    return _deepest(underwater(returns))


def _deepest(below: Floats) -> float:
    return float(np.min(below)) if len(below) else NAN


def calmar(returns: Floats, per_year: float = SESSIONS_PER_YEAR) -> float:
    """Return CAGR / |max drawdown| over the whole period (Young 1991 used 36 months)."""
    return _calmar(cagr(returns, per_year), max_drawdown(returns))


def _calmar(rate: float, deepest: float) -> float:
    worst = abs(deepest)
    return _ratio(rate, worst if worst > SHALLOWEST else 0.0)


def ulcer(returns: Floats) -> float:
    """Return sqrt(mean(drawdown^2)) as a fraction (Martin & McCann 1989)."""
    return _ulcer(underwater(returns))


def _ulcer(below: Floats) -> float:
    return float(np.sqrt(np.mean(below**2))) if len(below) else NAN


def of_growth(returns: Floats, per_year: float = SESSIONS_PER_YEAR) -> dict[str, float]:
    """Return total_return, cagr, max_drawdown, calmar and ulcer by name, the index they rest on made once."""
    index = growth(returns)
    below, rate = _underwater(index), _cagr(index, per_year)
    deepest = _deepest(below)
    return {
        "total_return": float(index[-1]) - 1.0,
        "cagr": rate,
        "max_drawdown": deepest,
        "calmar": _calmar(rate, deepest),
        "ulcer": _ulcer(below),
    }


def _shape(returns: Floats, mean: float, sd: float) -> tuple[float, float]:
    """Return m3 / m2^1.5 and m4 / m2^2 of returns with that mean and standard deviation; NaN where it is 0."""
    if not sd > 0.0:
        return NAN, NAN
    centred = returns - mean
    square = centred * centred  # and so on: exactly rounded everywhere, a tenth of `**`
    m2, m3, m4 = float(np.mean(square)), float(np.mean(square * centred)), float(np.mean(square * square))
    return m3 / math.pow(m2, 1.5), m4 / math.pow(m2, 2.0)


def skew(returns: Floats) -> float:
    """Return the biased sample skewness m3 / m2^1.5, as the probabilistic Sharpe ratio wants it."""
    return of_moments(returns)["skew"]


def kurtosis(returns: Floats) -> float:
    """Return the biased sample kurtosis m4 / m2^2: 3 for a normal distribution, not the excess."""
    return of_moments(returns)["kurtosis"]


def of_moments(returns: Floats, per_year: float = SESSIONS_PER_YEAR) -> dict[str, float]:
    """Return sharpe (over 0), vol_ann, skew and kurtosis by name, mean and standard deviation made once."""
    if len(returns) <= DDOF:
        return dict.fromkeys(("sharpe", "vol_ann", "skew", "kurtosis"), NAN)
    mean, sd = float(np.mean(returns)), stdev(returns)
    third, fourth = _shape(returns, mean, sd)
    scale = math.sqrt(per_year)
    return {"sharpe": _ratio(mean, sd) * scale, "vol_ann": sd * scale, "skew": third, "kurtosis": fourth}


def value_at_risk(returns: Floats, level: float = 0.05) -> float:
    """Return the historical one-session quantile, linearly interpolated; a return, so a loss is negative."""
    return float(np.quantile(returns, level)) if len(returns) else NAN


def expected_shortfall(returns: Floats, level: float = 0.05) -> float:
    """Return the mean of the worst n * level returns, the last of them weighted by its fraction; a loss is negative.

    Of 252 returns at 5% these are the worst twelve and six tenths of the next; of fewer than 1 / level, the worst one.
    A mean of everything at or below a quantile takes in all that tie with it, and collapses where many do.
    Source: Rockafellar & Uryasev (2002), Conditional value-at-risk for general loss distributions.
    """
    if len(returns) == 0:
        return NAN
    tail = len(returns) * level
    worst = np.sort(returns)[: math.ceil(tail)]
    weight = np.minimum(tail - np.arange(len(worst)), 1.0)
    return float(np.sum(worst * weight) / np.sum(weight))


def omega(returns: Floats, threshold: float = 0.0) -> float:
    """Return the sum of gains over the sum of losses beyond `threshold` (Keating & Shadwick 2002)."""
    excess = _sure(returns - threshold)
    return _ratio(float(np.sum(np.maximum(excess, 0.0))), float(np.sum(np.maximum(-excess, 0.0))))


def profit_factor(returns: Floats) -> float:
    """Return the sum of winning sessions over the sum of losing ones; by construction omega at 0."""
    return omega(returns, 0.0)


def payoff(returns: Floats) -> float:
    """Return the mean winning session over the mean losing one, as a positive number."""
    returns = _sure(returns)
    gains, losses = returns[returns > 0.0], returns[returns < 0.0]
    if len(gains) == 0 or len(losses) == 0:
        return NAN
    return float(np.mean(gains)) / -float(np.mean(losses))


def tail_ratio(returns: Floats) -> float:
    """Return |95% quantile| / |5% quantile|."""
    if len(returns) == 0:
        return NAN
    low, high = np.quantile(_sure(returns), (0.05, 0.95)).tolist()
    return _ratio(abs(high), abs(low))


def hit_rate(returns: Floats) -> float:
    """Return the share of sessions above zero among those that are not zero."""
    returns = _sure(returns)
    return _ratio(float(np.sum(returns > 0.0)), float(np.sum(returns != 0.0)))


def probabilistic_sharpe(returns: Floats, risk_free: Floats | float = 0.0, against: float = 0.0) -> float:
    """Return the probability that the true Sharpe ratio exceeds `against` (annualised), from one track record.

    risk_free : as for `sharpe`. How many other records were looked at is not in it: see
    `plimsoll.engine.report.metrics.luck`.
    Source: `plimsoll.engine.kernels.overfit.sharpe.psr`.
    """
    scale = math.sqrt(SESSIONS_PER_YEAR)
    excess: Floats = np.asarray(returns - risk_free)
    return psr(sharpe(excess) / scale, len(excess), skew(excess), kurtosis(excess), against / scale)
