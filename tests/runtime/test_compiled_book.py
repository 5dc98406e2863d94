"""Both loops leave the same bytes under any settings of a book."""

from typing import Any

import numpy as np
import pytest
from battery.witness import Witness, witness_book, witness_panel
from hypothesis import given, settings
from hypothesis import strategies as st
from support.any_settings import SECTIONS, Sections, within_day
from support.book_run import UNBOUND, UNGOVERNED, Replay, Steady, book_config, walk_panel, walks
from support.flows import Flows
from support.panels import make_panel, random_panel
from support.restless import Kernelled, Restless, Watcher
from support.twins import Left, both

from plimsoll.engine.config.schema import load_config
from plimsoll.engine.market.panel import Panel
from plimsoll.engine.sleeve.strategy import Strategy

PANEL = walk_panel(1, ("AAA", "BBB", "CCC"), (0.10, 0.14, 0.18), 140)
METHODS = ["hrp", "erc", "inverse_vol", "equal", "min_variance", "nco"]
STAGES = st.fixed_dictionaries(
    {
        "readings": st.sampled_from(["ruled", "literal"]),
        "normalize": st.fixed_dictionaries(
            {
                "mode": st.sampled_from(["conviction", "unit_gross"]),
                "max_scale": st.sampled_from([1.5, 5.0]),
                "scaling": st.sampled_from(["sleeve_vol", "none"]),
                "min_obs": st.sampled_from([1, 20]),
                "cash_equivalents": st.sampled_from([("SGOV", "BIL"), ("S002",), ("S003", "S000")]),
            }
        ),
        "allocate": st.fixed_dictionaries(
            {
                "method": st.sampled_from(METHODS),
                "shrinkage_target": st.sampled_from(["constant_correlation", "uncorrelated"]),
                "min_obs": st.sampled_from([2, 15, 60]),
                "cap": st.sampled_from([0.35, 1.0]),
                "skill_warmup_sessions": st.sampled_from([0, 40]),
                "skill_kappa": st.sampled_from([0.0, 0.5]),
                "skill_on": st.sampled_from(["holdable", "watched"]),
                "release_idle_sessions": st.sampled_from([0, 1, 4]),
                "least_share": st.sampled_from([0.0, 1e-6, 0.05]),
                "runoff_sessions": st.sampled_from([1, 12]),
                "ramp_sessions": st.sampled_from([1, 20]),
                "erc_blend_max": st.sampled_from([0.0, 0.8]),
                "every": st.sampled_from([1, 5, "week"]),
            }
        ),
        "net": st.fixed_dictionaries(
            {
                "min_obs": st.sampled_from([1, 20]),
                "wrappers": st.sampled_from([(), (("S000", "S001"), ("S003", "S002"))]),
            }
        ),
        "vol_target": st.fixed_dictionaries(
            {"l_min": st.sampled_from([0.0, 0.8]), "l_max": st.sampled_from([1.0, 3.9])}
        ),
        "caps": st.sampled_from(
            [
                {},
                UNBOUND["caps"],
                {"name": 0.4, "clusters": {"a": ("S000", "S001")}, "net": 0.3},
                {"name": 0.05, "hedges": True, "look_through_names": True},
            ]
        ),
        "ladder": st.sampled_from([{}, UNBOUND["ladder"]]),
        "governor": st.sampled_from([{}, UNGOVERNED["governor"], {"combine": "product", "vol_adjusted": False}]),
        "regime": st.sampled_from(
            [
                {},
                {"stocks": "S000", "bonds": "S001", "dwell_sessions": 1},
                {"correlation": "signed", "confidence": "signal", "dwell": "every"},
            ]
        ),
        "turnover": st.fixed_dictionaries(
            {
                "kelly": st.sampled_from([0.5, 1.0]),
                "edge_ratio": st.sampled_from([0.0, 0.3, 5.0]),
                "park_cash": st.booleans(),
                "park_band": st.sampled_from([0.0, 0.05]),
                "lift": st.sampled_from(["falling", "below_one"]),
                "net_excess": st.sampled_from(["any", "band"]),
            }
        ),
    }
)  # fmt: skip
STATUSES = st.sampled_from(["promoted", "incubating", "quarantined"])


