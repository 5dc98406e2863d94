"""vectorbt: a compiled order function, which says all, and `from_orders`, which says almost all."""

from collections.abc import Callable
from typing import Any

import numpy as np
import vectorbt as vbt
from job import CASH, FEE, Job, Way
from numba import njit
from numpy.typing import NDArray
from signals import Floats, Ints
from vectorbt._engine import resolve_engine
from vectorbt.portfolio import nb
from vectorbt.portfolio.enums import SizeType

# vectorbt never lets cash fall below zero; ours and the other peers let an overnight gap overdraw it, or lend for it
CREDIT = 1e7


@njit
def order(c: Any, target: Floats, row: Ints, price: Floats, fee: float) -> Any:
    """Order what is missing at the last close, q = w E / p - held; vectorbt values at the last close by itself."""
    size = target[row[c.i], c.col] * (c.value_now - CREDIT) / c.val_price_now - c.position_now
    return nb.order_nb(size=size, price=price[c.i, c.col], fees=fee)


def changes(wish: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return (T, S) the bars after a change of wish (T, S): those that trade."""
    mask = np.zeros(wish.shape, dtype=np.bool_)
    mask[1:] = wish[:-1]
    mask[2:] ^= wish[:-2]
    return mask


def by_function(job: Job) -> Callable[[], Floats]:
    """Prepare `Portfolio.from_order_func`."""
    columns = (len(job.close), job.n_settings if job.due is None else job.close.shape[1])
    close, price = (np.broadcast_to(prices, columns) for prices in (job.close, job.open))

    def call() -> Floats:
        row = np.zeros(len(close), dtype=np.int64)
        if job.due is None:
            wish = job.wishes()
            mask, target = changes(wish), wish.astype(np.float64)
            row[1:] = np.arange(len(row) - 1)
        else:
            bars, target = job.rebalances()
            bars = bars[bars < len(row) - 1]
            mask = np.zeros((len(row), 1), dtype=np.bool_)
            mask[bars + 1] = True
            row[bars + 1] = np.arange(len(bars))
        shared = job.due is not None
        portfolio = vbt.Portfolio.from_order_func(
            close, order, target, row, price, FEE, segment_mask=mask, init_cash=CASH + CREDIT,
            max_orders=int(mask.sum()) * (columns[1] if shared else 1), cash_sharing=shared, group_by=shared or None,
        )  # fmt: skip
        return np.atleast_1d(np.asarray(portfolio.final_value())) - CREDIT

    return call


def by_orders(job: Job) -> Callable[[], Floats]:
    """Prepare `Portfolio.from_orders`."""
    return long_flat_orders(job) if job.due is None else weight_orders(job)


def long_flat_orders(job: Job) -> Callable[[], Floats]:
    """All in or all out, a column per setting."""
    columns = (len(job.close), job.n_settings)
    close, price = (np.broadcast_to(prices, columns) for prices in (job.close, job.open))

    def call() -> Floats:
        wish = job.wishes()
        mask = changes(wish)
        size = np.full(columns, np.nan)
        size[1:][mask[1:]] = wish[:-1][mask[1:]]
        portfolio = vbt.Portfolio.from_orders(
            close, size, size_type=SizeType.TargetPercent, price=price, val_price=-np.inf, fees=FEE, init_cash=CASH,
            max_orders=int(mask.sum()),
        )  # fmt: skip
        return np.atleast_1d(np.asarray(portfolio.final_value()))

    return call


def weight_orders(job: Job) -> Callable[[], Floats]:
    """Weights of one account; a first column at price 1, sold short once and free of cost, lends it the credit."""
    n_bars, n_assets = job.close.shape
    one = np.ones((n_bars, 1))
    close, price = np.hstack((one, job.close)), np.hstack((one, job.open))
    kind, fee = np.full((1, n_assets + 1), SizeType.TargetPercent), np.full((1, n_assets + 1), FEE)
    kind[0, 0], fee[0, 0] = SizeType.Amount, 0.0

    def call() -> Floats:
        bars, target = job.rebalances()
        last = np.searchsorted(bars, n_bars - 1)
        size = np.full((n_bars, n_assets + 1), np.nan)
        size[0, 0] = -CREDIT
        size[bars[:last] + 1, 1:] = target[:last]
        portfolio = vbt.Portfolio.from_orders(
            close, size, size_type=kind, price=price, val_price=-np.inf, fees=fee, init_cash=CASH,
            max_orders=int(last) * n_assets + 1, cash_sharing=True, group_by=True,
        )  # fmt: skip
        return np.atleast_1d(np.asarray(portfolio.final_value()))

    return call


def function_note(_job: Job) -> str:
    """Say how."""
    return "from_order_func, signals by our numba kernel; same semantics, its no-debit rule lifted by a constant credit"


def orders_note(job: Job) -> str:
    """Say how, and what differs."""
    how = f"from_orders ({resolve_engine()} engine), signals by our numba kernel; "
    if job.due is None:
        return how + "a purchase is cut to the cash there is at the open: other quantities than all the others"
    return how + "same semantics, its no-debit rule lifted by a shorted column at price 1"


WAYS = (Way(None, by_function, function_note), Way(None, by_orders, orders_note))
