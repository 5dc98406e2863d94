"""The loss of the day so far, and stages to pass over: what a decision is told beside the account."""

import numpy as np
import pytest
from battery.witness import Witness, witness_book, witness_panel
from hypothesis import given
from hypothesis import strategies as st
from support.book_run import UNBOUND, Steady, build_book, walk_panel

from plimsoll.engine.config.schema import load_config
from plimsoll.engine.config.stages import GovernorSection
from plimsoll.engine.core import Decision
from plimsoll.engine.errors import ConfigError
from plimsoll.engine.portfolio.settings import by_name
from plimsoll.engine.portfolio.stages import s5_governor as s5
from plimsoll.engine.runtime.assemble import Setup, build
from plimsoll.engine.runtime.backtest import run_loop

GOVERNED = by_name(s5.Params, GovernorSection(day_loss=0.03), product=False)


def book() -> Setup:
    """A book of two sleeves at bar 140, 5% of volatility away from any limit of the governor."""
    panel = walk_panel(6, ("AAA", "BBB"), (0.08, 0.10), 160)
    sleeves = {"a": Steady({"AAA": 1.0}), "b": Steady({"BBB": 1.0})}
    wide = {"d0": 0.5, "d_hard": 0.6, "flat": 0.7, "warn": 0.5, "throttle": 0.5, "no_new": 0.6, "day_loss": 0.03}
    setup = build_book(panel, sleeves, first=120, integrator={"preset": "book", **UNBOUND, "governor": wide})
    run_loop(setup, stop_at=140)
    return setup


def plain(preset: str) -> Setup:
    config, strategies = witness_book(preset) if preset != "direct" else (
        load_config({"sleeve": [{"name": "s", "strategy": "x:X"}]}), {"s": Witness()}
    )  # fmt: skip
    setup = build(config, witness_panel(80), strategies)
    run_loop(setup, stop_at=60)
    return setup


def fact(setup: Setup, decision: Decision, name: str) -> float:
    return float(decision.target.facts[setup.system.integrator.facts.index(name)])


def picture(decision: Decision) -> list[bytes]:
    target, orders = decision.target, decision.plan.orders.rows
    return [a.tobytes() for a in (target.weights, target.trade, target.trace, target.facts, orders.col, orders.qty)]


def test_a_loss_of_the_day_sends_a_book_flat_at_that_decision_and_leaves_no_trace_in_its_memory() -> None:
    setup = book()
    system, account = setup.system, setup.broker.account()
    before = {name: array.tobytes() for name, array in system.save().items()}
    calm, lost = system.decide(account), system.decide(account, day_return=-0.03)
    held = np.flatnonzero(account.shares)
    assert len(held) == 2
    assert fact(setup, calm, "multiplier") == 1.0
    assert fact(setup, lost, "multiplier") == 0.0
    assert fact(setup, lost, "tier") == s5.FLATTEN
    assert not lost.target.weights.any()
    orders = lost.plan.orders.rows
    assert dict(zip(orders.col, orders.qty, strict=True)) == {i: -account.shares[i] for i in held}
    assert {name: array.tobytes() for name, array in system.save().items()} == before
    assert picture(system.decide(account)) == picture(calm)


def test_less_than_the_limit_changes_nothing_and_nothing_said_is_a_return_of_zero() -> None:
    setup = book()
    system, account = setup.system, setup.broker.account()
    calm = picture(system.decide(account))
    for day_return in (0.0, -0.029999, 0.2):
        assert picture(system.decide(account, day_return=day_return)) == calm


def test_the_stop_is_the_governors_and_is_passed_over_with_it() -> None:
    setup = book()
    found = setup.system.decide(setup.broker.account(), day_return=-0.5, skip=frozenset({"s5_governor"}))
    assert found.target.weights.any()


@pytest.mark.parametrize("preset", ["direct", "legacy"])
def test_presets_without_a_governor_do_not_ask_for_the_day(preset: str) -> None:
    setup = plain(preset)
    system, account = setup.system, setup.broker.account()
    assert picture(system.decide(account, adopt=True, day_return=-0.5)) == picture(system.decide(account, adopt=True))


@pytest.mark.parametrize("day_return", [float("nan"), float("inf"), -1.0])
def test_a_return_that_no_living_account_has_is_refused(day_return: float) -> None:
    setup = plain("book")
    with pytest.raises(ConfigError, match="the day's return is"):
        setup.system.decide(setup.broker.account(), day_return=day_return)


@given(st.lists(st.floats(-0.06, 0.06), min_size=1, max_size=12), st.floats(-0.06, 0.06))
def test_what_stops_within_a_day_is_what_its_close_would_stop(days: list[float], today: float) -> None:
    p = GOVERNED._replace(flat=0.99, d_hard=0.98, no_new=0.98, throttle=0.97)
    memory, nav = s5.init(), 1.0
    for day in (0.0, *days):
        nav *= 1.0 + day
        s5.observe(nav, 0.10, p, memory)
    so_far = nav * (1.0 + today) / nav - 1.0
    multiplier, tier = s5.in_force(memory, so_far, p.day_loss)
    kept = (memory[s5.MULTIPLIER], memory[s5.TIER])
    s5.observe(nav * (1.0 + today), 0.10, p, memory)
    stopped = bool(memory[s5.FLAT])
    assert (multiplier, tier) == ((0.0, s5.FLATTEN) if stopped else kept)


# ------------------------------------------------------------------------------------------------------ stages to skip
@pytest.mark.parametrize(
    ("preset", "name", "says"),
    [
        ("book", "s4_cap", r"skip: no stage 's4_cap' to skip; did you mean 's4_caps'"),
        ("book", "raw", r"skip: no stage 'raw' to skip"),
        ("direct", "s4_caps", r"skip: no stage 's4_caps' to skip; .*s7_turnover"),
        ("legacy", "kill_tiers", r"skip: no stage 'kill_tiers' to skip; did you mean 'kill_tier'"),
    ],
)
def test_a_stage_that_is_not_there_cannot_be_skipped(preset: str, name: str, says: str) -> None:
    setup = plain(preset)
    with pytest.raises(ConfigError, match=says):
        setup.system.decide(setup.broker.account(), skip=frozenset({name}))
