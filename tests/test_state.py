"""All memory is in what `save` returns: restored into a fresh system at every bar, a run stays the same to the bit."""

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import astuple
from typing import Any

import numpy as np
import pytest
from battery.witness import LIVES, Witness, witness_book, witness_panel

from plimsoll.engine.config.schema import Config, load_config
from plimsoll.engine.errors import StrategyError
from plimsoll.engine.market.panel import Panel
from plimsoll.engine.portfolio.book_decide import SKIPPABLE
from plimsoll.engine.research.proof.handover import Relay, lost_keys
from plimsoll.engine.research.proof.trail import difference, run_trail
from plimsoll.engine.research.proof.trial_market import trial_panel
from plimsoll.engine.runtime.assemble import Setup, build
from plimsoll.engine.runtime.backtest import run_loop
from plimsoll.engine.runtime.resolve import make_strategy, registered
from plimsoll.engine.sleeve.strategy import Context, Strategy
from plimsoll.engine.types import Weights


def _config(**sections: object) -> Config:
    return load_config({"sleeve": [{"name": "s", "strategy": "battery.witness:Witness"}], **sections})


def _relayed(config: Config, panel: Panel, strategy: Strategy) -> tuple[str, set[str], Setup]:
    return _relayed_book(config, panel, {"s": strategy})


def _relayed_book(config: Config, panel: Panel, strategies: dict[str, Strategy]) -> tuple[str, set[str], Setup]:
    """Return what differs from an uninterrupted run, the keys lost on the way, and the setup."""
    relays: list[Relay] = []

    def hand_over(setup: Setup) -> Relay:
        relays.append(Relay(setup, strategies))
        return relays[0]

    whole = run_trail(config, panel, deepcopy(strategies))
    relayed = run_trail(config, panel, deepcopy(strategies), hand_over)
    ends: list[Mapping[str, Any]] = [
        whole.setup.system.save() | whole.setup.broker.book.save(),
        relays[0].save() | relayed.setup.broker.book.save(),
    ]
    return difference(whole, relayed, panel.n_bars), relays[0].lost | lost_keys(*ends), whole.setup


@pytest.mark.parametrize(
    "sections",
    [
        {},
        {"execution": {"unfilled": "carry", "max_participation": 1e-6}},
        {"execution": {"sizing": "fill"}, "financing": {"cash_rate": "AAA"}},
    ],
    ids=["default", "orders carried over", "sized at the fill"],
)
def test_a_run_handed_over_at_every_bar_ends_with_the_same_bytes(sections: dict[str, object]) -> None:
    found, lost, setup = _relayed(_config(**sections), witness_panel(), Witness())
    assert found == ""
    assert lost == set()
    assert len(setup.broker.fills) > 50


@pytest.mark.parametrize("preset", ["book", "legacy"])
def test_a_book_handed_over_at_every_bar_ends_with_the_same_bytes(preset: str) -> None:
    config, strategies = witness_book(preset)
    found, lost, setup = _relayed_book(config, witness_panel(270), strategies)
    assert found == ""
    assert lost == set()
    assert len(setup.broker.fills) > 50


def test_a_restored_book_explains_every_stage_the_same_way() -> None:
    config, strategies = witness_book("book")
    first = build(config, witness_panel(), deepcopy(strategies))
    run_loop(first, stop_at=100)
    second = build(config, witness_panel(), deepcopy(strategies))
    run_loop(second, stop_at=40)
    second.system.restore(first.system.save())
    account = first.broker.account()
    seen = set()
    for skip in (frozenset[str](), *(frozenset({stage}) for stage in SKIPPABLE)):
        ours, theirs = (setup.system.decide(account, skip=skip).target for setup in (first, second))
        for one, other in zip(astuple(ours)[:5], astuple(theirs)[:5], strict=True):
            np.testing.assert_array_equal(one, other)
        seen.add(ours.weights.tobytes())
    assert len(seen) > 3  # stages do something


