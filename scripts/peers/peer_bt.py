"""bt: an algo that transacts at the open what it decided at the close before."""

from collections.abc import Callable
from typing import Any

import bt
import numpy as np
import pandas as pd
from job import CASH, FEE, Job, Way
from signals import Floats


class NextOpen(bt.Algo):
    """Order q = w E / close - held at a close with weights, transact it at the next open."""

    def __init__(self, open_: Floats, close: Floats, plan: dict[int, Floats]) -> None:
        super().__init__("next open")
        self.open, self.close, self.plan = open_, close, plan
        self.t, self.pending = -1, None

    def __call__(self, target: Any) -> bool:
        """Advance by one bar."""
        self.t += 1
        children = target._childrenv
        if self.pending is not None:
            for child, size, price in zip(children, self.pending, self.open[self.t], strict=True):
                child.transact(size, price=price, update=False)
            target.root.update(target.now)
            self.pending = None
        weights = self.plan.get(self.t)
        if weights is not None:
            self.pending = weights * target.value / self.close[self.t] - np.array([c.position for c in children])
        return True


def commission(size: float, price: float) -> float:
    """Return the cost of a trade."""
    return abs(size) * price * FEE


def prepare(job: Job) -> Callable[[], Floats]:
    """Prepare a backtest per setting; bt takes prices off the close only where a bid-offer spread, here 0, is given."""
    names = [f"S{i:03d}" for i in range(job.close.shape[1])]
    close = pd.DataFrame(job.close, pd.DatetimeIndex(job.ts), names)
    spread = {"bidoffer": pd.DataFrame(0.0, close.index, names)}

    def call() -> Floats:
        last = []
        for plan in job.plans():
            algo = NextOpen(job.open, job.close, plan)
            test = bt.Backtest(
                bt.Strategy("peer", [algo], children=[bt.Security(name) for name in names]), close,
                initial_capital=CASH, commissions=commission, integer_positions=False, additional_data=spread,
            )  # fmt: skip
            test.run()
            last.append(test.strategy.value)
        return np.array(last)

    return call


def note(_job: Job) -> str:
    """Say how."""
    return "an algo of one's own (bt's own rebalance trades at the close), signals by our numba kernel; same semantics"


WAYS = (Way(1_000_000, prepare, note),)
