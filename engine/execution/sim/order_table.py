"""What became of every order of a run."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from plimsoll.engine.execution.broker import OrderState, OrderStatus
from plimsoll.engine.execution.order import OrderBatch, joined, order_id
from plimsoll.engine.execution.sim.book import Book
from plimsoll.engine.kernels import layout
from plimsoll.engine.kernels.account.order import Orders
from plimsoll.engine.market.feed import Feed
from plimsoll.engine.types import Floats, Ints

STATUSES: Final[tuple[OrderStatus, ...]] = ("working", "filled", "partial", "expired", "canceled")


@dataclass(frozen=True, slots=True)
class OrderTable:
    """Every order of a run, and what became of each: columns of length n.

    rows : the orders, quantity and price in the share units of their last fill. filled : signed shares. status :
    indexes `STATUSES`. ids : client ids.
    """

    rows: Orders
    filled: Floats
    status: Ints
    ids: list[str]
    symbols: tuple[str, ...]

    def state(self, row: int) -> OrderState:
        """Return one order as a record."""
        return OrderState(
            id=self.ids[row],
            symbol=self.symbols[int(self.rows.col[row])],
            qty=float(self.rows.qty[row]),
            filled=float(self.filled[row]),
            status=STATUSES[int(self.status[row])],
        )


def order_table(feed: Feed, batches: Sequence[OrderBatch], fills: Floats, book: Book, prefix: str) -> OrderTable:
    """Join orders with the fills (n, FILL) they got.

    An order is judged in the share units of its last fill, because a split multiplies what is still working.
    """
    panel = feed.panel
    orders = joined(batches)
    bar, col, qty = orders.bar, orders.col, orders.qty
    of_order = fills[fills[:, layout.F_ORDER] >= 0.0]
    rows = of_order[:, layout.F_ORDER].astype(np.int64)
    at, which = of_order[:, layout.F_BAR].astype(np.int64), of_order[:, layout.F_COLUMN].astype(np.int64)
    last = np.minimum(bar + 1, panel.n_bars - 1)
    np.maximum.at(last, rows, at)
    restated = of_order[:, layout.F_QTY] * feed.factor[last[rows], which] / feed.factor[at, which]
    filled: Floats = np.bincount(rows, weights=restated, minlength=len(qty)).astype(np.float64)
    split = feed.factor[last, col] / feed.factor[bar, col]
    sized = np.where(qty == 0.0, filled, qty * split)
    status = _status(book, sized, filled)
    stamps = panel.clock.stamp
    ids = [order_id(prefix, stamps[b], panel.symbols[c], int(k)) for b, c, k in zip(bar, col, orders.leg, strict=True)]
    return OrderTable(orders._replace(qty=sized, price=orders.price / split), filled, status, ids, panel.symbols)


def _status(book: Book, sized: Floats, filled: Floats) -> Ints:
    working = np.zeros(len(sized), dtype=np.bool_)
    waits = (book.acct[layout.LEG0 : layout.LEG1 + 1] == 0.0).all(axis=0) & (book.rules[layout.SIZE_AT_FILL] != 0.0)
    for order, amount in ((layout.ORDER0, layout.LEG0), (layout.ORDER1, layout.LEG1)):
        alive = book.acct[order, (book.acct[amount] != 0.0) | waits]
        working[alive[alive >= 0.0].astype(np.int64)] = True
    done = np.abs(filled) >= np.abs(sized) * (1.0 - 1e-12)
    ended = STATUSES.index("canceled" if book.rules[layout.CARRY] else "expired")
    return np.select([working, done, filled != 0.0], [0, 1, 2], default=ended)
