"""What became of every order of a run."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from plimsoll.engine.execution.broker import OrderBatch, OrderState, OrderStatus, order_id
from plimsoll.engine.execution.sim.book import Book
from plimsoll.engine.kernels import layout
from plimsoll.engine.market.feed import Feed
from plimsoll.engine.types import Bools, Floats, Ints

STATUSES: Final[tuple[OrderStatus, ...]] = ("working", "filled", "partial", "expired", "canceled")


@dataclass(frozen=True, slots=True)
class OrderTable:
    """Every order of a run as columns of length n; `status` indexes `STATUSES`, `filled` is in signed shares."""

    bar: Ints
    col: Ints
    leg: Ints
    qty: Floats
    price: Floats
    filled: Floats
    status: Ints
    at_close: Bools
    ids: list[str]
    symbols: tuple[str, ...]

    def state(self, row: int) -> OrderState:
        """Return one order as a record."""
        return OrderState(
            id=self.ids[row],
            symbol=self.symbols[int(self.col[row])],
            qty=float(self.qty[row]),
            filled=float(self.filled[row]),
            status=STATUSES[int(self.status[row])],
        )


def order_table(
    feed: Feed, batches: Sequence[tuple[int, OrderBatch]], fills: Floats, book: Book, prefix: str
) -> OrderTable:
    """Join orders, (bar decided at, batch) each, with the fills (n, FILL) they got.

    An order is judged in the share units of its last fill, because a split multiplies what is still working.
    """
    panel = feed.panel
    sizes = [len(batch) for _, batch in batches]
    bar = np.repeat(np.array([t for t, _ in batches], dtype=np.int64), sizes)
    at_close = np.repeat(np.array([batch.at_close for _, batch in batches], dtype=np.bool_), sizes)
    col, leg = _join(batches, "col", np.int64), _join(batches, "leg", np.int64)
    qty, price = _join(batches, "qty", np.float64), _join(batches, "price", np.float64)
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
    ids = [order_id(prefix, stamps[b], panel.symbols[c], int(k)) for b, c, k in zip(bar, col, leg, strict=True)]
    return OrderTable(bar, col, leg, sized, price / split, filled, status, at_close, ids, panel.symbols)


def _status(book: Book, sized: Floats, filled: Floats) -> Ints:
    working = np.zeros(len(sized), dtype=np.bool_)
    for order, amount in ((layout.ORDER0, layout.LEG0), (layout.ORDER1, layout.LEG1)):
        alive = book.acct[order, book.acct[amount] != 0.0]
        working[alive[alive >= 0.0].astype(np.int64)] = True
    done = np.abs(filled) >= np.abs(sized) * (1.0 - 1e-12)
    ended = STATUSES.index("canceled" if book.rules[layout.CARRY] else "expired")
    return np.select([working, done, filled != 0.0], [0, 1, 2], default=ended)


def _join(batches: Sequence[tuple[int, OrderBatch]], name: str, dtype: type) -> Any:  # Ints or Floats, as the field is
    return np.concatenate([np.empty(0, dtype=dtype), *(getattr(batch, name) for _, batch in batches)])
