"""Crisis alpha: every session against plain pandas, the budgets against the recorded ones, and what they promise."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from support.blueprint_run import LAST, noted, on_files, on_sample
from support.plain_blueprint import ewma_covariance, growth, regimes, risk_budget, settle, table_of, usable
from support.plain_market import Market
from support.scripted import plain_config, run_config

from plimsoll.engine.config.schema import load_config
from plimsoll.engine.errors import ConfigError
from plimsoll.engine.market.csv.source import load_csv
from plimsoll.engine.runtime.resolve import make_strategy
from plimsoll.strategies.crisis_alpha import CrisisAlpha

ALL = np.ones(3, dtype=np.bool_)
HELD = ["TQQQ", "DBMF", "KMLM", "IAU"]


def water_fill(raw: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Clip, then scale by the one factor at which the clipped numbers sum to 1."""
    b = np.clip(raw, low, high)
    lo, hi = 0.0, 100.0
    for _ in range(70):
        mid = 0.5 * (lo + hi)
        lo, hi = (mid, hi) if np.clip(mid * b, low, high).sum() < 1.0 else (lo, mid)
    return np.clip(hi * b, low, high)


def plain_budgets(
    cov: np.ndarray, q: float, there: np.ndarray, core: float = 0.5, floor: str = "prior"
) -> tuple[np.ndarray, float]:
    """Budgets of the slots that are there; without managed futures half of theirs is gold, half cash.

    floor: whether the core's least budget holds before the view or after it.
    """
    first = np.full(3, 1.0 / 3.0)
    if floor == "prior":
        first = np.array([core, (1.0 - core) / 2.0, (1.0 - core) / 2.0]) if core > 1.0 / 3.0 else first
    sigma, b0 = cov[np.ix_(there, there)], first[there] / first[there].sum()
    w0 = risk_budget(sigma, b0)
    pi = 0.5 / np.sqrt(w0 @ sigma @ w0) * sigma @ w0
    pick = np.eye(len(sigma))[:1]
    spread = pick @ (0.05 * sigma) @ pick.T
    mu = pi + 0.05 * sigma @ pick.T @ np.linalg.inv(spread + spread) @ (np.array([q]) - pick @ pi)  # confidence 1/2
    raw = np.zeros(3)
    gain = np.maximum(w0 * mu, 0.0)
    raw[there] = gain / gain.sum() if gain.any() else b0  # where nothing promises anything the view has no say
    kept = 1.0
    if not there[1]:
        raw, kept = raw * (1.0 - first[1]), 1.0 - first[1] / 2.0
        raw[2] += first[1] / 2.0
    low, high = np.where(there, 0.05, 0.0), np.where(there, 0.70, 0.0)
    if floor == "budget":
        low[0] = core
    return water_fill(raw / raw.sum(), low, high), kept


def oracle(market: Market, due: pd.DatetimeIndex) -> pd.DataFrame:
    cov = ewma_covariance(market.ret[["QQQ", "DBMF", "KMLM", "IAU"]])
    guard = regimes(market.ret["QQQ"], market.ret["TLT"])
    there = pd.DataFrame({s: usable(market, s) for s in HELD})
    rose, bill = growth(market, "QQQ", 252), growth(market, "BIL", 252).fillna(0.0)
    single = table_of(cov, HELD)
    wanted = pd.DataFrame(np.nan, market.index, HELD)
    told, signal = {}, None
    for day in market.index[there["TQQQ"]]:
        if signal is None or day in due:
            signal = float(rose[day] > bill[day]), bill[day]
        futures = [s for s in ("DBMF", "KMLM") if there[s][day]]
        mix = np.zeros((3, 4))
        mix[0, 0] = mix[2, 3] = 1.0
        for s in futures:
            mix[1, 1 + ["DBMF", "KMLM"].index(s)] = 1.0 / len(futures)
        slots = mix @ single[market.index.get_loc(day)] @ mix.T
        sigma = np.sqrt(slots[0, 0])
        q = 3.0 * (signal[1] + 0.6 * sigma / 3.0 * signal[0]) - 2.0 * (signal[1] + 0.010) - 0.0086
        budget, kept = plain_budgets(slots, q, np.array([True, bool(futures), True]))
        wanted.loc[day] = risk_budget(slots, budget) * kept @ mix
        told[day] = dict(zip(("view", "budget_engine", "budget_futures", "budget_gold"), (q, *budget), strict=True))
    return settle(market, wanted, cov, guard).join(pd.DataFrame(told).T)


def test_every_session_of_the_sample_equals_plain_pandas() -> None:
    on_sample(CrisisAlpha, oracle)


