"""Volatility premium: every answer against plain pandas, two famous weeks, and missing inputs."""

from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from support.plain_market import Market, assert_same_answers, market_of_files, market_of_panel
from support.sampled import panel_of
from support.scripted import Ran, plain_config, run_config

from plimsoll.engine.errors import DataError
from plimsoll.engine.market.csv.source import load_csv
from plimsoll.engine.market.panel import Panel
from plimsoll.engine.market.sample.source import sample_panel
from plimsoll.engine.sleeve.strategy import Strategy
from plimsoll.strategies.vol_premium import VolPremium, variance_premium

NAME = "plimsoll.strategies.vol_premium:VolPremium"
SYMBOLS = ["SPY", "SVOL", "TAIL"]
CASES = [
    pytest.param({}, id="default"),
    pytest.param({"hedge": 1.0, "size": 0.05, "calm": 1.0}, id="small and well hedged"),
]


def plain_signal(market: Market, calm: float) -> pd.Series:
    """Implied variance above realised, and the VIX below `calm` times its average; NaN where there is no VIX."""
    vix = market.vix
    implied = (vix / 100.0) ** 2
    realised = 252.0 * (market.ret["SPY"] ** 2).ewm(halflife=21, ignore_na=True).mean()
    average = vix.ewm(alpha=2.0 / 51.0, adjust=False, ignore_na=True).mean()
    on = (implied > realised) & (vix < calm * average)
    return on.astype(float).where(vix.notna() & realised.notna())


def plain_premium(market: Market, params: dict[str, Any]) -> pd.DataFrame:
    """Step through the sessions with one flag and the two funds' dollars."""
    size, hedge = params.get("size", 0.10), params.get("hedge", 0.40)
    signal = plain_signal(market, params.get("calm", 1.1))
    both = market.listed["SVOL"] & market.listed["TAIL"]
    due = set(market.due("M"))
    holds, short, tail, answers = False, 0.0, 0.0, {}
    ret = market.ret.where(both, 0.0)
    for day, moved in zip(market.index, ret.to_dict("records"), strict=True):
        short *= 1.0 + moved["SVOL"]
        tail *= 1.0 + moved["TAIL"]
        if not both[day] or np.isnan(signal[day]):
            continue
        on = signal[day] == 1.0
        if on != holds or (on and (day in due or tail / short < 1.0 / 3.0)):
            holds, short, tail = on, size * on, size * hedge * on
            answers[day] = [0.0, short, tail]
    return pd.DataFrame.from_dict(answers, orient="index", columns=SYMBOLS)


def run(panel: Panel, strategy: Strategy | None = None, **params: Any) -> Ran:
    return run_config(panel, plain_config(NAME, params), strategy)


def real(folder: Path, *, last: str = "2026-05-01") -> Panel:
    return load_csv(folder, ("BIL", "SPY", "SVOL", "TAIL"), ("VIX",), end=date.fromisoformat(last))


@pytest.mark.parametrize("params", CASES)
def test_answers_on_the_sample_equal_plain_pandas(params: dict[str, Any]) -> None:
    panel = panel_of(42)
    expected = plain_premium(market_of_panel(panel, SYMBOLS), params)
    assert_same_answers(run(panel, **params), expected)
    assert expected["SVOL"].gt(0.0).any()


@pytest.mark.realdata
@pytest.mark.parametrize("params", CASES)
def test_answers_on_real_prices_equal_plain_pandas(real_daily: Path, params: dict[str, Any]) -> None:
    expected = plain_premium(market_of_files(real_daily, SYMBOLS, "2026-05-01"), params)
    assert_same_answers(run(real(real_daily), **params), expected)
    assert len(expected) > 100


@pytest.mark.realdata
def test_in_february_2018_there_is_no_fund_to_hold_and_it_holds_cash(real_daily: Path) -> None:
    ran = run(real(real_daily))
    held = ran.result.weights.loc["2018-01-02":"2018-03-29"]
    assert len(held) == 61
    assert not held.to_numpy().any()
    notes = ran.result.diagnostics.pivot_table(index="session", columns="name", values="value")
    assert notes.loc["2018-01-19", "signal"] == 1.0  # it would have been short volatility in January
    assert notes.loc["2018-02-05":"2018-02-09", "signal"].eq(0.0).all()  # and out only once it was too late
    assert ran.result.weights.loc[:"2021-05-13"].to_numpy().any() == np.False_


@pytest.mark.realdata
def test_in_april_2025_it_leaves_is_lured_back_for_a_day_and_loses_half_a_percent(real_daily: Path) -> None:
    ran = run(real(real_daily))
    targets, held = ran.result.targets["SVOL"], ran.result.weights[["SVOL", "TAIL"]]
    assert targets.loc["2025-03-28"] == 0.0  # VIX 21.65, 12% above its average
    assert targets.loc["2025-04-02"] == 0.10  # back at 9% above: in, at the next session's price
    assert targets.loc["2025-04-03"] == 0.0  # VIX 30
    assert held.index[held["SVOL"].gt(0.0)].intersection(pd.date_range("2025-04-01", "2025-04-23")).tolist() == [
        pd.Timestamp("2025-04-03")
    ]
    market = market_of_files(real_daily, SYMBOLS, "2026-05-01")
    fell = (1.0 + market.ret["SVOL"].loc["2025-04-02":"2025-04-08"]).prod() - 1.0
    assert fell < -0.20
    equity = ran.equity["equity"]
    assert -0.006 < equity.loc["2025-04-23"] / equity.loc["2025-03-31"] - 1.0 < -0.003