@pytest.mark.parametrize("name", registered())
def test_a_registered_strategy_handed_over_at_every_bar_ends_with_the_same_bytes(name: str) -> None:
    strategy = make_strategy(name, {}, where="s")
    symbols = tuple(strategy.universe)
    lives = dict(zip(symbols, list(LIVES.values()) * len(symbols), strict=False))
    panel = trial_panel(symbols, strategy.indicators, n_bars=strategy.warmup_bars + 130, seed=2, lives=lives)
    found, lost, _ = _relayed(_config(), panel, strategy)
    assert found == ""
    assert lost == set()


def test_the_saved_state_is_plain_arrays_and_copies() -> None:
    setup = build(_config(), witness_panel(60), {"s": Witness()})
    run_loop(setup)
    saved = setup.system.save()
    assert all(isinstance(value, np.ndarray) and not value.dtype.hasobject for value in saved.values())
    assert {
        "sleeve.s.state.chain.link",
        "sleeve.s.state.notional",
        "sleeve.s.answered",
        "sleeve.s.failure",
    } <= saved.keys()
    again = {key: value.copy() for key, value in saved.items()}
    for value in saved.values():
        value.fill(3)
    assert lost_keys(setup.system.save(), again) == set()


def test_a_system_restored_between_observing_and_deciding_still_decides() -> None:
    class EveryFifth(Witness):
        def on_bar(self, ctx: Context) -> Weights | None:
            return ctx.weights({"AAA": 0.5}) if ctx.bar_index % 5 == 0 else None

    first, second = (build(_config(), witness_panel(20), {"s": EveryFifth()}).system for _ in range(2))
    for t in range(16):
        first.observe(t)
    assert first.due()
    second.restore(first.save())
    assert second.due()
    first.observe(16)
    second.restore(first.save())
    assert not second.due()


class Breaks(Witness):
    """Holds two symbols and raises at bar 40."""

    def on_bar(self, ctx: Context) -> Weights | None:
        if ctx.bar_index == 40:
            raise ZeroDivisionError("forty")
        return ctx.weights({"AAA": 0.6, "BBB": 0.3}) if ctx.bar_index == 10 else None


def test_a_quarantined_sleeve_stays_quarantined_after_a_restore() -> None:
    config = load_config({"sleeve": [{"name": "s", "strategy": "x:X", "on_error": "quarantine"}]})
    found, lost, setup = _relayed(config, witness_panel(70), Breaks())
    assert found == ""
    assert lost == set()
    session = setup.panel.clock.session[40]
    assert setup.system.sleeves[0].failure == f"sleeve 's' (Breaks) on {session}: raised ZeroDivisionError: forty"
    fresh = build(config, setup.panel, {"s": Breaks()}).system
    fresh.restore(setup.system.save())
    assert fresh.sleeves[0].failure == setup.system.sleeves[0].failure


@pytest.mark.parametrize(
    ("memory", "says"),
    [
        ([1.0], "init returned list; return a NamedTuple of arrays, or None"),
        ({"a": np.zeros(1)}, "init returned dict"),
    ],
    ids=["list", "dict"],
)
def test_memory_that_could_not_be_saved_is_refused_when_the_sleeve_is_made(memory: Any, says: str) -> None:
    class Keeps(Witness):
        def init(self, n_symbols: int) -> Any:
            return memory

    with pytest.raises(StrategyError, match=rf"^sleeve 's' \(Keeps\): {says}"):
        build(_config(), witness_panel(20), {"s": Keeps()})


def test_an_init_that_raises_is_named() -> None:
    class Keeps(Witness):
        def init(self, n_symbols: int) -> Any:
            raise KeyError("memory")

    with pytest.raises(StrategyError, match=r"^sleeve 's' \(Keeps\): init raised KeyError: 'memory'"):
        build(_config(), witness_panel(20), {"s": Keeps()})
