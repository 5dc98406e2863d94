"""One bar of an account, number by number."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.broker_bench import Bench
from support.identity import assert_adds_up
from support.panels import make_panel, random_panel

from plimsoll.engine.kernels import layout
from plimsoll.engine.kernels.account.ledger import LEDGER_OK, MARGIN_CALL, OVERDRAWN, RUIN

FLAT = np.full(12, 100.0)


def test_a_dividend_goes_to_who_held_at_the_previous_close_only() -> None:
    panel = make_panel(np.full((4, 2), 100.0), dividend=[[0, 0], [0, 0], [2.0, 2.0], [0, 0]])
    bench = Bench(panel)
    bench.send((0, 10.0))
    bench.step()  # holds the first symbol before the ex-date
    bench.send((0, -10.0), (1, 10.0))  # sells it at the ex-date's open, buys the other there
    bench.step()
    assert bench.row("dividends") == 20.0
    assert bench.cash == 100_000.0 - 1_000.0 + 20.0


def test_a_short_pays_the_dividend() -> None:
    bench = Bench(make_panel(FLAT, dividend=[0.0, 0.0, 1.5] + [0.0] * 9))
    bench.send((0, -10.0))
    bench.step(2)
    assert bench.row("dividends") == -15.0
    assert bench.equity == 100_000.0 - 15.0


def test_a_dividend_on_the_day_of_a_split_is_per_new_share() -> None:
    bench = Bench(make_panel([100.0, 100.0, 49.0], split=[1.0, 1.0, 2.0], dividend=[0.0, 0.0, 1.0]))
    bench.send((0, 10.0))
    bench.step(2)
    assert bench.row("dividends") == 20.0
    assert bench.equity == pytest.approx(100_000.0, abs=1e-9)  # 10 * 100 = 20 * (49 + 1)


def test_a_split_multiplies_holdings_and_changes_no_value() -> None:
    bench = Bench(make_panel([100.0, 100.0, 25.0, 25.0], [100.0, 100.0, 25.0, 25.0], split=[1.0, 1.0, 4.0, 1.0]))
    bench.send((0, 7.0))
    bench.step(2)
    assert bench.shares[0] == 28.0
    assert bench.equity == 100_000.0
    assert bench.row("price_pnl") == 0.0


def test_a_split_multiplies_a_short_position() -> None:
    bench = Bench(make_panel([100.0, 100.0, 500.0, 500.0], [100.0, 100.0, 500.0, 500.0], split=[1.0, 1.0, 0.2, 1.0]))
    bench.send((0, -10.0))
    bench.step(2)
    assert bench.shares[0] == -2.0
    assert bench.equity == 100_000.0


def test_the_first_session_accrues_nothing_and_the_second_a_day_of_bills() -> None:
    bench = Bench(make_panel(FLAT), bill=1e-4)
    bench.step()
    assert bench.row("interest") == 0.0
    bench.step()
    assert bench.row("interest") == pytest.approx(10.0, rel=1e-12)
    assert bench.cash == pytest.approx(100_010.0, rel=1e-15)


def test_interest_is_on_the_cash_of_the_previous_close() -> None:
    bench = Bench(make_panel(FLAT), bill=1e-4)
    bench.step()
    bench.send((0, 400.0))
    bench.step()
    assert bench.row("interest") == pytest.approx(10.0, rel=1e-12)
    bench.step()
    assert bench.row("interest") == pytest.approx((100_010.0 - 40_000.0) * 1e-4, rel=1e-12)


def test_a_debit_pays_the_bill_rate_and_the_spread_on_it() -> None:
    bench = Bench(make_panel(FLAT), bill=1e-4, margin_spread=0.0252)
    bench.send((0, 1_500.0))
    bench.step(2)
    assert bench.row("financing") == pytest.approx(50_000.0 * (1e-4 + 1e-4), rel=1e-12)
    assert bench.row("interest") == 0.0
    assert bench.count(layout.NEGATIVE_CASH) == 2


def test_a_short_pays_borrow_on_its_value_at_the_previous_close() -> None:
    bench = Bench(make_panel([100.0, 110.0, 130.0, 130.0]), borrow_rate=0.252)
    bench.send((0, -10.0))
    bench.step(2)
    assert bench.row("borrow") == pytest.approx(10.0 * 110.0 * 0.001, rel=1e-12)


def test_a_missing_row_keeps_the_last_close_as_mark() -> None:
    bench = Bench(make_panel([100.0, 120.0, np.nan, 90.0]))
    bench.send((0, 10.0))
    bench.step(2)
    assert bench.row("long") == 1_200.0
    assert bench.row("price_pnl") == 0.0
    bench.step()
    assert bench.row("price_pnl") == 10.0 * (90.0 - 120.0)


def test_a_symbol_without_rows_for_six_sessions_is_sold_at_its_last_close_without_costs() -> None:
    close = np.r_[100.0, 100.0, 80.0, np.full(9, np.nan)]
    bench = Bench(make_panel(np.column_stack((close, FLAT))), half_spread=1e-3, flat_rate=1e-3, fees=True)
    bench.send((0, 10.0))
    bench.step(2)
    before = bench.cash
    bench.step(5)
    assert bench.shares[0] == 10.0  # five sessions: still hoped for
    assert bench.cash == before
    bench.step()
    assert bench.t == 2 + 6
    assert bench.shares[0] == 0.0
    assert bench.cash == before + 800.0
    assert bench.row("commission") + bench.row("spread") + bench.row("fees") == 0.0
    assert bench.count(layout.DELISTED_COUNT) == 1
    assert bench.broker.fills[-1, layout.F_ORDER] == -1.0


def test_a_delisted_short_is_bought_back_at_the_last_close() -> None:
    bench = Bench(make_panel(np.column_stack((np.r_[100.0, 100.0, 80.0, np.full(9, np.nan)], FLAT))))
    bench.send((0, -10.0))
    bench.step(8)
    assert bench.shares[0] == 0.0
    assert bench.cash == 100_000.0 + 1_000.0 - 800.0


def test_a_carried_order_in_a_delisted_symbol_is_dropped() -> None:
    close = np.column_stack((np.r_[100.0, np.full(8, np.nan), 50.0, 50.0, 50.0], FLAT))
    bench = Bench(make_panel(close), carry=True)
    bench.send((0, 10.0))
    bench.step(10)
    assert bench.shares[0] == 0.0
    assert bench.count(layout.N_WORKING) == 0


def test_a_relisted_symbol_can_be_traded_again() -> None:
    close = np.column_stack((np.r_[100.0, 100.0, np.full(7, np.nan), 50.0, 50.0, 60.0], FLAT))
    bench = Bench(make_panel(close))
    bench.send((0, 10.0))
    bench.step(9)
    bench.send((0, 4.0))
    bench.step()
    assert bench.shares[0] == 4.0
    assert bench.cash == 100_000.0 - 1_000.0 + 1_000.0 - 4.0 * 50.0


def test_equity_below_maintenance_is_a_margin_call() -> None:
    bench = Bench(make_panel([100.0, 100.0, 70.0, 66.0, 66.0], [100.0, 100.0, 70.0, 66.0, 66.0]))
    bench.send((0, 2_000.0))  # 2 x equity; 25% of value is reached at 100 * 0.5 / 0.75 = 66.67
    codes = [bench.step() for _ in range(3)]
    assert codes == [LEDGER_OK, LEDGER_OK, MARGIN_CALL]
    assert bench.equity == 32_000.0
    assert bench.row("maintenance") == 33_000.0
    assert bench.count(layout.MARGIN_CALLS) == 1


def test_a_cash_account_gets_no_margin_call() -> None:
    bench = Bench(make_panel([100.0, 100.0, 55.0]), margin_account=False)
    bench.send((0, 2_000.0))
    assert bench.step(2) == LEDGER_OK


def test_shorts_need_thirty_percent() -> None:
    bench = Bench(make_panel([100.0, 100.0, 170.0]))
    bench.send((0, -1_000.0))
    bench.step(2)
    assert bench.row("maintenance") == pytest.approx(0.30 * 170_000.0)


def test_equity_at_zero_is_ruin_and_everything_is_sold_at_the_mark() -> None:
    bench = Bench(make_panel([100.0, 100.0, 40.0, 80.0], [100.0, 100.0, 40.0, 80.0]))
    bench.send((0, 2_000.0))
    bench.step()
    assert bench.step() == RUIN
    assert bench.equity == -20_000.0
    assert bench.shares[0] == 0.0
    assert bench.cash == -20_000.0
    assert bench.row("ret") == -1.0
    assert bench.row("drawdown") == -1.0
    assert bench.count(layout.RUINED) == 1


def test_a_deposit_moves_equity_but_neither_the_return_nor_the_drawdown() -> None:
    bench = Bench(make_panel([100.0, 100.0, 90.0, 90.0], [100.0, 100.0, 90.0, 90.0]))
    bench.daily[layout.FLOW, 3] = 50_000.0
    bench.send((0, 500.0))
    bench.step(2)
    drawdown = bench.row("drawdown")
    assert drawdown == pytest.approx(-0.05)
    bench.step()
    assert bench.equity == 145_000.0
    assert bench.row("ret") == 0.0
    assert bench.row("drawdown") == drawdown


def test_a_withdrawal_of_more_than_the_account_books_nothing() -> None:
    bench = Bench(make_panel(FLAT))
    bench.daily[layout.FLOW, 2] = -100_000.0
    bench.step()
    assert bench.step() == OVERDRAWN
    assert bench.cash == 100_000.0


def test_a_flow_earns_from_its_own_bar_on() -> None:
    bench = Bench(make_panel([100.0, 100.0, 110.0], [100.0, 100.0, 110.0]))
    bench.daily[layout.FLOW, 2] = 100_000.0
    bench.send((0, 1_000.0))
    bench.step(2)
    assert bench.row("ret") == pytest.approx(210_000.0 / 200_000.0 - 1.0, rel=1e-12)  # the flow is there at its start


def test_the_index_before_costs_grows_by_what_they_took() -> None:
    bench = Bench(make_panel(FLAT), flat_rate=0.01)
    bench.send((0, 500.0))
    bench.step()
    assert bench.row("ret") == pytest.approx(-0.005, rel=1e-12)
    assert bench.row("equity_gross") == pytest.approx(1.0, rel=1e-15)


@given(seed=st.integers(0, 2**32), carry=st.booleans(), cap=st.sampled_from([0.0, 0.01]), at_close=st.booleans())
@settings(max_examples=50)
def test_any_orders_at_all_add_up(seed: int, carry: bool, cap: float, at_close: bool) -> None:
    panel = random_panel(seed, n_bars=60, volatility=0.03)
    rng = np.random.default_rng(seed + 1)
    bench = Bench(
        panel, bill=1e-4, margin_spread=0.02, borrow_rate=0.05, half_spread=3e-4, flat_rate=1e-4, per_share=0.003,
        impact=1.0, fees=True, carry=carry, max_participation=cap,
    )  # fmt: skip
    last = 0
    for t in range(1, panel.n_bars):
        if bench.step() == RUIN:
            last = t
            break
        last = t
        if rng.random() < 0.6:
            cols = np.flatnonzero(rng.random(4) < 0.6)
            size = rng.normal(size=len(cols)) * 30_000.0 / np.nan_to_num(panel.close[t, cols], nan=50.0)
            bench.send(*zip(cols.tolist(), size.tolist(), strict=True), at_close=at_close, sigma=0.02, adv=3e4)
    rec = pd.DataFrame(bench.broker.rec[1 : last + 1], columns=list(layout.RECORD_COLUMNS))
    equity = rec["equity"].where(rec["equity"] > 0.0)
    table = rec.assign(
        costs=rec[["commission", "spread", "impact", "fees"]].sum(axis=1), gross=(rec["long"] + rec["short"]) / equity
    )
    fills = bench.broker.fills
    facts = pd.DataFrame(fills[:, 1:8], columns=["column", "qty", "price", "commission", "spread", "impact", "sec"])
    facts = facts.assign(bar=fills[:, 0].astype(int), column=fills[:, 1].astype(int), fees=fills[:, 7:10].sum(axis=1))
    facts = facts.assign(order_id=np.where(fills[:, layout.F_ORDER] < 0.0, "", "an order"))
    held = bench.broker.held[1 : last + 1]
    assert_adds_up(panel, 1, table, held, facts, np.full(panel.n_bars, 1e-4), 100_000.0, 0.02, 0.05)
