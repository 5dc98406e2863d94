"""Buy once and never trade again."""

from typing import NamedTuple

import numpy as np
from pydantic import Field, model_validator

from plimsoll.engine.sleeve.scan import Scan
from plimsoll.engine.sleeve.strategy import Context, Strategy, StrategyParams
from plimsoll.engine.types import Bools, Weights
from plimsoll.strategies import fixed


class State(NamedTuple):
    """answered (1,): whether the one answer was given."""

    answered: Bools


class BuyAndHold(Strategy):
    """Hold fixed weights from the first bar on which every symbol trades; let them drift for ever.

    Needs nothing but prices. Fails with whatever it holds.

    Source: the benchmark every active rule has to beat (Sharpe 1991, "The Arithmetic of Active Management").
    """

    class Params(StrategyParams):
        """Symbols and their starting weights (equal where none are given)."""

        symbols: tuple[str, ...] = Field(("SPY",), min_length=1)
        weights: tuple[float, ...] = ()

        @model_validator(mode="after")
        def _lengths(self) -> "BuyAndHold.Params":
            if self.weights and len(self.weights) != len(self.symbols):
                raise ValueError(f"{len(self.weights)} weights for {len(self.symbols)} symbols")
            return self

    @property
    def universe(self) -> tuple[str, ...]:
        """The configured symbols."""
        symbols: tuple[str, ...] = self.params.symbols
        return symbols

    def init(self, n_symbols: int) -> State:
        """Not answered yet."""
        return State(np.zeros(1, dtype=np.bool_))

    def on_bar(self, ctx: Context) -> Weights | None:
        """Answer once."""
        if ctx.state.answered[0] or not ctx.listed.all():
            return None
        ctx.state.answered[0] = True
        return self.split(ctx.symbols)

    def scan(self, run: Scan) -> None:
        """Run through the whole span."""
        every = np.ones(run.n_bars, dtype=np.bool_)
        run.state.answered[0] = fixed.scan(run.listed, every, self.split(run.symbols), 1, run.notional) > 0

    def split(self, symbols: tuple[str, ...]) -> Weights:
        """Return the starting weights (K,)."""
        return np.array(self.params.weights or (1.0 / len(symbols),) * len(symbols))
