"""The loop in Python takes answers from scans where there are any, and leaves what asking every bar leaves."""

from collections.abc import Iterator
from copy import deepcopy

import numpy as np
import pytest
from support.book_run import book_config, walk_panel
from support.panels import make_panel
from support.restless import Kernelled, Restless
from support.scripted import plain_config
from support.twins import both, state_bytes

from plimsoll.engine.config.schema import load_config
from plimsoll.engine.market.panel import Panel
from plimsoll.engine.runtime.ahead import come_back, look_ahead, run_ahead
from plimsoll.engine.runtime.assemble import Setup, build
from plimsoll.engine.runtime.backtest import run_loop
from plimsoll.engine.sleeve.scan import Scan
from plimsoll.engine.sleeve.strategy import Context, Strategy
from plimsoll.engine.types import Weights

NAMES = ("AAA", "BBB", "CCC")
PANEL = walk_panel(1, NAMES, (0.10, 0.14, 0.18), 120)


class Asked(Kernelled):
    """Counts how often its bars are asked; both forms are its own, so its scan stands."""

    asked = 0

    def on_bar(self, ctx: Context) -> Weights | None:
        type(self).asked += 1
        return super().on_bar(ctx)

    scan = Kernelled.scan


@pytest.fixture(autouse=True)
def _nobody_asked_yet() -> Iterator[None]:
    Asked.asked = 0
    yield
    Asked.asked = 0


def alone(strategy: Strategy, panel: Panel = PANEL, on_error: str = "raise") -> Setup:
    values = plain_config()
    values["sleeve"][0]["on_error"] = on_error
    return build(load_config(values), panel, {"s": deepcopy(strategy)})


@pytest.mark.parametrize("looks", [False, True])
def test_a_strategy_with_a_scan_is_not_asked(looks: bool) -> None:
    strategy = Asked(Asked.Params(symbols=NAMES, looks=looks))
    ahead, plain = alone(strategy), alone(strategy)
    track = run_ahead(ahead)
    assert Asked.asked == 0
    expected = run_loop(plain)
    assert Asked.asked == PANEL.n_bars
    assert state_bytes(ahead) == state_bytes(plain)
    targets = [[decision.target.weights.tobytes() for decision in one.decisions] for one in (track, expected)]
    assert targets[0] == targets[1]
    assert len(targets[0]) > 20


def test_in_a_book_only_those_without_one_are() -> None:
    symbols = {"symbols": NAMES}
    sleeves = {"a": Asked(Asked.Params(**symbols, looks=True)), "b": Restless(Restless.Params(**symbols))}
    left = both(book_config(tuple(sleeves), run={"start": str(PANEL.clock.session[60])}), PANEL, sleeves)
    assert left.error is None
    assert Asked.asked == PANEL.n_bars  # by the loop it is held against


def test_after_ruin_the_sleeve_stands_where_the_account_stopped() -> None:
    close = np.full(40, 100.0)
    close[20:] = 1.0
    panel = make_panel(close, close, symbols=("AAA",))

    class Levered(Asked):
        def on_bar(self, ctx: Context) -> Weights | None:
            found = super().on_bar(ctx)
            return None if found is None else np.array([1.99])

        def scan(self, run: Scan) -> None:
            """Say what the bars say."""
            super().scan(run)
            run.notional.held[run.notional.answered] = 1.99

    strategy = Levered(Levered.Params(symbols=("AAA",)))
    ahead, plain = alone(strategy, panel), alone(strategy, panel)
    track, expected = run_ahead(ahead), run_loop(plain)
    assert track.ruined
    assert (track.last, track.ruined) == (expected.last, expected.ruined)
    assert state_bytes(ahead) == state_bytes(plain)
    for one, other in zip(ahead.system.sleeves, plain.system.sleeves, strict=True):
        assert one.notes.tobytes() == other.notes.tobytes()
        assert one.tracker.path.tobytes() == other.tracker.path.tobytes()


def test_a_failing_sleeve_is_left_to_its_bars() -> None:
    broken = Asked(Asked.Params(symbols=NAMES, bad=70))
    setup = alone(broken, on_error="quarantine")
    assert look_ahead(setup) == {}
    assert not setup.system.sleeves[0].foresees
    track = run_loop(setup)
    come_back(setup, track)
    assert Asked.asked == 71
    assert str(PANEL.clock.session[70]) in setup.system.sleeves[0].failure
