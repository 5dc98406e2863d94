"""What happened to the account: fills, and everything that is not a trade."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from uuid import NAMESPACE_URL, uuid5

from plimsoll.brokers.exchange.hours import NEW_YORK


def stable_id(*parts: object) -> str:
    """Return a UUID that depends on `parts` alone."""
    return str(uuid5(NAMESPACE_URL, "exchange/" + "/".join(str(part) for part in parts)))


@dataclass(frozen=True, slots=True)
class Fill:
    """One execution. cum_qty and leaves_qty are of the order after it."""

    number: int
    at: datetime
    order_id: str
    order_status: str
    symbol: str
    side: str
    qty: Decimal
    price: Decimal
    cum_qty: Decimal
    leaves_qty: Decimal

    @property
    def kind(self) -> str:
        """FILL."""
        return "FILL"


@dataclass(frozen=True, slots=True)
class Payment:
    """A dividend (DIV), a split (SPLIT) or cash in lieu of a fraction (CIL); net_amount in dollars, qty in shares."""

    number: int
    at: datetime
    kind: str
    day: date
    symbol: str
    qty: Decimal
    net_amount: Decimal
    per_share: Decimal
    description: str


def activity_id(activity: Fill | Payment) -> str:
    """Return ``<New York local time>::<uuid>``; the uuid is the key, the time is there to confuse."""
    stamp = activity.at.astimezone(NEW_YORK)
    return f"{stamp:%Y%m%d%H%M%S}{stamp.microsecond // 1000:03d}::{stable_id('activity', activity.number)}"
