"""The built-in data source: a generated market, so that everything runs without a download.

`sample_panel` makes 35 funds and the volatility index from 2006 to 2025 out of a regime-switching factor model: the
symbols and first sessions are those of the real funds, the calendar is the exchange's, and every price is invented.
Nothing learnt on it is evidence about markets. What the numbers are meant to look like is `calibration`.
"""

from collections.abc import Sequence
from datetime import date
from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np

from plimsoll.engine.errors import DataError, did_you_mean
from plimsoll.engine.market.align import align
from plimsoll.engine.market.bars import Bars, IndicatorBars
from plimsoll.engine.market.calendar import sessions
from plimsoll.engine.market.instruments import KNOWN
from plimsoll.engine.market.panel import Panel
from plimsoll.engine.market.sample.bar import fund_bars
from plimsoll.engine.market.sample.factor import Factors, draw_factors
from plimsoll.engine.market.sample.fund import fund_returns
from plimsoll.engine.market.sample.regime import conditions, draw_regimes, policy_rate
from plimsoll.engine.market.sample.stream import stream
from plimsoll.engine.market.sample.universe import FUNDS, SYMBOLS
from plimsoll.engine.types import Dates, Floats, Ints

FIRST: Final = date(2006, 1, 3)
LAST: Final = date(2025, 12, 31)
INDICATORS: Final = ("VIX",)
DEFAULT_SEED: Final = 42


class Universe(NamedTuple):
    """Everything the funds of one seed are made of, before rounding and cutting; n sessions, 35 funds.

    returns (n, 35) : model total returns, also before a fund's first session. bridge (n, 35) : the noise within each
    session. first (35,) : position of a fund's first session.
    """

    sessions: Dates
    regimes: Ints
    factors: Factors
    returns: Floats
    bridge: Floats
    first: Ints


@lru_cache(maxsize=2)
def generate(seed: int = DEFAULT_SEED) -> Universe:
    """Generate what all funds follow from; the same seed gives the same numbers."""
    days = sessions(FIRST, LAST)
    regimes = draw_regimes(len(days), stream(seed, "regime"))
    policy = policy_rate(regimes, stream(seed, "policy"))
    given = conditions(regimes)
    factors = draw_factors(regimes, given, policy, stream(seed, "factor"))
    returns, bridge = fund_returns(factors, given.correlation, seed)
    inception = np.array([KNOWN[symbol].inception for symbol in SYMBOLS], dtype="datetime64[D]")
    first = np.searchsorted(days, inception)
    return Universe(days, regimes, factors, returns, bridge, first)


@lru_cache(maxsize=2 * len(FUNDS))
def _bars(seed: int, j: int) -> Bars:
    """Return the bars of fund number j: made when they are asked for, from numbers of their own."""
    whole = generate(seed)
    return fund_bars(
        FUNDS[j], whole.returns[:, j], whole.bridge[:, j], whole.factors, first=int(whole.first[j]),
        sessions=whole.sessions, seed=seed,
    )  # fmt: skip


def sample_panel(
    symbols: Sequence[str] | None = None,
    indicators: Sequence[str] = (),
    *,
    start: date | None = None,
    end: date | None = None,
    seed: int = DEFAULT_SEED,
) -> Panel:
    """Return a panel of generated daily prices, 2006-01-03 to 2025-12-31.

    The economy is always generated whole, each fund's bars from a stream of their own, and then cut: neither the
    choice of symbols nor the span changes a number. A symbol has no row before the first session of the fund it is
    named after.

    Parameters
    ----------
    symbols : sequence of str, optional
        Funds wanted; all of `SYMBOLS` if None.
    indicators : sequence of str
        Series to see but not to trade; "VIX" is the only one.
    start, end : date, optional
        First and last day kept.
    seed : int
        Another seed, another market; 0 or more.

    Raises
    ------
    DataError
        If a name is not generated, the seed is negative, or no row is left between `start` and `end`.
    """
    wanted = SYMBOLS if symbols is None else tuple(symbols)
    _check_names("symbol", wanted, SYMBOLS)
    _check_names("indicator", indicators, INDICATORS)
    if seed < 0:
        raise DataError(f"seed {seed} is negative", where="sample", fix="use 0 or more")
    whole = generate(seed)
    lo = np.datetime64(start if start is not None else FIRST, "s")
    hi = np.datetime64(end if end is not None else LAST, "s")
    if lo > hi:
        raise DataError(f"start {start} is after end {end}", where="sample")
    stamp = whole.sessions.astype("datetime64[s]")
    inside = (stamp >= lo) & (stamp <= hi)
    return align(
        [_cut(_bars(seed, SYMBOLS.index(symbol)), lo, hi) for symbol in wanted],
        indicators=[IndicatorBars(name, stamp[inside], np.round(whole.factors.vix, 2)[inside]) for name in indicators],
        source=f"sample (synthetic, seed {seed})",
        synthetic=True,
    )


def _check_names(kind: str, wanted: Sequence[str], known: Sequence[str]) -> None:
    for name in wanted:
        if name not in known:
            raise DataError(f"unknown {kind} {name!r}", where="sample", fix=did_you_mean(name, known))
    twice = sorted({name for name in wanted if list(wanted).count(name) > 1})
    if twice:
        raise DataError(f"{kind} {twice[0]!r} is asked for twice", where="sample", fix="name each once")


def _cut(bars: Bars, lo: np.datetime64, hi: np.datetime64) -> Bars:
    keep = (bars.stamp >= lo) & (bars.stamp <= hi)
    return Bars(
        bars.symbol,
        bars.stamp[keep],
        bars.open[keep],
        bars.high[keep],
        bars.low[keep],
        bars.close[keep],
        bars.volume[keep],
        bars.dividend[keep],
        bars.split[keep],
    )
