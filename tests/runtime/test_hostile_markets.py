"""Markets that break what takes the ordinary for granted."""

import gzip
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from support.compare import assert_same_account, market_of
from support.identity import assert_adds_up, bars_of
from support.market_lists import notional
from support.panels import make_panel, random_panel
from support.plain_account import PlainAccount
from support.plain_desk import Terms
from support.scripted import Ran, plain_config, run_config, run_script

from plimsoll.engine.market.calendar import build_clock
from plimsoll.engine.market.csv.source import load_csv
from plimsoll.engine.verbs.backtest import backtest
from plimsoll.strategies.equal_weight import EqualWeight

US = {"preset": "us_etf", "impact": 1.0}


def adds_up(ran: Ran, cash: float = 100_000.0) -> None:
    """Hold the whole run against its facts."""
    result, panel = ran.result, ran.setup.panel
    assert_adds_up(
        panel, ran.setup.first, result.equity, result.weights.to_numpy(), bars_of(result.fills, panel), ran.setup.bill,
        cash, 0.0, 0.0,
    )  # fmt: skip


def daily(symbols: tuple[str, ...], **sections: Any) -> dict[str, Any]:
    """Equal weight, rebalanced every session."""
    return plain_config(
        "plimsoll.strategies.equal_weight:EqualWeight", {"symbols": symbols, "rebalance": "D"}, **sections
    )


def test_a_session_on_which_nothing_trades_changes_nothing_but_time() -> None:
    close = np.random.default_rng(2).uniform(90.0, 110.0, (30, 3))
    close[12] = np.nan
    ran = run_config(make_panel(close), daily(("S000", "S001", "S002"), financing={"cash_rate": 0.0252}))
    before, row = ran.equity.iloc[11 - ran.setup.first], ran.equity.iloc[12 - ran.setup.first]
    assert row["traded"] == row["price_pnl"] == 0.0
    assert row["long"] == before["long"] > 0.0
    assert row["cash"] == before["cash"] + row["interest"] - row["financing"]
    adds_up(ran)


def test_halves_of_the_year_without_any_row_end_in_cash() -> None:
    close = np.full((60, 2), 100.0)
    close[20:] = np.nan
    close[59] = 100.0
    ran = run_config(make_panel(close), daily(("S000", "S001")))
    assert ran.result.counts["delisted_positions_sold"] == 2
    assert [w.symbol for w in ran.result.warnings if w.kind == "delisted"] == ["S000", "S001"]
    assert ran.equity["long"].iloc[26 - ran.setup.first] == 0.0
    adds_up(ran)


@pytest.mark.parametrize("cash", [0.01, 1.0, 37.5])
@pytest.mark.parametrize("fractional", [True, False])
def test_a_tiny_account_trades_what_it_can(cash: float, fractional: bool) -> None:
    panel = random_panel(5, actions=False, holes=False)
    ran = run_config(
        panel,
        daily(panel.symbols, run={"cash": cash}, execution={"fractional": fractional, "min_notional": 1.0}, costs=US),
    )
    assert np.isfinite(ran.equity["equity"]).all()
    if not fractional or cash < 1.0:
        assert ran.equity["equity"].iloc[-1] == cash
    adds_up(ran, cash)


def test_prices_of_millions_and_of_cents_fit_in_one_account() -> None:
    rng = np.random.default_rng(3)
    close = np.exp(np.cumsum(rng.normal(0.0, 0.03, (50, 2)), axis=0)) * np.array([12_000_000.0, 0.0004])
    ran = run_config(make_panel(close), daily(("S000", "S001")))
    held = ran.result.weights.iloc[2:].to_numpy()
    assert held == pytest.approx(0.5, abs=0.06)
    adds_up(ran)
    whole = run_config(make_panel(close), daily(("S000", "S001"), execution={"fractional": False}))
    assert whole.result.weights["S000"].max() == 0.0  # nobody can afford one
    adds_up(whole)


@pytest.mark.parametrize("factor", [1000.0, 0.001, 7.0 / 3.0])
def test_splits_of_any_ratio_leave_value_and_exits_exact(factor: float) -> None:
    close = np.full(12, 100.0)
    close[5:] /= factor
    split = np.ones(12)
    split[5] = factor
    ran = run_script(make_panel(close, close, split=split), {2: {"S000": 0.7}, 7: {}}, first=2)
    assert ran.equity["equity"].to_numpy() == pytest.approx(100_000.0, rel=1e-12)
    assert ran.shares_after(11)[0] == 0.0
    assert ran.setup.broker.positions() == {}


def test_three_hundred_symbols_and_thousands_of_fills_add_up() -> None:
    panel = random_panel(8, n_bars=60, n_symbols=300, start=date(2025, 6, 2))
    ran = run_config(panel, daily(panel.symbols, execution={"max_participation": 0.05}, costs=US))
    assert len(ran.result.fills) > 10_000
    adds_up(ran)
    assert ran.result.fills["session"].is_monotonic_increasing


