"""nanobook: a `Portfolio` that is told what to hold at each open, and `backtest_weights`, which sizes there itself.

Money is a whole number of cents, shares are whole numbers of a millionth: with a cent this small and shares this often
split neither rounding shows, and 64 bits hold 90 million dollars.
"""

from collections.abc import Callable

import nanobook
import numpy as np
from job import CASH, FEE, Job, Way
from signals import Floats

CENTS = 1e11  # to the dollar
SPLIT = 200.0  # shares out of one
CREDIT = 1e7  # nanobook never lets cash fall below zero; ours and the other peers let an overnight gap overdraw it
STEP = 1  # millionth of a share
Prices = list[list[tuple[str, int]]]


def names(job: Job) -> list[str]:
    """Return the assets' names."""
    return [f"S{i:03d}" for i in range(job.close.shape[1])]


def quotes(job: Job, prices: Floats) -> Prices:
    """Return for each bar the prices of all assets as nanobook takes them."""
    symbols = names(job)
    return [list(zip(symbols, row, strict=True)) for row in np.rint(prices / SPLIT * CENTS).astype(np.int64).tolist()]


def costs() -> nanobook.CostModel:
    """Return 5 bps of traded notional."""
    return nanobook.CostModel(commission_bps=FEE * 1e4)


def prepare(job: Job) -> Callable[[], Floats]:
    """Prepare `Portfolio`: weights are taken at the open, those that make w E / close shares of the equity there."""
    opens, closes, symbols = quotes(job, job.open), quotes(job, job.close), names(job)

    def call() -> Floats:
        last = []
        for plan in job.plans():
            book = nanobook.Portfolio(round((CASH + CREDIT) * CENTS), costs(), STEP)
            mark, shares = book.record_return, None
            for t, prices in enumerate(closes):
                if shares is not None:
                    weights = shares * job.open[t] / SPLIT * CENTS / book.total_equity(opens[t])
                    book.rebalance_simple(list(zip(symbols, weights.tolist(), strict=True)), opens[t])
                    shares = None
                mark(prices)
                if t in plan:
                    shares = plan[t] * (book.total_equity(prices) / CENTS - CREDIT) / job.close[t] * SPLIT
            last.append(book.total_equity(closes[-1]) / CENTS - CREDIT)
        return np.array(last)

    return call


def by_weights(job: Job) -> Callable[[], Floats]:
    """Prepare `backtest_weights`; only the bars that decide have a bar to fill at, the others keep what is held.

    0.19.2 takes no plain price, as its stub says, but `BarPrices`.
    """
    symbols, bars = names(job), nanobook.BarPrices
    cents = [np.rint(prices / SPLIT * CENTS).astype(np.int64) for prices in (job.open, job.close)]
    rows = [
        [(name, bars(o, max(o, c), min(o, c), c)) for name, o, c in zip(symbols, opens, closes, strict=True)]
        for opens, closes in zip(*(prices.tolist() for prices in cents), strict=True)
    ]

    def call() -> Floats:
        last = []
        for plan in job.plans():
            weights: list[list[tuple[str, float]]] = [[] for _ in rows]
            fills: list[list[tuple[str, nanobook.BarPrices]]] = [[] for _ in rows]
            for t, target in plan.items():
                if t + 1 < len(rows):
                    weights[t] = list(zip(symbols, target.tolist(), strict=True))
                    fills[t] = rows[t + 1]
            found = nanobook.backtest_weights(
                weights, rows, round(CASH * CENTS), costs(), nanobook.FillPolicy.NextBarOpen, fill_schedule=fills,
                quantity_step=STEP,
            )  # fmt: skip
            last.append(found["equity_curve"][-1] / CENTS)
        return np.array(last)

    return call


def note(_job: Job) -> str:
    """Say how."""
    return (
        "Portfolio stepped in Python, signals by our numba kernel; same semantics, its no-debit rule lifted by a "
        "constant credit, weights restated for its sizing at the open"
    )


def weights_note(job: Job) -> str:
    """Say how, and what differs."""
    how = "backtest_weights, signals by our numba kernel; sized at the open, the fee out of the cash"
    return how + ", weights that sum to more than 1 cut to the cash" if job.n_risky else how


WAYS = (Way(None, prepare, note), Way(400_000, by_weights, weights_note))
