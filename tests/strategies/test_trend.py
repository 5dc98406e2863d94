"""Trend: every target against plain pandas, and what the rule promises."""

from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from support.panels import make_panel
from support.plain_market import Market, assert_same_answers, market_of_files, market_of_panel
from support.sampled import panel_of
from support.scripted import plain_config, run_config

from plimsoll.engine.errors import ConfigError
from plimsoll.engine.market.csv.source import load_csv
from plimsoll.engine.market.panel import Panel
from plimsoll.engine.research.proof.trial_market import FAULTS, WHOLE, trial_panel
from plimsoll.engine.runtime.resolve import make_strategy
from plimsoll.strategies.trend import Trend

NAME = "plimsoll.strategies.trend:Trend"
SYMBOLS = ["SPY", "EFA", "EEM", "TLT", "IEF", "LQD", "GLD", "SLV", "DBC", "UUP", "VNQ"]
CASES = [
    pytest.param({}, id="source"),
    pytest.param({"rebalance": "D"}, id="every session"),
    pytest.param({"lookbacks_bars": [63, 126, 252], "rebalance": "D"}, id="robust"),
    pytest.param({"short": True, "max_gross": 2.0, "rebalance": "W-FRI"}, id="long-short weekly"),
]


def excess(market: Market, bars: int) -> pd.DataFrame:
    """Return over `bars` less the bills', a row missing for up to five sessions replaced by the last one."""
    tr = market.tr.ffill(limit=5)
    past = (tr / tr.shift(bars) - 1.0).where(market.life == market.life.shift(bars))
    return past[SYMBOLS].sub(past["BIL"].fillna(0.0), axis=0)


def variance_of_life(ret: pd.Series, life: pd.DataFrame) -> pd.Series:
    """Weighted variance of one symbol's returns; a new listing starts from nothing."""
    lives = ret.groupby(life[ret.name], group_keys=False)
    return lives.apply(lambda own: own.ewm(com=60, ignore_na=True).var(bias=True))


def plain_trend(market: Market, params: dict[str, Any]) -> pd.DataFrame:
    """Targets on every session: sign of the excess return, 40% over the EWMA volatility, divided by the number."""
    horizons = params.get("lookbacks_bars", [252])
    ret = market.ret[SYMBOLS]
    sigma = np.sqrt(261.0 * ret.apply(variance_of_life, life=market.life))
    signal = 0.0
    for bars in horizons:
        signal = signal + np.sign(excess(market, bars)) / len(horizons)
    takes_part = signal.notna() & market.listed[SYMBOLS]
    side = signal if params.get("short") else signal.clip(lower=0.0)
    w = (side * 0.40 / sigma).where(takes_part, 0.0) / len(SYMBOLS)
    limit = params.get("max_gross", 1.0)
    w = w.mul((limit / w.abs().sum(axis=1)).clip(upper=1.0), axis=0)
    return w.where(takes_part.any(axis=1)).dropna()


def check(panel: Panel, market: Market, params: dict[str, Any]) -> pd.DataFrame:
    ran = run_config(panel, plain_config(NAME, params))
    expected = plain_trend(market, params)
    expected = expected.loc[expected.index.intersection(market.due(params.get("rebalance", "M")))]
    assert_same_answers(ran, expected)
    return expected


@pytest.mark.parametrize("params", CASES[::3])
def test_targets_on_the_sample_equal_plain_pandas(params: dict[str, Any]) -> None:
    panel = panel_of(42)
    check(panel, market_of_panel(panel, [*SYMBOLS, "BIL"]), params)


@pytest.mark.parametrize("seed", [1, 2])
def test_targets_where_funds_come_go_and_pause_equal_plain_pandas(seed: int) -> None:
    symbols = [*SYMBOLS, "BIL"]
    lives = {s: (*FAULTS, WHOLE)[(k + seed) % 5] for k, s in enumerate(symbols)}
    panel = trial_panel(symbols, n_bars=900, seed=seed, lives=lives)
    expected = check(panel, market_of_panel(panel, symbols), {"rebalance": "D"})
    assert (expected > 0.0).sum().gt(0).sum() > 5


@pytest.mark.realdata
@pytest.mark.parametrize("params", CASES[2:])
def test_targets_on_real_prices_equal_plain_pandas(real_daily: Path, params: dict[str, Any]) -> None:
    symbols = [*SYMBOLS, "BIL"]
    market = market_of_files(real_daily, symbols, "2026-05-01")
    expected = check(load_csv(real_daily, tuple(sorted(symbols)), end=date(2026, 5, 1)), market, params)
    crisis = expected.loc["2008-12"]
    assert (crisis[["SPY", "EFA", "EEM", "VNQ"]] <= 0.0).all().all()  # out of (or short) equities at the bottom
    assert (crisis[["TLT", "IEF"]] > 0.0).all().all()


