"""What the blueprints share: limits, cash fund, bands, schedule and looked-through risk."""

from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.blueprint_run import noted
from support.panels import make_panel
from support.plain_blueprint import ewma_covariance
from support.plain_market import market_of_files
from support.sampled import panel_of
from support.scripted import Ran, plain_config, run_config

from plimsoll.engine.kernels.estimate import moments
from plimsoll.engine.market.panel import Panel
from plimsoll.engine.runtime.resolve import make_strategy
from plimsoll.strategies import look_through
from plimsoll.strategies.blueprint import BlueprintParams, Layout, Slot

NAMES = ("crisis_alpha", "convex_rate_hedge", "inflation_beta", "vol_barbell")
BOLD = {"risk_target": 0.90, "allow_outside_mandate": True, "weight_engine": 1.0,
        "weight_short_volatility": 0.0, "weight_tail": 0.0, "rebalance": "D"}  # fmt: skip


def run(name: str, panel: Panel | None = None, **params: Any) -> Ran:
    return (
        on_sample(name)
        if panel is None and not params
        else run_config(panel or panel_of(42), plain_config(name, params))
    )


@cache
def on_sample(name: str) -> Ran:
    return run_config(panel_of(42), plain_config(name))


@cache
def unlimited() -> pd.DataFrame:
    return noted(run("vol_barbell", **BOLD))


@pytest.mark.parametrize(
    ("limit", "value", "diagnostic"),
    [("engine_max", 0.3, "engine_weight"), ("look_through_max", 0.8, "look_through"), ("beta_max", 0.6, "equity_beta")],
)
def test_each_limit_binds_and_is_never_exceeded(limit: str, value: float, diagnostic: str) -> None:
    assert unlimited()[diagnostic].max() > value + 0.1
    bound = noted(run("vol_barbell", **BOLD | {limit: value}))[diagnostic]
    assert bound.max() == pytest.approx(value)


@pytest.mark.parametrize("name", NAMES)
def test_weights_are_long_and_sum_to_one_with_the_cash_fund(name: str) -> None:
    targets = run(name).result.targets
    assert (targets.to_numpy() >= 0.0).all()
    np.testing.assert_allclose(targets.sum(axis=1).iloc[1:], 1.0, rtol=1e-12)


def test_the_cash_fund_is_the_first_that_is_listed() -> None:
    targets = run("vol_barbell").result.targets.iloc[1:]
    assert targets["SGOV"].loc[:"2020-05-27"].eq(0.0).all()
    assert targets["BIL"].loc[:"2020-05-27"].gt(0.0).all()
    assert targets["BIL"].loc["2020-06-01":].eq(0.0).all()
    assert targets["SGOV"].loc["2020-06-01":].gt(0.0).all()
    ledger = run("vol_barbell", cash_funds=()).result.targets.iloc[1:]
    both = ledger.index.intersection(targets.index)  # without a cash fund its drift trips no band
    assert len(both) > 180
    np.testing.assert_allclose(ledger.loc[both, ["TQQQ", "SVOL", "TAIL"]], targets.loc[both, ["TQQQ", "SVOL", "TAIL"]])
    assert ledger.sum(axis=1).max() < 1.0


@pytest.mark.parametrize("name", NAMES)
def test_answers_come_on_month_ends_or_beyond_the_band(name: str) -> None:
    ran = run(name)
    clock = ran.setup.panel.clock
    ends = pd.DatetimeIndex(clock.session[clock.month_last])
    answered = ran.result.targets.index[2:]
    off = answered.difference(ends)
    assert len(answered.intersection(ends)) >= 180
    assert len(off) < len(ends)
    wide = run(name, drift_band=0.9).result.targets.index[2:]
    assert len(wide.difference(ends)) == 0


@pytest.mark.parametrize("name", NAMES)
def test_estimated_volatility_exceeds_the_cap_by_the_scalar_band_at_most(name: str) -> None:
    sigma = noted(run(name, risk_target=0.12))["sigma"]
    assert sigma.max() <= 0.12 / 0.9 + 1e-9  # the scalar in force may lag the wanted one by a tenth of itself
    assert sigma.max() > 0.12


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_held_before_the_engine_trades(name: str) -> None:
    targets = run(name).result.targets
    assert targets.loc[:"2010-02-10"].to_numpy().sum() == 0.0
    assert targets["TQQQ"].loc["2010-02-11":].iloc[1:].gt(0.0).all()


def correlated_panel() -> Panel:
    """QQQ and TLT against each other for 330 sessions, together afterwards; every other fund on its own."""
    rng = np.random.default_rng(11)
    strategy = make_strategy("convex_rate_hedge", {}, where="test")
    symbols = tuple(sorted(strategy.universe))
    ret = rng.normal(0.0002, 0.005, (520, len(symbols)))
    q, t = symbols.index("QQQ"), symbols.index("TLT")
    ret[:, t] = 0.8 * np.where(np.arange(520) < 330, -1.0, 1.0) * ret[:, q] + 0.001 * rng.normal(size=520)
    ret[:, symbols.index("TQQQ")], ret[:, symbols.index("TMF")] = 3.0 * ret[:, q], 3.0 * ret[:, t]
    return make_panel(50.0 * np.cumprod(1.0 + ret, axis=0), symbols=symbols, start=date(2015, 1, 2))


