"""The broker port: the few things the core asks of a simulator or of a real account."""

from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np

from plimsoll.engine.types import Floats, Ints

OrderStatus = Literal["working", "filled", "partial", "expired", "canceled"]


@dataclass(frozen=True, slots=True)
class Account:
    """An account at one moment.

    cash, equity, maintenance : dollars; equity is cash plus holdings at the last price.
    shares, value : (N,) signed holdings and their market value at the last price, copies.
    margin_call : equity is below the maintenance requirement.
    """

    cash: float
    equity: float
    maintenance: float
    shares: Floats
    value: Floats
    margin_call: bool = False


@dataclass(frozen=True, slots=True)
class OrderBatch:
    """The orders of one decision, as columns of length n.

    col : column of the symbol. leg : 0 reduces or flattens, 1 opens the other side once leg 0 is done.
    qty : signed shares. target : the weight behind it. price : decision price in dollars.
    sigma : daily volatility, adv : average daily volume in shares, as known at the decision; NaN = unknown.
    at_close : whether it fills at a close (else at an open).
    """

    col: Ints
    leg: Ints
    qty: Floats
    target: Floats
    price: Floats
    sigma: Floats
    adv: Floats
    at_close: bool

    def __len__(self) -> int:
        """Return the number of orders."""
        return len(self.col)


@dataclass(frozen=True, slots=True)
class OrderState:
    """What became of one order so far, in signed shares."""

    id: str
    symbol: str
    qty: float
    filled: float
    status: OrderStatus


class Broker(Protocol):
    """What executes. The simulator, a paper account and a replay of recorded fills all are one."""

    def account(self) -> Account:
        """Return the account now."""

    def positions(self) -> dict[str, float]:
        """Return signed shares of every symbol held."""

    def orders(self) -> list[OrderState]:
        """Return the working orders."""

    def submit(self, batch: OrderBatch) -> None:
        """Send orders; their client ids follow from `order_id`. What was working before is cancelled first."""

    def cancel(self, client_id: str) -> bool:
        """Cancel an order; False if it is no longer working."""

    def lookup(self, client_id: str) -> OrderState | None:
        """Return an order by its client id, or None."""

    def clock(self) -> np.datetime64:
        """Return the exchange-local time of the last completed bar."""


def order_id(prefix: str, stamp: np.datetime64, symbol: str, leg: int) -> str:
    """Return the deterministic client id of an order: what it is for, never how much or when it was sent."""
    moment = str(stamp).replace("-", "").replace(":", "").replace("T", "")[:12]
    return f"{prefix}-{moment}-{symbol}-{leg}"
