"""The same weight for everything: 1/N."""

import numpy as np
from pydantic import Field

from plimsoll.engine.kernels.account.track import Notional, answer
from plimsoll.engine.kernels.jit import kernel
from plimsoll.engine.sleeve.scan import Scan
from plimsoll.engine.sleeve.strategy import Context, Strategy, StrategyParams
from plimsoll.engine.types import Bools, Floats, Weights
from plimsoll.strategies.schedule import Schedule, due_bars, is_due


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
        w = np.empty(len(ctx.symbols))
        return w if is_due(ctx, self.params.rebalance) and step(ctx.listed, w) else None

    def scan(self, run: Scan) -> None:
        """Run through the whole span."""
        scan(run.listed, due_bars(run.clock, self.params.rebalance), run.notional)


@kernel
def step(listed: Bools, w: Floats) -> bool:
    """Write the weights (K,) of one bar; False where nothing is listed (K,)."""
    count = 0
    for i in range(w.shape[0]):
        count += 1 if listed[i] else 0
    for i in range(w.shape[0]):
        w[i] = 1.0 / count if listed[i] else 0.0
    return count > 0


@kernel
def scan(listed: Bools, due: Bools, notional: Notional) -> None:
    """Run `step` on the bars that are due (T,)."""
    w = np.empty(listed.shape[1])
    for t in range(listed.shape[0]):
        if due[t] and step(listed[t], w) and not answer(t, w, notional):
            return
