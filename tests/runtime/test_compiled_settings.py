"""Both loops leave the same bytes under any settings of execution, costs, account and financing, one sleeve alone."""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.any_settings import SECTIONS, Sections, within_day
from support.flows import Flows
from support.panels import random_panel
from support.restless import Kernelled, Restless, Watcher
from support.scripted import Scripted, plain_config
from support.twins import Left, both

from plimsoll.engine.market.panel import Panel
from plimsoll.engine.sleeve.strategy import Strategy


def restless(panel: Panel, seed: int, often: float, most: float, short: bool) -> Strategy:
    symbols = panel.symbols[::-1] if seed % 2 else panel.symbols
    return Restless(Restless.Params(symbols=symbols, seed=seed, often=often, most=most, short=short))


def run(panel: Panel, strategy: Strategy, sections: Sections, first: int | None = None) -> Left:
    values = plain_config(**sections)
    if first is not None:
        values["run"] = {**values["run"], "start": str(panel.clock.session[first])}
    return both(values, panel, {"s": strategy})


@given(
    seed=st.integers(0, 10_000),
    sections=SECTIONS,
    often=st.sampled_from([0.02, 0.3, 1.0]),
    most=st.sampled_from([0.3, 0.9, 1.8]),
    short=st.booleans(),
    wild=st.booleans(),
    first=st.sampled_from([None, 2, 33]),
)
@settings(max_examples=50)
def test_any_settings(
    seed: int, sections: Sections, often: float, most: float, short: bool, wild: bool, first: int | None
) -> None:
    panel = random_panel(seed, volatility=0.12 if wild else 0.02)
    run(panel, restless(panel, seed, often, most, short), sections, first)


@given(seed=st.integers(0, 10_000), sections=SECTIONS, moves=st.lists(
    st.tuples(st.integers(1, 89), st.sampled_from([500.0, 40_000.0, -1_000.0, -30_000.0])), min_size=1, max_size=5,
    unique_by=lambda move: move[0]))  # fmt: skip
@settings(max_examples=25)
def test_any_deposits_and_withdrawals(
    flows: Flows, seed: int, sections: Sections, moves: list[tuple[int, float]]
) -> None:
    panel = random_panel(seed, holes=seed % 2 == 0)
    account = {**sections["account"], "flows": flows(panel, moves)}
    run(panel, restless(panel, seed, 0.2, 0.9, short=False), {**sections, "account": account})


@given(seed=st.integers(0, 10_000), sections=SECTIONS, minutes=st.sampled_from([30, 60, 195]))
@settings(max_examples=25)
def test_any_settings_on_bars_within_the_day(seed: int, sections: Sections, minutes: int) -> None:
    """Few answers, so that whole sessions pass between trades: what a session begins anew must begin anew."""
    panel = within_day(seed, minutes)
    run(
        panel,
        restless(panel, seed, 0.08, 0.9, short=seed % 3 == 0),
        {**sections, "data": {"interval": f"{minutes}min"}},
    )


@pytest.mark.parametrize("pause", [1, 13, 14, 40])
def test_fees_are_rounded_by_the_session_however_long_nothing_was_traded(pause: int) -> None:
    """Two sales of one session share their cents; what was sold the day before does not count."""
    panel = within_day(1, 30)
    answers = {2: {"S000": 0.9}, 5: {"S000": 0.899}, 5 + pause: {"S000": 0.898}, 7 + pause: {"S000": 0.897}}
    sections = {"costs": {"preset": "us_etf"}, "data": {"interval": "30min"}, "run": {"cash": 1_000.0}}
    left = run(panel, Scripted(panel.symbols, answers), sections)
    assert left.track is not None
    assert len(left.track.decisions) == 5


@pytest.mark.parametrize(
    "make",
    [
        lambda s: Watcher(Watcher.Params(symbols=s)),
        lambda s: Restless(Restless.Params(symbols=s, often=0.0)),
        lambda s: Restless(Restless.Params(symbols=s, often=1.0)),
        lambda s: Scripted(s, {10: dict.fromkeys(s, 0.3), 40: {}}),
        lambda s: Kernelled(Kernelled.Params(symbols=s)),
        lambda s: Kernelled(Kernelled.Params(symbols=s, looks=True, every=1)),
        lambda s: Kernelled(Kernelled.Params(symbols=s[1:], looks=True, every=7)),
    ],
    ids=["watcher", "never", "always", "once, then cash", "noting", "looking", "looking at some"],
)
@pytest.mark.parametrize("interval", ["1d", "30min"])
def test_any_way_to_answer(make: Callable[[tuple[str, ...]], Strategy], interval: str) -> None:
    for seed in range(3):
        panel = random_panel(seed) if interval == "1d" else within_day(seed, 30)
        run(panel, make(panel.symbols), {"costs": {"preset": "us_etf"}, "data": {"interval": interval}})


def test_margin_calls_ruin_and_calm_are_all_met_by_the_generated_accounts() -> None:
    met = set()
    for seed in range(16):
        panel = random_panel(seed, volatility=0.12)
        left = run(panel, restless(panel, seed, 0.05, 1.8, short=seed % 2 == 0), {})
        assert left.track is not None
        met |= {"ruin"} if left.track.ruined else set()
        met |= {"call"} if any(d.target.forced for d in left.track.decisions) else {"calm"}
    assert met == {"ruin", "call", "calm"}


def test_tables_grow_as_they_must() -> None:
    panel = random_panel(8, n_bars=70, n_symbols=120, holes=False)
    sections = {"costs": {"preset": "us_etf"}, "execution": {"max_participation": 0.001, "unfilled": "carry"}}
    for short in (False, True):
        left = run(panel, restless(panel, 1, 1.0, 0.02, short), sections)
        assert left.track is not None
        assert sum(len(decision.plan.orders) for decision in left.track.decisions) > 4_000
