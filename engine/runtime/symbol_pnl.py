"""Where a run's money came from, by symbol: prices, dividends, less financing and costs."""

from typing import Final

import numpy as np
import pandas as pd

from plimsoll.engine.runtime.holdings import Holdings, before

PNL_COLUMNS: Final = ("price", "dividends", "interest", "financing", "costs", "pnl")
# What is of no symbol: interest on cash, and financing that nothing held could bear.
CASH: Final = "(cash)"
# What the rows leave of the account's profit; there only where it is half a cent or more.
UNPLACED: Final = "(not placed)"
HALF_A_CENT: Final = 0.005


def symbol_pnl(h: Holdings, equity: pd.DataFrame, cash: float) -> pd.DataFrame:
    """Return dollars made and paid, a row per symbol with a fill, the largest profit first, then `(cash)`.

    price : what its fills and its last value leave. dividends : received less paid by shorts. financing : a short's
    borrow fee, a long's part of the interest on a debit. costs : of trading. pnl = price + dividends + interest -
    financing - costs. The rows sum to final equity - starting cash - deposits less withdrawals; a difference of
    half a cent or more is a row of its own, `(not placed)`: dividends, where the market is not known any more.
    """
    n = len(h.symbols)
    bought = np.bincount(h.column, weights=h.paid, minlength=n)[:n]
    costs = np.bincount(h.column, weights=h.costs, minlength=n)[:n]
    table = pd.DataFrame(
        {
            "price": h.last_value() - bought,
            "dividends": (before(h.held) * h.dividend).sum(axis=0),
            "interest": np.zeros(n),
            "financing": h.financing.sum(axis=0),
            "costs": costs,
        },
        index=pd.Index(list(h.symbols), name="symbol", dtype=object),
    )
    table["pnl"] = table["price"] + table["dividends"] - table["financing"] - table["costs"]
    table = table.sort_values("pnl", ascending=False, kind="stable")
    interest, unplaced = float(equity["interest"].sum()), float(h.unplaced.sum())
    table.loc[CASH] = [0.0, 0.0, interest, unplaced, 0.0, interest - unplaced]
    left = profit(equity, cash) - float(table["pnl"].sum())
    if abs(left) >= HALF_A_CENT:
        rest = {
            "price": float(equity["price_pnl"].sum()) - float(table["price"].sum()),
            "dividends": float(equity["dividends"].sum()) - float(table["dividends"].sum()),
            "costs": float(equity["costs"].sum()) - float(table["costs"].sum()),
        }
        table.loc[UNPLACED] = [rest["price"], rest["dividends"], 0.0, 0.0, rest["costs"], left]
    return table


def profit(equity: pd.DataFrame, cash: float) -> float:
    """Return what the account made in dollars: final equity less what was put in."""
    if len(equity) == 0:
        return 0.0
    return float(equity["equity"].iloc[-1]) - cash - float(equity["flow"].sum())
