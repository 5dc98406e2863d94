"""Finished runs to be stressed: made in the loop in Python, without any file."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from support.book_run import BARE, Replay, book_config
from support.panels import make_panel

from plimsoll.engine.config.schema import load_config
from plimsoll.engine.market.panel import Panel
from plimsoll.engine.research.stress.scenario import Scenario
from plimsoll.engine.research.stress.stress import Case, case_of
from plimsoll.engine.runtime.assemble import Setup, assemble
from plimsoll.engine.runtime.backtest import Track, run_loop
from plimsoll.engine.runtime.prepare import Market, prepare
from plimsoll.engine.sleeve.strategy import Strategy
from plimsoll.engine.types import Floats


def wired(panel: Panel, values: Mapping[str, Any], sleeves: Mapping[str, Strategy]) -> tuple[Setup, Market, Track]:
    """Run a configuration over a panel to its last bar."""
    config = load_config(values)
    market = prepare(config, panel, dict(sleeves))
    setup = assemble(config, market)
    return setup, market, run_loop(setup)


def direct(weights: Mapping[str, float], **sections: Any) -> tuple[dict[str, Any], dict[str, Strategy]]:
    """Return a book that buys weights once and leaves them alone, free of cost, and its one strategy."""
    values = {**book_config(("s",), **sections), "integrator": {"preset": "direct"}}
    values["stress"] = sections.get("stress", {})
    return values, {"s": Replay(tuple(weights), np.array([list(weights.values())]))}


def held_case(panel: Panel, weights: Mapping[str, float], history: Panel | None = None, **sections: Any) -> Case:
    """Return a case whose run holds weights from the second bar on."""
    values, sleeves = direct(weights, **sections)
    return case_of(*wired(panel, values, sleeves), history)


def still_panel(symbols: Sequence[str], n_bars: int = 40, price: float = 100.0, **more: Any) -> Panel:
    """Return a panel in which nothing moves."""
    return make_panel(np.full((n_bars, len(symbols)), price), symbols=tuple(symbols), **more)


def imagined(**words: Any) -> Scenario:
    """Return a scenario of one's own."""
    return Scenario.model_validate({"name": "mine", **words})


def from_days(panel: Panel, first: int, last: int, **words: Any) -> Scenario:
    """Return a scenario that is what a panel has between the closes of two bars."""
    day = panel.clock.session.astype(object)
    return Scenario.model_validate({"name": "window", "start": day[first], "end": day[last], **words})


def session_returns(setup: Setup, first: int, last: int) -> Floats:
    """Return the returns of the bars (first, last] of a run."""
    from plimsoll.engine.kernels.layout import R_RET

    found: Floats = setup.broker.rec[first + 1 : last + 1, R_RET].copy()
    return found


__all__ = ["BARE", "direct", "from_days", "held_case", "imagined", "session_returns", "still_panel", "wired"]
