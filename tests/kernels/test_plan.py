"""From target weights to orders an account can afford."""

from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plimsoll.engine.execution.sim.book import open_book
from plimsoll.engine.execution.terms import Terms
from plimsoll.engine.kernels import layout
from plimsoll.engine.kernels.account.plan import BELOW_MINIMUM, NO_PRICE, ORDERED, ROUNDED_AWAY, UNTOUCHED, plan_legs
from plimsoll.engine.types import Codes, Floats


class Planned(NamedTuple):
    """Legs (2, N), the factor of all purchases, and why."""

    legs: Floats
    phi: float
    why: Codes

    @property
    def qty(self) -> Floats:
        """(N,) both legs together."""
        return self.legs.sum(axis=0)


def plan(
    target: Any, price: Any, held: Any = 0.0, *, cash: float | None = None, equity: float | None = None,
    trade: Any = True, min_notional: float = 0.0, mark: Any = np.nan, **terms: Any,
) -> Planned:  # fmt: skip
    """Plan for an account that holds `held`; cash follows from equity (100,000) where it is not given."""
    target, price = np.asarray(target, dtype=np.float64), np.asarray(price, dtype=np.float64)
    n = len(target)
    held = np.broadcast_to(np.asarray(held, dtype=np.float64), n).copy()
    zeros = np.zeros(n)
    free = {"half_spread": zeros, "maintenance_long": zeros, "maintenance_short": zeros}
    fractional = np.broadcast_to(terms.pop("fractional", True), n)
    book = open_book(1.0, Terms(**(free | terms), fractional=fractional))
    book.acct[layout.SHARES] = held
    book.acct[layout.MARK] = mark
    value = float((held * np.nan_to_num(price)).sum())
    equity = 100_000.0 if equity is None else equity
    cash = equity - value if cash is None else cash
    legs, why = np.full((2, n), 7.0), np.full(n, 9, dtype=np.int8)
    wants = np.broadcast_to(np.asarray(trade, dtype=np.bool_), n).copy()
    daily = np.zeros((layout.DAILY, 1))
    phi = plan_legs(0, cash, equity, target, wants, price, book.acct, book.rules, daily, min_notional, legs, why)
    return Planned(legs, phi, why)


def test_quantity_is_weight_times_equity_over_price_less_what_is_held() -> None:
    done = plan([0.5, 0.2], [40.0, 300.0], [100.0, 90.0])
    assert done.qty == pytest.approx([0.5 * 100_000.0 / 40.0 - 100.0, 0.2 * 100_000.0 / 300.0 - 90.0], abs=1e-8)
    assert done.why.tolist() == [ORDERED, ORDERED]
    assert done.phi == 1.0


def test_what_is_not_to_trade_keeps_its_shares() -> None:
    done = plan([0.5, 0.2], [40.0, 300.0], [100.0, 90.0], trade=[True, False])
    assert done.qty[1] == 0.0
    assert done.why.tolist() == [ORDERED, UNTOUCHED]


def test_a_halted_symbol_is_neither_bought_nor_sold_on_paper() -> None:
    done = plan([0.5, 0.0], [40.0, np.nan], [100.0, 90.0], mark=[np.nan, 50.0])
    assert done.qty[1] == 0.0
    assert done.why.tolist() == [ORDERED, NO_PRICE]


def test_planning_what_is_already_held_orders_nothing() -> None:
    price, shares = np.array([33.0, 470.13, 12.7]), np.array([812.123456789, 99.0, 10.5])
    equity = 123_456.78
    done = plan(shares * price / equity, price, shares, equity=equity)
    assert done.legs.tolist() == np.zeros((2, 3)).tolist()
    assert done.why.tolist() == [ROUNDED_AWAY] * 3


