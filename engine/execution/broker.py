"""The broker port: the few things the core asks of a simulator or of a real account."""

from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np

from plimsoll.engine.execution.order import OrderBatch
from plimsoll.engine.types import Floats

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
