"""An order and the states it goes through."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final, Literal, TypeAlias

from plimsoll.brokers.exchange.amount import ONE, ZERO, down, is_whole
from plimsoll.brokers.exchange.settings import Handling
from plimsoll.brokers.exchange.ticket import Ticket

Purpose: TypeAlias = Literal["open", "close"]
TERMINAL: Final = frozenset({"filled", "canceled", "expired", "rejected", "replaced"})


@dataclass(slots=True)
class Order:
    """An accepted order; only the exchange changes it.

    number : 1, 2, 3 ... in the order of acceptance. purpose : whether it opens or adds, or reduces a position.
    held : shares of the position set aside for what is still to be filled (purpose "close" only).
    reserve_price : what a share still to be filled is valued at against buying power (purpose "open" only).
    due : when its next fill is tried; None while it waits for a session, an auction or a halt to end.
    part : the next of `handling.parts`. cancel_at : when a pending cancel takes effect.
    """

    number: int
    id: str
    client_order_id: str
    ticket: Ticket
    purpose: Purpose
    handling: Handling
    submitted_at: datetime
    updated_at: datetime
    status: str = "accepted"
    held: Decimal = ZERO
    reserve_price: Decimal = ZERO
    filled_qty: Decimal = ZERO
    filled_value: Decimal = ZERO
    triggered: bool = False
    part: int = 0
    due: datetime | None = None
    cancel_at: datetime | None = None
    ended_at: datetime | None = None
    replaced_by: str | None = None
    replaces: str | None = None

    @property
    def working(self) -> bool:
        """Not in a terminal state."""
        return self.status not in TERMINAL

    @property
    def sign(self) -> int:
        """+1 for a buy, -1 for a sell."""
        return 1 if self.ticket.side == "buy" else -1

    @property
    def reserved(self) -> Decimal:
        """Dollars of buying power set aside for what is still to be filled."""
        if not self.working or self.purpose == "close":
            return ZERO
        if self.ticket.qty is None:
            return max(ZERO, (self.ticket.notional or ZERO) - self.filled_value)
        return (self.ticket.qty - self.filled_qty) * self.reserve_price

    def open_qty(self, price: Decimal) -> Decimal:
        """Return the shares still to be filled; for an order by value what the rest of it buys at `price`."""
        if self.ticket.qty is not None:
            return self.ticket.qty - self.filled_qty
        qty = down(((self.ticket.notional or ZERO) - self.filled_value) / price)
        return min(qty, self.held) if self.purpose == "close" else qty

    def takes(self, price: Decimal) -> bool:
        """Say whether a price is within the limit; every price is, where there is none."""
        limit = self.ticket.limit_price
        return limit is None or (price <= limit if self.sign > 0 else price >= limit)

    def next_part(self, price: Decimal) -> Decimal:
        """Return the size of the next fill, and count it; the last one takes all that is open.

        Parts of a whole number of shares are whole, rounded down, and may so be nothing.
        """
        left, parts, at = self.open_qty(price), self.handling.parts, self.part
        self.part += 1
        if at >= len(parts) or (at == len(parts) - 1 and sum(parts) == 1):
            return left
        whole = self.ticket.qty if self.ticket.qty is not None else left
        size = down(whole * parts[at], ONE) if is_whole(whole) and whole > 1 else down(whole * parts[at])
        return min(left, size)
