"""Run a blueprint over the sample or real files and hold every session of it against its oracle."""

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from support.plain_blueprint import NOTES, answers
from support.plain_market import Market, assert_same_answers, market_of_files, market_of_panel
from support.sampled import panel_of
from support.scripted import Ran, plain_config, run_config

from plimsoll.engine.market.csv.source import load_csv
from plimsoll.engine.sleeve.strategy import Strategy

# From a market and the sessions of the schedule to daily targets and the numbers noted.
Oracle = Callable[[Market, pd.DatetimeIndex], pd.DataFrame]

# End of the real files: recomputed figures refer to it.
LAST = date(2026, 5, 1)


def on_sample(strategy: type[Strategy], oracle: Oracle, **params: Any) -> tuple[Ran, pd.DataFrame]:
    """Run on the generated market."""
    panel = panel_of(42)
    ran = run_config(panel, plain_config(f"{strategy.__module__}:{strategy.__name__}", params))
    return ran, same_sessions(ran, oracle, market_of_panel(panel, list(strategy().universe)), params)


def on_files(folder: Path, strategy: type[Strategy], oracle: Oracle, **params: Any) -> tuple[Ran, pd.DataFrame]:
    """Run on real files."""
    symbols = list(strategy().universe)
    panel = load_csv(folder, symbols, strategy().indicators, end=LAST)
    ran = run_config(panel, plain_config(f"{strategy.__module__}:{strategy.__name__}", params))
    return ran, same_sessions(ran, oracle, market_of_files(folder, symbols, str(LAST)), params)


def noted(ran: Ran) -> pd.DataFrame:
    """Diagnostics as sessions by names."""
    return ran.result.diagnostics.pivot_table(index="session", columns="name", values="value")


def same_sessions(ran: Ran, oracle: Oracle, market: Market, params: dict[str, Any]) -> pd.DataFrame:
    """Compare what was noted on every session, then every answer."""
    due = market.due(params.get("rebalance", "M"))
    daily = oracle(market, due)
    ours = noted(ran)
    theirs = daily.loc[daily.index >= ours.index[0]]
    assert len(theirs) > 200
    for name in [*NOTES, *(c for c in daily.columns if c in ours.columns and c not in NOTES)]:
        np.testing.assert_allclose(
            ours[name].loc[theirs.index], theirs[name].astype(float), rtol=1e-8, atol=1e-9, err_msg=name
        )
    target = daily[[c for c in daily.columns if c in market.close.columns]].astype(float)
    assert_same_answers(ran, answers(market, target, due), 1e-8)
    return daily
