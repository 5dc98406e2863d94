"""phasor (phasor-trader 0.1.0): `from_orders`, target weights decided at a close and filled at the next open.

Where an open is NaN, or `open` is left out, 0.1.0 fills `price="nextopen"` at the close that decided, without a word.
"""

from collections.abc import Callable

import numpy as np
import phasor
from job import CASH, FEE, Job, Way
from signals import Floats

DISTRIBUTION = "phasor-trader"
# a cash account cuts a purchase to its cash at the open, ours and the other peers let an overnight gap overdraw it; a
# levered one borrows 99 % of each purchase ("lazy" would refuse the later ones of a bar once own cash is spent)
CREDIT = {"leverage": 100.0, "leverage_mode": "eager"}
VALUE_AT = -np.inf  # the close before, as in vectorbt; `price="nextopen"` alone would size at the open


def sizes(job: Job) -> Floats:
    """Return (T, S or N) the weights to go for, on the bars at whose close they are decided; NaN elsewhere."""
    if job.due is not None:
        bars, target = job.rebalances()
        size = np.full(job.close.shape, np.nan, order="F")
        size[bars] = target
        return size
    wish = job.wishes()
    size = np.full(wish.shape, np.nan, order="F")
    changed = np.diff(wish, axis=0, prepend=False)
    size[changed] = wish[changed]
    return size


def prepare(job: Job) -> Callable[[], Floats]:
    """Prepare prices by columns; a grid is one run, all its columns mapped to the one price, weights are one account.

    `total_return` is far cheaper than the path of `value`.
    """
    close, open_ = np.asfortranarray(job.close), np.asfortranarray(job.open)
    shared = job.due is not None
    columns = {"cash_sharing": True} if shared else {"column_map": [0] * job.n_settings}

    def call() -> Floats:
        portfolio = phasor.from_orders(
            close, sizes(job), open=open_, size_type="targetpercent", price="nextopen", val_price=VALUE_AT, fees=FEE,
            init_cash=CASH, **columns, **CREDIT,
        )  # fmt: skip
        return CASH * (1.0 + np.atleast_1d(portfolio.total_return()))

    return call


def note(_job: Job) -> str:
    """Say how."""
    return "from_orders, signals by our numba kernel; same semantics, its no-debit rule lifted by leverage"


WAYS = (Way(None, prepare, note),)
