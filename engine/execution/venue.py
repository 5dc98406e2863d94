"""The live port: one order at a time, to somebody else's exchange, over a line that may drop.

A simulator takes batches and always knows what became of them. A venue does not: what was sent is acknowledged,
refused, or *unknown*, and an unknown order may well be working. Quantities and prices are decimals here: what goes over
the wire must be what was decided, digit by digit.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Literal, Protocol, TypeAlias, runtime_checkable

Side: TypeAlias = Literal["buy", "sell"]
OrderKind: TypeAlias = Literal["market", "limit"]
TimeInForce: TypeAlias = Literal["day", "opg", "cls"]
VenueState: TypeAlias = Literal["working", "filled", "canceled", "expired", "rejected", "replaced"]

ENDED: frozenset[str] = frozenset(("filled", "canceled", "expired", "rejected", "replaced"))

# Why an order was refused, in classes that decide what may be done next.
Refusal: TypeAlias = Literal[
    "buying_power",  # buy less
    "shares_held",  # shares are held for another working order: reconcile
    "wash",  # an opposite order works: cancel it, wait, reconcile
    "asset",  # not tradable, not fractionable, not shortable, unknown
    "rule",  # a rule of the venue that the legaliser should have known
    "suspended",  # the account refuses every new order: halt
    "duplicate",  # the client id is known already: look it up, it was sent
    "unauthorized",  # wrong keys, or an account that may not trade: halt
    "malformed",  # the request itself: a fault of ours
    "other",
]


@dataclass(frozen=True, slots=True)
class Intent:
    """One order to be sent. `client_id` says what it is for and never how much; it is the only key to it.

    qty : shares, > 0. limit : dollars a share, None for a market order.
    """

    client_id: str
    symbol: str
    side: Side
    qty: Decimal
    kind: OrderKind = "market"
    time_in_force: TimeInForce = "day"
    limit: Decimal | None = None


@dataclass(frozen=True, slots=True)
class VenueOrder:
    """An order as the venue tells it.

    filled : shares so far. average : dollars a share of what filled, None before. word : the venue's own word for the
    state; one we do not know counts as working.
    """

    venue_id: str
    client_id: str
    symbol: str
    side: Side
    qty: Decimal | None  # None = the order is for an amount of money
    filled: Decimal
    average: Decimal | None
    state: VenueState
    word: str
    limit: Decimal | None = None
    submitted_at: datetime | None = None

    @property
    def ended(self) -> bool:
        """Return whether the venue will do nothing more with it."""
        return self.state in ENDED


@dataclass(frozen=True, slots=True)
class Acked:
    """The venue has the order."""

    order: VenueOrder


@dataclass(frozen=True, slots=True)
class Rejected:
    """The venue said, in an answer of its own, that it did not take the order.

    message is the venue's, cleaned; related : an order it named as the reason, "" if none.
    """

    reason: Refusal
    message: str
    related: str = ""


@dataclass(frozen=True, slots=True)
class Unknown:
    """Nobody knows whether the venue has the order: no answer, or one that cannot be read. Look it up by its id."""

    why: str


Answer: TypeAlias = Acked | Rejected | Unknown


@dataclass(frozen=True, slots=True)
class Missing:
    """The venue said explicitly that it knows no such order."""


@dataclass(frozen=True, slots=True)
class VenueFill:
    """One execution.

    cumulative : shares of its order so far, this one included; by it repeated and late messages are known.
    key : the venue's own name of the execution, for records only.
    """

    key: str
    order_id: str
    symbol: str
    side: Side
    qty: Decimal
    price: Decimal
    cumulative: Decimal
    at: datetime


@dataclass(frozen=True, slots=True)
class VenuePosition:
    """Signed shares held, those not held for a working order, and the venue's last price, None if it names none."""

    symbol: str
    qty: Decimal
    available: Decimal
    price: Decimal | None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The account and everything in it, the book's or not. Money in dollars.

    blocked : why the account may not trade, "" if it may.
    """

    account: str
    equity: Decimal
    cash: Decimal
    buying_power: Decimal
    positions: tuple[VenuePosition, ...]
    blocked: str = ""
    shorting: bool = True
    fractional: bool = True


@dataclass(frozen=True, slots=True)
class Asset:
    """What the venue says may be done with a symbol."""

    symbol: str
    tradable: bool
    fractionable: bool
    shortable: bool
    marginable: bool = True
    exchange: str = ""


@dataclass(frozen=True, slots=True)
class VenueClock:
    """What time it is there, aware."""

    now: datetime
    is_open: bool
    next_open: datetime
    next_close: datetime


@dataclass(frozen=True, slots=True)
class VenueSession:
    """One session of the venue's calendar; open and close aware."""

    session: date
    opens: datetime
    closes: datetime


@dataclass(frozen=True, slots=True)
class Quote:
    """The latest bid, ask and trade of a symbol, None where there is none; stamps aware.

    feed : where it comes from, in the venue's word.
    """

    symbol: str
    bid: Decimal | None
    ask: Decimal | None
    quoted_at: datetime | None
    last: Decimal | None
    traded_at: datetime | None
    feed: str = ""


class Venue(Protocol):
    """A real account, a local exchange, a replay, a simulator behind the same face.

    Every method but `submit`, `cancel` and `lookup` raises `VenueError` if there is no answer that can be read: a
    missing answer is never an empty one. A symbol of the book is told as the book writes it, BRK-B or BRK.B.
    """

    def submit(self, intent: Intent) -> Answer:
        """Send one order, once. Never retried here."""

    def cancel(self, order: VenueOrder) -> bool | Unknown:
        """Ask for a cancellation; False if there is nothing to cancel. The order has ended only when it says so."""

    def lookup(self, client_id: str) -> VenueOrder | Missing | Unknown:
        """Return the order of that client id."""

    def open_orders(self) -> tuple[VenueOrder, ...]:
        """Return every working order of the account, anybody's."""

    def orders(self, since: datetime) -> tuple[VenueOrder, ...]:
        """Return every order submitted since then, ended or not, oldest first, anybody's."""

    def fills(self, since: datetime) -> tuple[VenueFill, ...]:
        """Return every execution since then, oldest first, each once."""

    def snapshot(self) -> Snapshot:
        """Return the account and all positions."""

    def assets(self, symbols: Sequence[str]) -> dict[str, Asset]:
        """Return what is known of the symbols; one that the venue does not know is not in it."""

    def clock(self) -> VenueClock:
        """Return the venue's time."""

    def calendar(self, first: date, last: date) -> tuple[VenueSession, ...]:
        """Return the venue's sessions from first to last."""

    def quotes(self, symbols: Sequence[str]) -> dict[str, Quote]:
        """Return the latest quotes and trades; a symbol without any is not in it."""

    def suspend(self, suspended: bool) -> bool:
        """Make the venue refuse every new order of the account, or take them again; return what it now says."""


@runtime_checkable
class Practice(Protocol):
    """A venue whose clock stands until somebody lets time pass: an exchange to practise on."""

    def pass_time(self, seconds: float) -> bool:
        """Let time pass there; return whether that can be done."""
