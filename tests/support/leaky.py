"""A strategy that remembers what it must not: how many bars it has seen in this process, whatever the run."""

import numpy as np
from pydantic import Field

from plimsoll.engine.sleeve.strategy import Context, Strategy, StrategyParams
from plimsoll.engine.types import Weights


class Leaky(Strategy):
    """Holds SPY, and with every bar seen in this process less of it; `leaks` says whether bars are counted."""

    class Params(StrategyParams):
        share: float = Field(0.5, ge=0, le=1)
        leaks: bool = True

    universe = ("SPY",)
    seen = 0

    def on_bar(self, ctx: Context) -> Weights | None:
        if self.params.leaks:
            type(self).seen += 1
        return np.array([self.params.share / (1.0 + type(self).seen / 100.0)])
