"""Purchases scaled to the money there is, apart from planning."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from support.panels import make_panel

from plimsoll.engine.errors import EngineError
from plimsoll.engine.execution.broker import Account
from plimsoll.engine.execution.order import OrderBatch
from plimsoll.engine.execution.planner import Planner
from plimsoll.engine.execution.terms import Terms
from plimsoll.engine.kernels import layout
from plimsoll.engine.kernels.account.order import FREES_MONEY, NEEDS_MONEY
from plimsoll.engine.market.feed import Feed
from plimsoll.engine.types import Floats


def planner_of(
    price: Floats,
    *,
    fractional: object = True,
    min_notional: float = 0.0,
    margin_account: bool = False,
    flat_rate: float = 0.0,
) -> Planner:
    """Return the planner of a cash account, or of another one."""
    n = len(price)
    panel = make_panel(np.tile(price, (3, 1)))
    terms = Terms(
        np.zeros(n), np.full(n, 0.25), np.full(n, 0.3), np.broadcast_to(np.asarray(fractional, dtype=np.bool_), n),
        margin_account=margin_account, flat_rate=flat_rate,
    )  # fmt: skip
    daily = np.zeros((layout.DAILY, 3))
    return Planner(Feed(panel), daily, terms, min_notional=min_notional, at_close=False, symbols=panel.symbols)


def account_of(held: Floats, price: Floats, cash: float) -> Account:
    return Account(cash, cash + float(held @ price), 0.0, held.copy(), held * price)


def after_sales(account: Account, orders: OrderBatch, part: float, price: Floats) -> tuple[Account, OrderBatch]:
    """Fill a part of what frees money, free of costs; return the account then, and the orders that wait."""
    first = orders.rows.wave == FREES_MONEY
    held, cash = account.shares.copy(), account.cash
    np.add.at(held, orders.rows.col[first], part * orders.rows.qty[first])
    cash -= part * float(orders.rows.qty[first] @ price[orders.rows.col[first]])
    return account_of(held, price, cash), orders.where(~first)


TWO = np.array([100.0, 100.0])
EVERY = np.ones(2, dtype=np.bool_)


@pytest.mark.parametrize(
    ("rates", "part", "phi", "bought"),
    [
        # 60 held of the first, 4,000 in cash; planned: 40 sold, 80 bought of the second for 8,000
        ({}, 1.0, 1.0, 80.0),
        ({}, 25 / 40, 6_500 / 8_000, 65.0),
        ({}, 0.0, 4_000 / 8_000, 40.0),
        ({"fractional": False}, 0.33, 5_320 / 8_000, 53.0),
        ({"margin_account": True}, 0.0, 1.0, 80.0),  # credit of the equity, 10,000
    ],
)
def test_purchases_are_cut_to_what_the_sales_really_brought(
    rates: dict[str, bool], part: float, phi: float, bought: float
) -> None:
    planner = planner_of(TWO, **rates)
    account = account_of(np.array([60.0, 0.0]), TWO, 4_000.0)
    plan = planner.plan(1, account, np.array([0.2, 0.8]), EVERY, TWO)
    assert plan.orders.rows.qty.tolist() == [-40.0, 80.0]
    now, waiting = after_sales(account, plan.orders, part, TWO)
    found, orders = planner.affordable(1, now, waiting, TWO)
    assert found == pytest.approx(phi, rel=1e-12)
    assert orders.rows.qty.tolist() == pytest.approx([bought], abs=1e-8)
    assert orders.rows.wave.tolist() == [NEEDS_MONEY]


def test_what_purchases_cost_is_part_of_what_they_need() -> None:
    planner = planner_of(TWO, flat_rate=0.01)
    account = account_of(np.array([60.0, 0.0]), TWO, 4_040.0)
    plan = planner.plan(1, account, np.array([0.0, 0.5]), EVERY, TWO)
    now, waiting = after_sales(account, plan.orders, 0.0, TWO)
    phi, orders = planner.affordable(1, now, waiting, TWO)
    assert phi == pytest.approx(4_040.0 / (0.5 * 10_040.0 * 1.01), rel=1e-12)
    assert orders.rows.qty[0] == pytest.approx(4_040.0 / 1.01 / 100.0, abs=1e-8)


def test_sales_and_covers_keep_their_size_and_what_is_cut_to_nothing_goes_out() -> None:
    price = np.full(4, 100.0)
    planner = planner_of(price, margin_account=True, min_notional=50.0)
    account = account_of(np.array([40.0, -20.0, 0.0, 0.0]), price, 8_000.0)
    weights = np.array([0.0, -0.1, -0.1, 0.5])
    orders = planner.plan(1, account, weights, np.ones(4, dtype=np.bool_), price).orders
    assert orders.rows.qty.tolist() == [-40.0, 10.0, -10.0, 50.0]
    poor = account_of(np.array([0.0, -20.0, 0.0, 0.0]), price, 2_010.0)  # equity 10, shorts of 1,000 are kept
    phi, left = planner.affordable(1, poor, orders.where(slice(1, 4)), price)
    assert phi == 0.0
    assert left.rows.qty.tolist() == [10.0]


def test_a_small_rest_of_a_purchase_is_left_to_the_next_decision() -> None:
    planner = planner_of(TWO)
    account = account_of(np.zeros(2), TWO, 10_000.0)
    orders = planner.plan(1, account, np.array([0.9, 0.1]), EVERY, TWO).orders
    poor = account_of(np.zeros(2), TWO, 5_000.0)
    phi, left = planner.affordable(1, poor, orders, TWO, min_ticket=600.0)
    assert phi == 0.5
    assert left.rows.col.tolist() == [0]
    assert left.rows.qty.tolist() == [45.0]


def test_orders_without_a_price_now_are_refused() -> None:
    planner = planner_of(TWO)
    account = account_of(np.zeros(2), TWO, 10_000.0)
    orders = planner.plan(1, account, np.array([0.5, 0.5]), EVERY, TWO).orders
    with pytest.raises(EngineError, match="an order for S001 has no price"):
        planner.affordable(1, account, orders, np.array([100.0, np.nan]))


def test_asking_changes_neither_the_orders_nor_the_next_plan() -> None:
    planner = planner_of(TWO)
    account = account_of(np.array([60.0, 0.0]), TWO, 4_000.0)
    first = planner.plan(1, account, np.array([0.2, 0.8]), EVERY, TWO).orders
    before = [column.tobytes() for column in first.rows]
    planner.affordable(1, account_of(np.zeros(2), TWO, 1.0), first.where(slice(1, 2)), TWO)
    again = planner.plan(1, account, np.array([0.2, 0.8]), EVERY, TWO).orders
    assert before == [column.tobytes() for column in first.rows] == [column.tobytes() for column in again.rows]


@given(seed=st.integers(0, 2**32), part=st.floats(0.0, 1.0), margin=st.booleans(), whole=st.booleans())
def test_one_factor_cuts_all_purchases_to_the_money_and_never_more(
    seed: int, part: float, margin: bool, whole: bool
) -> None:
    rng = np.random.default_rng(seed)
    price = rng.uniform(5.0, 500.0, 5)
    held = np.floor(rng.uniform(0.0, 200.0, 5)) * (rng.random(5) < 0.7)
    rate = float(rng.choice([0.0, 0.005]))
    planner = planner_of(
        price, margin_account=margin, flat_rate=rate, fractional=rng.random(5) < 0.5 if whole else True
    )
    account = account_of(held, price, float(rng.uniform(100.0, 20_000.0)))
    target = rng.exponential(size=5)
    target *= rng.uniform(0.3, 1.8) / target.sum()
    orders = planner.plan(1, account, target, np.ones(5, dtype=np.bool_), price).orders
    now, waiting = after_sales(account, orders, part, price)
    assume(len(waiting) > 0)
    phi, left = planner.affordable(1, now, waiting, price)
    need = (0.5 if margin else 1.0) + rate  # of each dollar bought: its initial margin, or itself
    bill = float(waiting.rows.qty @ price[waiting.rows.col]) * need
    money = max(now.equity - 0.5 * float(now.value.sum()) if margin else now.cash, 0.0)
    assert phi == pytest.approx(min(money / bill, 1.0), rel=1e-9)
    assert float(left.rows.qty @ price[left.rows.col]) * need <= money * (1.0 + 1e-12) + 1e-9
    lot = np.where(planner.work.terms[layout.LOT] == 1.0, 1.0, 1e-9)
    asked = dict(zip(waiting.rows.col.tolist(), waiting.rows.qty.tolist(), strict=True))
    for col, qty in zip(left.rows.col.tolist(), left.rows.qty.tolist(), strict=True):
        assert phi * asked[col] - lot[col] - 1e-9 <= qty <= asked[col] * (phi + 1e-12)


@given(seed=st.integers(0, 2**32), margin=st.booleans())
def test_a_plan_is_affordable_as_it_stands(seed: int, margin: bool) -> None:
    rng = np.random.default_rng(seed)
    price = rng.uniform(5.0, 500.0, 5)
    account = account_of(np.floor(rng.uniform(0.0, 200.0, 5)), price, float(rng.uniform(-500.0, 20_000.0)))
    planner = planner_of(price, margin_account=margin, flat_rate=0.001)
    target = rng.exponential(size=5)
    target *= rng.uniform(0.3, 3.0) / target.sum()
    plan = planner.plan(1, account, target, np.ones(5, dtype=np.bool_), price)
    phi, again = planner.affordable(1, account, plan.orders, price)
    assert phi >= 1.0 - 1e-9
    np.testing.assert_allclose(again.rows.qty, plan.orders.rows.qty, rtol=1e-8, atol=1e-8)
