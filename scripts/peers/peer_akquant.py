"""akquant: orders of a strategy at the close, filled at the next open; whole numbers of a small fraction of a share.

Prices must be there: 0.3.71 fills at an open that is NaN for nothing and marks a close that is NaN at 0.
"""

from collections.abc import Callable
from typing import Any

import akquant
import numpy as np
from job import CASH, FEE, Job, Way
from signals import Floats

UNIT = 1e-8  # of a share; 0.3.71 rejects what is no multiple of a lot, and a lot is a whole number
RULES = {  # its defaults are China's: 5 minimum, tax, transfer fee, lots of 100 settled a day later
    "commission_policy": {"type": "percent", "value": FEE}, "min_commission": 0.0, "stamp_tax_rate": 0.0,
    "transfer_fee_rate": 0.0, "slippage": 0.0, "volume_limit_pct": 1.0, "t_plus_one": False, "lot_size": 1,
    "timezone": "UTC", "history_depth": 0, "show_progress": False,
    # so that an order is not refused that an overnight gap makes dearer than the cash there is
    "risk_config": {"check_cash": False, "safety_margin": 0.0},
}  # fmt: skip


class NextOpen(akquant.Strategy):
    """Order q = w E / close - held at a close with weights, when the last asset's bar has come."""

    plan: dict[int, Floats]
    close_of: Floats
    assets: list[str]
    t = -1

    def on_bar(self, bar: Any) -> None:
        """Advance by one bar of one asset."""
        if bar.symbol != self.assets[-1]:
            return
        self.t += 1
        weights = self.plan.get(self.t)
        if weights is None:
            return
        held = self.positions
        sizes = weights * self.equity / self.close_of[self.t] - np.array([held.get(name, 0.0) for name in self.assets])
        for name, size in zip(self.assets, np.rint(sizes).tolist(), strict=True):
            if size > 0.0:
                self.buy(name, size)
            elif size < 0.0:
                self.sell(name, -size)


def prepare(job: Job) -> Callable[[], Floats]:
    """Prepare columns; a feed is empty after one run (0.3.71), so filling it, without a copy, is part of each."""
    akquant.register_logger(level="ERROR")
    n_bars, n_assets = job.close.shape
    names = [f"S{i:03d}" for i in range(n_assets)]
    open_, close = (np.ascontiguousarray(prices * UNIT).reshape(-1) for prices in (job.open, job.close))
    times = np.repeat(job.ts.astype(np.int64), n_assets)
    columns = (times, open_, np.maximum(open_, close), np.minimum(open_, close), close, np.full(len(close), 1e18))
    whose = {"symbol": None, "symbols": names * n_bars, "extra": None}  # its stub says they may be left out

    def call() -> Floats:
        last = []
        for plan in job.plans():
            feed, strategy = akquant.DataFeed(), NextOpen()
            feed.add_arrays(*columns, **whose)
            strategy.plan, strategy.close_of, strategy.assets = plan, job.close * UNIT, names
            found = akquant.run_backtest(
                data=feed, strategy=strategy, symbols=names, initial_cash=CASH, fill_policy=akquant.NextOpen(), **RULES
            )
            last.append(float(found.equity_curve.iloc[-1]))
        return np.array(last)

    return call


def cells(job: Job) -> int:
    """Return fewer for many assets: each bar costs the more the more is held, so scaled times are lower bounds."""
    return 200_000 if job.close.shape[1] == 1 else 50_000


def note(job: Job) -> str:
    """Say how."""
    how = "run_backtest on a feed of arrays, shares in units of 1e-8, signals by our numba kernel; same semantics"
    return how if job.due is None else how + "; each bar slower the more positions there are"


WAYS = (Way(cells, prepare, note),)