def test_no_duration_rises_while_stocks_and_bonds_move_together() -> None:
    ran = run("convex_rate_hedge", correlated_panel(), rebalance="D", budget_together=[0.5, 0.0, 0.2, 0.0, 0.3],
              budget_apart=[0.6, 0.1, 0.3, 0.0, 0.0], budget_apart_falling=[0.6, 0.1, 0.3, 0.0, 0.0])  # fmt: skip
    up = noted(ran)["guard"].iloc[-1]
    assert up == 1.0
    assert ran.result.targets["IEF"].max() == 0.0


def test_the_guard_takes_risk_from_levered_duration_and_gives_it_to_gold() -> None:
    budgets = {f"budget_apart{word}": [0.5, 0.0, 0.2, 0.3, 0.0] for word in ("", "_falling")}
    ran = run("convex_rate_hedge", correlated_panel(), guard_ramp_bars=21, guard_shift=0.1, **budgets)
    seen = noted(ran)
    on_the_way = seen[(seen["guard"] > 0.0) & (seen["guard"] < 1.0) & (seen["budget_duration"] > 0.0)]
    assert len(on_the_way) >= 5
    share = on_the_way["guard"]
    # the budgets of the regime move in a straight line, by as much of the way as the guard has gone up
    plain = 0.3 + (0.0 - 0.3) * share
    np.testing.assert_allclose(on_the_way["budget_duration"], np.maximum(plain - 0.1 * share, 0.0), atol=1e-9)


def test_a_levered_fund_is_known_by_its_underlying() -> None:
    layout = Layout(BlueprintParams(), [Slot("engine", ("TQQQ",)), Slot("duration", ("TMF",)), Slot("gold", ("IAU",))])
    at = layout.column
    assert layout.base[at("TQQQ")] == at("QQQ")
    assert layout.base[at("TMF")] == at("TLT")
    assert layout.leverage[[at("TQQQ"), at("TMF"), at("IAU"), at("QQQ")]].tolist() == [3.0, 3.0, 1.0, 1.0]
    assert layout.givers.tolist() == [False, True, False]
    assert layout.takers.tolist() == [False, False, True]


@given(seed=st.integers(0, 2**32), holes=st.floats(0.0, 0.2))
def test_looked_through_covariance_equals_plain_pandas(seed: int, holes: float) -> None:
    rng = np.random.default_rng(seed)
    ret = rng.normal(0.0, 0.01, (120, 3))
    ret[rng.random((120, 3)) < holes] = np.nan
    ret[:40, 2] = np.nan
    seen, params = look_through.init(3), moments.params(42.0)
    for t, row in enumerate(ret):
        look_through.observe(seen, params, row, ~np.isnan(row), np.zeros(3, dtype=np.bool_), t)
    plain = ewma_covariance(pd.DataFrame(ret))
    cov = np.array([[plain[a, b].iloc[-1] for b in range(3)] for a in range(3)])
    np.testing.assert_allclose(seen.cov, cov, rtol=1e-9)
    assert (np.abs(seen.cov) <= np.sqrt(np.outer(np.diag(seen.cov), np.diag(seen.cov))) * (1.0 + 1e-9)).all()
    mix, lev, base = np.array([[0.0, 1.0, 0.0], [0.5, 0.0, 0.5]]), np.array([1.0, 3.0, 1.0]), np.array([0, 0, 2])
    out = np.empty((2, 2))
    look_through.slot_covariance(mix, lev, base, seen.cov, 252.0, out)
    through = mix * lev @ np.array([[1.0, 0, 0], [1.0, 0, 0], [0, 0, 1.0]])
    np.testing.assert_allclose(out, 252.0 * through @ cov @ through.T, rtol=1e-9, atol=1e-15)


@pytest.mark.parametrize(
    ("leverage", "sigma", "published"),
    [(3, 0.15, 0.067), (3, 0.20, 0.12), (3, 0.25, 0.187), (3, 0.30, 0.27), (-3, 0.20, 0.24)],
)
def test_the_drag_of_daily_resetting_is_the_published_one(leverage: float, sigma: float, published: float) -> None:
    assert look_through.drag(leverage, sigma) == pytest.approx(published, abs=0.0016)


@pytest.mark.realdata
@pytest.mark.parametrize(("fund", "under"), [("TQQQ", "QQQ"), ("TMF", "TLT")])
def test_looked_through_volatility_is_that_of_the_real_fund(real_daily: Path, fund: str, under: str) -> None:
    ret = market_of_files(real_daily, [fund, under], "2026-05-01").ret
    cov = ewma_covariance(ret)
    ratio = np.sqrt(cov[fund, fund] / (9.0 * cov[under, under])).loc["2011":]
    assert ratio.median() == pytest.approx(1.0, abs=0.02)
    assert ratio.between(0.85, 1.10).all()
