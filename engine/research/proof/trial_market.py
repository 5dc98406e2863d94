"""Small generated markets that try a strategy: moods that change, corporate actions, and lives with gaps."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Final

import numpy as np

from plimsoll.engine.market.calendar import build_clock, sessions
from plimsoll.engine.market.panel import Panel
from plimsoll.engine.sleeve.strategy import Strategy
from plimsoll.engine.types import Bools, Floats

FIRST: Final = date(2015, 1, 2)
_LAST: Final = date(2045, 12, 29)

# How a symbol can live. Fractions are of the whole span.
WHOLE: Final = "whole"  # a row every session
HOLES: Final = "holes"  # single sessions without a row, one gap of four
LATE: Final = "late"  # first row at 0.45
DELISTED: Final = "delisted"  # last row at 0.7
RELISTED: Final = "relisted"  # no row between 0.5 and 0.65
NEVER: Final = "never"  # no row at all
FAULTS: Final = (HOLES, LATE, DELISTED, RELISTED)

# Sessions between changes of mood, and the daily volatility of the common factor in each.
_MOOD_SESSIONS: Final = 55
_MOODS: Final = (0.006, 0.024, 0.010)


def trial_panel(
    symbols: Sequence[str],
    indicators: Sequence[str] = (),
    *,
    n_bars: int,
    seed: int = 0,
    lives: Mapping[str, str] | None = None,
) -> Panel:
    """Generate a daily panel from 2015-01-02 on.

    Parameters
    ----------
    symbols, indicators : sequences of str
        Columns wanted. Returns follow one factor with changing volatility; indicators are its volatility in percent
        a year with noise.
    n_bars : int
        Sessions.
    seed : int
        Another seed, another market.
    lives : mapping, optional
        How each symbol lives, one of the words above; `WHOLE` where it is not named.
    """
    names = tuple(sorted(symbols))
    rng = np.random.default_rng(seed)
    shape = (n_bars, len(names))
    mood = np.array([_MOODS[t // _MOOD_SESSIONS % len(_MOODS)] for t in range(n_bars)])
    factor = 0.0004 + mood * rng.standard_normal(n_bars)
    beta = rng.uniform(-0.5, 1.3, len(names))
    ret = factor[:, None] * beta + 0.004 * rng.standard_normal(shape)
    split, paid = _actions(rng, shape)
    level = rng.uniform(20.0, 300.0, len(names)) * np.cumprod(1.0 + ret, axis=0)
    held = np.cumprod(split, axis=0)
    close = level / held
    opened = close * (1.0 + 0.003 * rng.standard_normal(shape))
    volume = np.floor(rng.lognormal(13.0, 0.6, shape)) * held
    volume[rng.random(shape) < 0.01] = np.nan
    gone = np.column_stack([_absent((lives or {}).get(name, WHOLE), n_bars, rng) for name in names])
    block = np.stack((opened, close, volume, np.where(gone, 0.0, paid * close), np.where(gone, 1.0, split)))
    block[:3, gone] = np.nan
    high, low = np.maximum(block[0], block[1]) * 1.002, np.minimum(block[0], block[1]) * 0.998
    seen = 100.0 * np.sqrt(252.0) * mood[:, None] * np.exp(0.05 * rng.standard_normal((n_bars, len(indicators))))
    last: date = sessions(FIRST, _LAST)[n_bars - 1].astype(object)
    clock = build_clock(FIRST, last)
    return Panel(clock, names, block, high, low, tuple(indicators), seen, synthetic=True, source=f"trial {seed}")


def trial_markets(strategy: Strategy, n_bars: int, seed: int = 0) -> tuple[Panel, ...]:
    """Return markets of a strategy's symbols: whole, with the faults in every rotation, without the first, the last.

    `source` says how each symbol lives.
    """
    symbols = tuple(strategy.universe)
    lives = [{}, *({s: FAULTS[(k + turn) % len(FAULTS)] for k, s in enumerate(symbols)} for turn in range(len(FAULTS)))]
    if len(symbols) > 1:
        lives += [{symbols[0]: NEVER}, {symbols[-1]: NEVER}]
    made = []
    for number, life in enumerate(lives):
        panel = trial_panel(symbols, strategy.indicators, n_bars=n_bars, seed=seed + number, lives=life)
        told = ", ".join(f"{s} {life[s]}" for s in symbols if s in life) or "every symbol whole"
        made.append(replace(panel, source=told))
    return tuple(made)


def _actions(rng: np.random.Generator, shape: tuple[int, int]) -> tuple[Floats, Floats]:
    """Return splits, at most one a symbol, and dividends as fractions of the price, one a quarter."""
    split, paid = np.ones(shape), np.zeros(shape)
    for i in range(shape[1]):
        if shape[0] > 2 and rng.random() < 0.6:
            split[rng.integers(1, shape[0]), i] = rng.choice([2.0, 3.0, 0.25])
        paid[int(rng.integers(5, 63)) :: 63, i] = rng.uniform(0.001, 0.01)
    return split, paid


def _absent(life: str, n_bars: int, rng: np.random.Generator) -> Bools:
    gone: Bools = np.zeros(n_bars, dtype=np.bool_)
    if life == HOLES:
        gone |= rng.random(n_bars) < 0.03
        gone[int(0.6 * n_bars) : int(0.6 * n_bars) + 4] = True
        gone[0] = False
    elif life == LATE:
        gone[: int(0.45 * n_bars)] = True
    elif life == DELISTED:
        gone[int(0.7 * n_bars) :] = True
    elif life == RELISTED:
        gone[int(0.5 * n_bars) : int(0.65 * n_bars)] = True
    elif life == NEVER:
        gone[:] = True
    return gone
