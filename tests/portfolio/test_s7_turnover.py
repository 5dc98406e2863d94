"""Stage 7: what is worth trading."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from support.book_run import UNBOUND, UNGOVERNED, Book, Replay, Steady, build_book, run_book, walk_panel, walks
from support.panels import make_panel

from plimsoll.engine.execution.broker import Account
from plimsoll.engine.portfolio.integrator import Mark
from plimsoll.engine.portfolio.stages import s7_turnover as s7
from plimsoll.engine.types import Bools, Floats

weights6 = arrays(np.float64, 6, elements=st.one_of(st.just(0.0), st.floats(-1.0, 1.0)))
flags6 = arrays(np.bool_, 6)
FREE = np.zeros(6, dtype=np.bool_)


def band(target: Floats, held: Floats, width: float, forced: Bools = FREE) -> Bools:
    trade = np.ones(len(target), dtype=np.bool_)
    s7.no_trade_band(target, held, width, forced, trade)
    return trade


@given(weights6, weights6, st.floats(0.0, 0.2), flags6)
@settings(max_examples=200)
def test_a_name_trades_outside_the_band_on_an_exit_or_where_it_is_forced_to_shrink(
    target: Floats, held: Floats, width: float, forced: Bools
) -> None:
    trade = band(target, held, width, forced)
    for i in range(6):
        outside = abs(target[i] - held[i]) > width
        leaves = target[i] == 0.0 and held[i] != 0.0
        shrinks = abs(target[i]) < abs(held[i]) and target[i] * held[i] >= 0.0
        assert trade[i] == (outside or leaves or (forced[i] and shrinks))


@given(weights6, weights6, st.floats(0.0, 0.2), flags6)
@settings(max_examples=200)
def test_the_second_time_nothing_trades(target: Floats, held: Floats, width: float, forced: Bools) -> None:
    after = np.where(band(target, held, width, forced), target, held)
    assert not band(target, after, width, forced).any()


@given(weights6, weights6)
def test_a_band_of_zero_trades_every_difference(target: Floats, held: Floats) -> None:
    assert band(target, held, 0.0).tolist() == (target != held).tolist()


def test_a_trade_goes_to_its_target_not_to_the_edge_of_the_band() -> None:
    panel = walk_panel(1, ("AAA", "BBB"), (0.2, 0.2), 200)
    book = run_book(panel, {"a": Steady({"AAA": 1.0}), "b": Steady({"BBB": -1.0})}, first=120)
    held = np.vstack((np.zeros(book.targets.shape[1]), book.result.weights.to_numpy()))[: len(book.decisions)]
    traded = np.array([decision.target.trade for decision in book.decisions])
    gap = np.abs(book.targets - held)
    assert (gap[~traded] <= 0.0075 + 1e-12).all()
    assert (gap[traded] > 0.0075).any()
    last = book.stage("s7_turnover")
    np.testing.assert_array_equal(last[traded], book.targets[traded])
    np.testing.assert_allclose(last[~traded], held[~traded], atol=1e-12)


def test_the_band_compares_with_what_is_held_after_drift_not_with_the_last_target() -> None:
    closes = np.full((120, 2), 100.0) * np.where(np.arange(120)[:, None] % 2 == 0, 1.0, 1.002)
    closes[80:, 0] *= 1.10
    panel = make_panel(closes, closes.copy(), symbols=("AAA", "BBB"))
    stages = {"preset": "book", **UNBOUND, **UNGOVERNED, "normalize": {"half_life_sessions": 1e7},
              "vol_target": {"half_life_sessions": 1e7, "l_max": 0.1}}  # fmt: skip
    path = np.tile([0.5, 0.5], (120, 1))
    book = run_book(panel, {"s": Replay(("AAA", "BBB"), path)}, first=60, integrator=stages)
    jump = int(np.flatnonzero(book.bars == 80)[0])
    traded = np.array([decision.target.trade for decision in book.decisions])[:, :2]
    assert not traded[5:jump].any()
    assert traded[jump:, 0].any()


# ------------------------------------------------------------------------------------------------ dust, names, tickets
@given(weights6, st.floats(0.0, 0.5), st.integers(0, 6), flags6)
@settings(max_examples=200)
def test_dust_goes_and_the_largest_names_stay_as_they_are(w: Floats, dust: float, most: int, is_cash: Bools) -> None:
    out = w.copy()
    s7.drop_dust(dust, most, is_cash, out, np.zeros(6))
    sizes = [abs(w[i]) for i in range(6) if not is_cash[i] and w[i] != 0.0 and abs(w[i]) >= dust]
    kept = sorted((abs(out[i]) for i in range(6) if not is_cash[i] and out[i] != 0.0), reverse=True)
    assert kept == sorted(sizes, reverse=True)[: most or None]
    for i in range(6):
        assert out[i] in (w[i], 0.0)
        assert not is_cash[i] or out[i] == w[i]


def test_a_small_account_holds_ten_names_and_a_large_one_all() -> None:
    names = tuple(f"S{i:02d}" for i in range(14))
    panel = walk_panel(2, names, np.linspace(0.1, 0.3, 14), 160)
    sleeves = {f"s{k}": Steady(dict.fromkeys(names[k::2], 1.0 / 7.0)) for k in range(2)}
    small = run_book(panel, sleeves, first=120, run={"name": "t", "cash": 60_000.0})
    large = run_book(panel, sleeves, first=120, run={"name": "t", "cash": 600_000.0})
    assert (np.count_nonzero(small.targets, axis=1) == 10).all()
    assert (np.count_nonzero(large.targets, axis=1) == 14).all()
    before = small.stage("s5_governor")
    kept = small.targets != 0.0
    np.testing.assert_array_equal(small.targets[kept], before[kept])  # nobody is scaled up
    least = np.where(kept, np.abs(before), np.inf).min(axis=1)
    assert (np.where(kept, 0.0, np.abs(before)).max(axis=1) <= least).all()


def test_a_ticket_below_the_tiers_minimum_is_not_sent_and_an_exit_is() -> None:
    rng = np.random.default_rng(3)
    panel = walk_panel(3, ("AAA", "BBB"), (0.15, 0.15), 200)
    path = np.column_stack((rng.uniform(0.98, 1.0, 200), np.zeros(200)))
    path[:150, 1] = 0.001  # worth a few dollars, and then nothing
    ladder = {"tiers": [{"min_equity": 0.0, "gross": 50.0, "name": 50.0, "min_ticket_usd": 400.0}]}
    book = run_book(
        panel, {"s": Replay(("AAA", "BBB"), path)}, first=120,
        integrator={"preset": "book", **UNBOUND, **UNGOVERNED, "ladder": ladder, "turnover": {"band": 0.0}},
    )  # fmt: skip
    orders = book.result.orders
    dollars = (orders["qty"] * orders["price"]).abs()
    ends = orders["session"] >= book.setup.panel.clock.stamp[149]
    assert (dollars[~((orders["symbol"] == "BBB") & ends)] >= 400.0).all()
    assert book.result.counts["orders_below_minimum"] > 10


# ----------------------------------------------------------------------------------------------------------- capacity
@given(weights6, weights6, arrays(np.float64, 6, elements=st.floats(1.0, 1e5)), st.floats(1e3, 1e7))
def test_no_trade_is_more_than_its_part_of_a_days_volume(
    target: Floats, held: Floats, adv: Floats, equity: float
) -> None:
    goal, price = target.copy(), np.full(6, 20.0)
    count = s7.limit_capacity(0.05, adv, price, equity, goal, held)
    moved = np.abs(goal - held) * equity
    assert (moved <= 0.05 * adv * price * (1 + 1e-9) + 1e-9 * equity).all()
    assert ((goal - held) * (target - held) >= 0.0).all()
    assert count == (goal != target).sum()
    free = np.abs(target - held) * equity < 0.05 * adv * price * (1 - 1e-9)
    assert (goal == target)[free].all()


def test_an_unknown_volume_does_not_bind() -> None:
    goal = np.array([1.0])
    assert s7.limit_capacity(0.05, np.array([np.nan]), np.array([20.0]), 1e9, goal, np.zeros(1)) == 0
    assert goal[0] == 1.0


def test_a_position_in_a_thin_market_is_built_and_left_in_parts_smaller_than_the_band() -> None:
    n_bars = 260
    closes = walks(4, (0.1, 0.1), n_bars)
    volume = np.full((n_bars, 2), 1e9)
    volume[:, 0] = 5e4  # 5% of it is 0.1% of the account a day, the band 0.75%
    panel = make_panel(closes, closes.copy(), symbols=("AAA", "BBB"), volume=volume)
    path = np.tile([0.02, 0.5], (n_bars, 1))
    path[200:, 0] = 0.0
    stages = {"preset": "book", **UNGOVERNED, "vol_target": {"l_max": 1.0}, "normalize": {"max_scale": 1.0}}
    book = run_book(
        panel, {"s": Replay(("AAA", "BBB"), path)}, first=120, run={"name": "t", "cash": 250e6}, integrator=stages
    )
    held = book.result.weights["AAA"].to_numpy()
    step = np.abs(np.diff(held))
    assert step.max() < 0.0025
    assert held[70] == pytest.approx(book.targets[70, 0], abs=0.0075 + 1e-9)
    assert book.targets[70, 0] > 0.01
    assert held[-1] == 0.0


# ------------------------------------------------------------------------------------------------------------ the gate
def test_the_gate_weighs_the_utility_of_a_trade_against_its_cost() -> None:
    target, held = np.array([0.10, 0.10, 0.0, 0.02]), np.array([0.05, 0.09, 0.01, 0.03])
    variance, sigma = np.array([0.04, 0.04, 0.04, np.nan]), 0.10
    gain = 0.5 * (0.5 / sigma) * variance * (target - held) ** 2 * 21.0 / 252.0
    cost = np.array([gain[0] * 0.999, gain[1] * 1.001, 1.0, 1.0])
    trade = np.ones(4, dtype=np.bool_)
    free = np.zeros(4, dtype=np.bool_)
    assert s7.cost_gate(target, held, variance, cost, sigma, 1.0, free, trade) == 1
    assert trade.tolist() == [True, False, True, True]  # exits and unknown variances stay
    trade[:] = True
    assert s7.cost_gate(target, held, variance, cost, sigma, 0.99, free, trade) == 0


def test_the_gate_never_holds_up_a_forced_reduction() -> None:
    target, held = np.array([0.10, 0.10]), np.array([0.11, 0.09])
    trade = np.ones(2, dtype=np.bool_)
    forced = np.ones(2, dtype=np.bool_)
    assert s7.cost_gate(target, held, np.full(2, 0.04), np.ones(2), 0.1, 1.0, forced, trade) == 1
    assert trade.tolist() == [True, False]


def test_a_dear_market_is_traded_less_with_a_gate_and_targets_stay_the_same() -> None:
    rng = np.random.default_rng(5)
    panel = walk_panel(5, ("AAA", "BBB", "CCC"), (0.1, 0.12, 0.15), 260)
    path = rng.uniform(0.2, 0.4, (260, 3))
    costs = {"preset": "us_etf", "tier": dict.fromkeys(panel.symbols, "thin")}
    traded = []
    for ratio in (0.0, 1.0, 5.0):
        stages = {"preset": "book", **UNBOUND, **UNGOVERNED, "turnover": {"edge_ratio": ratio}}
        book = run_book(panel, {"s": Replay(panel.symbols, path)}, first=120, integrator=stages, costs=costs)
        traded.append(book.equity["traded"].sum())
        assert (book.fact("cost_gated").sum() > 0) == (ratio > 0.0)
    assert traded[0] > traded[1] > traded[2]


# ------------------------------------------------------------------------------------------------------- parking, kelly
def test_parked_cash_has_a_band_of_its_own_and_never_leads_into_debt() -> None:
    panel = walk_panel(6, ("AAA", "BBB", "SGOV"), (0.15, 0.2, 0.0005), 300)
    sleeves = {"a": Steady({"AAA": 1.0}), "b": Steady({"BBB": 1.0})}
    stages = {"preset": "book", **UNBOUND, **UNGOVERNED, "vol_target": {"l_max": 0.9},
              "turnover": {"park_cash": True, "band": 0.02}}  # fmt: skip
    book = run_book(panel, sleeves, first=120, integrator=stages)
    at = book.column("SGOV")
    assert (book.targets[:, at] > 0.0).all()
    last = book.stage("s7_turnover")
    traded = np.array([decision.target.trade[at] for decision in book.decisions])
    assert traded.any()
    assert not traded.all()
    # what will be held is never worth more than the account, but for the bills' own band
    assert (last[traded].sum(axis=1) <= 1.0 + 1e-12).all()
    assert (last.sum(axis=1) <= 1.0 + 0.02 + 1e-12).all()


def test_a_levered_book_parks_nothing() -> None:
    panel = walk_panel(7, ("AAA", "BBB", "SGOV"), (0.04, 0.04, 0.0005), 200)
    stages = {"preset": "book", **UNBOUND, **UNGOVERNED, "turnover": {"park_cash": True}}
    book = run_book(panel, {"a": Steady({"AAA": 1.0}), "b": Steady({"BBB": 1.0})}, first=120, integrator=stages)
    risky = np.abs(book.stage("s5_governor")).sum(axis=1)
    assert (risky > 1.0).all()
    assert not book.targets[:, book.column("SGOV")].any()


def test_kelly_scales_once_after_the_caps() -> None:
    panel = walk_panel(8, ("AAA", "BBB"), (0.15, 0.2), 200)
    sleeves = {"a": Steady({"AAA": 1.0}), "b": Steady({"BBB": 1.0})}
    stages = {"preset": "book", **UNBOUND, **UNGOVERNED}
    whole = run_book(panel, sleeves, first=120, integrator=stages)
    half = run_book(panel, sleeves, first=120, integrator={**stages, "turnover": {"kelly": 0.5}})
    np.testing.assert_allclose(half.targets, 0.5 * whole.targets, rtol=1e-9)
    np.testing.assert_allclose(half.stage("s5_governor"), whole.stage("s5_governor"), rtol=1e-9)


def test_a_halted_symbol_is_held_not_sold_on_paper() -> None:
    closes = walks(9, (0.15, 0.2), 200)
    closes[150:154, 0] = np.nan
    panel = make_panel(closes, closes.copy(), symbols=("AAA", "BBB"))
    path = np.tile([0.5, 0.5], (200, 1))
    path[150:, 0] = 0.0
    book = run_book(panel, {"s": Replay(("AAA", "BBB"), path)}, first=120)
    during = (book.bars >= 150) & (book.bars < 154)
    assert (book.stage("s7_turnover")[during, 0] > 0.0).all()
    assert not any(decision.target.trade[0] for decision in np.array(book.decisions)[during])
    assert book.result.weights["AAA"].iloc[-1] == 0.0


def bills(volume: float, halted: slice = slice(0, 0)) -> Book:
    closes = walks(10, (0.15, 0.2, 0.0005), 200)
    amount = np.full((200, 3), 1e9)
    amount[:, 2] = volume
    closes[halted, 2] = np.nan
    panel = make_panel(closes, closes.copy(), symbols=("AAA", "BBB", "SGOV"), volume=amount)
    sleeves = {"a": Steady({"AAA": 1.0}), "b": Steady({"BBB": 1.0})}
    stages = {"preset": "book", **UNGOVERNED, "turnover": {"park_cash": True}, "vol_target": {"l_max": 0.5}}
    stages["caps"] = {"capacity": 0.05}
    return run_book(panel, sleeves, first=120, integrator=stages)


def test_parked_cash_is_not_what_capacity_is_about() -> None:
    book = bills(volume=100.0)
    assert not book.fact("capacity_bound").any()
    assert (book.stage("s7_turnover")[:, book.column("SGOV")] > 0.5).all()


def test_bills_that_do_not_trade_are_neither_bought_nor_sold_and_not_parked_twice() -> None:
    book = bills(1e9, slice(150, 153))
    during = (book.bars >= 150) & (book.bars < 153)
    traded = np.array([decision.target.trade[book.column("SGOV")] for decision in book.decisions])
    assert not traded[during].any()
    assert (book.stage("s7_turnover")[during].sum(axis=1) <= 1.0 + 0.02).all()


def test_the_gate_lets_an_exit_through_also_where_a_thin_market_takes_it_in_parts() -> None:
    closes = walks(11, (0.1, 0.1), 150)
    volume = np.tile([5e3, 1e9], (150, 1))
    panel = make_panel(closes, closes.copy(), symbols=("AAA", "BBB"), volume=volume)
    stages = {"preset": "book", "turnover": {"edge_ratio": 5.0}}
    setup = build_book(panel, {"s": Steady({"BBB": 1.0})}, first=140, integrator=stages, costs={"preset": "us_etf"},
                       run={"name": "t", "benchmark": "AAA"})  # fmt: skip
    for t in range(140):
        setup.system.observe(t, Mark(1e7, 1.0) if t == 139 else None)
    at = setup.panel.symbols.index("AAA")
    value = np.zeros(setup.panel.n_symbols)
    value[at] = 5e5
    account = Account(9.5e6, 1e7, 0.0, value / panel.close[139, 0], value)
    target = setup.system.decide(account).target
    assert target.weights[at] == 0.0
    assert 0.0 < target.goal[at] < 0.05
    assert target.trade[at]