@given(seed=st.integers(0, 2**32))
def test_carrying_out_a_plan_leaves_nothing_to_plan(seed: int) -> None:
    rng = np.random.default_rng(seed)
    price = rng.uniform(5.0, 500.0, 5)
    target = rng.normal(size=5)
    target *= rng.uniform(0.2, 1.5) / np.abs(target).sum()
    held = np.round(rng.normal(size=5) * 100.0)
    first = plan(target, price, held)
    after = held + first.qty
    second = plan(target, price, after)
    assert np.abs(second.qty).max() <= 1e-8


def test_a_zero_target_sells_exactly_what_is_held() -> None:
    held = 1.0 / 3.0 * 100.0
    done = plan([0.0], [0.9], [held])
    assert done.legs[0, 0] == -held


@given(seed=st.integers(0, 2**32), rate=st.sampled_from([0.0, 5e-4, 0.01]), margin=st.booleans())
def test_all_purchases_share_one_factor_and_sales_are_never_scaled(seed: int, rate: float, margin: bool) -> None:
    rng = np.random.default_rng(seed)
    price = rng.uniform(5.0, 500.0, 6)
    held = rng.uniform(0.0, 20_000.0, 6) / price
    target = rng.exponential(size=6) * rng.uniform(0.5, 4.0) / 6.0
    equity = float(rng.uniform(0.4, 1.2) * (held * price).sum())
    cash = equity - float((held * price).sum())
    done = plan(target, price, held, equity=equity, flat_rate=rate, margin_account=margin)
    wish = target * equity / price - held
    sells = wish < 0.0
    np.testing.assert_allclose(done.qty[sells], wish[sells], rtol=0.0, atol=2e-9)
    buys = ~sells & (wish > 1e-6)
    sold, bought = -(done.qty * price)[sells].sum(), (wish * price)[buys].sum()
    money, bill = max(cash + sold * (1.0 - rate), 0.0), bought * (1.0 + rate)
    if margin:  # half of what is kept and of what is added, out of equity that pays the costs
        kept = 0.5 * (float((held * price).sum()) - sold)
        money, bill = max(equity - sold * rate - kept, 0.0), bought * (0.5 + rate)
    phi = min(money / bill, 1.0) if bill > 0.0 else 1.0
    assert done.phi == pytest.approx(phi, rel=1e-9)
    np.testing.assert_allclose(done.qty[buys], phi * wish[buys], rtol=1e-7, atol=2e-9)
    spent = (done.qty * price)[buys].sum() * (bill / bought if bought > 0.0 else 1.0)
    assert spent <= money + 1e-6


def test_without_money_nothing_is_bought_and_the_factor_is_zero() -> None:
    done = plan([0.5, 0.5], [10.0, 10.0], [9_000.0, 9_000.0], equity=10_000.0, margin_account=False)
    assert (done.qty <= 0.0).all()
    more = plan([0.5, 0.0], [10.0, 10.0], cash=-5.0, equity=100.0, margin_account=False)
    assert more.phi == 0.0
    assert more.qty.tolist() == [0.0, 0.0]


def test_with_nothing_to_buy_the_factor_is_one_even_in_debt() -> None:
    done = plan([0.0], [10.0], [10_000.0], cash=-90_000.0, equity=10_000.0, margin_account=False)
    assert done.phi == 1.0


def test_a_margin_account_may_owe_its_equity_and_not_more() -> None:
    done = plan([2.5], [50.0])
    assert done.phi == pytest.approx(0.8, rel=1e-12)
    assert done.qty[0] == pytest.approx(200_000.0 / 50.0, rel=1e-9)


def test_short_positions_use_up_credit_on_both_sides() -> None:
    done = plan([1.6, -1.0], [50.0, 50.0])
    # initial margin: 50% of longs and shorts together, so both by 1 / 1.3
    assert done.phi == pytest.approx(1.0 / 1.3, rel=1e-12)
    assert done.qty == pytest.approx([160_000.0 / 1.3 / 50.0, -1_538.0], rel=1e-9)


def test_a_short_without_a_price_uses_up_credit_too() -> None:
    done = plan([1.6, -1.0], [50.0, np.nan], [0.0, -2_000.0], cash=200_000.0, mark=[np.nan, 50.0])
    assert done.phi == pytest.approx(1.0 / 1.6, rel=1e-12)


