"""What a run held of each symbol at every close, and what holding it brought and cost."""

from dataclasses import dataclass, fields

import numpy as np
import pandas as pd

from plimsoll.engine.kernels.cost import COST_COLUMNS
from plimsoll.engine.runtime.run_prices import RunPrices
from plimsoll.engine.types import Bools, Dates, Floats, Ints


@dataclass(frozen=True, slots=True, eq=False)
class Holdings:
    """The F fills of a run and the N symbols that have any, over T bars.

    A *unit* is a share as it was before the run's first split: units are only bought and sold, never split.

    symbols : names, alphabetical. bar, column (F,) : of each fill. units, price (F,) : signed units; dollars a share
    as traded. paid (F,) : signed dollars, the price of the shares. costs (F,) : trading costs in dollars. ordered
    (F,) : an order asked for it.
    split (T, N) : shares a unit is after the bar's split. held (T, N) : units at the close. value (T, N) : dollars at
    the close. dividend (T, N) : dollars a unit held at the close before receives. financing (T, N) : dollars paid on
    what was held at the close before: a short's borrow fee, and of the interest on an account's debit the part of a
    long in the market value of all longs.
    unplaced (T,) : financing while nothing was held that could bear it.
    """

    symbols: tuple[str, ...]
    bar: Ints
    column: Ints
    units: Floats
    price: Floats
    paid: Floats
    costs: Floats
    ordered: Bools
    split: Floats
    held: Floats
    value: Floats
    dividend: Floats
    financing: Floats
    unplaced: Floats
    prices: RunPrices

    def last_value(self) -> Floats:
        """(N,) dollars held at the end, after a liquidation if there was one."""
        return self.value[-1] if len(self.value) else np.zeros(len(self.symbols))


def holdings_of(equity: pd.DataFrame, weights: pd.DataFrame, fills: pd.DataFrame, prices: RunPrices) -> Holdings:
    """Return the holdings of a run from its tables; see `Record` for their columns."""
    names = [str(name) for name in weights.columns]
    symbols = tuple(sorted(set(fills["symbol"].astype(str)))) if len(fills) else ()
    cols = np.array([names.index(symbol) for symbol in symbols], dtype=np.int64)
    place = {symbol: k for k, symbol in enumerate(symbols)}
    bar = _bars(equity.index, fills["session"])
    column = np.array([place[str(symbol)] for symbol in fills["symbol"].tolist()], dtype=np.int64)
    n_bars, shape = len(equity), (len(equity), len(symbols))
    of_these = _columns(prices, cols, n_bars)
    split: Floats = np.asarray(np.cumprod(of_these.split, axis=0), dtype=np.float64)
    qty, price = fills["qty"].to_numpy(np.float64), fills["price"].to_numpy(np.float64)
    costs = fills[list(COST_COLUMNS)].to_numpy(np.float64).sum(axis=1)
    units = qty / split[bar, column]
    held = np.zeros(shape)
    np.add.at(held, (bar, column), units)
    held = np.cumsum(held, axis=0)
    value = weights.to_numpy(np.float64)[:, cols] * equity["equity"].to_numpy(np.float64)[:, None]
    held[value == 0.0] = 0.0  # sums of fills miss nothing by rounding error
    financing, unplaced = _financing(equity, weights, cols, n_bars)
    dividend = of_these.dividend * split
    return Holdings(
        symbols, bar, column, units, price, qty * price, costs, fills["order_id"].to_numpy() != "", split, held, value,
        dividend, financing, unplaced, of_these,
    )  # fmt: skip


def before(at_close: Floats) -> Floats:
    """Return what stood at the close before: (T, N) rows one later, nothing before the first."""
    moved = np.zeros_like(at_close)
    moved[1:] = at_close[:-1]
    return moved


def _bars(index: pd.Index, sessions: pd.Series) -> Ints:
    stamps: Dates = index.to_numpy().astype("datetime64[s]")
    return np.searchsorted(stamps, sessions.to_numpy().astype("datetime64[s]")).astype(np.int64)


def _financing(equity: pd.DataFrame, weights: pd.DataFrame, cols: Ints, n_bars: int) -> tuple[Floats, Floats]:
    """Return what each of `cols` is charged at each bar (T, n), and what nothing can be charged with (T,)."""
    carried = before(weights.to_numpy(np.float64) * equity["equity"].to_numpy(np.float64)[:, None])
    charged, unplaced = np.zeros((n_bars, len(cols))), np.zeros(n_bars)
    for name, side in (("borrow", np.maximum(-carried, 0.0)), ("financing", np.maximum(carried, 0.0))):
        paid, whole = equity[name].to_numpy(np.float64), side.sum(axis=1)
        there = whole > 0.0
        rate = np.divide(paid, whole, out=np.zeros(n_bars), where=there)
        charged += rate[:, None] * side[:, cols]
        unplaced += np.where(there, 0.0, paid)
    return charged, unplaced


def _columns(prices: RunPrices, cols: Ints, n_bars: int) -> RunPrices:
    """Return the prices of some columns over the first bars."""
    return RunPrices(*(getattr(prices, field.name)[:n_bars, cols] for field in fields(RunPrices)))