def sleeves_of(panel: Panel, seed: int, often: float, short: bool) -> dict[str, Strategy]:
    s = panel.symbols
    return {
        "all": Restless(Restless.Params(symbols=s, seed=seed, often=often, most=0.6, short=short)),
        "few": Restless(Restless.Params(symbols=s[:2], seed=seed + 1, often=0.2, most=1.0)),
        "kernel": Kernelled(Kernelled.Params(symbols=s[::-1], looks=seed % 2 == 0)),
        "self": Watcher(Watcher.Params(symbols=s[1:])),
    }


def run(panel: Panel, sleeves: dict[str, Strategy], **sections: Any) -> Left:
    return both(book_config(tuple(sleeves), **sections), panel, sleeves)


def booked(sections: Sections, stages: Sections) -> Sections:
    return {**sections, "integrator": {"preset": "book", **stages}}


@given(
    seed=st.integers(0, 10_000),
    sections=SECTIONS,
    stages=STAGES,
    statuses=st.lists(st.tuples(STATUSES, st.none() | st.integers(5, 80)), min_size=3, max_size=3),
    often=st.sampled_from([0.05, 1.0]),
    wild=st.booleans(),
)
@settings(max_examples=40)
def test_any_settings_and_statuses(
    seed: int,
    sections: Sections,
    stages: Sections,
    statuses: list[tuple[str, int | None]],
    often: float,
    wild: bool,
) -> None:
    panel = random_panel(seed, volatility=0.1 if wild else 0.02)
    sleeves = sleeves_of(panel, seed, often, short=sections["account"]["type"] != "cash")
    more = {
        name: {"status": status, **({} if since is None else {"since": str(panel.clock.session[since])})}
        for name, (status, since) in zip(sleeves, statuses, strict=False)
    }
    more["few"] |= {"full_vol": 0.1, "max_scale": 3.0, "release_idle_sessions": 2}
    run(panel, sleeves, sleeve=more, **booked(sections, stages))


@given(seed=st.integers(0, 10_000), sections=SECTIONS, stages=STAGES, minutes=st.sampled_from([60, 195]))
@settings(max_examples=15)
def test_any_settings_on_bars_within_the_day(seed: int, sections: Sections, stages: Sections, minutes: int) -> None:
    panel = within_day(seed, minutes)
    stages["normalize"].pop("cash_equivalents")
    stages["normalize"]["min_obs"], stages["net"]["min_obs"] = 2, 1  # the panel has 13 sessions
    sections = {**sections, "data": {"interval": f"{minutes}min"}}
    run(panel, sleeves_of(panel, seed, 0.2, short=sections["account"]["type"] != "cash"), **booked(sections, stages))


@given(moves=st.lists(st.tuples(st.integers(61, 139), st.sampled_from([9e5, 1e4, -2e4, -4e5])), min_size=1, max_size=6,
                      unique_by=lambda move: move[0]))  # fmt: skip
@settings(max_examples=10)
def test_any_deposits_and_withdrawals(flows: Flows, moves: list[tuple[int, float]]) -> None:
    sleeves: dict[str, Strategy] = {name.lower(): Steady({name: 1.0}) for name in PANEL.symbols}
    start = {"start": str(PANEL.clock.session[60])}
    run(PANEL, sleeves, run=start, account={"flows": flows(PANEL, moves)})


@pytest.mark.parametrize("rule", ["no_new", "close"])
def test_restricted_symbols(rule: str) -> None:
    session = PANEL.clock.session
    restricted = {"AAA": {"rule": rule, "start": str(session[70]), "end": str(session[90])}, "BBB": {"rule": rule}}
    sleeves: dict[str, Strategy] = {name.lower(): Steady({name: 1.0}) for name in PANEL.symbols}
    sleeves["flip"] = Replay(("AAA",), np.where(np.arange(140)[:, None] % 9 < 5, 1.0, -1.0))
    assert run(PANEL, sleeves, run={"start": str(session[40])}, restricted=restricted).error is None


