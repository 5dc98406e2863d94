"""Round trips: fills sum to trades, trades and cash to what the account made; each as a bookkeeper reckons it."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, example, given, settings
from support.money import market, settled
from support.plain_trades import plain_trades
from support.random_accounts import FIRST, SETTINGS, case
from support.scripted import Ran

from plimsoll.engine.errors import InputError
from plimsoll.engine.report.result import record_of
from plimsoll.engine.runtime.holdings import before
from plimsoll.engine.runtime.lots import METHODS
from plimsoll.engine.runtime.symbol_pnl import CASH, PNL_COLUMNS, UNPLACED

ONE_FOLDER = [HealthCheck.function_scoped_fixture]
WILD = {
    "seed": 11, "preset": "us_etf", "account": "reg_t", "fill": "next_open", "sizing": "decision", "unfilled": "carry",
    "fractional": False, "max_participation": 0.0, "band": 0.0, "min_notional": 0.0, "gross": 5.0, "often": 0.9,
    "volatility": 0.12, "rate": 0.05, "rebate": 0.5, "flows": True,
}  # fmt: skip
DUSTY = WILD | {
    "seed": 666, "preset": "none", "account": "cash", "sizing": "fill", "unfilled": "expire", "fractional": True,
    "gross": 0.9, "volatility": 0.01, "rate": 0.0, "rebate": 0.0, "flows": False,
}  # fmt: skip
CENT = 0.005


def cents(ran: Ran) -> float:
    """Half a cent, and what sums of an account of this size miss by rounding."""
    equity = ran.equity
    return CENT + 1e-10 * float((equity["long"] + equity["short"] + equity["traded"]).sum())


@given(s=SETTINGS)
@example(s=WILD)
@example(s=WILD | {"seed": 12, "fill": "next_close", "volatility": 0.01, "fractional": True})
@example(s=DUSTY)
@settings(max_examples=8, suppress_health_check=ONE_FOLDER)
def test_fills_sum_to_trades_and_trades_to_what_the_account_made(s: dict[str, Any], tmp_path: Path) -> None:
    ran = case(s, tmp_path).run()
    result, equity, near = ran.result, ran.equity, cents(ran)
    made = equity["equity"].iloc[-1] - result.cash - equity["flow"].sum()
    by_symbol = result.pnl_by_symbol
    assert UNPLACED not in by_symbol.index
    assert by_symbol["pnl"].sum() == pytest.approx(made, abs=near)
    by_sleeve = result.pnl_by_sleeve
    for name in PNL_COLUMNS:
        assert by_sleeve[name].sum() == pytest.approx(by_symbol[name].sum(), abs=near), name
    for method in METHODS:
        trades = result.round_trips(method)
        assert trades["pnl"].sum() + by_symbol.loc[CASH, "pnl"] == pytest.approx(made, abs=near)
        of_account = {"price_pnl": equity["price_pnl"], "dividends": equity["dividends"], "costs": equity["costs"]}
        of_account["financing"] = (
            equity["financing"] + equity["borrow"] - by_symbol.loc[CASH, "financing"] / len(equity)
        )
        for name, series in of_account.items():
            assert trades[name].sum() == pytest.approx(series.sum(), abs=near), name
        for symbol, of_symbol in trades.groupby("symbol"):
            assert of_symbol["pnl"].sum() == pytest.approx(by_symbol.loc[symbol, "pnl"], abs=near)
        assert not trades["open"].any() or not result.ruined
        signed = trades["qty"] * np.where(trades["side"] == "long", 1.0, -1.0)
        open_now = signed[trades["open"]].groupby(trades["symbol"]).sum()
        # a split leaves an account of fractions less than a share's ninth decimal that no order can sell
        both = pd.DataFrame({"open": open_now, "held": ran.setup.broker.positions()}, dtype=np.float64).fillna(0.0)
        np.testing.assert_allclose(both["open"], both["held"], rtol=1e-9, atol=1e-8)


@given(s=SETTINGS)
@example(s=WILD)
@settings(max_examples=6, suppress_health_check=ONE_FOLDER)
def test_every_trade_is_the_one_a_bookkeeper_writes(s: dict[str, Any], tmp_path: Path) -> None:
    ran = case(s, tmp_path).run()
    ours, panel = ran.result.trades, ran.setup.panel
    theirs = plain_trades(panel, FIRST, ran.result)
    assert len(ours) == len(theirs)
    if len(theirs) == 0:
        return
    stamps = panel.clock.stamp.astype("datetime64[s]")
    ours = ours.assign(entry_bar=np.searchsorted(stamps, ours["entry"].to_numpy().astype("datetime64[s]")))
    ours["exit_bar"] = np.searchsorted(stamps, ours["exit"].to_numpy().astype("datetime64[s]"))
    key = ["open", "symbol", "exit_bar", "entry_bar", "side", "entry_price", "exit_price", "qty"]
    ours, theirs = (t.round({"entry_price": 9, "exit_price": 9, "qty": 6}).sort_values(key) for t in (ours, theirs))
    size = cents(ran)
    for name in ("symbol", "side", "entry_bar", "exit_bar", "open"):
        assert ours[name].tolist() == theirs[name].tolist(), name
    for name in ("qty", "entry_price", "exit_price", "price_pnl", "dividends", "financing", "costs", "pnl"):
        np.testing.assert_allclose(ours[name], theirs[name], rtol=1e-6, atol=size, err_msg=name)
    for name in ("mae", "mfe"):
        np.testing.assert_allclose(ours[name], theirs[name], rtol=1e-6, atol=1e-9, err_msg=name)


def one_symbol(opens: list[float], answers: dict[int, float], *, margin: bool = False, **words: Any) -> Ran:
    """Trade one symbol at its opens, the close being the open; nothing costs anything unless said."""
    panel = market({"AAA": np.array(opens)}, **words)
    sections: dict[str, Any] = {"run": {"cash": 1_000.0}, "account": {"type": "reg_t" if margin else "cash"}}
    return settled(panel, {t: {"AAA": w} for t, w in answers.items()}, execution={"sizing": "fill"}, **sections)


def shares(held: float, price: float, equity: float) -> float:
    """The weight that is so many shares of an account of so many dollars."""
    return held * price / equity


# 10 shares at 10 and 10 more at 20; the account is worth 1,100 then, and 1,300 when 10 are sold at 30.
LADDER = [10.0, 10.0, 20.0, 30.0, 30.0]
TWICE_IN_ONCE_OUT = {0: shares(10, 10, 1_000), 1: shares(20, 20, 1_100), 2: shares(10, 30, 1_300)}


@pytest.mark.parametrize(
    ("method", "entry_price", "gain", "left_at"), [("fifo", 10.0, 200.0, 20.0), ("average", 15.0, 150.0, 15.0)]
)
def test_a_partial_close_is_of_the_oldest_or_of_the_average(
    method: Any, entry_price: float, gain: float, left_at: float
) -> None:
    trades = one_symbol(LADDER, TWICE_IN_ONCE_OUT).result.round_trips(method)
    closed, left = trades.to_dict("records")
    assert (closed["qty"], closed["entry_price"], closed["exit_price"]) == pytest.approx((10.0, entry_price, 30.0))
    assert closed["pnl"] == pytest.approx(gain)
    assert closed["ret"] == pytest.approx(30.0 / entry_price - 1.0)
    assert (left["qty"], left["entry_price"], left["exit_price"], left["open"]) == pytest.approx(
        (10.0, left_at, 30.0, True)
    )
    assert left["why"] == "open"
    assert trades["position"].tolist() == [0, 0]


def test_a_flip_closes_the_one_side_and_opens_the_other() -> None:
    ran = one_symbol([10.0, 10.0, 12.0, 9.0, 9.0], {0: shares(10, 10, 1_000), 1: -shares(5, 12, 1_020), 2: 0.0},
                     margin=True)  # fmt: skip
    trades = ran.result.trades
    assert trades["side"].tolist() == ["long", "short"]
    assert trades["qty"].tolist() == pytest.approx([10.0, 5.0])
    assert trades["pnl"].tolist() == pytest.approx([20.0, 15.0])
    assert trades["ret"].tolist() == pytest.approx([0.2, 0.25])
    assert trades["mae"].tolist() == pytest.approx([0.0, 0.0])
    assert trades["mfe"].tolist() == pytest.approx([0.2, 0.25])
    assert trades["position"].tolist() == [0, 1]
    assert trades["sessions"].tolist() == [1, 1]


def test_a_split_and_a_dividend_are_of_the_lot_that_was_held() -> None:
    split, dividend = np.ones((6, 1)), np.zeros((6, 1))
    split[2], dividend[3] = 2.0, 0.5
    ran = one_symbol(
        [10.0, 10.0, 5.0, 4.0, 8.0, 8.0], {0: shares(10, 10, 1_000), 3: 0.0}, split=split, dividend=dividend
    )
    (trade,) = ran.result.trades.to_dict("records")
    assert (trade["qty"], trade["entry_price"], trade["exit_price"], trade["split"]) == pytest.approx((20, 5, 8, 2))
    assert (trade["price_pnl"], trade["dividends"], trade["pnl"]) == pytest.approx((60.0, 10.0, 70.0))
    assert trade["ret"] == pytest.approx(0.7)
    assert (trade["mae"], trade["mfe"]) == pytest.approx((-0.2, 0.6))


def test_what_nobody_ordered_says_why_it_ended() -> None:
    closes = np.full(12, 10.0)
    split = np.ones((12, 1))
    split[3], closes[3:], closes[5:] = 1.5, 10.0 / 1.5, np.nan
    panel = market({"AAA": closes, "BBB": np.full(12, 5.0)}, split=np.hstack((split, np.ones((12, 1)))))
    ran = settled(panel, {0: {"AAA": shares(101, 10, 100_000)}}, execution={"fractional": False})
    trades = ran.result.trades
    assert trades["why"].tolist() == ["cash in lieu", "delisted"]
    assert trades["qty"].tolist() == pytest.approx([0.5, 151.0])  # of 151.5
    assert trades["pnl"].tolist() == pytest.approx([0.0, 0.0], abs=1e-9)


def test_ruin_ends_a_trade() -> None:
    ruined = one_symbol([10.0, 10.0, 30.0, 30.0], {0: -1.0}, margin=True).result
    assert ruined.ruined
    assert ruined.trades["why"].tolist() == ["ruin"]
    assert ruined.trades["pnl"].sum() == pytest.approx(-2_000.0)


def test_a_method_that_is_none_is_refused() -> None:
    with pytest.raises(InputError, match="did you mean 'fifo'"):
        one_symbol(LADDER, TWICE_IN_ONCE_OUT).result.round_trips("fifi")  # type: ignore[arg-type]


def test_the_interest_on_a_debit_is_borne_by_longs_and_the_fee_of_a_short_by_the_short() -> None:
    panel = market({"AAA": np.full(4, 10.0), "BBB": np.full(4, 10.0), "CCC": np.full(4, 10.0)})
    answers = {0: {"AAA": 1.2, "BBB": 0.4, "CCC": -0.2}}
    terms = {"cash_rate": 0.0, "margin_spread_bps": 252.0, "borrow_bps": 504.0}  # 1 and 2 in 10,000 a session
    ran = settled(panel, answers, account={"type": "reg_t"}, financing=terms)
    table, carried = ran.result.pnl_by_symbol, before(record_of(ran.result).holdings.value)
    assert carried[1].tolist() == pytest.approx([120_000.0, 40_000.0, -20_000.0])
    # two sessions are charged: 60,000 of debit, of which the longs bear three quarters and one; 20,000 are short
    debits = [60_000.0, 60_000.0 + 6.0 + 4.0]
    assert table.loc["AAA", "financing"] == pytest.approx(0.75e-4 * sum(debits))
    assert table.loc["BBB", "financing"] == pytest.approx(0.25e-4 * sum(debits))
    assert table.loc["CCC", "financing"] == pytest.approx(2e-4 * 40_000.0)
    assert table.loc[CASH, "pnl"] == 0.0
