"""Carry: every target against plain pandas, what it does without distributions, and the neutrality of its legs."""

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from support.panels import make_panel
from support.plain_market import Market, assert_same_answers, market_of_files, market_of_panel
from support.sampled import panel_of
from support.scripted import Ran, plain_config, run_config

from plimsoll.engine.errors import ConfigError, DataError
from plimsoll.engine.market.csv.source import load_csv
from plimsoll.engine.market.panel import Panel
from plimsoll.engine.runtime.resolve import make_strategy
from plimsoll.strategies.carry import Carry

NAME = "plimsoll.strategies.carry:Carry"
SYMBOLS = ["TLT", "IEF", "SHY", "LQD", "HYG", "TIP"]
CASES = [
    pytest.param({}, id="default"),
    pytest.param({"rebalance": "D"}, id="every session"),
    pytest.param({"short": False, "legs": 3, "rebalance": "D"}, id="long only"),
]


def plain_carry(market: Market, params: dict[str, Any]) -> pd.DataFrame:
    """Rank by distribution yield less the bill return; one over volatility on each side."""
    price, tr = market.close / market.close.shift(252), market.tr / market.tr.shift(252)
    paid = (tr / price - 1.0)[SYMBOLS]
    carry = paid.where(paid > 1e-6).sub((tr["BIL"] - 1.0).fillna(0.0), axis=0)
    sigma = market.ret[SYMBOLS].rolling(63, min_periods=31).std()
    carry = carry.where(market.listed[SYMBOLS] & (sigma > 0.0))
    legs, short = params.get("legs", 2), params.get("short", True)
    answers = {}
    rows = zip(market.index, carry.to_dict("records"), sigma.to_dict("records"), strict=True)
    due = set(market.due(params.get("rebalance", "M")))
    for day, value, risk in rows:
        ranked = sorted((s for s in SYMBOLS if value[s] == value[s]), key=lambda s, v=value: -v[s])
        if day not in due or len(ranked) < 2:
            continue
        side = min(legs, len(ranked) // 2)
        w = {s: 1.0 / risk[s] for s in ranked[:side] if short or value[s] > 0.0}
        w |= {s: -1.0 / risk[s] for s in ranked[-side:] if short}
        gross = sum(abs(x) for x in w.values())
        answers[day] = [w.get(s, 0.0) / gross if gross else 0.0 for s in SYMBOLS]
    return pd.DataFrame.from_dict(answers, orient="index", columns=SYMBOLS)


def check(panel: Panel, market: Market, params: dict[str, Any]) -> pd.DataFrame:
    expected = plain_carry(market, params)
    ran = run_config(panel, plain_config(NAME, params))
    assert_same_answers(ran, expected)
    return expected


@pytest.mark.parametrize("params", CASES)
def test_targets_on_the_sample_equal_plain_pandas(params: dict[str, Any]) -> None:
    panel = panel_of(42)
    check(panel, market_of_panel(panel, [*SYMBOLS, "BIL"]), params)


@pytest.mark.realdata
@pytest.mark.parametrize("params", CASES)
def test_targets_on_real_prices_equal_plain_pandas(real_daily: Path, params: dict[str, Any]) -> None:
    symbols = [*SYMBOLS, "BIL"]
    panel = load_csv(real_daily, tuple(sorted(symbols)), end=date(2026, 5, 1))
    expected = check(panel, market_of_files(real_daily, symbols, "2026-05-01"), params)
    assert (expected.loc["2015", "HYG"] > 0.0).all()  # junk yielded the most


@pytest.mark.realdata
def test_both_legs_carry_the_same_risk_on_every_real_month_end(real_daily: Path) -> None:
    symbols = [*SYMBOLS, "BIL"]
    market = market_of_files(real_daily, symbols, "2026-05-01")
    panel = load_csv(real_daily, tuple(sorted(symbols)), end=date(2026, 5, 1))
    targets = run_config(panel, plain_config(NAME)).result.targets.iloc[1:][SYMBOLS]
    risk = targets * market.ret[SYMBOLS].rolling(63, min_periods=31).std().loc[targets.index]
    np.testing.assert_allclose(risk.sum(axis=1), 0.0, atol=1e-15)
    np.testing.assert_allclose(targets.abs().sum(axis=1), 1.0, rtol=1e-12)


def bonds(yields: dict[str, float], n: int = 320, seed: int = 3) -> Panel:
    """Funds that pay a twelfth of their yield every 21 sessions."""
    rng = np.random.default_rng(seed)
    symbols = tuple(sorted(yields))
    close = 100.0 * np.exp(np.cumsum(rng.normal(0.0, 0.003, (n, len(symbols))), axis=0))
    dividend = np.zeros_like(close)
    dividend[::21] = close[::21] * np.array([yields[s] for s in symbols]) / 12.0
    return make_panel(close, dividend=dividend, symbols=symbols)


def run(panel: Panel, **params: Any) -> Ran:
    held = [s for s in panel.symbols if s != "BIL"]
    return run_config(panel, plain_config(NAME, {"symbols": held, "rebalance": "D", **params}))


def test_the_yield_that_is_traded_on_is_the_one_that_was_paid() -> None:
    ran = run(bonds({"AAA": 0.08, "BBB": 0.05, "CCC": 0.03, "DDD": 0.01}), legs=1)
    last = ran.result.targets.iloc[-1]
    assert last["AAA"] > 0.0 > last["DDD"]
    assert last["BBB"] == last["CCC"] == 0.0
    notes = ran.result.diagnostics.pivot_table(index="session", columns="name", values="value").iloc[-1]
    assert notes["carry_source"] == 1.0
    assert notes["ranked"] == 4.0
    assert notes["top_carry"] == pytest.approx(0.08, abs=0.006)  # the price moved a little meanwhile
    assert notes["bottom_carry"] == pytest.approx(0.01, abs=0.002)


def test_long_only_holds_nothing_that_yields_less_than_bills() -> None:
    panel = bonds({"AAA": 0.03, "BBB": 0.02, "CCC": 0.01, "DDD": 0.005, "BIL": 0.05})
    assert not run(panel, short=False).result.targets.iloc[-1].to_numpy().any()
    assert run(panel).result.targets.iloc[-1]["AAA"] > 0.0  # the spread between them is still there


def test_a_fund_without_distributions_is_not_ranked_as_one_that_yields_nothing() -> None:
    ran = run(bonds({"AAA": 0.04, "BBB": 0.03, "CCC": 0.0}), legs=1)
    last = ran.result.targets.iloc[-1]
    assert last["CCC"] == 0.0
    assert last["BBB"] < 0.0


def test_data_without_distributions_disable_the_sleeve_with_the_reason() -> None:
    panel = bonds({"AAA": 0.05, "BBB": 0.0})
    with pytest.raises(DataError, match="none of AAA, BBB has distributions in the data"):
        run(replace(panel, adjusted_only=("AAA", "BBB")))
    with pytest.raises(DataError, match="AAA of AAA, BBB has distributions in the data"):
        run(replace(panel, adjusted_only=("BBB",)))
    assert run(panel).result.counts["sleeves_disabled"] == 0  # a source that reports them, and there were none


def test_the_bill_fund_cannot_be_held() -> None:
    with pytest.raises(ConfigError, match="the bill fund BIL cannot be held"):
        make_strategy(Carry, {"symbols": ["TLT", "BIL"]}, where="t")
