"""The planner: legal orders for an account, with reasons."""

from typing import Any

import numpy as np
import pytest
from support.panels import make_panel
from support.scripted import Ran, plain_config, run_config, run_script

from plimsoll.engine.errors import StrategyError
from plimsoll.engine.execution.order import order_id
from plimsoll.engine.market.panel import Panel

T = 8


def flat_panel(n: int = 2, price: float = 100.0, **given: Any) -> Panel:
    """Prices that never move."""
    return make_panel(np.full((T, n), price), **given)


def orders_of(ran: Ran, bar: int) -> dict[str, float]:
    """Quantities ordered at the close of a bar."""
    stamp = ran.setup.panel.clock.stamp[bar]
    table = ran.result.orders[ran.result.orders["session"] == stamp]
    return dict(zip(table["symbol"], table["qty"], strict=True))


def test_a_cash_account_refuses_a_short_in_one_line() -> None:
    with pytest.raises(StrategyError) as caught:
        run_script(flat_panel(), {3: {"S000": 0.5, "S001": -0.25}}, first=2, account={"type": "cash"})
    line = str(caught.value)
    assert "\n" not in line
    for part in ("S001", "-0.25", "cash", "reg_t", "2019-01-07"):
        assert part in line


def test_a_margin_account_sells_short_in_whole_shares() -> None:
    ran = run_script(flat_panel(price=70.0), {3: {"S000": -0.333}}, first=2)
    assert orders_of(ran, 3) == {"S000": -475.0}


def test_a_cash_account_cannot_borrow() -> None:
    ran = run_script(flat_panel(), {3: {"S000": 1.5, "S001": 0.5}}, first=2, account={"type": "cash"})
    assert orders_of(ran, 3) == pytest.approx({"S000": 750.0, "S001": 250.0}, abs=1e-8)
    assert ran.equity["cash"].min() >= 0.0
    assert ran.result.counts["decisions_scaled_to_affordable"] == 1


def test_a_margin_account_borrows_up_to_its_equity() -> None:
    ran = run_script(flat_panel(), {3: {"S000": 1.5, "S001": 1.0}}, first=2)
    assert orders_of(ran, 3) == pytest.approx({"S000": 1_200.0, "S001": 800.0}, abs=1e-8)
    assert ran.equity["cash"].iloc[-1] == pytest.approx(-100_000.0, abs=1e-6)


def test_costs_are_part_of_what_must_be_affordable() -> None:
    ran = run_script(
        flat_panel(1),
        {3: {"S000": 1.0}},
        first=2,
        account={"type": "cash"},
        costs={"preset": "flat", "flat_bps": 100.0},
    )
    assert orders_of(ran, 3)["S000"] == pytest.approx(1_000.0 / 1.01, rel=1e-9)
    assert ran.equity["cash"].iloc[-1] == pytest.approx(0.0, abs=1e-6)


def test_a_reversal_is_flattened_first() -> None:
    ran = run_script(flat_panel(1), {3: {"S000": 0.105}, 5: {"S000": -0.2}}, first=2)
    table = ran.result.orders.iloc[1:]
    assert table["qty"].tolist() == pytest.approx([-105.0, -200.0], abs=1e-8)
    assert table["leg"].tolist() == [0, 1]
    fills = ran.result.fills.iloc[1:]
    assert fills["qty"].tolist() == pytest.approx([-105.0, -200.0], abs=1e-8)
    assert ran.result.equity["short"].iloc[-1] == pytest.approx(20_000.0, abs=1e-6)


def test_small_orders_are_left_and_counted_but_exits_go() -> None:
    answers = {3: {"S000": 0.5, "S001": 0.001}, 4: {"S000": 0.501, "S001": 0.0}}
    ran = run_script(flat_panel(), answers, first=2, execution={"min_notional": 100.0})
    assert orders_of(ran, 3) == pytest.approx({"S000": 500.0, "S001": 1.0})
    assert orders_of(ran, 4) == pytest.approx({"S000": 1.0, "S001": -1.0}, abs=1e-8)
    small = run_script(flat_panel(), answers, first=2, execution={"min_notional": 101.0})
    assert orders_of(small, 3) == pytest.approx({"S000": 500.0})
    assert orders_of(small, 4) == {}
    assert small.result.counts["orders_below_minimum"] == 2


