"""Orders outside the kernels: the batch of one decision, its client ids, batches put together."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from plimsoll.engine.kernels.account.order import Orders, empty_orders


@dataclass(frozen=True, slots=True)
class OrderBatch:
    """The orders of one decision, rows of `plimsoll.engine.kernels.account.order.Orders`."""

    rows: Orders

    def __len__(self) -> int:
        """Return the number of orders."""
        return len(self.rows.col)

    def between(self, first: int, stop: int) -> "OrderBatch":
        """Return the orders of these rows as views: for batches that nobody writes to any more."""
        views: list[Any] = [column[first:stop] for column in self.rows]
        return OrderBatch(Orders(*views))

    def where(self, keep: Any) -> "OrderBatch":
        """Return the orders that a slice, mask or list of rows selects, as copies."""
        return OrderBatch(Orders(*(column[keep].copy() for column in self.rows)))


def joined(batches: Sequence[OrderBatch]) -> Orders:
    """Return the orders of all batches, one after the other."""
    rows = [empty_orders(0), *(batch.rows for batch in batches)]
    return Orders(*(np.concatenate(columns) for columns in zip(*rows, strict=True)))


def order_id(prefix: str, stamp: np.datetime64, symbol: str, leg: int) -> str:
    """Return the deterministic client id of an order: what it is for, never how much or when it was sent."""
    moment = str(stamp).replace("-", "").replace(":", "").replace("T", "")[:12]
    return f"{prefix}-{moment}-{symbol}-{leg}"
