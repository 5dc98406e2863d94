"""What looks wrong but may be right: warnings, never errors."""

from typing import Final

import numpy as np

from plimsoll.engine.market.bars import Bars, RawBars, show_stamp
from plimsoll.engine.market.calendar import FULL_SESSION_MINUTES, minutes_of
from plimsoll.engine.market.dividends import implied_dividends
from plimsoll.engine.market.panel import DataWarning
from plimsoll.engine.types import Floats

# Listed dividends and adjusted closes may differ by this much of the price before anybody needs to know.
DIVIDEND_GAP: Final = 5e-4
# A row repeated for this many sessions is more likely a dead feed than a calm market. All four prices count: with
# bills at zero, a bill fund has closed on the same cent for four weeks while its open, high and low moved.
STALE_SESSIONS: Final = 10


def suspect_dividends(raw: RawBars, dividend: Floats, split: Floats) -> tuple[DataWarning, ...]:
    """Return a warning if listed dividends disagree with the adjusted close where there is one.

    The listed ones are used all the same. Vendors that add capital gains to dividends, or miss a year-end
    distribution, show up here.
    """
    if raw.adj_close is None or len(split) < 2:
        return ()
    adjusted = np.where(np.isfinite(raw.adj_close) & (raw.adj_close > 0.0), raw.adj_close, np.nan)
    implied, _, tolerance = implied_dividends(raw.close, adjusted, split)
    gap = np.abs(dividend[1:] - implied) * split[1:] / raw.close[:-1]
    off = np.flatnonzero(gap > np.maximum(tolerance, DIVIDEND_GAP))  # never true of a NaN
    if not len(off):
        return ()
    worst = int(off[np.argmax(gap[off])])
    when = raw.rows.show(worst + 1)
    text = (
        f"{raw.symbol}: the dividend column and adj_close disagree on {len(off)} session{'s' * (len(off) > 1)}, worst "
        f"{when}: {dividend[worst + 1]:.6g} listed, {implied[worst]:.6g} implied; the listed ones are used"
    )
    return (DataWarning("dividend_mismatch", raw.symbol, text, when),)


def stale_runs(bars: Bars, interval: str) -> tuple[DataWarning, ...]:
    """Summarise runs of identical prices; a bar that traded nothing has every right to repeat its row."""
    minutes = minutes_of(interval)
    least = STALE_SESSIONS if minutes is None else max(STALE_SESSIONS, -(-FULL_SESSION_MINUTES // minutes))
    prices = np.vstack([bars.open, bars.high, bars.low, bars.close])
    changes = np.flatnonzero((np.diff(prices, axis=1) != 0.0).any(axis=0)) + 1
    starts = np.concatenate(([0], changes))
    stops = np.concatenate((changes, [len(bars)]))
    traded = np.concatenate(([0], np.cumsum(bars.volume != 0.0)))  # NaN counts: unknown is not zero
    length = traded[stops] - traded[starts]
    runs = np.flatnonzero(length >= least)
    if not len(runs):
        return ()
    longest = runs[int(np.argmax(length[runs]))]
    when = show_stamp(bars.stamp[starts[longest]], interval)
    text = (
        f"{bars.symbol} repeats its prices for {least} bars or more {len(runs)} time{'s' * (len(runs) > 1)}; "
        f"the longest run is {length[longest]} bars at {bars.close[starts[longest]]:g} from {when}: a dead feed?"
    )
    return (DataWarning("stale_prices", bars.symbol, text, when),)
