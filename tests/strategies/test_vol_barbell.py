"""Volatility barbell: every session against plain pandas, and how it cuts and comes back."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.blueprint_run import on_files, on_sample
from support.plain_blueprint import ewma_covariance, regimes, settle, usable
from support.plain_market import Market

from plimsoll.engine.config.schema import load_config
from plimsoll.engine.errors import ConfigError
from plimsoll.engine.kernels.estimate import stats
from plimsoll.engine.runtime.resolve import make_strategy
from plimsoll.strategies.vol_barbell import (
    DD_MULTIPLE,
    MULTIPLE,
    VOL_MULTIPLE,
    Triggers,
    VolBarbell,
    insert,
    median,
    multiple_step,
)

HELD = ["TQQQ", "SVOL", "TAIL"]


def multiples(ret: pd.Series, tr: pd.Series) -> pd.DataFrame:
    """The two causes and the multiple on every session."""
    sigma = ret.rolling(21).std()
    by_vol = (sigma.expanding().median() / sigma).clip(0.25, 1.0).fillna(1.0)
    u = ((1.0 - tr / tr.cummax() - 0.10) / 0.15).clip(0.0, 1.0)
    by_dd = 1.0 - 0.7 * (3.0 * u**2 - 2.0 * u**3)
    m, out = 1.0, []
    for raw in np.minimum(by_vol, by_dd):
        m = min(raw, m + 0.05)
        out.append(m)
    return pd.DataFrame({"multiple": out, "multiple_vol": by_vol, "multiple_dd": by_dd}, ret.index)


def oracle(market: Market, due: pd.DatetimeIndex) -> pd.DataFrame:
    cov = ewma_covariance(market.ret[["QQQ", "SVOL", "TAIL"]])
    guard = regimes(market.ret["QQQ"], market.ret["TLT"])
    m = multiples(market.ret["QQQ"], market.tr["QQQ"])
    stress = market.vix.ffill() > 1.2 * market.vix.rolling(63, min_periods=1).mean()
    there = pd.DataFrame({s: usable(market, s) for s in HELD})
    wanted = pd.DataFrame({"TQQQ": 0.45 * m["multiple"], "SVOL": 0.10, "TAIL": 0.10})
    wanted["SVOL"] = np.where(stress & ~there["TAIL"], 0.0, wanted["SVOL"])
    wanted = wanted.where(there, 0.0)
    wanted.loc[~there["TQQQ"]] = np.nan
    return settle(market, wanted, cov, guard).join(m.assign(stress=stress.astype(float)))


def test_every_session_of_the_sample_equals_plain_pandas() -> None:
    on_sample(VolBarbell, oracle)


@pytest.mark.realdata
def test_every_session_of_real_data_equals_plain_pandas(real_daily: Path) -> None:
    _, daily = on_files(real_daily, VolBarbell, oracle, rebalance="D")
    crash = daily.loc["2020-03-01":"2020-04-30", "multiple"].astype(float)
    assert crash.min() == pytest.approx(0.25)
    assert crash.diff().max() <= 0.05 + 1e-12
    assert daily["SVOL"].loc[:"2021-07"].eq(0.0).all()
    assert daily["TAIL"].loc[:"2017-06"].eq(0.0).all()


@given(seed=st.integers(0, 2**32), calm=st.floats(0.002, 0.02), wild=st.floats(0.01, 0.06))
def test_the_multiple_equals_plain_pandas_on_random_markets(seed: int, calm: float, wild: float) -> None:
    rng = np.random.default_rng(seed)
    ret = rng.normal(0.0, np.repeat([calm, wild, calm], 60))
    ret[0] = np.nan
    tr = np.cumprod(1.0 + np.nan_to_num(ret))
    state = VolBarbell().init(7)
    memory = (state.vol, state.past, state.held, state.now)
    for a, b in zip(ret, tr, strict=True):
        multiple_step(*memory, stats.std_params(21), a, b, Triggers(0.25, 0.10, 0.25, 0.30, 0.05))
    theirs = multiples(pd.Series(ret), pd.Series(tr)).iloc[-1]
    ours = state.now[[MULTIPLE, VOL_MULTIPLE, DD_MULTIPLE]]
    np.testing.assert_allclose(ours, theirs[["multiple", "multiple_vol", "multiple_dd"]], rtol=1e-9)


@given(values=st.lists(st.floats(0.0, 1.0), min_size=1, max_size=60))
def test_the_running_median_equals_the_median(values: list[float]) -> None:
    past, held = np.full(60, np.inf), np.zeros(1, dtype=np.int64)
    for value in values:
        insert(past, held, value)
    assert median(past, held[0]) == np.median(values)


def test_a_full_store_of_volatilities_keeps_its_median() -> None:
    past, held = np.full(3, np.inf), np.zeros(1, dtype=np.int64)
    for value in (3.0, 1.0, 2.0, 0.0, 0.0):
        insert(past, held, value)
    assert median(past, held[0]) == 2.0


def test_in_stress_short_volatility_is_no_larger_than_the_tail_hedge() -> None:
    strategy = VolBarbell(VolBarbell.Params(weight_short_volatility=0.2, weight_tail=0.05))
    np.testing.assert_allclose(strategy.mix(1.0, stress=False), [0.45, 0.2, 0.05])
    np.testing.assert_allclose(strategy.mix(1.0, stress=True), [0.45, 0.05, 0.05])
    np.testing.assert_allclose(strategy.mix(0.5, stress=True, hedged=False), [0.225, 0.0, 0.05])


@pytest.mark.parametrize(
    ("params", "told"),
    [
        ({"weight_engine": 0.9, "weight_tail": 0.2}, "the base weights sum to more than 1"),
        ({"dd_soft": 0.3}, "dd_soft 0.3 is not below dd_hard 0.25"),
        ({"risk_target": 0.2}, "risk_target 0.2 is outside 0.12 to 0.18"),
    ],
)
def test_parameters_that_cannot_work_are_refused(params: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        make_strategy("vol_barbell", params, where="sleeve 's'")


def test_the_plan_names_weights_and_triggers() -> None:
    plan = VolBarbell().implied()
    assert "tail 10.0%" in plan["weights, at the least multiple"]
    assert "to 0.3 at 25.0%" in plan["engine, by drawdown"]


def test_the_configuration_is_whole() -> None:
    load_config(Path("config/vol_barbell.toml"))
