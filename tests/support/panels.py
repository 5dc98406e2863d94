"""Panels made from arrays or from a seed."""

from datetime import date
from typing import Any

import numpy as np

from plimsoll.engine.market.calendar import build_clock, sessions
from plimsoll.engine.market.panel import Panel


def make_panel(
    close: Any,
    open_: Any = None,
    *,
    volume: Any = 1e9,
    dividend: Any = 0.0,
    split: Any = 1.0,
    symbols: tuple[str, ...] | None = None,
    start: date = date(2019, 1, 2),
    interval: str = "1d",
    clock: Any = None,
) -> Panel:
    """Build a panel from a (T, N) or (T,) array of closes; a NaN close is a session without a row.

    open_ defaults to the previous close. volume, dividend and split are scalars or arrays of the same shape. The bars
    are the exchange's, from `start` on.
    """
    close = np.asarray(close, dtype=np.float64)
    close = close[:, None] if close.ndim == 1 else close
    n_bars, n_symbols = close.shape
    if open_ is None:
        open_ = np.vstack((close[:1], close[:-1]))
        open_ = np.where(np.isnan(open_), close, open_)
    block = np.empty((5, n_bars, n_symbols))
    for row, given in enumerate((open_, close, volume, dividend, split)):
        values = np.asarray(given, dtype=np.float64)
        block[row] = values[:, None] if values.ndim == 1 and n_symbols == 1 else values
    gone = np.isnan(close)
    block[:3, gone] = np.nan
    block[3, gone] = 0.0
    block[4, gone] = 1.0
    if clock is None:
        days = sessions(start, date(start.year + 1 + n_bars // 200, 12, 31))
        clock = build_clock(start, days[n_bars - 1].astype(object), interval)
    if symbols is None:
        symbols = tuple(f"S{i:03d}" for i in range(n_symbols))
    high, low = np.fmax(block[0], block[1]), np.fmin(block[0], block[1])
    return Panel(clock, symbols, block, np.where(gone, np.nan, high), np.where(gone, np.nan, low))


def random_panel(
    seed: int,
    *,
    n_bars: int = 90,
    n_symbols: int = 4,
    start: date = date(2025, 12, 1),
    actions: bool = True,
    holes: bool = True,
    quiet: bool = True,
    symbols: tuple[str, ...] | None = None,
    volatility: float = 0.02,
) -> Panel:
    """Build a panel of random walks.

    actions : splits (2:1, 3:2, 1:5) and dividends. holes : late listings, single missing sessions, halts of up to a
    few sessions, delistings with and without a return, sessions on which nothing trades at all. quiet : volumes of
    zero, volumes unknown.
    """
    rng = np.random.default_rng(seed)
    shape = (n_bars, n_symbols)
    step = rng.normal(0.0003, volatility * rng.uniform(0.3, 1.5, n_symbols), shape)
    level = rng.uniform(8.0, 400.0, n_symbols) * np.exp(np.cumsum(step, axis=0))
    gap = rng.normal(0.0, 0.6 * volatility, shape)
    opened = np.vstack((level[:1], level[:-1])) * np.exp(gap)
    split, dividend = np.ones(shape), np.zeros(shape)
    if actions:
        split = np.where(rng.random(shape) < 0.02, rng.choice([2.0, 1.5, 0.2], shape), 1.0)
        split[0] = 1.0
        dividend = np.where(rng.random(shape) < 0.05, rng.uniform(0.001, 0.02, shape), 0.0)
    gone = _holes(rng, shape) if holes else np.zeros(shape, dtype=np.bool_)
    split[gone] = 1.0
    factor = np.cumprod(split, axis=0)  # what a share of the first bar has become
    close, opened = level / factor, opened / factor
    volume = rng.lognormal(np.log(3e4), 1.0, shape) * factor
    if quiet:
        draw = rng.random(shape)
        volume[draw < 0.04] = 0.0
        volume[draw > 0.96] = np.nan
    close[gone] = np.nan
    return make_panel(
        close, opened, volume=np.floor(volume), dividend=dividend * np.nan_to_num(close), split=split, start=start,
        symbols=symbols,
    )  # fmt: skip


def _holes(rng: np.random.Generator, shape: tuple[int, int]) -> Any:
    n_bars, n_symbols = shape
    gone = rng.random(shape) < 0.01
    for i in range(n_symbols):
        kind = rng.integers(0, 6)
        at = int(rng.integers(n_bars // 4, n_bars))
        if kind == 1:  # listed late
            gone[:at, i] = True
        elif kind == 2:  # halted for a while, not long enough to count as delisted
            gone[at : at + int(rng.integers(2, 6)), i] = True
        elif kind == 3:  # delisted for good
            gone[at:, i] = True
        elif kind == 4:  # delisted, and back: from the 21st session on as a new one
            gone[at : at + int(rng.integers(6, 40)), i] = True
    gone[int(rng.integers(1, n_bars))] |= rng.random() < 0.3  # a session on which nothing trades
    gone[0, 0] = False
    return gone
