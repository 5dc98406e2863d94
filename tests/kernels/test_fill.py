"""Working orders against one bar."""

import math
from datetime import date
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.broker_bench import Bench
from support.panels import make_panel
from support.plain_fees import charged

from plimsoll.engine.kernels import layout
from plimsoll.engine.kernels.account.fill import sum_of_shares, trim
from plimsoll.engine.market.calendar import build_clock
from plimsoll.engine.market.panel import BarClock

FLAT = np.full(6, 100.0)


def two_sessions() -> BarClock:
    """Every minute of two full sessions."""
    return build_clock(date(2025, 3, 3), date(2025, 3, 4), "1min")


@given(qty=st.floats(-1e6, 1e6), step=st.sampled_from([1.0, 0.01, 1e-9]))
def test_a_quantity_is_cut_toward_zero_by_less_than_one_step(qty: float, step: float) -> None:
    cut = trim(qty, step)
    assert abs(cut) <= abs(qty) * (1.0 + 1e-12)
    assert abs(qty - cut) < step * (1.0 + 1e-6) + 1e-9 * step + 1e-12 * abs(qty)
    assert cut * qty >= 0.0


@given(shares=st.integers(-10_000_000, 10_000_000), decimals=st.sampled_from([0, 2, 9]))
def test_what_is_a_multiple_of_the_step_stays_as_it_is(shares: int, decimals: int) -> None:
    whole, part = float(shares), shares / 10.0**decimals
    assert trim(whole, 10.0**-decimals) == whole
    assert trim(part, 10.0**-decimals) == part


@given(st.lists(st.integers(-(10**14), 10**14), min_size=1, max_size=60))
def test_shares_add_up_like_the_decimals_they_are(billionths: list[int]) -> None:
    held = 0.0
    for k, step in enumerate(billionths):
        held = sum_of_shares(held, float(Decimal(step).scaleb(-9)))
        assert held == float(Decimal(sum(billionths[: k + 1])).scaleb(-9))


def test_what_is_no_billionth_of_a_share_is_left_as_it_is() -> None:
    third = 10.0 / 3.0  # a reverse split may leave it
    assert sum_of_shares(third, 1.0) == third + 1.0
    assert sum_of_shares(third, -third) == 0.0
    assert sum_of_shares(0.1 + 0.2, -0.3) == 0.0


def test_an_order_fills_at_the_next_open() -> None:
    bench = Bench(make_panel([100.0, 110.0, 120.0], [99.0, 105.0, 119.0]))
    bench.send((0, 10.0))
    bench.step()
    fill = bench.broker.fills[0]
    assert fill[[layout.F_BAR, layout.F_QTY, layout.F_PRICE]].tolist() == [1.0, 10.0, 105.0]
    assert bench.cash == 100_000.0 - 1_050.0
    assert bench.equity == 100_000.0 + 10.0 * (110.0 - 105.0)


def test_an_order_for_the_close_fills_at_the_next_close() -> None:
    bench = Bench(make_panel([100.0, 110.0, 120.0], [99.0, 105.0, 119.0]))
    bench.send((0, 10.0), at_close=True)
    bench.step()
    assert bench.broker.fills[0, layout.F_PRICE] == 110.0
    assert bench.equity == 100_000.0


def test_spread_commission_and_impact_are_paid_in_cash() -> None:
    bench = Bench(make_panel(FLAT), half_spread=3e-4, flat_rate=1e-4, per_share=0.01, impact=1.0)
    bench.send((0, -100.0), sigma=0.02, adv=1e4)
    bench.step()
    impact = 10_000.0 * 2 / 3 * 0.02 * math.sqrt(100 / 1e4)
    assert bench.broker.fills[0, layout.F_COSTS : layout.F_COSTS + 3] == pytest.approx([2.0, 3.0, impact])
    assert bench.cash == pytest.approx(110_000.0 - 5.0 - impact, rel=1e-15)
    assert bench.row("traded") == 10_000.0


def test_without_a_row_nothing_fills_and_the_order_expires() -> None:
    bench = Bench(make_panel([100.0, np.nan, 100.0, 100.0]))
    bench.send((0, 10.0))
    bench.step(2)
    assert bench.shares[0] == 0.0
    assert bench.count(layout.EXPIRED_ORDERS) == 1
    assert bench.count(layout.PARTIAL_FILLS) == 0


def test_without_a_row_a_carried_order_waits_for_the_next_one() -> None:
    bench = Bench(make_panel([100.0, np.nan, 100.0, 100.0]), carry=True)
    bench.send((0, 10.0))
    bench.step(2)
    assert bench.shares[0] == 10.0
    assert bench.broker.fills[0, layout.F_BAR] == 2
    assert bench.count(layout.N_WORKING) == 0


