"""What looks wrong but may be right: warnings, never errors."""

from typing import Final

import numpy as np

from plimsoll.engine.market.bars import Bars, RawBars, show_stamp
from plimsoll.engine.market.calendar import FULL_SESSION_MINUTES, minutes_of
from plimsoll.engine.market.dividends import implied_dividends
from plimsoll.engine.market.panel import DataWarning
from plimsoll.engine.types import Floats

# A move beyond this that lands near a customary split ratio is suspected to be one that nobody recorded.
SPLIT_MOVE: Final = 0.45
SPLIT_RATIOS: Final = (2.0, 3.0, 4.0, 5.0, 10.0, 20.0, 25.0)
SPLIT_NEARNESS: Final = 0.03
# Listed dividends and adjusted closes may differ by this much of the price before anybody needs to know.
DIVIDEND_GAP: Final = 5e-4
# A row repeated for this many sessions is more likely a dead feed than a calm market. All four prices count: with
# bills at zero, a bill fund has closed on the same cent for four weeks while its open, high and low moved.
STALE_SESSIONS: Final = 10


def suspect(bars: Bars, interval: str) -> tuple[DataWarning, ...]:
    """Return the warnings about unrecorded splits and stale prices of one symbol's checked bars."""
    return (*_unrecorded_splits(bars, interval), *_stale_runs(bars, interval))


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


def _unrecorded_splits(bars: Bars, interval: str) -> list[DataWarning]:
    found = []
    ratio = bars.close[1:] * bars.split[1:] / bars.close[:-1]
    for at in np.flatnonzero((ratio < 1.0 - SPLIT_MOVE) | (ratio > 1.0 + SPLIT_MOVE)):
        factor = max(float(ratio[at]), 1.0 / float(ratio[at]))
        for whole in SPLIT_RATIOS:
            if abs(factor / whole - 1.0) <= SPLIT_NEARNESS:
                when = show_stamp(bars.stamp[at + 1], interval)
                likely = f"{whole:g}-for-1 split" if ratio[at] < 1.0 else f"1-for-{whole:g} reverse split"
                recorded = "no split is recorded" if bars.split[at + 1] == 1.0 else "after the recorded split"
                text = (
                    f"{bars.symbol}, {when}: the close goes from {bars.close[at]:g} to {bars.close[at + 1]:g}, "
                    f"like a {likely}; {recorded}"
                )
                found.append(DataWarning("split_suspect", bars.symbol, text, when))
                break
    return found


def _stale_runs(bars: Bars, interval: str) -> list[DataWarning]:
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
        return []
    longest = runs[int(np.argmax(length[runs]))]
    when = show_stamp(bars.stamp[starts[longest]], interval)
    text = (
        f"{bars.symbol} repeats its prices for {least} bars or more {len(runs)} time{'s' * (len(runs) > 1)}; "
        f"the longest run is {length[longest]} bars at {bars.close[starts[longest]]:g} from {when}: a dead feed?"
    )
    return [DataWarning("stale_prices", bars.symbol, text, when)]
