"""Run the engine on answers that were written down beforehand."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from plimsoll.engine.config.schema import load_config
from plimsoll.engine.market.panel import Panel
from plimsoll.engine.report.result import Result, result_of
from plimsoll.engine.runtime.assemble import Setup, build
from plimsoll.engine.runtime.backtest import Track, run_loop
from plimsoll.engine.runtime.collect import collect
from plimsoll.engine.runtime.prepare import make_strategies
from plimsoll.engine.sleeve.strategy import Context, Strategy
from plimsoll.engine.types import Weights

Answers = Mapping[int, Mapping[str, float]]


class Scripted(Strategy):
    """Answers what the script says at a bar, None where it says nothing."""

    def __init__(self, symbols: tuple[str, ...], answers: Answers) -> None:
        super().__init__()
        self.symbols = symbols
        self.answers = answers

    @property
    def universe(self) -> tuple[str, ...]:
        """Everything in the panel."""
        return self.symbols

    def on_bar(self, ctx: Context) -> Weights | None:
        """Read the script."""
        answer = self.answers.get(ctx.bar_index)
        if answer is None:
            return None
        return np.array([answer.get(symbol, 0.0) for symbol in self.symbols])


@dataclass(frozen=True)
class Ran:
    """A finished run with the machinery that made it."""

    setup: Setup
    track: Track
    result: Result

    @property
    def equity(self) -> Any:
        """The result's table of bars."""
        return self.result.equity

    def shares_after(self, bar: int) -> Any:
        """(N,) shares held after `bar`, added up from the fills and splits alone."""
        panel, fills = self.setup.panel, self.setup.broker.fills
        held = np.zeros(panel.n_symbols)
        for t in range(self.setup.first, bar + 1):
            held *= panel.split[t]
            for row in fills[fills[:, 0] == t]:
                held[int(row[1])] += row[2]
        return held


def plain_config(
    strategy: str = "scripted:Scripted", params: Mapping[str, Any] | None = None, **sections: Any
) -> dict[str, Any]:
    """Return a configuration of one sleeve without costs, interest or a participation cap, `sections` on top."""
    base: dict[str, Any] = {
        "run": {"name": "t"},
        "sleeve": [{"name": "s", "strategy": strategy, "params": dict(params or {})}],
        "execution": {"max_participation": 0.0, "min_notional": 0.0},
        "costs": {"preset": "none"},
        "financing": {"cash_rate": 0.0, "margin_spread_bps": 0.0, "borrow_bps": 0.0},
    }
    for name, values in sections.items():
        base[name] = {**base.get(name, {}), **values}
    return base


def run_script(panel: Panel, answers: Answers, *, first: int | None = None, **sections: Any) -> Ran:
    """Run scripted answers (bar -> symbol -> weight) over a panel; `first` is the first bar traded."""
    values = plain_config(**sections)
    if first is not None:
        values["run"] = {**values["run"], "start": str(panel.clock.session[first])}
    return run_config(panel, values, Scripted(panel.symbols, answers))


def run_config(panel: Panel, values: Mapping[str, Any], strategy: Strategy | None = None) -> Ran:
    """Run a configuration over a panel, with `strategy` in place of the one it names."""
    config = load_config(values)
    strategies = make_strategies(config, {} if strategy is None else {config.sleeve[0].name: strategy})
    setup = build(config, panel, strategies)
    track = run_loop(setup)
    return Ran(setup, track, result_of(collect(setup, track)))
