"""Generated settings of execution, costs, financing and account, and generated bars within the day."""

from datetime import date
from typing import Any

import numpy as np
from hypothesis import strategies as st
from support.panels import make_panel

from plimsoll.engine.market.calendar import build_clock
from plimsoll.engine.market.panel import Panel

Sections = dict[str, Any]

EXECUTION = st.fixed_dictionaries(
    {
        "fill": st.sampled_from(["next_open", "next_close"]),
        "sizing": st.sampled_from(["decision", "decision", "fill"]),
        "min_notional": st.sampled_from([0.0, 1.0, 5_000.0]),
        "fractional": st.booleans(),
        "qty_decimals": st.sampled_from([0, 2, 9]),
        "max_participation": st.sampled_from([0.0, 0.0005, 0.02, 1.0]),
        "unfilled": st.sampled_from(["expire", "carry"]),
    }
)
BAND = st.sampled_from([0.0, 0.01, 0.2])
COSTS = st.one_of(
    st.just({"preset": "none"}),
    st.fixed_dictionaries({"preset": st.just("flat"), "flat_bps": st.sampled_from([0.0, 7.0, 80.0])}),
    st.fixed_dictionaries(
        {
            "preset": st.just("us_etf"),
            "stress": st.sampled_from([0.0, 1.0, 4.0]),
            "impact": st.sampled_from([0.0, 1.0]),
            "commission_per_share": st.sampled_from([0.0, 0.01]),
        }
    ),
)
FINANCING = st.fixed_dictionaries(
    {
        "cash_rate": st.sampled_from([0.0, 0.05, -0.02, "S001"]),
        "cash_rate_after": st.just(0.03),  # the series may end early
        "margin_spread_bps": st.sampled_from([0.0, 150.0]),
        "borrow_bps": st.sampled_from([0.0, 50.0, 2_000.0]),
        "short_rebate": st.sampled_from([0.0, 0.4]),
    }
)
ACCOUNT = st.fixed_dictionaries(
    {
        "type": st.sampled_from(["reg_t", "reg_t", "cash"]),
        "maintenance_long": st.sampled_from([0.25, 0.6]),
        "maintenance_short": st.sampled_from([0.3, 0.7]),
    }
)
SECTIONS = st.fixed_dictionaries(
    {
        "execution": EXECUTION,
        "integrator": st.fixed_dictionaries({"turnover": st.fixed_dictionaries({"band": BAND})}),
        "costs": COSTS,
        "financing": FINANCING,
        "account": ACCOUNT,
        "run": st.fixed_dictionaries({"cash": st.sampled_from([40.0, 25_000.0, 3e6])}),
    }
)


def within_day(seed: int, minutes: int) -> Panel:
    """Return twelve sessions of three symbols with missing bars, splits and dividends at any bar."""
    clock = build_clock(date(2025, 6, 2), date(2025, 6, 18), f"{minutes}min")
    rng = np.random.default_rng(seed)
    shape = (len(clock), 3)
    close = 50.0 * np.exp(np.cumsum(rng.normal(0.0, 0.01, shape), axis=0))
    close[rng.random(shape) < 0.03] = np.nan
    split = np.where((rng.random(shape) < 0.01) & ~np.isnan(close), 2.0, 1.0)
    close /= np.cumprod(split, axis=0)
    dividend = np.where(rng.random(shape) < 0.01, 0.2, 0.0)
    return make_panel(
        close, volume=rng.lognormal(9.0, 1.0, shape), split=split, dividend=dividend, clock=clock,
        interval=f"{minutes}min",
    )  # fmt: skip