def test_one_symbol_is_enough() -> None:
    ran = run_config(make_panel(np.linspace(100.0, 130.0, 30)), daily(("S000",)))
    assert ran.equity["equity"].iloc[-1] == pytest.approx(100_000.0 * 130.0 / 100.0, rel=0.02)
    adds_up(ran)


def test_a_strategy_object_on_a_panel_is_a_whole_backtest() -> None:
    panel = random_panel(9, symbols=("AAA", "BBB", "CCC", "DDD"), holes=False, quiet=False)
    strategy = EqualWeight(EqualWeight.Params(symbols=("AAA", "BBB"), rebalance="W-FRI"))
    result = backtest(strategy, data=panel, end=str(panel.clock.session[60]))
    assert result.equity.index[-1] == pd.Timestamp(panel.clock.session[60])
    assert (result.weights[["CCC", "DDD"]] == 0.0).all().all()
    assert len(result.fills) > 10


@pytest.mark.realdata
def test_an_inverse_fund_at_twelve_million_a_share_without_volume_trades_nothing_until_it_has_some(
    real_daily: Path,
) -> None:
    panel = load_csv(real_daily, ["SQQQ"], end=date(2011, 12, 30))
    config = plain_config(
        "plimsoll.strategies.buy_and_hold:BuyAndHold", {"symbols": ["SQQQ"]},
        execution={"max_participation": 0.05, "unfilled": "carry"},
    )  # fmt: skip
    ran = run_config(panel, config)
    assert panel.close[0, 0] > 10_000_000.0
    first_volume = int(np.flatnonzero(panel.volume[:, 0] > 0.0)[0])
    fills = ran.setup.broker.fills
    assert fills[0, 0] >= first_volume
    room = 0.05 * panel.volume[fills[:, 0].astype(int), 0]
    assert (fills[:, 2] <= room + 1e-12).all()
    adds_up(ran)


@pytest.mark.realdata
def test_an_expiring_order_for_a_fund_without_volume_is_never_filled(real_daily: Path) -> None:
    panel = load_csv(real_daily, ["SQQQ"], end=date(2010, 4, 1))
    config = plain_config(
        "plimsoll.strategies.buy_and_hold:BuyAndHold", {"symbols": ["SQQQ"]}, execution={"unfilled": "expire"}
    )
    ran = run_config(panel, config)
    assert len(ran.result.fills) == 0
    assert ran.result.orders["status"].tolist() == ["expired"]
    assert ran.result.counts["expired_orders"] == 1


@pytest.mark.realdata
def test_minute_bars_of_a_real_year_equal_the_account_kept_by_hand(real_minute: Path, tmp_path: Path) -> None:
    with gzip.open(real_minute / "SPY_1min_2024-2025.csv.gz", "rt") as file:
        table = pd.read_csv(file)
    table = table[table["datetime"] < "2024-05-01"]
    table.to_csv(tmp_path / "SPY.csv", index=False)
    panel = load_csv(tmp_path, ["SPY"], interval="1min")
    rng = np.random.default_rng(1)
    traded = np.flatnonzero(~np.isnan(panel.close[:, 0]))
    answers = {int(t): {"SPY": float(rng.uniform(0.0, 2.2))} for t in rng.choice(traded[390:], 300, replace=False)}
    market = market_of(panel)
    market.bill = [0.0504 / 252.0 if opens else 0.0 for opens in market.opening]
    terms = Terms(
        half_spread={"SPY": 2e-4}, fees=True, participation=0.05, carry=True, margin_spread=0.015, min_notional=1.0
    )
    first = 390  # the second session
    plain = PlainAccount(market, terms)
    plain.run(answers, first, notional(market, answers, first - 1))
    ran = run_script(
        panel, answers, first=first,
        execution={"max_participation": 0.05, "unfilled": "carry", "min_notional": 1.0},
        costs={"preset": "us_etf", "impact": 0.0},
        financing={"cash_rate": 0.0504, "margin_spread_bps": 150.0},
        data={"interval": "1min"},
    )  # fmt: skip
    assert_same_account(ran, plain, 1e-6)  # cents: what is set aside for fees before they are rounded
    assert len(plain.fills) > 250
    assert sum(row["fees"] for row in plain.rows) > 0.0


def test_daily_calendars_and_minute_calendars_agree_on_the_sessions() -> None:
    days, minutes = (build_clock(date(2024, 7, 1), date(2024, 7, 5), kind) for kind in ("1d", "1min"))
    assert np.unique(minutes.session).tolist() == days.session.tolist()
    assert minutes.last_bar.sum() == len(days)
