"""backtrader: orders of a strategy at the close, filled by its broker at the next open."""

from collections.abc import Callable
from typing import Any

import backtrader
import numpy as np
from job import CASH, FEE, Job, Way
from signals import Floats

CREDIT = 4.0  # so that the broker does not refuse what an overnight gap makes dearer than the cash there is


class ArrayFeed(backtrader.feed.DataBase):
    """Bars from a list of (time, open, high, low, close); backtrader's own pandas feed takes longer than its engine."""

    def start(self) -> None:
        """Begin at the first bar."""
        super().start()
        self.bars = iter(self.p.dataname)

    def _load(self) -> bool:
        bar = next(self.bars, None)
        if bar is None:
            return False
        lines = self.lines
        lines.datetime[0], lines.open[0], lines.high[0], lines.low[0], lines.close[0] = bar
        lines.volume[0] = 1e9
        return True


class NextOpen(backtrader.Strategy):
    """Order q = w E / close - held at a close with weights."""

    params = (("plan", None),)

    def __init__(self) -> None:
        self.t = -1

    def next(self) -> None:
        """Advance by one bar."""
        self.t += 1
        weights = self.p.plan.get(self.t)
        if weights is None:
            return
        equity = self.broker.getvalue()
        for weight, data in zip(weights.tolist(), self.datas, strict=True):
            size = weight * equity / data.close[0] - self.broker.getposition(data).size
            if size > 0.0:
                self.buy(data, size=size)
            elif size < 0.0:
                self.sell(data, size=-size)


def bars_of(job: Job, asset: int) -> list[Any]:
    """Return the bars of one asset; times in days since 0001-01-01, the first day being 1."""
    days = (job.ts - np.datetime64("0001-01-01", "s")) / np.timedelta64(1, "D") + 1.0
    open_, close = job.open[:, asset], job.close[:, asset]
    columns = (days, open_, np.maximum(open_, close), np.minimum(open_, close), close)
    return list(zip(*(column.tolist() for column in columns), strict=True))


def prepare(job: Job) -> Callable[[], Floats]:
    """Prepare the bars; each setting is a run of its own."""
    feeds = [bars_of(job, i) for i in range(job.close.shape[1])]

    def call() -> Floats:
        last = []
        for plan in job.plans():
            cerebro = backtrader.Cerebro(stdstats=False)
            for bars in feeds:
                cerebro.adddata(ArrayFeed(dataname=bars, timeframe=backtrader.TimeFrame.Minutes))
            cerebro.broker.setcash(CASH)
            cerebro.broker.setcommission(commission=FEE, leverage=CREDIT)
            cerebro.broker.set_checksubmit(False)
            cerebro.addstrategy(NextOpen, plan=plan)
            cerebro.run()
            last.append(cerebro.broker.getvalue())
        return np.array(last)

    return call


def note(_job: Job) -> str:
    """Say how."""
    return "market orders, runonce, bars from lists, signals by our numba kernel; same semantics"


WAYS = (Way(500_000, prepare, note),)
