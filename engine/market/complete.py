"""Columns for symbols the data lack, and what the data offer."""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from plimsoll.engine.market.panel import DIVIDEND, SPLIT, DataWarning, Panel


def with_empty(panel: Panel, symbols: Iterable[str]) -> Panel:
    """Return the panel with a column that never lists for each of `symbols` it lacks, named in a warning.

    The data hash stays: an empty column adds no data.
    """
    lacking = sorted(set(symbols) - set(panel.symbols))
    if not lacking:
        return panel
    names = sorted([*panel.symbols, *lacking])
    at = [names.index(symbol) for symbol in panel.symbols]
    block = np.full((5, panel.n_bars, len(names)), np.nan)
    block[DIVIDEND] = 0.0
    block[SPLIT] = 1.0
    block[:, :, at] = panel.block
    high, low = np.full((2, panel.n_bars, len(names)), np.nan)
    high[:, at], low[:, at] = panel.high, panel.low
    outside = panel.outside
    if outside.size:  # nothing is said of what the data lack
        outside = np.zeros((panel.n_bars, len(names)), dtype=np.bool_)
        outside[:, at] = panel.outside
    found = tuple(DataWarning("not_in_data", symbol, "no file: treated as never listed") for symbol in lacking)
    return replace(
        panel, symbols=tuple(names), block=block, high=high, low=low, outside=outside, warnings=panel.warnings + found
    )
