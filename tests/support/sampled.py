"""Generated markets, made once per seed and session of tests."""

from functools import lru_cache

import numpy as np

from plimsoll.engine.market.panel import Panel
from plimsoll.engine.market.sample.source import Universe, generate, sample_panel
from plimsoll.engine.types import Floats

OTHER_SEEDS = (1, 2, 3, 16)
ALL_SEEDS = (42, *OTHER_SEEDS)


@lru_cache(maxsize=len(ALL_SEEDS))
def panel_of(seed: int) -> Panel:
    return sample_panel(indicators=("VIX",), seed=seed)


@lru_cache(maxsize=len(ALL_SEEDS))
def universe_of(seed: int) -> Universe:
    return generate(seed)


@lru_cache(maxsize=len(ALL_SEEDS) * 40)
def returns(seed: int, symbol: str) -> Floats:
    """Total returns from the panel alone, NaN before the second row."""
    panel = panel_of(seed)
    j = panel.column(symbol)
    out = np.full(panel.n_bars, np.nan)
    close = panel.close[:, j]
    out[1:] = (close[1:] + panel.dividend[1:, j]) * panel.split[1:, j] / close[:-1] - 1.0
    return out


def drawdowns(ret: Floats) -> Floats:
    equity = np.cumprod(1.0 + np.nan_to_num(ret))
    return equity / np.maximum.accumulate(equity) - 1.0
