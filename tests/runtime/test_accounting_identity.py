"""Change of equity = price P&L + dividends + interest - financing - borrow - costs + flow, at every bar."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.compare import market_of
from support.identity import assert_adds_up, bars_of
from support.panels import random_panel
from support.scripted import Ran, run_script

FIRST = 20

settings_of_runs = st.fixed_dictionaries(
    {
        "seed": st.integers(0, 2**32),
        "preset": st.sampled_from(["none", "flat", "us_etf"]),
        "account": st.sampled_from(["cash", "reg_t"]),
        "fill": st.sampled_from(["next_open", "next_close"]),
        "sizing": st.sampled_from(["decision", "decision", "fill"]),
        "unfilled": st.sampled_from(["expire", "carry"]),
        "fractional": st.booleans(),
        "max_participation": st.sampled_from([0.0, 0.002, 0.05]),
        "band": st.sampled_from([0.0, 0.02]),
        "min_notional": st.sampled_from([0.0, 500.0]),
        "gross": st.sampled_from([0.9, 2.0, 5.0]),
        "often": st.sampled_from([0.1, 0.9]),
        "volatility": st.sampled_from([0.01, 0.03, 0.12]),
        "rate": st.sampled_from([0.0, 0.05]),
        "flows": st.booleans(),
    }
)


def run_one(s: dict[str, Any], folder: Path) -> Ran:
    """Run random targets on a random market under the drawn settings."""
    panel = random_panel(s["seed"], volatility=s["volatility"])
    rng = np.random.default_rng(s["seed"] + 1)
    market = market_of(panel)
    answers = {}
    for t in range(panel.n_bars):
        if rng.random() < s["often"]:
            listed = [name for name in panel.symbols if market.trades(name, t)]
            raw = rng.normal(size=len(listed)) if s["account"] == "reg_t" else rng.exponential(size=len(listed))
            raw *= rng.random(len(listed)) < 0.8
            answers[t] = dict(zip(listed, s["gross"] * raw / max(np.abs(raw).sum(), 1e-9), strict=True))
    account: dict[str, Any] = {"type": s["account"]}
    if s["flows"]:
        path = folder / "flows.csv"
        least = -3_000.0 if s["volatility"] * s["gross"] < 0.1 else 0.0  # a wild account may not have it any more
        rows = [f"{panel.clock.session[t]},{rng.uniform(least, 8_000.0):.2f}" for t in rng.integers(FIRST, 90, 5)]
        path.write_text("\n".join(["date,amount", *rows]))
        account["flows"] = str(path)
    execution = ("fill", "sizing", "unfilled", "fractional", "max_participation", "min_notional")
    return run_script(
        panel, answers, first=FIRST, account=account,
        execution={name: s[name] for name in execution},
        integrator={"turnover": {"band": s["band"]}},
        costs={"preset": s["preset"], "flat_bps": 7.0, "commission_per_share": 0.001},
        financing={"cash_rate": s["rate"], "margin_spread_bps": 150.0, "borrow_bps": 300.0},
    )  # fmt: skip


@given(s=settings_of_runs)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_bar_of_every_kind_of_account_adds_up(s: dict[str, Any], tmp_path: Path) -> None:
    ran = run_one(s, tmp_path)
    setup, result = ran.setup, ran.result
    assert_adds_up(
        setup.panel, FIRST, result.equity, result.weights.to_numpy(), bars_of(result.fills, setup.panel), setup.bill,
        100_000.0, 0.015, 0.03,
    )  # fmt: skip


@given(s=settings_of_runs)
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_fills_of_an_order_never_exceed_it_nor_the_participation_cap(s: dict[str, Any], tmp_path: Path) -> None:
    ran = run_one(s, tmp_path)
    panel, orders = ran.setup.panel, ran.result.orders
    fills = bars_of(ran.result.fills, panel)
    traded = fills[fills["order_id"] != ""]
    assert (orders["filled"].abs() <= orders["qty"].abs() * (1.0 + 1e-12)).all()
    assert ((orders["filled"] * orders["qty"] > 0.0) | (orders["filled"] == 0.0)).all()
    complete = orders[orders["status"] == "filled"]
    np.testing.assert_allclose(complete["filled"], complete["qty"], rtol=1e-12)
    for (bar, column), of_bar in traded.groupby(["bar", "column"]):
        volume = panel.volume[bar, column]
        assert volume != 0.0
        if s["max_participation"] > 0.0 and not np.isnan(volume):
            assert of_bar["qty"].abs().sum() <= s["max_participation"] * volume * (1.0 + 1e-12)
        price = panel.open if s["fill"] == "next_open" else panel.close
        assert (of_bar["price"] == price[bar, column]).all()


@given(s=settings_of_runs)
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_short_position_is_always_a_whole_number_of_shares_until_a_split(s: dict[str, Any], tmp_path: Path) -> None:
    ran = run_one(s | {"sizing": "decision"}, tmp_path)
    panel = ran.setup.panel
    whole = np.array([not (panel.split[:, i] == 1.5).any() and not (panel.split[:, i] == 0.2).any() for i in range(4)])
    for t in range(FIRST, ran.track.last + 1, 7):
        shares = ran.shares_after(t)
        short = shares[(shares < -1e-9) & whole]
        np.testing.assert_allclose(short, np.round(short), rtol=0.0, atol=1e-9)


@pytest.mark.parametrize("seed", range(25))
def test_a_cash_account_owes_nothing_beyond_an_overnight_gap(seed: int, tmp_path: Path) -> None:
    calm = {
        "seed": seed, "preset": "flat", "account": "cash", "fill": "next_open", "sizing": "decision",
        "unfilled": "expire", "fractional": seed % 2 == 0, "max_participation": 0.0, "band": 0.0,
        "min_notional": 500.0, "gross": 1.0, "often": 0.9, "volatility": 0.02, "rate": 0.0, "flows": False,
    }  # fmt: skip
    ran = run_one(calm, tmp_path)
    panel = ran.setup.panel
    for decision in ran.track.decisions:
        row = ran.equity.iloc[decision.t - FIRST] if decision.t >= FIRST else None
        cash = 100_000.0 if row is None else row["cash"]
        orders = decision.plan.orders.rows
        after = cash - (orders.qty * orders.price + np.abs(orders.qty) * orders.price * 7e-4).sum()
        assert after >= min(cash, 0.0) - 1e-6 or (orders.qty <= 0.0).all(), panel.clock.session[decision.t]
