"""Sixty percent stocks, forty percent bonds."""

import numpy as np
from pydantic import Field

from plimsoll.engine.sleeve.scan import Scan
from plimsoll.engine.sleeve.strategy import Context, Strategy, StrategyParams
from plimsoll.engine.types import Weights
from plimsoll.strategies import fixed
from plimsoll.strategies.schedule import Schedule, due_bars, is_due


class SixtyForty(Strategy):
    """The balanced fund: a fixed split between one stock and one bond fund, rebalanced on a schedule.

    Needs nothing but prices. Fails when stocks and bonds fall together, as in 2022.

    Source: the policy portfolio of Brinson, Hood & Beebower (1986).
    """

    class Params(StrategyParams):
        """The two funds, the split, the schedule."""

        stocks: str = "SPY"
        bonds: str = "IEF"
        stock_weight: float = Field(0.6, ge=0, le=1)
        rebalance: Schedule = "M"

    @property
    def universe(self) -> tuple[str, ...]:
        """Stocks, then bonds."""
        return (self.params.stocks, self.params.bonds)

    def on_bar(self, ctx: Context) -> Weights | None:
        """Answer on the schedule once both funds are listed."""
        if not is_due(ctx, self.params.rebalance) or not ctx.listed.all():
            return None
        return self.split

    def scan(self, run: Scan) -> None:
        """Run through the whole span."""
        due = due_bars(run.clock, self.params.rebalance)
        fixed.scan(run.listed, due, self.split, run.n_bars, run.notional)

    @property
    def split(self) -> Weights:
        """Weights (2,)."""
        return np.array([self.params.stock_weight, 1.0 - self.params.stock_weight])
