"""Round trips reckoned bar by bar in shares, as a bookkeeper would: each lot is split, paid, charged."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from support.identity import COSTS, bars_of

from plimsoll.engine.market.panel import Panel


@dataclass
class Lot:
    """Shares bought (or sold short) together, in the shares of today."""

    entry: int
    shares: float
    price: float
    costs: float
    dividends: float = 0.0
    financing: float = 0.0
    low: float = np.inf
    high: float = -np.inf

    def part(self, shares: float) -> "Lot":
        """Take so many shares out, with their part of everything."""
        f = shares / self.shares
        taken = Lot(self.entry, shares, self.price, self.costs * f, self.dividends * f, self.financing * f,
                    self.low, self.high)  # fmt: skip
        self.costs -= taken.costs
        self.dividends -= taken.dividends
        self.financing -= taken.financing
        self.shares -= shares
        return taken


def plain_trades(panel: Panel, first: int, result: Any) -> pd.DataFrame:
    """Return the first-in-first-out round trips of a run, from its fills, the market and what the account was charged.

    Of a fill at the open the whole bar is lived through, of one at the close none of it.
    """
    fills, rows = bars_of(result.fills, panel), []
    lots: dict[int, list[Lot]] = {i: [] for i in range(panel.n_symbols)}
    mark = pd.DataFrame(panel.close).ffill().to_numpy()
    for k, row in enumerate(result.equity.to_dict("records")):
        t = first + k
        worth = {i: sum(lot.shares for lot in lots[i]) * mark[t - 1, i] for i in lots if lots[i]}
        for name, side in (("borrow", -1.0), ("financing", 1.0)):
            whole = sum(abs(value) for value in worth.values() if value * side > 0.0)
            for i, value in worth.items():
                for lot in lots[i] if value * side > 0.0 and whole > 0.0 else ():
                    lot.financing += row[name] * abs(lot.shares * mark[t - 1, i]) / whole
        for i, held in lots.items():
            for lot in held:
                lot.shares *= panel.split[t, i]
                for word in ("price", "low", "high"):
                    setattr(lot, word, getattr(lot, word) / panel.split[t, i])
                lot.dividends += lot.shares * panel.dividend[t, i]
        of_bar = fills[fills["bar"] == t]
        lived: set[int] = set()  # symbols whose bar has been lived through by what was held before
        for _, fill in of_bar.iterrows():
            i = int(fill["column"])
            at_open = fill["price"] != panel.close[t, i] or fill["price"] == panel.open[t, i]
            if not at_open and i not in lived:
                _live(lots[i], panel, t, i)
                lived.add(i)
            rows += _book(lots[i], fill, t, float(fill[COSTS].sum()))
        for i, held in lots.items():
            if i not in lived:
                _live(held, panel, t, i)
    last = first + len(result.equity) - 1
    for i, held in lots.items():
        rows += [_row(panel.symbols[i], lot, last, mark[last, i], 0.0, is_open=True) for lot in held]
    return pd.DataFrame(rows)


def _live(held: list[Lot], panel: Panel, t: int, i: int) -> None:
    for lot in held:
        lot.low, lot.high = np.fmin(lot.low, panel.low[t, i]), np.fmax(lot.high, panel.high[t, i])


def _book(held: list[Lot], fill: pd.Series, t: int, costs: float) -> list[dict[str, Any]]:
    """Close what the fill closes, oldest first, and open with the rest."""
    rows, left, price = [], fill["qty"], fill["price"]
    each = costs / abs(fill["qty"])
    while held and held[0].shares * left < 0.0 and abs(left) > 5e-10:
        lot = held[0]
        shares = lot.shares if abs(lot.shares) <= abs(left) + 5e-10 else -left
        closed = lot.part(shares)
        rows.append(_row(fill["symbol"], closed, t, price, each * abs(shares), is_open=False))
        left += shares
        if abs(lot.shares) <= 5e-10:
            held.pop(0)
    if abs(left) > 5e-10:
        held.append(Lot(t, left, price, each * abs(left)))
    return rows


def _row(symbol: str, lot: Lot, t: int, price: float, costs: float, *, is_open: bool) -> dict[str, Any]:
    low, high = np.fmin(np.fmin(lot.low, price), lot.price), np.fmax(np.fmax(lot.high, price), lot.price)
    moves = (low / lot.price - 1.0, high / lot.price - 1.0)
    mae, mfe = moves if lot.shares > 0.0 else (-moves[1], -moves[0])
    gain = lot.shares * (price - lot.price)
    paid = lot.costs + costs
    return {
        "symbol": symbol, "entry_bar": lot.entry, "exit_bar": t, "qty": abs(lot.shares),
        "side": "long" if lot.shares > 0.0 else "short", "entry_price": lot.price, "exit_price": price,
        "price_pnl": gain, "dividends": lot.dividends, "financing": lot.financing, "costs": paid,
        "pnl": gain + lot.dividends - lot.financing - paid, "mae": mae, "mfe": mfe, "open": is_open,
    }  # fmt: skip
