"""raptorbt: signal arrays for one asset, an event session with offsetting legs for several.

Its array runner of several assets takes entries and exits only, and 0.13.4 fills them wrongly at the next open: an
entry waits for the first one after an exit and is filled at that bar's own open, whose close decided it.
"""

from collections.abc import Callable

import numpy as np
import raptorbt
from job import CASH, FEE, Job, Way
from signals import Floats, Ints

LEVERAGE = 100.0  # a cash account would refuse what an overnight gap makes dearer than the cash there is


def columns(job: Job, asset: int) -> tuple[Ints, Floats, Floats, Floats, Floats, Floats]:
    """Return times, open, high, low, close and volume of one asset."""
    open_, close = (np.ascontiguousarray(prices[:, asset]) for prices in (job.open, job.close))
    high, low = np.maximum(open_, close), np.minimum(open_, close)
    return job.ts.astype(np.int64), open_, high, low, close, np.full(len(close), 1e9)


def settings() -> raptorbt.BacktestConfig:
    """Return the account's rules."""
    return raptorbt.BacktestConfig(initial_capital=CASH, fees=FEE, slippage=0.0, fill_timing="next_bar_open")


def fractions(job: Job) -> Floats:
    """Return (T,) the fraction of capital whose purchase at the next open is the equity over the close.

    raptorbt buys capital x fraction / (open x (1 + fee)); 0.13.4 takes fractions above 1 too, cash then is below 0.
    """
    out = np.ones(len(job.close))
    out[:-1] = job.open[1:, 0] / job.close[:-1, 0] * (1.0 + FEE)
    return out


def prepare(job: Job) -> Callable[[], Floats]:
    """Prepare a job: signals for one asset, else the session."""
    return arrays(job, fractions(job)) if job.due is None else session(job)


def plain(job: Job) -> Callable[[], Floats] | None:
    """Prepare signals for one asset, sized by the library."""
    return arrays(job, None) if job.due is None else None


def arrays(job: Job, sizes: Floats | None) -> Callable[[], Floats]:
    """Prepare `batch_single_backtest`, which shares the bars among the settings and runs on all cores."""
    bars = columns(job, 0)

    def call() -> Floats:
        wish = np.ascontiguousarray(job.wishes().T)
        entries, exits = wish.copy(), ~wish
        entries[:, 1:] &= ~wish[:, :-1]
        exits[:, 1:] &= wish[:, :-1]
        items = [raptorbt.BatchSingleItem(str(s), entries[s], exits[s], position_sizes=sizes) for s in range(len(wish))]
        found = raptorbt.batch_single_backtest(*bars, items, settings())
        return np.array([result.metrics.end_value for _, result in found])

    return call


def session(job: Job) -> Callable[[], Floats]:
    """Prepare `PortfolioSession`, what `run_portfolio_strategy` drives, without its contexts and hooks.

    A position cannot be added to (0.13.4: "position_open"), so each order of a hedging account opens a leg of its own,
    a sale a short one; legs of either side earn and pay as one position would. That needs a margin account: in a cash
    one 0.13.4 marks a short leg like a long one, whatever the loss in its trade. What is held is tallied here: to ask
    for it would be to walk through all legs.
    """
    n_bars, n_assets = job.close.shape
    bars = [columns(job, i) for i in range(n_assets)]
    times = bars[0][0].tolist()

    def call() -> Floats:
        account = raptorbt.PortfolioSession(config=settings(), account_type="margin", leverage=LEVERAGE)
        for i, bar in enumerate(bars):
            account.add_instrument(f"S{i:03d}", oms_type="hedging")
            account.set_bars(i, *bar)
        account.seal()
        plan, held = job.plans()[0], np.zeros(n_assets)
        step, submit = account.apply_current, account.submit_order
        for t in range(n_bars):
            for _ in range(n_assets):
                step()
            if (target := plan.get(t)) is None:
                continue
            sizes = target * account.equity() / job.close[t] - held
            held += sizes
            for i, size in enumerate(sizes.tolist()):
                if size != 0.0:
                    side = "buy" if size > 0.0 else "sell"
                    submit(i, side, "market", t, times[t], f"{t}-{i}", units=abs(size))
        return np.array([account.finish().metrics.end_value])

    return call


def note(job: Job) -> str:
    """Say how."""
    if job.due is None:
        return (
            "batch_single_backtest on all cores, signals by our numba kernel; same semantics, position_sizes turning "
            "its sizing at the open into ours at the close"
        )
    return (
        "PortfolioSession stepped in Python, each order a leg of a hedging margin account, slower the more legs there "
        "are; signals by our numba kernel; same semantics"
    )


def plain_note(job: Job) -> str:
    """Say how, and what differs, or why not."""
    if job.due is not None:
        return "cannot run this: its array runners take entries and exits, its rebalance simulation one price a bar"
    return "batch_single_backtest on all cores, signals by our numba kernel; sized at the open, the fee out of the cash"


def cells(job: Job) -> int | None:
    """Return all for one asset; the session slows down as legs pile up: scaled times are lower bounds."""
    return None if job.due is None else 200_000


WAYS = (Way(cells, prepare, note), Way(None, plain, plain_note))
