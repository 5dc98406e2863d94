"""Which orders free money and which need it."""

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st
from support.panels import make_panel

from plimsoll.engine.execution.broker import Account
from plimsoll.engine.execution.order import OrderBatch
from plimsoll.engine.execution.planner import Planner
from plimsoll.engine.execution.terms import Terms
from plimsoll.engine.kernels import layout
from plimsoll.engine.kernels.account.order import FREES_MONEY, NEEDS_MONEY, wave_of
from plimsoll.engine.market.feed import Feed
from plimsoll.engine.types import Floats


def planned(held: Floats, weight: Floats, price: Floats, *, equity: float = 100_000.0, **terms: bool) -> OrderBatch:
    """Return the orders of a margin account of that equity."""
    n = len(held)
    panel = make_panel(np.tile(price, (3, 1)))
    rates = Terms(np.zeros(n), np.full(n, 0.25), np.full(n, 0.3), np.ones(n, dtype=np.bool_), **terms)
    planner = Planner(
        Feed(panel), np.zeros((layout.DAILY, 3)), rates, min_notional=0.0, at_close=False, symbols=panel.symbols
    )
    account = Account(equity - float(held @ price), equity, 0.0, held, held * price)
    return planner.plan(1, account, weight, np.ones(n, dtype=np.bool_), price).orders


def test_what_reduces_or_covers_goes_first_and_what_opens_adds_or_reverses_waits() -> None:
    held = np.array([100.0, -50.0, 0.0, 30.0, 0.0, -40.0, 20.0, 20.0])
    aim = np.array([60.0, -20.0, 25.0, -20.0, -10.0, -60.0, 0.0, 45.0])
    batch = planned(held, aim * 100.0 / 100_000.0, np.full(8, 100.0))
    told = list(zip(batch.rows.col.tolist(), batch.rows.leg.tolist(), batch.rows.wave.tolist(), strict=True))
    assert told == [(0, 0, 0), (1, 0, 0), (2, 0, 1), (3, 0, 0), (3, 1, 1), (4, 0, 1), (5, 0, 1), (6, 0, 0), (7, 0, 1)]
    assert batch.rows.qty.tolist() == [-40.0, 30.0, 25.0, -30.0, -20.0, -10.0, -20.0, -20.0, 25.0]


def test_an_order_sized_at_the_fill_has_the_wave_of_its_size_at_the_decision() -> None:
    held, aim = np.array([100.0, -50.0, 0.0, 30.0]), np.array([60.0, -20.0, 25.0, -20.0])
    batch = planned(held, aim * 100.0 / 100_000.0, np.full(4, 100.0), size_at_fill=True)
    assert batch.rows.qty.tolist() == [0.0] * 4
    assert batch.rows.wave.tolist() == [FREES_MONEY, FREES_MONEY, NEEDS_MONEY, NEEDS_MONEY]


@example(held=1e-200, qty=-1e-200)  # their product is nothing
@given(held=st.floats(-1e6, 1e6), qty=st.floats(-1e6, 1e6))
def test_an_order_frees_money_exactly_if_it_leads_toward_nothing_held_and_not_beyond(held: float, qty: float) -> None:
    after = held + qty
    toward = qty != 0.0 and held != 0.0 and (qty > 0.0) != (held > 0.0) and min(held, 0.0) <= after <= max(held, 0.0)
    assert wave_of(held, qty) == (FREES_MONEY if toward else NEEDS_MONEY)


@given(seed=st.integers(0, 2**32))
def test_the_first_wave_leaves_every_position_closer_to_nothing(seed: int) -> None:
    rng = np.random.default_rng(seed)
    price = rng.uniform(5.0, 500.0, 6)
    held = np.round(rng.normal(size=6) * 50.0) * (rng.random(6) < 0.8)
    batch = planned(held, rng.normal(size=6) / 6.0, price)
    position = held.copy()
    for wave in (FREES_MONEY, NEEDS_MONEY):
        before = position.copy()
        for col, qty in zip(
            batch.rows.col[batch.rows.wave == wave], batch.rows.qty[batch.rows.wave == wave], strict=True
        ):
            position[col] += qty
        if wave == FREES_MONEY:
            assert (np.abs(position) <= np.abs(before)).all()
            assert (position * before >= 0.0).all()
            touched = position != before
        else:
            flat = before == 0.0
            assert (np.abs(position) >= np.abs(before)).all()
            assert not (touched & (position != before) & ~flat).any()  # a reversal is flat between its two waves
