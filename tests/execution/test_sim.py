"""The simulator as a broker: what it reports, cancels and remembers."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.broker_bench import Bench
from support.panels import make_panel, random_panel
from support.scripted import run_script

from plimsoll.engine.errors import ConfigError
from plimsoll.engine.execution.sim.order_table import STATUSES
from plimsoll.engine.kernels import layout

FLAT = np.full((8, 2), 100.0)


def test_the_account_is_cash_and_holdings_at_the_last_close() -> None:
    bench = Bench(make_panel(FLAT * np.linspace(1.0, 1.7, 8)[:, None]))
    bench.send((1, 10.0))
    bench.step(2)
    account = bench.broker.account()
    assert account.shares.tolist() == [0.0, 10.0]
    assert account.value == pytest.approx([0.0, 1_200.0])
    assert account.equity == pytest.approx(account.cash + 1_200.0)
    assert bench.broker.positions() == {"S001": 10.0}
    account.shares[:] = 0.0
    assert bench.shares[1] == 10.0  # what is handed out is a copy


def test_the_clock_is_the_last_completed_bar() -> None:
    bench = Bench(make_panel(FLAT))
    bench.step(3)
    assert bench.broker.clock() == bench.panel.clock.stamp[3]


def test_orders_lists_what_still_works() -> None:
    bench = Bench(make_panel(FLAT, volume=1_000.0), max_participation=0.05, carry=True)
    bench.send((0, 70.0), (1, 20.0))
    bench.step()
    [left] = bench.broker.orders()
    assert (left.symbol, left.qty, left.filled, left.status) == ("S000", 70.0, 50.0, "working")
    bench.step()
    assert bench.broker.orders() == []


def test_a_cancelled_order_fills_no_further() -> None:
    bench = Bench(make_panel(FLAT, volume=1_000.0), max_participation=0.05, carry=True)
    bench.send((0, 170.0), (1, 20.0))
    bench.step()
    [left] = bench.broker.orders()
    assert bench.broker.cancel(left.id)
    assert not bench.broker.cancel(left.id)
    assert not bench.broker.cancel("nobody")
    bench.step()
    assert bench.shares.tolist() == [50.0, 20.0]
    found = bench.broker.lookup(left.id)
    assert found is not None
    assert found.status == "partial"
    assert bench.broker.lookup("nobody") is None


def test_cancelling_the_leg_that_flattens_cancels_the_leg_that_waits_for_it() -> None:
    bench = Bench(make_panel(FLAT))
    bench.book.acct[layout.SHARES, 0] = 40.0
    bench.send((0, -40.0), (0, -25.0), leg=(0, 1))
    first = bench.broker.orders()[0]
    assert bench.broker.cancel(first.id)
    assert bench.broker.orders() == []
    bench.step()
    assert bench.shares[0] == 40.0


def test_cancelling_the_leg_that_waits_leaves_the_one_that_flattens() -> None:
    bench = Bench(make_panel(FLAT))
    bench.book.acct[layout.SHARES, 0] = 40.0
    bench.send((0, -40.0), (0, -25.0), leg=(0, 1))
    second = bench.broker.orders()[1]
    assert bench.broker.cancel(second.id)
    bench.step()
    assert bench.shares[0] == 0.0


def test_every_order_ends_in_a_status_that_its_fills_explain() -> None:
    volume = np.tile([1e6, 1e6, 0.0, 1e3, 1e6, 1e6, 1e6, 1e6], (2, 1)).T
    bench = Bench(make_panel(FLAT, volume=volume), max_participation=0.05)
    for qty in (10.0, 10.0, 200.0, 10.0):
        bench.send((0, qty))
        bench.step()
    bench.send((0, 1.0))
    table = bench.broker.order_table()
    assert [STATUSES[k] for k in table.status] == ["filled", "expired", "partial", "filled", "working"]
    assert table.filled.tolist() == [10.0, 0.0, 50.0, 10.0, 0.0]


def test_what_was_filled_before_a_split_counts_in_the_shares_after_it() -> None:
    close = [100.0, 100.0, 20.0, 20.0]
    panel = make_panel(close, close, split=[1.0, 1.0, 5.0, 1.0], volume=[1e3, 1e3, 1e3, 1e3])
    bench = Bench(panel, max_participation=0.05, carry=True)
    bench.send((0, 100.0))
    bench.step(2)
    [state] = bench.broker.orders()
    assert (state.qty, state.filled) == (500.0, 50.0 * 5 + 50.0)
    assert bench.shares[0] == 300.0


@given(seed=st.integers(0, 2**32), carry=st.booleans())
@settings(max_examples=40)
def test_holdings_are_the_sum_of_what_orders_and_delistings_filled(seed: int, carry: bool) -> None:
    panel = random_panel(seed, n_bars=50)
    rng = np.random.default_rng(seed)
    bench = Bench(panel, cash=1e9, carry=carry, max_participation=0.02)
    held = np.zeros(4)
    for _ in range(1, panel.n_bars):
        bench.step()
        held *= panel.split[bench.t]
        for row in bench.broker.fills[bench.broker.fills[:, layout.F_BAR] == bench.t]:
            held[int(row[layout.F_COLUMN])] += row[layout.F_QTY]
        np.testing.assert_allclose(bench.shares, held, rtol=1e-9, atol=1e-6)
        if rng.random() < 0.5:
            bench.send(*((int(i), float(rng.normal() * 500.0)) for i in np.flatnonzero(rng.random(4) < 0.7)))


def test_the_fill_table_grows_without_losing_a_fill() -> None:
    n_bars, n_symbols = 120, 40
    rng = np.random.default_rng(0)
    bench = Bench(make_panel(rng.uniform(50.0, 150.0, (n_bars, n_symbols))), cash=1e9)
    for k in range(n_bars - 1):
        bench.send(*((i, float(k % 7 - 3) or 1.0) for i in range(n_symbols)))
        bench.step()
    fills = bench.broker.fills
    assert len(fills) == (n_bars - 1) * n_symbols
    assert fills[:, layout.F_ORDER].tolist() == list(range(len(fills)))
    assert bench.cash == pytest.approx(1e9 - (fills[:, layout.F_QTY] * fills[:, layout.F_PRICE]).sum(), rel=1e-12)


@pytest.mark.parametrize("cash", [0.0, -1.0, float("nan")])
def test_an_account_needs_money_to_open(cash: float) -> None:
    with pytest.raises(ConfigError, match="not above zero"):
        Bench(make_panel(FLAT), cash=cash)


def test_an_orders_price_is_told_in_the_share_units_of_its_quantity() -> None:
    panel = make_panel([100.0, 100.0, 50.0, 50.0], split=[1.0, 1.0, 2.0, 1.0], symbols=("A",))
    orders = run_script(panel, {1: {"A": 0.5}}, first=2).result.orders
    assert orders["qty"].tolist() == pytest.approx([1000.0])
    assert orders["price"].tolist() == pytest.approx([50.0])