@pytest.mark.realdata
def test_every_session_of_real_data_equals_plain_pandas_and_the_view_acts_on_every_one(real_daily: Path) -> None:
    ran, daily = on_files(real_daily, CrisisAlpha, oracle, rebalance="D")
    assert daily["budget_futures"].loc[:"2019-07"].eq(0.0).all()
    assert daily["DBMF"].loc["2021-06":].gt(0.0).all()
    assert len(ran.result.targets) > 190
    engine = noted(ran)["budget_engine"]
    assert engine.between(0.05 + 1e-9, 0.70 - 1e-9).all()  # neither bound holds it
    without = pd.Series(np.where(noted(ran)["budget_futures"] > 0.0, 0.5, 0.5 / 0.875), engine.index)  # of any view
    assert (engine - without).abs().gt(1e-3).mean() > 0.95
    bullish = noted(ran)["view"] > noted(ran)["view"].median()
    assert (engine - without)[bullish].mean() > 0.02 > (engine - without)[~bullish].mean()


@pytest.mark.realdata
def test_a_floor_after_the_view_held_the_budget_on_nearly_every_real_session(real_daily: Path) -> None:
    panel = load_csv(real_daily, list(CrisisAlpha().universe), end=LAST)
    values = plain_config("crisis_alpha", {"core_floor": "budget"}, run={"start": "2010-03-01"})
    engine = noted(run_config(panel, values))["budget_engine"]
    assert engine.sub(0.5).abs().lt(1e-9).mean() == pytest.approx(0.96, abs=0.005)  # why the floor went before the view


@example(vols=[0.25, 0.5, 0.5], rho=0.75, q=-0.1875, core=0.5, floor="prior", futures=False)
@given(
    vols=st.lists(st.floats(0.05, 0.8), min_size=3, max_size=3), rho=st.floats(-0.4, 0.9), q=st.floats(-0.2, 0.8),
    core=st.floats(0.05, 0.7), floor=st.sampled_from(["prior", "budget"]), futures=st.booleans(),
)  # fmt: skip
def test_budgets_of_both_readings_equal_the_plain_ones(
    vols: list[float], rho: float, q: float, core: float, floor: str, futures: bool
) -> None:
    sd = np.array(vols)
    cov = ((1.0 - rho) * np.eye(3) + rho) * np.outer(sd, sd)
    there = np.array([True, futures, True])
    strategy = make_strategy("crisis_alpha", {"b_core": core, "core_floor": floor}, where="test")
    assert isinstance(strategy, CrisisAlpha)
    budget, kept = strategy.budgets(cov, q, there)
    plain, share = plain_budgets(cov, q, there, core, floor)
    np.testing.assert_allclose(budget, plain, rtol=1e-6, atol=1e-9)
    assert kept == pytest.approx(share)


@given(vols=st.lists(st.floats(0.05, 0.8), min_size=3, max_size=3), rho=st.floats(-0.4, 0.9), core=st.floats(0.34, 0.7))
def test_a_view_that_says_nothing_new_leaves_the_stated_core(vols: list[float], rho: float, core: float) -> None:
    sd = np.array(vols)
    cov = ((1.0 - rho) * np.eye(3) + rho) * np.outer(sd, sd)
    first = np.array([core, (1.0 - core) / 2.0, (1.0 - core) / 2.0])
    w0 = risk_budget(cov, first)
    implied = float((0.5 / np.sqrt(w0 @ cov @ w0) * cov @ w0)[0])
    strategy = CrisisAlpha(CrisisAlpha.Params(b_core=core, b_max=0.75))
    np.testing.assert_allclose(strategy.budgets(cov, implied, ALL)[0], first, rtol=1e-6)


def test_without_managed_futures_half_their_budget_is_gold_and_half_is_cash() -> None:
    cov = np.diag([0.36, 0.0144, 0.0256])
    there = np.array([True, False, True])
    pair = cov[np.ix_(there, there)]
    w0 = risk_budget(pair, np.array([0.5, 0.5]))
    implied = float((0.5 / np.sqrt(w0 @ pair @ w0) * pair @ w0)[0])  # a view that changes nothing
    budget, kept = CrisisAlpha(CrisisAlpha.Params(b_core=0.05)).budgets(cov, implied, there)
    np.testing.assert_allclose(budget, [0.4, 0.0, 0.6])  # a third, and a third and a sixth, of five sixths
    assert kept == pytest.approx(5.0 / 6.0)
    w0 = risk_budget(pair, np.array([2.0 / 3.0, 1.0 / 3.0]))  # of a half and a quarter; the other quarter is absent
    implied = float((0.5 / np.sqrt(w0 @ pair @ w0) * pair @ w0)[0])
    budget, kept = CrisisAlpha().budgets(cov, implied, there)
    np.testing.assert_allclose(budget * kept, [0.5, 0.0, 0.375], rtol=1e-9)
    assert kept == pytest.approx(0.875)