@pytest.mark.realdata
def test_the_hedge_and_the_size_hold_on_every_answer_and_drift_no_further_than_a_session(real_daily: Path) -> None:
    ran = run(real(real_daily))
    targets = ran.result.targets
    on = targets["SVOL"] > 0.0
    assert targets["SVOL"].max() <= 0.10
    assert (targets.loc[on, "TAIL"] >= targets.loc[on, "SVOL"] / 3.0).all()
    assert (targets.loc[~on, "TAIL"] == 0.0).all()
    thin = ran.result.weights["TAIL"] < 0.28 * ran.result.weights["SVOL"]
    assert not thin.any()


def test_the_premium_is_implied_less_realised_variance() -> None:
    premium, ratio = variance_premium(20.0, 16.0, 0.01**2, 252.0)
    assert premium == pytest.approx(0.04 - 0.0252)
    assert ratio == pytest.approx(1.25)


def test_a_quiet_market_with_dear_options_is_sold_and_a_wild_one_is_not() -> None:
    panel = made(vix=20.0, swing=0.005)
    assert run(panel).result.targets.iloc[-1]["SVOL"] == pytest.approx(0.10)
    assert not run(made(vix=20.0, swing=0.02)).result.targets.to_numpy().any()


def made(vix: float, swing: float, n: int = 200) -> Panel:
    """SPY swinging up and down, a constant VIX, the two funds flat."""
    panel = sample_panel(tuple(SYMBOLS), ("VIX",), start=date(2022, 1, 3), end=date(2022, 12, 30))
    panel.block[:2] = 100.0
    panel.block[1, 1::2, panel.column("SPY")] = 100.0 * (1.0 + swing)
    panel.block[3] = 0.0
    panel.indicator[:] = vix
    return panel


def test_the_hedge_is_mended_as_soon_as_it_has_drifted_below_a_third() -> None:
    panel = made(vix=20.0, swing=0.005)
    for symbol, rate in (("SVOL", 0.005), ("TAIL", -0.005)):
        panel.block[:2, :, panel.column(symbol)] = 100.0 * np.exp(rate * np.arange(panel.n_bars))
    index = pd.DatetimeIndex(panel.clock.session)
    answers = run(panel).result.targets.index
    apart = np.diff(index.get_indexer(answers))
    # 0.40 exp(-0.01 n) < 1/3 from n = 19 on; month ends come in between
    assert apart.max() == 19
    assert np.ceil(np.log(0.40 * 3.0) / 0.01) == 19
    assert not panel.clock.month_last[index.get_indexer(answers)].all()


def test_a_session_without_the_vix_changes_nothing() -> None:
    panel = made(vix=20.0, swing=0.005)
    panel.indicator[150] = np.nan
    targets = run(panel).result.targets
    assert np.datetime64(panel.clock.session[150]) not in targets.index
    assert (targets["SVOL"] > 0.0).iloc[-1]


def test_a_gap_of_one_session_in_a_fund_is_waited_out_and_six_end_the_position() -> None:
    panel = made(vix=20.0, swing=0.005)
    panel.block[:3, 100, panel.column("TAIL")] = np.nan
    panel.block[:3, 140:, panel.column("TAIL")] = np.nan
    targets = run(panel).result.targets
    index = pd.DatetimeIndex(panel.clock.session)
    assert targets.loc[index[95] : index[139], "SVOL"].eq(0.10).all()
    assert not targets.loc[index[140] : index[144]].to_numpy().any()
    assert targets.index[-1] == index[145]
    assert not targets.iloc[-1].to_numpy().any()


@pytest.mark.parametrize(
    ("symbols", "indicators", "reason"),
    [
        (("SPY", "SVOL", "TAIL"), (), "indicator VIX is not in the data"),
        (("SPY", "TAIL"), ("VIX",), "SVOL is not in the data"),
        (("SPY", "SVOL"), ("VIX",), "TAIL is not in the data"),
    ],
)
def test_a_missing_input_disables_the_sleeve_with_the_reason(
    symbols: tuple[str, ...], indicators: tuple[str, ...], reason: str
) -> None:
    panel = sample_panel(symbols, indicators, start=date(2020, 1, 2))
    with pytest.raises(DataError, match=f"sleeve 's': {reason}; add the missing data"):
        run(panel)


@pytest.mark.realdata
def test_data_that_end_before_the_fund_existed_disable_the_sleeve(real_daily: Path) -> None:
    with pytest.raises(DataError, match="SVOL is not in the data"):
        run(load_csv(real_daily, ("SPY", "TAIL"), ("VIX",), end=date(2018, 12, 31)))


def test_the_size_cannot_exceed_a_tenth_nor_the_hedge_fall_below_a_third() -> None:
    with pytest.raises(ValueError, match=r"less than or equal to 0\.1"):
        VolPremium.Params(size=0.2)
    with pytest.raises(ValueError, match=r"greater than or equal to 0\.33"):
        VolPremium.Params(hedge=0.3)
