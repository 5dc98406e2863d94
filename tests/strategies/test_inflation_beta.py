"""Inflation beta: every session against plain pandas, and what its tilt promises."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.blueprint_run import noted, on_files, on_sample
from support.plain_blueprint import ewma_covariance, growth, regimes, risk_budget, settle, table_of, usable
from support.plain_market import Market
from support.sampled import panel_of
from support.scripted import plain_config, run_config

from plimsoll.engine.config.schema import load_config
from plimsoll.engine.errors import ConfigError
from plimsoll.engine.market.sample.source import sample_panel
from plimsoll.engine.runtime.resolve import make_strategy
from plimsoll.strategies.inflation_beta import BILL_CHANGE, FRONT_MINUS_STRIP, NO_CARRY, InflationBeta

HELD = ["TQQQ", "PDBC", "DBC", "IAU"]


def trend(market: Market, symbol: str) -> pd.Series:
    """Mean sign of the excess over bills at three horizons."""
    signs = [
        np.sign(growth(market, symbol, n) - growth(market, "BIL", n).fillna(0.0)).fillna(0.0) for n in (63, 126, 252)
    ]
    return sum(signs) / 3.0


def oracle(market: Market, due: pd.DatetimeIndex) -> pd.DataFrame:
    cov = ewma_covariance(market.ret[["QQQ", "PDBC", "DBC", "IAU"]])
    single = table_of(cov, HELD)
    guard = regimes(market.ret["QQQ"], market.ret["TLT"])
    there = pd.DataFrame({s: usable(market, s) for s in HELD})
    trends = {s: trend(market, s) for s in HELD}
    roll = np.sign(growth(market, "USO", 252) - growth(market, "USL", 252))
    quarter = growth(market, "BIL", 63)
    slope = -np.sign(quarter - quarter.shift(126))
    wanted, told, read = pd.DataFrame(np.nan, market.index, HELD), {}, None
    for t, day in enumerate(market.index):
        if not there["TQQQ"].iloc[t]:
            continue
        fund = "PDBC" if there["PDBC"].iloc[t] else "DBC"
        if read is None or day in due:
            carry = [float(np.nan_to_num(x[day])) for x in (roll, slope)]
            source = [1.0 if roll[day] == roll[day] else 0.0, 2.0 if slope[day] == slope[day] else 0.0]
            read = [trends[fund][day], trends["IAU"][day], *carry, *source]
        tilt = np.clip(1.0 + 0.25 * (0.5 * np.array(read[:2]) + 0.5 * np.array(read[2:4])), 0.5, 1.5)
        rows = [HELD.index(fund), HELD.index("IAU")]
        basket = risk_budget(single[t][np.ix_(rows, rows)], np.array([0.5, 0.5])) * tilt
        mix = np.zeros((2, 4))
        mix[0, 0], mix[1, rows] = 1.0, basket / basket.sum()
        engine, rest = risk_budget(mix @ single[t] @ mix.T, np.array([0.5, 0.5]))
        w = np.zeros(4)
        w[0], w[rows] = engine, rest * basket
        wanted.loc[day] = w
        names = ("trend_commodities", "trend_gold", "carry_commodities", "carry_gold",
                 "carry_source_commodities", "carry_source_gold", "tilt_commodities", "tilt_gold")  # fmt: skip
        told[day] = dict(zip(names, (*read, *tilt), strict=True))
    return settle(market, wanted, cov, guard).join(pd.DataFrame(told).T)


def test_every_session_of_the_sample_equals_plain_pandas() -> None:
    on_sample(InflationBeta, oracle)


@pytest.mark.realdata
def test_every_session_of_real_data_equals_plain_pandas(real_daily: Path) -> None:
    ran, daily = on_files(real_daily, InflationBeta, oracle, rebalance="D")
    assert daily["PDBC"].loc[:"2014-12"].eq(0.0).all()
    assert daily["DBC"].loc["2015-03":].eq(0.0).all()
    assert set(daily["carry_source_commodities"].unique()) == {FRONT_MINUS_STRIP}
    assert set(daily["carry_source_gold"].unique()) == {BILL_CHANGE}
    assert len(ran.result.targets) > 190


def test_without_oil_funds_the_carry_of_commodities_is_said_to_be_missing() -> None:
    symbols = [s for s in InflationBeta().universe if s not in {"USO", "USL"}]
    ran = run_config(sample_panel(symbols), plain_config("plimsoll.strategies.inflation_beta:InflationBeta"))
    seen = noted(ran)
    assert set(seen["carry_source_commodities"].dropna()) == {NO_CARRY}
    assert set(seen["carry_commodities"].dropna()) == {0.0}
    assert seen["tilt_commodities"].dropna().between(1.0 - 0.125, 1.0 + 0.125).all()  # the tilt halves


scores = st.lists(st.floats(-1.0, 1.0), min_size=2, max_size=2)


@given(trend=scores, carry=scores, kappa=st.floats(0.0, 2.0), bound=st.floats(0.0, 1.0))
def test_the_tilt_stays_within_its_bounds_and_rises_with_its_scores(
    trend: list[float], carry: list[float], kappa: float, bound: float
) -> None:
    strategy = InflationBeta(InflationBeta.Params(kappa=kappa, kappa_max=bound))
    tilt = strategy.tilt(np.array(trend), np.array(carry))
    assert (np.abs(tilt - 1.0) <= bound + 1e-12).all()
    assert (strategy.tilt(np.array(trend), np.ones(2)) >= tilt - 1e-12).all()


@given(vols=st.lists(st.floats(0.05, 0.8), min_size=3, max_size=3), rho=st.floats(-0.4, 0.9))
def test_without_a_signal_the_engine_bears_its_budget_of_the_risk(vols: list[float], rho: float) -> None:
    sd = np.array(vols)
    cov = ((1.0 - rho) * np.eye(3) + rho) * np.outer(sd, sd)
    w = InflationBeta(InflationBeta.Params(b_core=0.6)).mix(cov, np.ones(2))
    assert w.sum() == pytest.approx(1.0)
    assert w[0] * (cov @ w)[0] / (w @ cov @ w) == pytest.approx(0.6, abs=1e-6)


@given(low=st.floats(0.5, 1.0))
def test_what_a_tilt_frees_does_not_go_to_the_engine(low: float) -> None:
    cov = np.diag([0.36, 0.0256, 0.0256])
    strategy = InflationBeta()
    plain, cut = strategy.mix(cov, np.ones(2)), strategy.mix(cov, np.full(2, low))
    assert cut[0] == pytest.approx(plain[0])
    assert cut.sum() == pytest.approx(plain[0] + low * plain[1:].sum())


def test_an_absent_diversifier_leaves_the_other_alone_and_both_leave_cash() -> None:
    cov = np.diag([0.36, 0.0, 0.0256])
    strategy = InflationBeta()
    w = strategy.mix(cov, np.array([0.0, 1.0]))
    assert w[1] == 0.0
    assert w.sum() == pytest.approx(1.0)
    np.testing.assert_allclose(strategy.mix(cov, np.zeros(2)), [0.5, 0.0, 0.0])


@pytest.mark.parametrize(("params", "told"), [({"b_core": 1.0}, "b_core"), ({"kapa": 0.2}, "did you mean 'kappa'")])
def test_parameters_that_cannot_work_are_refused(params: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        make_strategy("inflation_beta", params, where="sleeve 's'")


def test_the_plan_gives_more_to_diversifiers_the_better_their_signals() -> None:
    plan = InflationBeta().implied()
    shares = [float(plan[f"weights, {word}"].split("gold ")[1].split("%")[0]) for word in
              ("trend and carry up", "no signal", "trend and carry down")]  # fmt: skip
    assert shares == sorted(shares, reverse=True)


def test_the_configuration_is_whole() -> None:
    load_config(Path("config/inflation_beta.toml"))
    assert "DBC" in panel_of(42).symbols