def test_with_no_volume_nothing_fills() -> None:
    bench = Bench(make_panel(FLAT, volume=[1e6, 0.0, 1e6, 1e6, 1e6, 1e6]))
    bench.send((0, 10.0))
    bench.step(2)
    assert bench.shares[0] == 0.0
    assert bench.count(layout.EXPIRED_ORDERS) == 1
    assert bench.count(layout.PARTIAL_FILLS) == 0


def test_with_no_volume_a_carried_order_waits() -> None:
    bench = Bench(make_panel(FLAT, volume=[1e6, 0.0, 1e6, 1e6, 1e6, 1e6]), carry=True)
    bench.send((0, 10.0))
    bench.step()
    assert bench.shares[0] == 0.0
    bench.step()
    assert bench.shares[0] == 10.0


def test_unknown_volume_caps_nothing_and_is_counted() -> None:
    bench = Bench(make_panel(FLAT, volume=np.nan), max_participation=0.01)
    bench.send((0, 1_234.5))
    bench.step()
    assert bench.shares[0] == 1_234.5
    assert bench.count(layout.VOLUME_UNKNOWN) == 1


def test_unknown_volatility_is_counted_when_impact_is_on() -> None:
    bench = Bench(make_panel(FLAT), impact=1.0)
    bench.send((0, 1.0), adv=1e6)
    bench.step()
    assert bench.count(layout.IMPACT_UNKNOWN) == 1
    assert bench.row("impact") == 0.0


def test_the_participation_cap_gives_a_partial_fill_and_the_rest_expires() -> None:
    bench = Bench(make_panel(FLAT, volume=1_000.0), max_participation=0.05)
    bench.send((0, 120.0))
    bench.step(3)
    assert bench.shares[0] == 50.0
    assert bench.count(layout.PARTIAL_FILLS) == 1
    assert bench.count(layout.EXPIRED_ORDERS) == 1


def test_the_participation_cap_lets_a_carried_order_work_on() -> None:
    bench = Bench(make_panel(FLAT, volume=1_000.0), max_participation=0.05, carry=True)
    bench.send((0, 120.0))
    held = []
    for _ in range(4):
        bench.step()
        held.append(float(bench.shares[0]))
    assert held == [50.0, 100.0, 120.0, 120.0]
    assert bench.count(layout.PARTIAL_FILLS) == 2
    assert bench.count(layout.EXPIRED_ORDERS) == 0


def test_a_carried_order_is_multiplied_by_a_split_and_so_is_its_cap() -> None:
    close = [100.0, 100.0, 50.0, 50.0, 50.0]
    panel = make_panel(close, close, split=[1.0, 1.0, 2.0, 1.0, 1.0], volume=[1e3, 1e3, 2e3, 2e3, 2e3])
    bench = Bench(panel, max_participation=0.05, carry=True)
    bench.send((0, 120.0))
    bench.step()
    assert bench.shares[0] == 50.0
    bench.step()
    assert bench.shares[0] == 50.0 * 2 + 100.0  # 70 left became 140, of which 5% of 2,000 fill
    bench.step()
    assert bench.shares[0] == 240.0
    state = bench.broker.lookup(bench.broker.order_table().ids[0])
    assert state is not None
    assert (state.status, state.qty, state.filled) == ("filled", 240.0, 240.0)


def test_impact_after_a_split_is_that_of_the_same_trade_without_one() -> None:
    paid = []
    for factor in (1.0, 2.0, 0.2):
        close = np.array([100.0, 100.0 / factor, 100.0 / factor])
        bench = Bench(make_panel(close, close, split=[1.0, factor, 1.0]), impact=1.0)
        bench.send((0, 100.0), sigma=0.02, adv=1e5)
        bench.step()
        paid.append(bench.row("impact"))
    assert paid[1] == pytest.approx(paid[0], rel=1e-12)
    assert paid[2] == pytest.approx(paid[0], rel=1e-12)


def test_the_leg_that_opens_the_other_side_waits_until_the_position_is_flat() -> None:
    bench = Bench(make_panel(FLAT, volume=1_000.0), max_participation=0.05, carry=True)
    bench.send((0, 80.0))
    bench.step(2)
    bench.send((0, -80.0), (0, -30.0), leg=(0, 1))
    held = []
    for _ in range(3):
        bench.step()
        held.append(float(bench.shares[0]))
    assert held == [30.0, -20.0, -30.0]


def test_an_expired_first_leg_takes_the_second_with_it() -> None:
    bench = Bench(make_panel(FLAT, volume=1_000.0), max_participation=0.05)
    bench.send((0, 50.0))
    bench.step()
    bench.book.acct[layout.SHARES, 0] = 80.0
    bench.send((0, -80.0), (0, -30.0), leg=(0, 1))
    bench.step(3)
    assert bench.shares[0] == 30.0


