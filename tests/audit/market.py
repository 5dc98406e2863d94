"""A small market for audits: three symbols, one of which is split, pays, and is delisted early."""

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from support.adjusted import adjusted_close

from plimsoll.engine.market.panel import CLOSE, DIVIDEND, OPEN, SPLIT, Panel
from plimsoll.engine.research.audit.case import Case, StandIn
from plimsoll.engine.research.proof.trial_market import DELISTED, WHOLE, trial_panel
from plimsoll.engine.runtime.load import load_run
from plimsoll.engine.sleeve.strategy import Strategy

SYMBOLS = ("AAA", "BBB", "CCC")
N_BARS = 120


@lru_cache(maxsize=1)
def market() -> Panel:
    """Return the panel; AAA is split at bars 60 and 90."""
    lives = {"AAA": WHOLE, "BBB": WHOLE, "CCC": DELISTED}
    panel = trial_panel(SYMBOLS, ("VIX",), n_bars=N_BARS, seed=4, lives=lives)
    block, high, low = panel.block.copy(), panel.high.copy(), panel.low.copy()
    for t in (60, 90):
        block[SPLIT, t, 0] = 2.0
        block[[OPEN, CLOSE, DIVIDEND], t:, 0] /= 2.0
        high[t:, 0] /= 2.0
        low[t:, 0] /= 2.0
    return replace(panel, block=block, high=high, low=low)


def case_of(
    strategy: type[Strategy] | Strategy,
    *,
    stand_in: StandIn | None = None,
    panel: Panel | None = None,
    sets: tuple[str, ...] = (),
) -> Case:
    """Return the case of one strategy on the small market."""
    config, loaded, given = load_run(strategy, data=market() if panel is None else panel, sets=sets)
    return Case(config, loaded, False, given, stand_in)


def write_prices(panel: Panel, folder: Path) -> None:
    """Write a CSV file per symbol and indicator."""
    folder.mkdir(parents=True)
    for i, symbol in enumerate(panel.symbols):
        rows = ["date,open,high,low,close,adj_close,volume,dividend,split"]
        there = np.flatnonzero(~np.isnan(panel.close[:, i]))
        adjusted = adjusted_close(panel.close[there, i], panel.dividend[there, i], panel.split[there, i])
        for at, t in enumerate(there):
            prices = (panel.open[t, i], panel.high[t, i], panel.low[t, i], panel.close[t, i], adjusted[at])
            shown = ",".join(f"{price:.6f}" for price in prices)
            actions = f"{panel.dividend[t, i]:.6f},{panel.split[t, i]:g}"
            rows.append(f"{panel.clock.session[t]},{shown},{panel.volume[t, i]:.0f},{actions}")
        (folder / f"{symbol}.csv").write_text("\n".join(rows) + "\n")
    for i, name in enumerate(panel.indicators):
        rows = ["date,close"]
        for t in np.flatnonzero(~np.isnan(panel.indicator[:, i])):
            rows.append(f"{panel.clock.session[t]},{panel.indicator[t, i]:.4f}")
        (folder / f"{name}.csv").write_text("\n".join(rows) + "\n")


def config_on_files(strategy: str, **sections: Mapping[str, Any]) -> dict[str, Any]:
    """Return a configuration that reads the folder `data`, as seen from the working folder."""
    sleeve = {"name": "s", "strategy": strategy}
    return {"run": {"name": "tried"}, "data": {"source": "csv", "path": "data"}, "sleeve": [sleeve], **sections}