@pytest.mark.parametrize("start", [None, "2015-02-17", "2015-05-04", "2015-07-01"])
def test_a_book_of_witnesses_from_any_day(start: str | None) -> None:
    config, strategies = witness_book("book", run={"cash": 250_000.0, **({} if start is None else {"start": start})})
    for seed in (1, 2):
        left = both(config, witness_panel(140, seed), strategies)
        assert left.error is None


def test_a_margin_call_and_ruin_inside_a_book() -> None:
    wiggle = np.where(np.arange(140)[:, None] % 2 == 0, 1.0, [1.0002, 1.0004])
    stages = {**UNBOUND, **UNGOVERNED, "vol_target": {"l_max": 3.9}, "normalize": {"max_scale": 1.0}}
    for fall, ruined in ((0.64, False), (0.3, True)):
        close = np.full((140, 2), 100.0) * wiggle
        close[110:] *= fall
        panel = make_panel(close, close, symbols=("AAA", "BBB"))
        sleeves: dict[str, Strategy] = {"a": Steady({"AAA": 1.0}), "b": Steady({"BBB": 1.0})}
        left = run(panel, sleeves, run={"start": str(panel.clock.session[90])},
                   integrator={"preset": "book", **stages})  # fmt: skip
        assert left.track is not None
        assert left.track.ruined == ruined
        assert ruined or any(decision.target.forced for decision in left.track.decisions)


def test_a_margin_call_in_the_middle_of_a_session_is_answered_there() -> None:
    panel = within_day(3, 60)
    close = walks(3, (0.01, 0.01), len(panel.clock))
    close[60:] *= 0.65
    panel = make_panel(close, close, clock=panel.clock, interval="60min")
    stages = {**UNBOUND, **UNGOVERNED, "vol_target": {"l_max": 3.9}, "net": {"min_obs": 1},
              "normalize": {"min_obs": 3}}  # fmt: skip
    sleeves: dict[str, Strategy] = {"a": Steady({"S000": 1.9}), "b": Steady({"S001": 1.9})}
    left = run(panel, sleeves, data={"interval": "60min"}, integrator={"preset": "book", **stages})
    assert left.track is not None
    called = [decision.t for decision in left.track.decisions if decision.target.forced]
    assert any(not panel.clock.last_bar[t] for t in called)


def test_many_sleeves_of_many_names_let_the_tables_grow() -> None:
    symbols = tuple(f"S{i:02d}" for i in range(40))
    panel = walk_panel(4, symbols, np.linspace(0.08, 0.3, 40), 150, corr=0.3)
    sleeves: dict[str, Strategy] = {}
    for k in range(30):
        chosen = symbols[k : k + 6]
        sleeves[f"s{k:02d}"] = Restless(Restless.Params(symbols=chosen, seed=k, often=0.9, most=0.3))
    left = run(panel, sleeves, execution={"max_participation": 0.05}, costs={"preset": "us_etf"},
               integrator={"preset": "book", **UNBOUND, "turnover": {"band": 0.0}})  # fmt: skip
    assert left.track is not None
    assert sum(len(decision.plan.orders) for decision in left.track.decisions) > 8 * 40


@pytest.mark.parametrize("preset", ["book", "direct"])
def test_watching_the_progress_changes_nothing(preset: str) -> None:
    """A watched run goes through the loop in pieces."""
    config, sleeves = witness_book("book")
    if preset == "direct":
        config, sleeves = load_config({"sleeve": [{"name": "w", "strategy": "x:X"}]}), {"w": Witness()}
    seen: list[tuple[int, int]] = []
    both(config, witness_panel(160), sleeves, progress=lambda t, n: seen.append((t, n)))
    assert len(seen) > 40
    assert seen == sorted(seen)
    assert {n for _, n in seen} == {160}