def rising(n_bars: int, daily: list[float], vol: float = 0.01, seed: int = 0) -> np.ndarray[Any, Any]:
    """Closes with exactly the given mean daily log return over every even number of bars."""
    noise = np.tile([vol, -vol], n_bars // 2 + 1)[:n_bars]
    steps = np.array(daily)[None, :] + noise[:, None]
    return 100.0 * np.exp(np.cumsum(steps, axis=0))


def one_answer(closes: Any, symbols: tuple[str, ...], **params: Any) -> pd.Series:
    panel = make_panel(closes, symbols=symbols)
    held = [s for s in symbols if s != "BIL"]
    ran = run_config(panel, plain_config(NAME, {"symbols": held, "rebalance": "D", **params}))
    return ran.result.targets.iloc[-1]


def test_the_winner_is_held_the_loser_not_and_each_counts_in_n() -> None:
    w = one_answer(rising(300, [0.001, -0.001]), ("AAA", "BBB"), vol_per_symbol=0.05)
    assert w["BBB"] == 0.0
    assert w["AAA"] == pytest.approx(0.05 / (0.01 * np.sqrt(261.0)) / 2.0, rel=0.02)


def test_a_fund_that_rose_less_than_bills_is_not_held() -> None:
    closes = rising(300, [0.0001, 0.0003, 0.0])
    closes[:, 2] = 100.0 * np.exp(0.0002 * np.arange(300))
    w = one_answer(closes, ("AAA", "BBB", "BIL"))
    assert w["AAA"] == 0.0
    assert w["BBB"] > 0.0


def test_without_the_bill_fund_in_the_data_returns_are_taken_as_they_are_and_said_so() -> None:
    panel = make_panel(rising(300, [0.0001, -0.0001]), symbols=("AAA", "BBB"))
    ran = run_config(panel, plain_config(NAME, {"symbols": ["AAA", "BBB"], "rebalance": "D"}))
    assert ran.result.targets.iloc[-1]["AAA"] > 0.0
    notes = ran.result.diagnostics.pivot_table(index="session", columns="name", values="value")
    assert notes["bill_known"].eq(0.0).all()
    assert [w.symbol for w in ran.result.warnings if w.kind == "not_in_data"] == ["BIL"]


def test_the_short_leg_appears_only_when_asked_for() -> None:
    w = one_answer(rising(300, [0.001, -0.001]), ("AAA", "BBB"), short=True, vol_per_symbol=0.05)
    assert w["BBB"] == pytest.approx(-w["AAA"], rel=0.01)


def test_one_of_three_signs_against_leaves_a_third_of_the_weight() -> None:
    steps = np.full(300, 0.001)
    steps[-63:] = -0.0005  # the last quarter fell, the last half year and year rose
    closes = 100.0 * np.exp(np.cumsum(steps + np.tile([0.01, -0.01], 150)))
    params = {"vol_per_symbol": 0.02}
    whole = one_answer(closes, ("AAA",), lookbacks_bars=[252], **params)["AAA"]
    mixed = one_answer(closes, ("AAA",), lookbacks_bars=[63, 126, 252], **params)["AAA"]
    assert mixed == pytest.approx(whole / 3.0, rel=1e-12)


def test_the_gross_limit_scales_everything_alike() -> None:
    free = one_answer(rising(300, [0.001, 0.002]), ("AAA", "BBB"), max_gross=5.0)
    limited = one_answer(rising(300, [0.001, 0.002]), ("AAA", "BBB"), max_gross=0.5)
    assert limited.sum() == pytest.approx(0.5, rel=1e-12)
    assert limited["AAA"] / limited["BBB"] == pytest.approx(free["AAA"] / free["BBB"], rel=1e-12)


def test_the_share_of_a_fund_without_history_stays_in_cash() -> None:
    closes = rising(300, [0.001, 0.001])
    both = one_answer(closes, ("AAA", "BBB"), vol_per_symbol=0.05)
    closes[:200, 1] = np.nan
    alone = one_answer(closes, ("AAA", "BBB"), vol_per_symbol=0.05)
    assert alone["BBB"] == 0.0
    assert alone["AAA"] == pytest.approx(both["AAA"], rel=1e-12)


def test_a_fund_takes_part_once_it_is_a_year_old_and_not_before() -> None:
    closes = rising(420, [0.001, 0.001])
    closes[:100, 1] = np.nan
    panel = make_panel(closes, symbols=("AAA", "BBB"))
    ran = run_config(panel, plain_config(NAME, {"symbols": ["AAA", "BBB"], "rebalance": "D"}))
    held = ran.result.targets["BBB"].to_numpy() > 0.0
    first = ran.result.targets.index[held][0]
    assert panel.clock.session[352] == np.datetime64(first, "D")  # 252 bars after its first row, at 100


def test_the_bill_fund_cannot_be_held() -> None:
    with pytest.raises(ConfigError, match="the bill fund BIL cannot be held"):
        make_strategy(Trend, {"symbols": ["SPY", "BIL"]}, where="t")
