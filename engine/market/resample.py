"""Longer bars from shorter ones, within the session: 1min to 5min, 5min to 1d."""

from dataclasses import replace

import numpy as np

from plimsoll.engine.errors import ConfigError
from plimsoll.engine.market.calendar import build_clock, minutes_of
from plimsoll.engine.market.panel import CLOSE, DIVIDEND, OPEN, SPLIT, VOLUME, Panel
from plimsoll.engine.market.span import first_of_clock
from plimsoll.engine.types import Bools, Floats, Ints


def resample(panel: Panel, interval: str) -> Panel:
    """Return a panel of `interval` bars made of shorter ones.

    A bar covers [start, end) and is stamped with its start (pandas: label and closed "left"); bars are counted from the
    open of their own session, so that none reaches across a night. Where the interval does not divide a session, as on
    a day that closes early, its last bar is shorter. What is known at a bar's close is what was known at the close of
    the last bar that it is made of.

    - open of the first row, high the highest, low the lowest, close of the last row; a bar without any row stays NaN.
      A row of volume 0 counts with its prices.
    - volume is the sum; unknown where one of its rows is.
    - dividends add up, splits multiply; both stand on a session's first row and so in its first bar that has a row.
    - An indicator has the last value that is known within the bar.

    Raises
    ------
    ConfigError
        If the panel's bars are daily, or `interval` is no longer bar that they fill.
    """
    old = panel.clock
    first, last = old.session[0].astype(object), old.session[-1].astype(object)
    _check(old.interval, interval)
    clock = build_clock(first, last, interval)
    if interval == "1d":
        group: Ints = np.searchsorted(clock.session, old.session)
    else:
        group = np.searchsorted(clock.stamp, old.stamp, side="right") - 1
    starts = np.flatnonzero(np.diff(group, prepend=-1))
    clock = first_of_clock(clock, int(group[-1]) + 1)  # a panel may be cut within a session
    known: Bools = ~np.isnan(panel.close)
    at = np.arange(panel.n_bars)[:, None]
    begins: Ints = np.minimum.reduceat(np.where(known, at, panel.n_bars), starts)
    ends: Ints = np.maximum.reduceat(np.where(known, at, -1), starts)
    block = np.empty((5, len(clock), panel.n_symbols))
    block[OPEN] = _rows(panel.open, np.where(ends >= 0, begins, -1))
    block[CLOSE] = _rows(panel.close, ends)
    volume = np.add.reduceat(np.where(known, panel.volume, 0.0), starts)
    block[VOLUME] = np.where((ends < 0) | np.isnan(volume), np.nan, volume)
    block[DIVIDEND] = np.add.reduceat(panel.dividend, starts)
    block[SPLIT] = np.multiply.reduceat(panel.split, starts)
    seen = np.maximum.reduceat(np.where(np.isnan(panel.indicator), -1, at), starts) if panel.indicators else None
    return replace(
        panel,
        clock=clock,
        block=block,
        high=np.fmax.reduceat(panel.high, starts),
        low=np.fmin.reduceat(panel.low, starts),
        indicator=np.full((len(clock), 0), np.nan) if seen is None else _rows(panel.indicator, seen),
        outside=panel.outside[np.append(starts[1:], panel.n_bars) - 1] if panel.outside.size else panel.outside,
        source=f"{panel.source}, {interval} bars made of {old.interval} ones",
    )


def _check(have: str, wanted: str) -> None:
    minutes, longer = minutes_of(have), minutes_of(wanted)
    if minutes is None:
        raise ConfigError(f"daily bars cannot become {wanted} ones", where="resample", fix="read shorter bars")
    if longer is not None and (longer % minutes or longer == minutes):
        raise ConfigError(f"{wanted} is no multiple of {have}", where="resample", fix="give a longer bar")


def _rows(values: Floats, at: Ints) -> Floats:
    """Return values (T, N) at rows (B, N), NaN where the row is -1."""
    return np.where(at >= 0, np.take_along_axis(values, np.maximum(at, 0), axis=0), np.nan)