@pytest.mark.parametrize("held", [0.0, -40.0, 40.0])
def test_a_capped_fill_leaves_no_fraction_of_a_share_short(held: float) -> None:
    bench = Bench(make_panel(FLAT, volume=333.0), max_participation=0.05, carry=True)  # 16.65 shares
    bench.book.acct[layout.SHARES, 0] = held
    orders = ((0, 90.0),) if held < 0.0 else ((0, -held), (0, -50.0)) if held else ((0, -50.0),)
    bench.send(*orders, leg=(0, 1) if held > 0.0 else None)
    for _ in range(5):
        bench.step()
        short = min(float(bench.shares[0]), 0.0)
        assert short == round(short)


def test_a_capped_purchase_may_be_a_fraction() -> None:
    bench = Bench(make_panel(FLAT, volume=333.0), max_participation=0.05)
    bench.send((0, 90.0))
    bench.step()
    assert bench.shares[0] == pytest.approx(16.65, abs=1e-9)


def test_whole_share_accounts_fill_whole_shares() -> None:
    bench = Bench(make_panel(FLAT, volume=333.0), max_participation=0.05, fractional=False)
    bench.send((0, 90.0))
    bench.step()
    assert bench.shares[0] == 16.0


def test_new_orders_cancel_what_was_working() -> None:
    bench = Bench(make_panel(np.full((6, 2), 100.0), volume=1_000.0), max_participation=0.05, carry=True)
    bench.send((0, 500.0))
    bench.step()
    bench.send((1, 10.0))
    bench.step()
    assert bench.shares.tolist() == [50.0, 10.0]
    table = bench.broker.order_table()
    assert [table.state(k).status for k in range(2)] == ["partial", "filled"]


def test_fees_of_many_bars_are_rounded_once_a_session() -> None:
    panel = make_panel(np.full(390 * 2, 10.0), clock=two_sessions())
    bench = Bench(panel, fees=True)
    bench.book.acct[layout.SHARES, 0] = 1e5
    for _ in range(100):
        bench.send((0, -5.0))
        bench.step()
    day = str(panel.clock.session[0])
    assert bench.broker.rec[:101, layout.RECORD_COLUMNS.index("fees")].sum() == pytest.approx(
        charged(day, [(-5.0, 10.0)] * 100), abs=1e-9
    )
    assert bench.fees() == pytest.approx(0.14 + 0.09 + 0.01, abs=1e-9)


def test_fees_begin_anew_with_the_session() -> None:
    panel = make_panel(np.full(390 * 2, 10.0), clock=two_sessions())
    bench = Bench(panel, first=389, fees=True)
    bench.book.acct[layout.SHARES, 0] = 1e5
    for _ in range(2):  # the last minute of one session and the first of the next
        bench.send((0, -5.0))
        bench.step()
    one = charged(str(panel.clock.session[0]), [(-5.0, 10.0)])
    assert bench.broker.rec[389:391, layout.RECORD_COLUMNS.index("fees")] == pytest.approx([one, one], abs=1e-12)


@pytest.mark.parametrize(
    ("qty", "limit", "fills"),
    [(10.0, 102.0, True), (10.0, 101.99, False), (-10.0, 102.0, True), (-10.0, 102.01, False)],
)
def test_a_limit_order_fills_at_its_limit_and_not_beyond(qty: float, limit: float, fills: bool) -> None:
    bench = Bench(make_panel([100.0, 101.0, 102.0, 102.0], [100.0, 101.0, 102.0, 102.0]))
    bench.step()
    bench.send((0, qty), limit=(limit,))
    bench.step()
    assert bench.shares[0] == (qty if fills else 0.0)
    assert bench.broker.orders() == []  # a day order that did not fill has expired


def test_a_limit_holds_for_both_legs_and_ends_with_its_order() -> None:
    bench = Bench(make_panel([100.0, 100.0, 100.0, 104.0, 96.0, 100.0], [100.0, 100.0, 100.0, 104.0, 96.0, 100.0]))
    bench.step()
    bench.send((0, -5.0))
    bench.step()
    bench.send((0, 5.0), (0, 8.0), leg=(0, 1), limit=(103.0, 103.0))  # covers, then buys
    bench.step()
    assert bench.shares[0] == -5.0
    bench.send((0, 5.0), (0, 8.0), leg=(0, 1), limit=(103.0, 103.0))
    bench.step()
    assert bench.shares[0] == 8.0
    bench.send((0, -8.0))  # at the market again
    bench.step()
    assert bench.shares[0] == 0.0


def test_a_limit_is_divided_by_a_split() -> None:
    for limit, shares in ((102.0, 20.0), (99.0, 0.0)):
        bench = Bench(make_panel([100.0, 100.0, 50.5], [100.0, 100.0, 50.5], split=[1.0, 1.0, 2.0]))
        bench.step()
        bench.send((0, 10.0), limit=(limit,))
        bench.step()
        assert bench.shares[0] == shares