@pytest.mark.parametrize(
    "case", ["q=0.2,conf=0.25", "q=0.2,conf=0.5", "q=0.2,conf=0.75", "q=0.3,conf=0.5", "q=-0.1,conf=0.5"]
)
def test_budgets_equal_the_recorded_ones(golden: Callable[[str], dict[str, Any]], case: str) -> None:
    recorded = golden("bl_budget")
    sd, corr = np.array(recorded["meta"]["cov_vols"]), np.array(recorded["meta"]["corr"])
    q, confidence = (float(part.split("=")[1]) for part in case.split(","))
    strategy = CrisisAlpha(CrisisAlpha.Params(b_core=0.05, view_confidence=confidence))
    budget, kept = strategy.budgets(corr * np.outer(sd, sd), q, ALL)
    np.testing.assert_allclose(budget, recorded["cases"][case]["budget"], rtol=1e-9)
    assert kept == 1.0


@given(vols=st.lists(st.floats(0.05, 0.8), min_size=3, max_size=3), rho=st.floats(-0.4, 0.9))
def test_a_view_equal_to_the_implied_return_leaves_equal_risk(vols: list[float], rho: float) -> None:
    sd = np.array(vols)
    cov = ((1.0 - rho) * np.eye(3) + rho) * np.outer(sd, sd)
    w0 = risk_budget(cov, np.full(3, 1.0 / 3.0))
    implied = float((0.5 / np.sqrt(w0 @ cov @ w0) * cov @ w0)[0])
    strategy = CrisisAlpha(CrisisAlpha.Params(b_core=0.05))
    np.testing.assert_allclose(strategy.budgets(cov, implied, ALL)[0], 1.0 / 3.0, rtol=1e-7)


@given(low=st.floats(-0.3, 0.6), more=st.floats(0.0, 0.5), rho=st.floats(-0.4, 0.8))
def test_a_larger_view_never_lowers_the_engine_budget(low: float, more: float, rho: float) -> None:
    sd = np.array([0.6, 0.12, 0.16])
    cov = ((1.0 - rho) * np.eye(3) + rho) * np.outer(sd, sd)
    strategy = CrisisAlpha(CrisisAlpha.Params(b_core=0.05))
    assert strategy.budgets(cov, low + more, ALL)[0][0] >= strategy.budgets(cov, low, ALL)[0][0] - 1e-9


@given(
    view=st.floats(-5.0, 5.0), rho=st.floats(-0.4, 0.8), core=st.sampled_from([0.0, 0.2]),
    b_max=st.sampled_from([0.34, 0.5, 0.7, 1.0]), floor=st.sampled_from(["prior", "budget"]),
    there=st.sampled_from([(True, True, True), (True, False, True), (True, True, False), (True, False, False)]),
)  # fmt: skip
@settings(max_examples=200)
def test_without_a_least_budget_there_are_budgets_for_every_view(
    view: float, rho: float, core: float, b_max: float, floor: str, there: tuple[bool, bool, bool]
) -> None:
    sd = np.array([0.6, 0.12, 0.16])
    cov = ((1.0 - rho) * np.eye(3) + rho) * np.outer(sd, sd)
    given = {"b_min": 0.0, "b_core": core, "b_max": b_max, "core_floor": floor, "view_confidence": 0.99}
    strategy = make_strategy("crisis_alpha", given, where="sleeve 's'")
    assert isinstance(strategy, CrisisAlpha)
    budget, _ = strategy.budgets(cov, view, np.array(there))
    assert budget.sum() == pytest.approx(1.0, abs=1e-12)
    assert (budget[~np.array(there)] == 0.0).all()
    assert budget.max() <= max(b_max, 1.0 / sum(there)) + 1e-12
    assert budget.min() >= 0.0


def test_the_view_is_net_of_financing_and_fee() -> None:
    strategy = CrisisAlpha()
    assert strategy.view(0.6, 1.0, 0.04) == pytest.approx(3 * (0.04 + 0.6 * 0.2) - 2 * (0.04 + 0.010) - 0.0086)
    assert strategy.view(0.6, 0.0, 0.04) == pytest.approx(3 * 0.04 - 2 * 0.05 - 0.0086)


@pytest.mark.parametrize(
    ("params", "told"),
    [
        ({"risk_target": 0.30}, "risk_target 0.3 is outside 0.12 to 0.18; set allow_outside_mandate"),
        ({"b_core": 0.8}, "b_min <= b_core <= b_max does not hold"),
        ({"b_core": 0.7, "b_min": 0.2}, "no budgets within"),
    ],
)
def test_parameters_that_cannot_work_are_refused(params: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        make_strategy("crisis_alpha", params, where="sleeve 's'")


def test_the_plan_follows_from_the_risk_target() -> None:
    low, high = (CrisisAlpha(CrisisAlpha.Params(risk_target=x)).implied() for x in (0.12, 0.18))
    assert low["risk target"].startswith("12.0%")
    assert low["most of the engine alone"] != high["most of the engine alone"]
    assert "engine" in low["weights, QQQ above bills over 12 months"]


def test_the_configuration_is_whole() -> None:
    load_config(Path("config/crisis_alpha.toml"))
