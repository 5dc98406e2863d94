"""The engine on real prices against an account kept by hand and targets from plain pandas.

Nothing of the engine is in the expectation: files are read with pandas, targets follow the published formulas, the
ledger is a dictionary.
"""

import math
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from support.compare import assert_same_account
from support.market_lists import Market, notional
from support.plain_account import PlainAccount
from support.plain_desk import Terms
from support.plain_targets import DEFENSIVE, RISKY, Level61, inverse_vol, level61, month_ends, total_returns
from support.real import FIELDS, read
from support.scripted import plain_config, run_config

from plimsoll.engine.market.csv.source import load_csv

pytestmark = pytest.mark.realdata
LAST = date(2025, 12, 31)
Targets = dict[pd.Timestamp, dict[str, float]]


def market_of_files(tables: dict[str, pd.DataFrame], bill: str) -> Market:
    """Lists over the union of the sessions, and the bill fund's total return as the bill rate."""
    symbols = sorted(tables["close"].columns)
    filled = {"dividend": 0.0, "split": 1.0}
    columns = {
        name: {s: table[s].fillna(filled[name]).tolist() if name in filled else table[s].tolist() for s in symbols}
        for name, table in tables.items()
        if name in FIELDS
    }
    index = tables["close"].index
    rate = total_returns(tables["close"][[bill]], tables["dividend"][[bill]])[bill].fillna(0.0)
    return Market(
        symbols=symbols, day=list(range(len(index))), opening=[True] * len(index), bill=rate.tolist(),
        date=[str(day.date()) for day in index], **columns,
    )  # fmt: skip


def check(
    folder: Path, symbols: list[str], targets: Callable[[dict[str, pd.DataFrame]], Targets], strategy: str,
    params: dict[str, Any], *, rate: float, at_close: bool, start: str = "2010-01-01",
) -> PlainAccount:  # fmt: skip
    """Run both and compare every bar, fill and decision."""
    every = [*symbols, "BIL"]
    tables = read(folder, every, str(LAST))
    market = market_of_files(tables, "BIL")
    index = tables["close"].index
    first = int(index.searchsorted(pd.Timestamp(start)))
    place = {day: t for t, day in enumerate(index)}
    answers = {place[day]: w for day, w in targets(tables).items() if day in place}
    terms = Terms(flat_rate=rate, at_close=at_close, margin_spread=0.01, participation=0.05, min_notional=1.0)
    plain = PlainAccount(market, terms)
    plain.run(answers, first, notional(market, answers, first - 1))
    config = plain_config(
        strategy, params,
        run={"start": start},
        execution={"fill": "next_close" if at_close else "next_open", "max_participation": 0.05, "min_notional": 1.0},
        costs={"preset": "flat" if rate else "none", "flat_bps": rate * 1e4},
        financing={"cash_rate": "BIL", "margin_spread_bps": 100.0},
    )  # fmt: skip
    ran = run_config(load_csv(folder, every, end=LAST), config)
    assert_same_account(ran, plain)
    return plain


def answers_of(table: pd.DataFrame) -> Targets:
    """Rows to dictionaries."""
    return {day: row.dropna().to_dict() for day, row in table.iterrows()}


def level61_targets(tables: dict[str, pd.DataFrame]) -> Targets:
    """Month-end targets of Level-61; the session after the last one tells that December is complete."""
    returns = total_returns(tables["close"], tables["dividend"])[RISKY + DEFENSIVE]
    returns.loc[pd.Timestamp("2026-01-02")] = math.nan
    return answers_of(level61(returns, month_ends(returns.index), Level61())[0])


@pytest.mark.parametrize(("rate", "at_close"), [(0.0, True), (5e-4, False)], ids=["none next_close", "flat next_open"])
def test_level61_on_real_prices_equals_the_account_kept_by_hand(real_daily: Path, rate: float, at_close: bool) -> None:
    plain = check(
        real_daily, RISKY + DEFENSIVE, level61_targets, "plimsoll.strategies.regime_risk_parity:RegimeRiskParity", {},
        rate=rate, at_close=at_close,
    )  # fmt: skip
    assert len(plain.rows) == 4024  # sessions of 2010-2025
    assert plain.rows[-1]["equity"] > 200_000.0
    assert sum(row["dividends"] for row in plain.rows) > 10_000.0
    assert sum(row["financing"] > 0.0 for row in plain.rows) > 500


def scheduled(tables: dict[str, pd.DataFrame], symbols: list[str], weigh: Callable[..., pd.Series]) -> Targets:
    """Ask `weigh` at every month end for weights over what is listed."""
    returns = total_returns(tables["close"][symbols], tables["dividend"][symbols])
    index = returns.index.append(pd.DatetimeIndex(["2026-01-02"]))
    found = {}
    for day in month_ends(index):
        listed = tables["close"][symbols].loc[day].notna()
        w = weigh(returns.loc[:day], listed)
        if w is not None and not w.isna().all():
            found[day] = w.fillna(0.0).to_dict()
    return found


def test_sixty_forty_on_real_prices_equals_the_account_kept_by_hand(real_daily: Path) -> None:
    def weigh(returns: pd.DataFrame, listed: pd.Series) -> pd.Series | None:
        return pd.Series({"SPY": 0.6, "IEF": 0.4}) if listed.all() else None

    check(
        real_daily, ["SPY", "IEF"], lambda tables: scheduled(tables, ["SPY", "IEF"], weigh),
        "plimsoll.strategies.sixty_forty:SixtyForty", {}, rate=5e-4, at_close=False,
    )  # fmt: skip


LATE = ["SPY", "TLT", "DBC", "KMLM", "DBMF"]  # two of them listed inside the span, with sessions missing


def test_equal_weight_with_late_listings_equals_the_account_kept_by_hand(real_daily: Path) -> None:
    def weigh(returns: pd.DataFrame, listed: pd.Series) -> pd.Series:
        return listed / listed.sum()

    check(
        real_daily, LATE, lambda tables: scheduled(tables, LATE, weigh), "plimsoll.strategies.equal_weight:EqualWeight",
        {"symbols": LATE}, rate=5e-4, at_close=False,
    )  # fmt: skip


def test_inverse_vol_with_late_listings_equals_the_account_kept_by_hand(real_daily: Path) -> None:
    def weigh(returns: pd.DataFrame, listed: pd.Series) -> pd.Series:
        return inverse_vol(returns.tail(60), listed, 30)

    check(
        real_daily, LATE, lambda tables: scheduled(tables, LATE, weigh), "plimsoll.strategies.inverse_vol:InverseVol",
        {"symbols": LATE}, rate=5e-4, at_close=True,
    )  # fmt: skip


def test_buy_and_hold_adopts_the_drifted_weights_of_its_only_answer(real_daily: Path) -> None:
    symbols = ["SPY", "TLT", "GLD"]

    def once(tables: dict[str, pd.DataFrame]) -> Targets:
        day = tables["close"][symbols].dropna().index[0]
        return {day: dict.fromkeys(symbols, 1.0 / 3.0)}

    plain = check(
        real_daily,
        symbols,
        once,
        "plimsoll.strategies.buy_and_hold:BuyAndHold",
        {"symbols": symbols},
        rate=0.0,
        at_close=False,
    )
    adopted = next(iter(plain.targets.values()))
    assert len(plain.targets) == 1
    assert sum(adopted.values()) == pytest.approx(1.0, abs=1e-12)
    assert np.ptp(list(adopted.values())) > 0.1  # gold had outgrown stocks between 2005 and 2010
