"""Carry: every target against plain pandas, what it does without distributions or oil, the neutrality of its legs."""

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
BONDS = ["TLT", "IEF", "SHY", "LQD", "HYG", "TIP"]
HELD = [*BONDS, "USO"]
SYMBOLS = [*HELD, "USL", "BIL"]
CASES = [
    pytest.param({}, id="default"),
    pytest.param({"rebalance": "D"}, id="every session"),
    pytest.param({"short": False, "legs": 3, "rebalance": "D"}, id="long only"),
    pytest.param({"commodity": False}, id="bonds alone"),
]


def plain_carry(market: Market, params: dict[str, Any]) -> pd.DataFrame:
    """Rank by distribution yield less the bill return; one over volatility on each side, and for oil by its roll."""
    price, tr = market.close / market.close.shift(252), market.tr / market.tr.shift(252)
    paid = (tr / price - 1.0)[BONDS]
    carry = paid.where(paid > 1e-6).sub((tr["BIL"] - 1.0).fillna(0.0), axis=0)
    sigma = market.ret[HELD].rolling(63, min_periods=31).std()
    carry = carry.where(market.listed[BONDS] & (sigma[BONDS] > 0.0))
    aged = market.tr.ffill(limit=5) / market.tr.ffill(limit=5).shift(252)
    roll = (aged["USO"] - aged["USL"]).where(market.listed["USO"] & (sigma["USO"] > 0.0))
    legs, short = params.get("legs", 2), params.get("short", True)
    answers = {}
    rows = zip(market.index, carry.to_dict("records"), sigma.to_dict("records"), roll, strict=True)
    due = set(market.due(params.get("rebalance", "M")))
    for day, value, risk, gap in rows:
        ranked = sorted((s for s in BONDS if value[s] == value[s]), key=lambda s, v=value: -v[s])
        if day not in due or len(ranked) < 2:
            continue
        side = min(legs, len(ranked) // 2)
        ends = ranked[:side] + (ranked[-side:] if short else [])
        w = {s: 1.0 / risk[s] for s in ranked[:side] if short or value[s] > 0.0}
        w |= {s: -1.0 / risk[s] for s in ranked[-side:] if short}
        gross = sum(abs(x) for x in w.values())
        oil = 0.0
        if params.get("commodity", True) and (gap > 0.0 or (gap < 0.0 and short)):
            oil = np.sign(gap) / risk["USO"] / (sum(1.0 / risk[s] for s in ends) + 1.0 / risk["USO"])
        bonds = [w.get(s, 0.0) / gross * (1.0 - abs(oil)) if gross else 0.0 for s in BONDS]
        answers[day] = [*bonds, oil]
    return pd.DataFrame.from_dict(answers, orient="index", columns=HELD)


def check(panel: Panel, market: Market, params: dict[str, Any]) -> pd.DataFrame:
    expected = plain_carry(market, params)
    ran = run_config(panel, plain_config(NAME, params))
    assert_same_answers(ran, expected)
    return expected


@pytest.mark.parametrize("params", CASES)
def test_targets_on_the_sample_equal_plain_pandas(params: dict[str, Any]) -> None:
    panel = panel_of(42)
    check(panel, market_of_panel(panel, SYMBOLS), params)


@pytest.mark.realdata
@pytest.mark.parametrize("params", CASES)
def test_targets_on_real_prices_equal_plain_pandas(real_daily: Path, params: dict[str, Any]) -> None:
    panel = load_csv(real_daily, tuple(sorted(SYMBOLS)), end=date(2026, 5, 1))
    expected = check(panel, market_of_files(real_daily, SYMBOLS, "2026-05-01"), params)
    assert (expected.loc["2015", "HYG"] > 0.0).all()  # junk yielded the most
    if not params.get("commodity", True):
        assert not expected["USO"].any()
        return
    glut, shortage = expected["USO"].loc["2015-06":"2016-12"], expected["USO"].loc["2022-01":"2022-06"]
    assert (shortage > 0.0).all()  # the curve fell steeply
    assert (glut < 0.0).all() if params.get("short", True) else not glut.any()


@pytest.mark.realdata
def test_both_legs_carry_the_same_risk_on_every_real_month_end(real_daily: Path) -> None:
    market = market_of_files(real_daily, SYMBOLS, "2026-05-01")
    panel = load_csv(real_daily, tuple(sorted(SYMBOLS)), end=date(2026, 5, 1))
    targets = run_config(panel, plain_config(NAME)).result.targets.iloc[1:][HELD]
    risk = targets * market.ret[HELD].rolling(63, min_periods=31).std().loc[targets.index]
    np.testing.assert_allclose(risk[BONDS].sum(axis=1), 0.0, atol=1e-15)
    np.testing.assert_allclose(targets.abs().sum(axis=1), 1.0, rtol=1e-12)
    with_oil = risk[targets["USO"] != 0.0]
    assert len(with_oil) > 180
    np.testing.assert_allclose(with_oil["USO"].abs(), with_oil[BONDS].max(axis=1), rtol=1e-9)  # of one bond fund


def bonds(yields: dict[str, float], n: int = 320, seed: int = 3) -> Panel:
    """Funds that pay a twelfth of their yield every 21 sessions; USO and USL pay nothing."""
    rng = np.random.default_rng(seed)
    symbols = tuple(sorted(yields))
    close = 100.0 * np.exp(np.cumsum(rng.normal(0.0, 0.003, (n, len(symbols))), axis=0))
    dividend = np.zeros_like(close)
    dividend[::21] = close[::21] * np.array([yields[s] for s in symbols]) / 12.0
    return make_panel(close, dividend=dividend, symbols=symbols)


def run(panel: Panel, **params: Any) -> Ran:
    held = [s for s in panel.symbols if s not in {"BIL", "USO", "USL"}]
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


def with_oil(front: float, strip: float, yields: dict[str, float]) -> Panel:
    """Two oil funds that end a year front and strip above where they began it, beside bond funds."""
    panel = bonds({**yields, "USO": 0.0, "USL": 0.0})
    close = panel.close.copy()
    swing = np.exp(0.02 * (-1.0) ** np.arange(len(close)))
    for symbol, gain in (("USO", front), ("USL", strip)):
        close[:, panel.column(symbol)] = 50.0 * swing * (1.0 + gain) ** (np.arange(len(close)) / 252.0)
    return make_panel(close, dividend=panel.dividend, symbols=panel.symbols)


PAYING = {"AAA": 0.08, "BBB": 0.05, "CCC": 0.03, "DDD": 0.01}


def test_oil_is_held_by_the_sign_of_its_roll_and_said_to_be_used() -> None:
    gaining, losing = run(with_oil(0.10, 0.02, PAYING)), run(with_oil(0.02, 0.10, PAYING))
    assert gaining.result.targets.iloc[-1]["USO"] > 0.0 > losing.result.targets.iloc[-1]["USO"]
    assert not run(with_oil(0.02, 0.10, PAYING), short=False).result.targets["USO"].any()
    assert not gaining.result.targets["USL"].any()  # only watched
    notes = gaining.result.diagnostics.pivot_table(index="session", columns="name", values="value").iloc[-1]
    assert notes["carry_source"] == 2.0
    assert notes["oil_carry"] == pytest.approx(0.08, abs=1e-9)


@pytest.mark.parametrize("missing", ["USO", "USL"])
def test_without_one_of_the_oil_funds_there_is_no_oil_and_the_run_says_which_is_missing(missing: str) -> None:
    whole = with_oil(0.10, 0.02, PAYING)
    kept = [s for s in whole.symbols if s != missing]
    columns = [whole.column(s) for s in kept]
    panel = make_panel(whole.close[:, columns], dividend=whole.dividend[:, columns], symbols=tuple(kept))
    ran = run(panel)
    alone = run(whole, commodity=False).result.targets[list(PAYING)]
    np.testing.assert_array_equal(ran.result.targets[list(PAYING)], alone)
    assert "USO" not in ran.result.targets or not ran.result.targets["USO"].any()
    assert [w.symbol for w in ran.result.warnings if w.kind == "not_in_data"] == sorted({missing, "BIL"})
    notes = ran.result.diagnostics.pivot_table(index="session", columns="name", values="value")
    assert notes["carry_source"].eq(1.0).all()
    assert "oil_carry" not in notes


def test_oil_joins_once_its_younger_fund_has_a_lookback() -> None:
    whole = with_oil(0.10, 0.02, PAYING)
    close = whole.close.copy()
    close[:30, whole.column("USL")] = np.nan
    held = run(make_panel(close, dividend=whole.dividend, symbols=whole.symbols)).result.targets["USO"] > 0.0
    assert str(held.index[held][0].date()) == str(whole.clock.session[30 + 252])
    assert held[held.index[held][0] :].all()


def test_where_no_bond_fund_beats_bills_oil_has_its_share_and_the_rest_is_cash() -> None:
    low = {"AAA": 0.03, "BBB": 0.02, "CCC": 0.01, "DDD": 0.005}
    among = run(with_oil(0.10, 0.02, low), short=False).result.targets.iloc[-1]
    alone = run(with_oil(0.10, 0.02, {**low, "BIL": 0.06}), short=False).result.targets.iloc[-1]
    assert among.sum() == pytest.approx(1.0)
    assert alone[list(low)].eq(0.0).all()
    assert 0.0 < alone["USO"] < 0.25


def test_the_bill_fund_cannot_be_held() -> None:
    with pytest.raises(ConfigError, match="the bill fund BIL cannot be held"):
        make_strategy(Carry, {"symbols": ["TLT", "BIL"]}, where="t")


@pytest.mark.parametrize(
    "params", [{"front": "USL"}, {"strip": "BIL"}, {"symbols": ["TLT", "USO"]}], ids=["same", "bill", "held twice"]
)
def test_an_oil_fund_has_one_part_only(params: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="cannot be two funds of this strategy at once"):
        make_strategy(Carry, params, where="t")
    make_strategy(Carry, {**params, "commodity": False}, where="t")