def test_a_band_leaves_small_gaps_and_lets_exits_through() -> None:
    answers = {3: {"S000": 0.5, "S001": 0.01}, 4: {"S000": 0.51, "S001": 0.0}}
    ran = run_script(flat_panel(), answers, first=2, integrator={"turnover": {"band": 0.009999}})
    assert orders_of(ran, 4) == pytest.approx({"S000": 10.0, "S001": -10.0}, abs=1e-8)
    wide = run_script(flat_panel(), answers, first=2, integrator={"turnover": {"band": 0.02}})
    assert orders_of(wide, 3) == pytest.approx({"S000": 500.0})
    assert orders_of(wide, 4) == {}


def test_answering_what_is_held_orders_nothing() -> None:
    rng = np.random.default_rng(4)
    panel = make_panel(100.0 * np.exp(np.cumsum(rng.normal(0.0, 0.02, (T, 3)), axis=0)))
    before = run_script(panel, {2: {"S000": 0.3, "S001": 0.5}}, first=2)
    held = before.result.weights.iloc[5 - 2].to_dict()
    again = run_script(panel, {2: {"S000": 0.3, "S001": 0.5}, 5: held}, first=2)
    assert len(again.result.orders) == len(before.result.orders)
    assert len(again.track.decisions) == len(before.track.decisions) + 1
    assert again.result.counts["orders_rounded_away"] <= 3


@pytest.mark.parametrize(("fill", "price"), [("next_open", 105.0), ("next_close", 110.0)])
def test_orders_for_whole_shares_fill_so_at_either_auction(fill: str, price: float) -> None:
    panel = make_panel(np.full(T, 110.0), np.full(T, 105.0))
    ran = run_script(panel, {3: {"S000": 0.5}}, first=2, execution={"fill": fill, "fractional": False})
    assert ran.result.fills[["qty", "price"]].to_numpy().tolist() == [[454.0, price]]
    assert ran.result.orders["kind"].tolist() == [f"market/{fill}"]


def test_order_ids_say_what_an_order_is_for_and_nothing_else() -> None:
    ran = run_script(flat_panel(), {3: {"S000": 0.5}}, first=2)
    other = run_script(flat_panel(), {3: {"S000": 0.7}}, first=2)
    assert ran.result.orders["id"].tolist() == other.result.orders["id"].tolist()
    assert order_id("p", np.datetime64("2024-07-03T15:30:00"), "SPY", 1) == "p-202407031530-SPY-1"


def test_sizing_at_the_fill_uses_the_prices_of_the_fill() -> None:
    close = np.column_stack((np.full(T, 100.0), np.full(T, 50.0)))
    opened = close * np.array([1.1, 0.8])
    ran = run_script(make_panel(close, opened), {3: {"S000": 0.5, "S001": 0.25}}, first=2, execution={"sizing": "fill"})
    fills = ran.result.fills.set_index("symbol")
    assert fills["qty"].to_dict() == pytest.approx({"S000": 50_000.0 / 110.0, "S001": 25_000.0 / 40.0}, rel=1e-9)


def test_the_decision_is_the_same_however_often_it_is_asked_for() -> None:
    rng = np.random.default_rng(9)
    panel = make_panel(100.0 * np.exp(np.cumsum(rng.normal(0.0, 0.02, (T, 3)), axis=0)))
    ran = run_config(
        panel,
        plain_config("plimsoll.strategies.equal_weight:EqualWeight", {"symbols": panel.symbols, "rebalance": "D"}),
    )
    system, broker = ran.setup.system, ran.setup.broker
    account = broker.account()
    plans = [system.decide(account).plan for _ in range(3)]
    assert len({plan.orders.rows.qty.tobytes() for plan in plans}) == 1
