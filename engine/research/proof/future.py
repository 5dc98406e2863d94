"""Replace the future: what a causal computation cannot notice."""

from dataclasses import replace
from typing import Final, Literal, TypeAlias

import numpy as np

from plimsoll.engine.market.panel import CLOSE, DIVIDEND, OPEN, SPLIT, VOLUME, Panel
from plimsoll.engine.market.span import first_bars
from plimsoll.engine.types import Floats

How: TypeAlias = Literal["noise", "nothing known", "cut off"]
HOWS: Final[tuple[How, ...]] = ("noise", "nothing known", "cut off")


def replace_future(panel: Panel, t: int, how: How, seed: int = 0) -> Panel:
    """Return a panel that agrees with `panel` through bar t and has another future.

    noise : other prices, volumes, dividends, splits, indicators; symbols come and go at random, and so do members.
    nothing known : the sessions go on, none has a row.
    cut off : the data ends with bar t.

    The exchange calendar is known in advance and stays. `panel` itself is left as it is.
    """
    if how == "cut off":
        return first_bars(panel, t + 1)
    block, high, low = panel.block.copy(), panel.high.copy(), panel.low.copy()
    indicator = panel.indicator.copy()
    block[: VOLUME + 1, t + 1 :] = np.nan
    block[DIVIDEND, t + 1 :] = 0.0
    block[SPLIT, t + 1 :] = 1.0
    high[t + 1 :], low[t + 1 :], indicator[t + 1 :] = np.nan, np.nan, np.nan
    outside = panel.outside.copy()
    outside[t + 1 :] = False
    if how == "noise":
        outside[t + 1 :] = np.random.default_rng([seed, t, 1]).random(outside[t + 1 :].shape) < 0.3
        _noise(np.random.default_rng([seed, t]), block[:, t + 1 :], high[t + 1 :], low[t + 1 :], indicator[t + 1 :])
    return replace(panel, block=block, high=high, low=low, indicator=indicator, outside=outside)


def _noise(rng: np.random.Generator, block: Floats, high: Floats, low: Floats, indicator: Floats) -> None:
    shape = high.shape
    block[OPEN] = np.exp(rng.normal(4.0, 1.0, shape))
    block[CLOSE] = np.exp(rng.normal(4.0, 1.0, shape))
    block[VOLUME] = np.floor(np.exp(rng.normal(10.0, 3.0, shape)))
    block[DIVIDEND] = np.where(rng.random(shape) < 0.1, 0.02 * block[CLOSE], 0.0)
    block[SPLIT] = np.where(rng.random(shape) < 0.05, rng.choice([0.5, 2.0, 3.0], shape), 1.0)
    gone = rng.random(shape) < 0.2
    block[: VOLUME + 1, gone] = np.nan
    block[DIVIDEND, gone] = 0.0
    block[SPLIT, gone] = 1.0
    high[:] = np.maximum(block[OPEN], block[CLOSE])
    low[:] = np.minimum(block[OPEN], block[CLOSE])
    indicator[:] = np.exp(rng.normal(3.0, 1.0, indicator.shape))
