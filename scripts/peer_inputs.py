"""The inputs of scripts/bench's workloads as .npz files, with the floor's equity to compare with."""

from pathlib import Path
from typing import Any

import numpy as np
import workloads
from workload_grid import w4

from plimsoll.engine.market.panel import Panel
from plimsoll.engine.types import Floats


def write(work: str, path: Path) -> None:
    """Write a workload's prices, its rule and the floor's equity for `peers/run.py` to read.

    Raises
    ------
    ValueError
        No such workload.
    """
    if work == "W4":
        panel, grid = w4()
        np.savez(path, **prices(panel), grid=grid, reference=sweep(panel, grid))
        return
    if work not in workloads.OURS:
        raise ValueError(f"no workload {work!r} to run peers on: there are {', '.join(workloads.OURS)}, W4")
    make, cls = workloads.OURS[work]
    config, panel = make()
    rule: dict[str, Any] = {}
    if cls is not workloads.KalmanLongFlat:
        monthly = work == "W1"
        rule["due"] = panel.clock.month_last if monthly else panel.clock.session_index % 21 == 0
        rule["lookback"] = config.sleeve[0].params.get("lookback_bars", 60)
        rule["n_risky"] = len(config.sleeve[0].params.get("risky", ()))
    np.savez(path, **prices(panel), **rule, reference=workloads.floor("W2" if not rule else work, panel)())


def prices(panel: Panel) -> dict[str, Floats]:
    """Return opens, closes and times."""
    return {"open": panel.open, "close": panel.close, "ts": panel.clock.stamp}


def sweep(panel: Panel, grid: Floats) -> Floats:
    """Return the floor's final equity (S,) of each setting (S, 3)."""
    open_, close = (np.ascontiguousarray(panel.block[k, :, 0]) for k in (0, 1))
    equity, last = np.empty(panel.n_bars), np.empty(len(grid))
    for s, (q_level, q_slope, noise) in enumerate(grid):
        workloads.floor_kalman(open_, close, q_level, q_slope, noise, equity)
        last[s] = equity[-1]
    return last
