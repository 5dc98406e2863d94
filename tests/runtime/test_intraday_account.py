"""An account on intraday bars, kept by hand over three sessions: a full one, one that closes early, a full one."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from plimsoll.engine.config.schema import load_config
from plimsoll.engine.market.calendar import build_clock
from plimsoll.engine.market.csv.source import load_csv
from plimsoll.engine.market.panel import Panel
from plimsoll.engine.report.result import record_of
from plimsoll.engine.report.tearsheet.first_screen import what_ran
from plimsoll.engine.sleeve.strategy import Context, Strategy
from plimsoll.engine.types import Weights
from tests.support.panels import make_panel
from tests.support.scripted import Ran, Scripted, plain_config, run_config
from tests.support.twins import both

# 2 July: 09:30 11:15 13:00 14:45; 3 July, closes at 13:00: 09:30 11:15; 5 July as the 2nd
CLOCK = build_clock(date(2024, 7, 2), date(2024, 7, 5), "105min")
OPEN = {"AAA": (100, 101, 102, 103, 110, 108, 109, 111, 112, 113), "BBB": (50, 50, 51, 52, 52, 50, 49, 48, 48, 47)}
CLOSE = {"AAA": (101, 102, 103, 104, 108, 109, 111, 112, 113, 114), "BBB": (50, 51, 52, 52, 50, 49, 48, 48, 47, 46)}
BOND = 0.0252  # a year: one basis point a session
BORROW = 0.0504
PAID = {4: 1.5}  # AAA's dividend per share, on the first bar of 3 July
ANSWERS = {1: {"AAA": 0.5, "BBB": -0.2}, 3: {"AAA": 0.8, "BBB": -0.2}, 5: {}}


def market() -> Panel:
    dividend = np.zeros((10, 2))
    for bar, amount in PAID.items():
        dividend[bar, 0] = amount
    prices = [np.array([table["AAA"], table["BBB"]], dtype=np.float64).T for table in (CLOSE, OPEN)]
    return make_panel(*prices, dividend=dividend, symbols=("AAA", "BBB"), clock=CLOCK)


def settings(**more: Any) -> dict[str, Any]:
    return plain_config(
        data={"interval": "105min"},
        costs={"preset": "flat", "flat_bps": 10.0},
        financing={"cash_rate": BOND, "borrow_bps": BORROW * 1e4},
        **more,
    )


def by_hand(answers: Mapping[int, Mapping[str, float]]) -> list[dict[str, float]]:
    """Keep the account from the first close on, bar by bar, in plain numbers."""
    cash, shares, wanted, rows = 100_000.0, {"AAA": 0.0, "BBB": 0.0}, {}, []
    for t in range(1, 10):
        interest = borrow = 0.0
        if t in (4, 6):  # the sessions after the first: once each, on what was carried over the night
            short = -shares["BBB"] * CLOSE["BBB"][t - 1]
            interest = max(cash - short, 0.0) * BOND / 252.0
            borrow = short * BORROW / 252.0
        dividends = shares["AAA"] * PAID.get(t, 0.0)
        costs = 0.0
        for symbol, target in wanted.items():
            traded = (target - shares[symbol]) * OPEN[symbol][t]
            cash -= traded
            costs += abs(traded) * 10e-4
            shares[symbol] = target
        wanted = {}
        cash += interest - borrow + dividends - costs
        equity = cash + sum(shares[symbol] * CLOSE[symbol][t] for symbol in shares)
        rows.append({"equity": equity, "cash": cash, "interest": interest, "borrow": borrow, "dividends": dividends,
                     "costs": costs})  # fmt: skip
        if t in answers:
            wanted = {symbol: answers[t].get(symbol, 0.0) * equity / CLOSE[symbol][t] for symbol in shares}
            wanted["BBB"] = float(np.trunc(wanted["BBB"]))  # no fraction of a share can be borrowed
    return rows


@pytest.fixture(scope="module")
def ran() -> Ran:
    return run_config(market(), settings(), Scripted(("AAA", "BBB"), ANSWERS))


def test_every_bar_is_that_of_the_account_kept_by_hand(ran: Ran) -> None:
    rows = pd.DataFrame(by_hand(ANSWERS))
    for name in rows.columns:
        # orders are cut to a billionth of a share, which is 1e-7 dollars here
        np.testing.assert_allclose(ran.equity[name].to_numpy(), rows[name].to_numpy(), rtol=0.0, atol=1e-6)
    # half of 100,000 at a close of 102, a fifth of it short at 51
    assert rows["dividends"].tolist() == pytest.approx([0, 0, 0, 1.5 * 50_000 / 102, 0, 0, 0, 0, 0])
    assert rows["borrow"][3] == pytest.approx(392 * 52 * 2e-4)


def test_orders_fill_at_the_next_bars_open_across_the_night_too(ran: Ran) -> None:
    fills = ran.result.fills
    stamps = [str(stamp)[:16] for stamp in fills["session"].to_numpy().astype("datetime64[m]")]
    assert sorted(set(stamps)) == ["2024-07-02T13:00", "2024-07-03T09:30", "2024-07-05T09:30"]
    at = {"2024-07-02T13:00": 2, "2024-07-03T09:30": 4, "2024-07-05T09:30": 6}
    for stamp, symbol, price in zip(stamps, fills["symbol"], fills["price"], strict=True):
        assert price == OPEN[symbol][at[stamp]]


def test_statistics_are_of_the_three_sessions(ran: Ran) -> None:
    equity = [row["equity"] for row in by_hand(ANSWERS)]
    closes = [100_000.0, equity[2], equity[4], equity[8]]  # bars 3, 5 and 9 close their sessions
    returns = np.diff(closes) / closes[:-1]
    np.testing.assert_allclose(ran.result.returns.to_numpy(), returns, rtol=1e-10)
    metrics = ran.result.metrics
    assert metrics["run"]["sessions"] == 3
    assert metrics["run"]["bars"] == 9
    worst = min(b / max(closes[0], *equity[: k + 1]) - 1.0 for k, b in enumerate(equity))
    assert metrics["intraday"]["max_drawdown"] == pytest.approx(worst, rel=1e-9)
    assert metrics["intraday"]["max_drawdown"] <= metrics["max_drawdown"]
    assert "9 bars of 105min" in str(ran.result)


def test_both_loops_leave_the_same_account() -> None:
    left = both(settings(), market(), {"s": Scripted(("AAA", "BBB"), ANSWERS)}, pages=True)
    assert left.error is None


def test_a_split_between_two_sessions_changes_shares_and_prices_and_no_dollar() -> None:
    whole = market()
    halves = np.ones((10, 2))
    halves[4, 0] = 2.0  # AAA, before the open of 3 July: from there on two shares at half the price
    after = np.where(np.arange(10)[:, None] >= 4, [[0.5, 1.0]], 1.0)
    volume = np.full((10, 2), 1e9)
    panel = make_panel(whole.close * after, whole.open * after, volume=volume, dividend=whole.dividend * after,
                       split=halves, symbols=("AAA", "BBB"), clock=CLOCK)  # fmt: skip
    split = run_config(panel, settings(), Scripted(("AAA", "BBB"), ANSWERS))
    rows = pd.DataFrame(by_hand(ANSWERS))  # of the account without it
    for name in rows.columns:
        np.testing.assert_allclose(split.equity[name].to_numpy(), rows[name].to_numpy(), rtol=0.0, atol=1e-6)
    fills = split.result.fills[split.result.fills["symbol"] == "AAA"]
    bought, added, sold = fills["qty"]
    assert (2.0 * bought + added + sold) == pytest.approx(0.0, abs=1e-8)
    assert fills["price"].tolist() == [102.0, 55.0, 54.5]
    assert both(settings(), panel, {"s": Scripted(("AAA", "BBB"), ANSWERS)}).error is None


@pytest.mark.parametrize(("every", "pace"), [(1, "at every bar"), (2, "every 2 bars")])
def test_how_often_it_decided_is_said_in_bars(every: int, pace: str) -> None:
    answers = {t: {"AAA": 0.5} for t in range(0, 10, every)}
    result = run_config(market(), settings(), Scripted(("AAA", "BBB"), answers)).result
    assert pace in dict(what_ran(record_of(result), result.metrics))["Schedule"]


class Swing(Strategy):
    """Holds the bull fund above its mean of a session, else the bear fund."""

    universe = ("SQQQ", "TQQQ")

    def on_bar(self, ctx: Context) -> Weights | None:
        """Answer every half hour."""
        if ctx.bar_index % 6:
            return None
        close = ctx.past.close(78)[:, 1]
        return ctx.weights({"TQQQ" if close[-1] > np.nanmean(close) else "SQQQ": 0.5}, unlisted="cash")


class Cross(Strategy):
    """Holds SPY while the mean of half an hour is above that of two."""

    universe = ("SPY",)

    def on_bar(self, ctx: Context) -> Weights | None:
        """Answer every quarter of an hour."""
        close = ctx.past.close(120)[:, 0]
        return None if ctx.bar_index % 15 else ctx.weights({"SPY": float(close[-30:].mean() > close.mean())})


@pytest.mark.realdata
@pytest.mark.parametrize(
    ("strategy", "interval", "start", "end", "bars"),
    [
        # 27 and 28 November: the day before is full, a holiday between them, then a half day
        (Swing, "5min", date(2025, 11, 24), date(2025, 12, 2), 78 * 5 + 42),
        (Cross, "1min", date(2024, 11, 26), date(2024, 12, 3), 390 * 4 + 210),
    ],
    ids=["TQQQ and SQQQ, five minutes", "SPY, one minute"],
)
def test_real_bars_around_a_half_day_through_both_loops(
    real_minute: Path, strategy: type[Strategy], interval: str, start: date, end: date, bars: int
) -> None:
    panel = load_csv(real_minute, strategy.universe, interval=interval, start=start, end=end)
    assert panel.n_bars == bars
    costs = {"preset": "us_etf"}
    left = both(load_config(plain_config(data={"interval": interval}, costs=costs)), panel, {"s": strategy()})
    assert left.error is None
    assert left.track is not None
    assert len(left.track.decisions) > 20
