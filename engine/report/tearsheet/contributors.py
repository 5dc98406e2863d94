"""What the result is made of: price gains by symbol, and what each sleeve gave by its share of the book."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from plimsoll.engine.kernels.cost import COST_COLUMNS
from plimsoll.engine.report.metrics.book import DUST
from plimsoll.engine.report.metrics.exposure import sleeve_names
from plimsoll.engine.runtime.record import Record
from plimsoll.engine.types import Floats


@dataclass(frozen=True, slots=True)
class Contributor:
    """One symbol: its price gain before costs and what its trades cost, both in USD."""

    symbol: str
    gain: float
    costs: float


def by_symbol(record: Record) -> list[Contributor]:
    """Return every symbol that was traded, the largest gain first.

        gain = value held at the end - sum qty * price over its fills

    The gains sum to the price gains of the run. Dividends are booked for the account, not by symbol.
    """
    fills = record.fills
    if len(fills) == 0 or len(record.equity) == 0:
        return []
    worth = (record.weights.iloc[-1] * record.equity["equity"].iloc[-1]).to_dict()
    spent = pd.Series(fills["qty"].to_numpy(np.float64) * fills["price"].to_numpy(np.float64))
    paid = pd.Series(sum(fills[kind].to_numpy(np.float64) for kind in COST_COLUMNS))
    symbols = fills["symbol"].to_numpy()
    sums, costs = spent.groupby(symbols).sum().to_dict(), paid.groupby(symbols).sum().to_dict()
    found = [
        Contributor(str(name), float(worth.get(name, 0.0)) - float(sums[name]), float(costs[name])) for name in sums
    ]
    return sorted(found, key=lambda one: (-one.gain, one.symbol))


def by_sleeve(record: Record) -> dict[str, Floats]:
    """Return (n,) what each sleeve gave the book by each session, cumulated; nothing where there is one sleeve only.

        c_t = sum_{s <= t} w_{s-1} r_s

    w its share of the book at the close before, r the return of its notional portfolio, gross of costs: what it gave
    before one volatility target, the caps and the governor scaled the whole.
    """
    names = sleeve_names(record)
    out: dict[str, Floats] = {}
    if len(names) < 2 or len(record.sleeves) != len(record.equity):
        return out
    for name in names:
        columns = (f"{name}.equity", f"{name}.weight")
        if not set(columns) <= set(record.sleeves.columns):
            continue
        equity, share = (record.sleeves[column].to_numpy(np.float64)[record.rows] for column in columns)
        before, alive = equity[:-1], (equity[:-1] > 0.0) & np.isfinite(equity[1:])
        returns = np.divide(equity[1:], before, out=np.ones(len(before)), where=alive) - 1.0
        given = np.nan_to_num(share[:-1]) * returns
        if np.abs(np.nan_to_num(share)).max(initial=0.0) > DUST:
            out[name] = np.concatenate(([0.0], np.cumsum(given)))
    return out
