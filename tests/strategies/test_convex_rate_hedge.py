"""The convex rate hedge: every session against plain pandas, and what its regimes promise."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from support.blueprint_run import noted, on_files, on_sample
from support.plain_blueprint import ewma_covariance, growth, regimes, settle, table_of, usable
from support.plain_market import Market

from plimsoll.engine.config.schema import load_config
from plimsoll.engine.errors import ConfigError
from plimsoll.engine.runtime.resolve import make_strategy
from plimsoll.strategies.convex_rate_hedge import APART_FALLING, SLOTS, ConvexRateHedge

HELD = ["TQQQ", "PFIX", "IAU", "TMF", "IEF"]
BUDGETS = {
    "together": np.array([0.55, 0.20, 0.25, 0.0, 0.0]),
    "falling": np.array([0.60, 0.05, 0.15, 0.20, 0.0]),
    "apart": np.array([0.60, 0.10, 0.30, 0.0, 0.0]),
}


def ramped(market: Market, guard: pd.DataFrame, due: pd.DatetimeIndex) -> tuple[pd.DataFrame, pd.Series]:
    """Budgets on their way to the regime's, and the inflation signal in force."""
    gap = (1.0 + growth(market, "TIP", 126)) / (1.0 + growth(market, "IEF", 126)) - 1.0
    rows, signals, signal, kind, start, now, age = {}, {}, np.nan, None, None, None, 0
    for day in market.index:
        signal = gap[day] if np.isnan(signal) or day in due else signal
        signals[day] = signal
        state = guard["state"][day]
        if state == 0:
            continue
        wanted = "together" if state > 0 else ("falling" if signal <= 0.0 else "apart")
        goal = BUDGETS[wanted]
        if kind is None:
            start, age = goal, 21
        elif wanted != kind:
            start, age = now, 0
        kind, age = wanted, min(age + 1, 21)
        now = start + (goal - start) * age / 21.0
        rows[day] = now
    return pd.DataFrame(rows, HELD).T, pd.Series(signals)


def oracle(market: Market, due: pd.DatetimeIndex) -> pd.DataFrame:
    cov = ewma_covariance(market.ret[["QQQ", "PFIX", "IAU", "TLT", "IEF"]])
    single = table_of(cov, HELD)
    guard = regimes(market.ret["QQQ"], market.ret["TLT"])
    budgets, signal = ramped(market, guard, due)
    there = pd.DataFrame({s: usable(market, s) for s in HELD})
    wanted, told = pd.DataFrame(np.nan, market.index, HELD), {}
    for t, day in enumerate(market.index):
        if not there["TQQQ"].iloc[t] or day not in budgets.index:
            continue
        b = budgets.loc[day].to_numpy() * there.iloc[t].to_numpy()
        kept = b.sum()
        b = b / kept
        moved = min(0.10 * guard["level"].iloc[t], b[3])
        b[3], b[2] = b[3] - moved, b[2] + moved
        sigma = np.sqrt(np.diag(single[t]))
        w = np.array([x / y if x > 0.0 else 0.0 for x, y in zip(b, sigma, strict=True)])
        wanted.loc[day] = w / w.sum() * min(kept, 1.0)
        told[day] = {"inflation": signal[day]} | {f"budget_{name}": x for name, x in zip(SLOTS, b, strict=True)}
    return settle(market, wanted, cov, guard, duration=("TMF", "IEF")).join(pd.DataFrame(told).T)


def test_every_session_of_the_sample_equals_plain_pandas() -> None:
    on_sample(ConvexRateHedge, oracle)


@pytest.mark.realdata
def test_every_session_of_real_data_equals_plain_pandas(real_daily: Path) -> None:
    ran, daily = on_files(real_daily, ConvexRateHedge, oracle, rebalance="D")
    assert daily["PFIX"].loc[:"2021-07"].eq(0.0).all()  # no hedge before the fund, nothing in its place
    guard = regimes(*(pd.Series(x) for x in _pair(real_daily)))["state"]
    up = guard.index[(guard > 0) & (guard.shift(1) < 0)]
    assert len(up) >= 3
    for day in up[up >= daily.index[0]]:
        for fund in ("TMF", "IEF"):  # no duration rises while the guard is up
            held = daily[fund].astype(float).loc[day:].iloc[:60]
            assert (held.diff().dropna()[guard[held.index[1:]] > 0] <= 1e-12).all()
    assert ran.result.targets["PFIX"].iloc[-1] > 0.0
    seen = noted(ran)
    allowed = (seen["regime"] == APART_FALLING).rolling(21, min_periods=1).max().astype(bool)  # then the ramp is over
    none = seen.index[~allowed.reindex(seen.index)]
    assert 0.1 < len(none) / len(seen) < 0.9
    assert daily.loc[none, ["TMF", "IEF"]].astype(float).max().max() <= 1e-12
    assert ran.result.targets["TMF"].max() > 0.05  # and some where both conditions hold


def _pair(folder: Path) -> list[pd.Series]:
    from support.plain_market import market_of_files

    ret = market_of_files(folder, ["QQQ", "TLT"], "2026-05-01").ret
    return [ret["QQQ"], ret["TLT"]]


def test_budgets_of_absent_funds_stay_in_cash() -> None:
    budget, kept = ConvexRateHedge().placed(BUDGETS["together"], np.array([True, False, True, True, True]))
    np.testing.assert_allclose(budget, [0.6875, 0.0, 0.3125, 0.0, 0.0])
    assert kept == pytest.approx(0.80)


def test_the_former_rule_is_a_matter_of_parameters() -> None:
    former = {"inflation_bars": 252, "budget_apart": [0.60, 0.10, 0.20, 0.0, 0.10]}
    strategy = make_strategy("convex_rate_hedge", former, where="test")
    assert strategy.warmup_bars == 253
    assert "intermediate" in strategy.implied()["weights, correlation negative, inflation rising"]
    assert "intermediate" not in ConvexRateHedge().implied()["weights, correlation negative, inflation rising"]


@pytest.mark.parametrize(
    ("params", "told"),
    [
        ({"budget_apart": [0.6, 0.1, 0.2, 0.0, 0.2]}, "budget_apart must be fractions >= 0 that sum to 1"),
        ({"budget_together": [0.5, 0.2, 0.2, 0.1, 0.0]}, "budget_together may hold no levered duration"),
        ({"risk_target": 0.10}, "risk_target 0.1 is outside 0.12 to 0.18"),
    ],
)
def test_parameters_that_cannot_work_are_refused(params: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        make_strategy("convex_rate_hedge", params, where="sleeve 's'")


def test_the_plan_follows_from_the_budgets_and_the_risk_target() -> None:
    plan = ConvexRateHedge().implied()
    assert "duration" not in plan["weights, correlation positive"]
    assert "duration" in plan["weights, correlation negative, inflation falling"]
    calm = ConvexRateHedge(ConvexRateHedge.Params(risk_target=0.12)).implied()
    assert calm["weights, correlation positive"] != plan["weights, correlation positive"]


def test_the_configuration_is_whole() -> None:
    load_config(Path("config/convex_rate_hedge.toml"))
