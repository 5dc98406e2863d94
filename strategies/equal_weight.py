"""The same weight for everything: 1/N."""

import numpy as np
from pydantic import Field

from plimsoll.engine.sleeve.strategy import Context, Strategy, StrategyParams
from plimsoll.engine.types import Weights
from plimsoll.strategies.schedule import Schedule, is_due


class EqualWeight(Strategy):
    """Hold every listed symbol at 1/N, rebalanced on a schedule.

    Needs nothing but prices. Fails when a few names carry all the risk: it sees no volatility and no correlation.

    Source: DeMiguel, Garlappi & Uppal (2009), the benchmark no optimiser beat out of sample.
    """

    class Params(StrategyParams):
        """What to hold and how often to look."""

        symbols: tuple[str, ...] = Field(("SPY", "EFA", "EEM", "TLT", "LQD", "GLD", "DBC", "VNQ"), min_length=1)
        rebalance: Schedule = "M"

    @property
    def universe(self) -> tuple[str, ...]:
        """The configured symbols."""
        symbols: tuple[str, ...] = self.params.symbols
        return symbols

    def on_bar(self, ctx: Context) -> Weights | None:
        """Answer on the schedule while anything is listed."""
        if not is_due(ctx, self.params.rebalance) or not ctx.listed.any():
            return None
        return np.where(ctx.listed, 1.0 / np.count_nonzero(ctx.listed), 0.0)
