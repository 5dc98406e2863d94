"""W4 of scripts/bench: the price path and the grid of a parameter sweep."""

from datetime import date

import numpy as np
from workloads import cut, random_panel

from plimsoll.engine.market.calendar import build_clock
from plimsoll.engine.market.panel import Panel
from plimsoll.engine.types import Floats

N_BARS = 4000


def w4() -> tuple[Panel, Floats]:
    """Return one asset's 4,000 sessions and the settings (1000, 3) to sweep W2's strategy over.

    Columns: q_level, q_slope, noise, variances per bar as `kalman_level.params` takes them; the last one changes
    fastest. The middle of each range lies near W2's setting.
    """
    clock = build_clock(date(2009, 1, 2), date(2024, 11, 22), "1d")
    panel = random_panel(cut(clock, N_BARS), 1, 5, 0.01)
    axes = (np.geomspace(1e-3, 1e-1, 10), np.geomspace(1e-5, 1e-3, 10), np.geomspace(5.0, 500.0, 10))
    grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
    return panel, np.ascontiguousarray(grid)
