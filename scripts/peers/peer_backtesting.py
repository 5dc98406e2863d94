"""backtesting.py: one asset, whole numbers of a small fraction of a share."""

from collections.abc import Callable

import numpy as np
import pandas as pd
from backtesting import Strategy
from backtesting.lib import FractionalBacktest
from job import CASH, FEE, Job, Way
from numpy.typing import NDArray
from signals import Floats

UNIT = 1e-8  # of a share
MARGIN = 0.5  # so that a purchase is not cancelled that an overnight gap makes dearer than the cash there is


class LongFlat(Strategy):
    """Buy what the equity is worth at the close, or close the position, at the next open."""

    wish: NDArray[np.float64] | None = None

    def init(self) -> None:
        """Take the wishes as an indicator."""
        self.up = self.I(lambda: self.wish, plot=False, overlay=False)

    def next(self) -> None:
        """Advance by one bar."""
        if self.up[-1]:
            if not self.position:
                self.buy(size=round(self.equity / self.data.Close[-1]))
        elif self.position:
            self.position.close()


def prepare(job: Job) -> Callable[[], Floats] | None:
    """Prepare the bars; each setting is a run of its own."""
    if job.due is not None:
        return None
    open_, close = job.open[:, 0], job.close[:, 0]
    columns = {"Open": open_, "High": np.maximum(open_, close), "Low": np.minimum(open_, close), "Close": close}
    bars = pd.DataFrame(columns | {"Volume": np.full(len(close), 1e9)}, pd.DatetimeIndex(job.ts))

    def call() -> Floats:
        test = FractionalBacktest(bars, LongFlat, cash=CASH, commission=FEE, margin=MARGIN, fractional_unit=UNIT)
        wish = job.wishes().astype(np.float64)
        return np.array([test.run(wish=wish[:, s])["Equity Final [$]"] for s in range(wish.shape[1])])

    return call


def note(job: Job) -> str:
    """Say how, or why not."""
    if job.due is not None:
        return "cannot run this: one asset at a time"
    return "shares in units of 1e-8, signals by our numba kernel; else same semantics"


WAYS = (Way(1_000_000, prepare, note),)