def test_whole_shares_count_on_no_proceeds_that_rounding_takes_away() -> None:
    price = np.array([999.0, 1.0])
    held = np.array([100.0, 100.0])
    done = plan([0.9095, 0.0905], price, held, equity=100_000.0, margin_account=False, fractional=False)
    cash = 0.0 - float((done.qty * price).sum())
    assert done.qty[0] < 0.0 < done.qty[1]
    assert cash >= 0.0


def test_sales_below_the_minimum_finance_no_purchase() -> None:
    price = np.ones(5)
    held = np.array([25_000.9, 25_000.9, 25_000.9, 24_997.3, 0.0])
    target = np.array([0.25, 0.25, 0.25, 0.24996, 3.1e-5])
    done = plan(target, price, held, equity=100_000.0, margin_account=False, min_notional=1.0)
    assert done.why[:4].tolist() == [BELOW_MINIMUM] * 3 + [ORDERED]
    assert (done.qty * price).sum() <= 1e-9


def test_a_purchase_that_scaling_makes_too_small_is_dropped() -> None:
    price = np.full(2, 10.0)
    done = plan([3.998, 0.002], price, min_notional=150.0, margin_account=False)  # the second is worth 200, then 50
    assert done.phi == pytest.approx(0.25, rel=1e-12)
    assert done.qty.tolist() == pytest.approx([9_995.0, 0.0])
    assert done.why.tolist() == [ORDERED, BELOW_MINIMUM]


def test_small_orders_are_dropped_but_exits_are_not() -> None:
    done = plan([0.00015, 0.0, 0.00005], [10.0, 10.0, 10.0], [1.0, 0.3, 0.0], min_notional=6.0)
    assert done.qty.tolist() == [0.0, -0.3, 0.0]
    assert done.why.tolist() == [BELOW_MINIMUM, ORDERED, BELOW_MINIMUM]


def test_whole_share_accounts_order_whole_shares_and_leave_with_what_they_have() -> None:
    done = plan([0.333, 0.1, 0.0], [70.0, 70.0, 70.0], [10.0, 200.0, 10.5], fractional=False)
    assert done.qty.tolist() == [475.0 - 10.0, -(200.0 - 142.0) + 1.0, -10.5]


def test_short_positions_are_whole_even_where_fractions_are_traded() -> None:
    done = plan([-0.333, -0.333, -0.00001], [70.0, 70.0, 70.0], [0.0, -400.0, 0.0])
    assert done.qty.tolist() == [-475.0, -75.0, 0.0]
    assert done.why.tolist() == [ORDERED, ORDERED, ROUNDED_AWAY]


def test_a_position_is_flattened_before_it_is_reversed() -> None:
    done = plan([-0.1, 0.1], [70.0, 70.0], [12.5, -3.0])
    assert done.legs[0].tolist() == [-12.5, 3.0]
    assert done.legs[1] == pytest.approx([-142.0, 10_000.0 / 70.0], abs=1e-8)


def test_covering_a_short_is_never_scaled() -> None:
    done = plan([0.0, 1.0], [50.0, 50.0], [-100.0, 0.0], cash=6_000.0, equity=1_000.0, margin_account=True)
    assert done.legs[0, 0] == 100.0


@pytest.mark.parametrize("price", [1e-4, 0.37, 12_000_000.0])
def test_extreme_prices_come_out_within_one_step(price: float) -> None:
    done = plan([0.6], [price], margin_account=False)
    assert 0.0 <= 60_000.0 - done.qty[0] * price <= 1e-9 * price + 60_000.0 * 1e-12


def test_quantities_have_nine_decimals_at_most() -> None:
    done = plan([0.123456789], [777.77], qty_step=1e-9)
    scaled = done.qty[0] * 1e9
    assert scaled == pytest.approx(round(scaled), abs=1e-3)
