"""An order as it is asked for, read from the body of a request; what no state can make legal is refused here."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Final, Literal, TypeAlias

from plimsoll.brokers.exchange.amount import is_whole, plain, tick
from plimsoll.brokers.exchange.refusal import Refusal, bad_parameter, unprocessable

Side: TypeAlias = Literal["buy", "sell"]

SIDES: Final = ("buy", "sell")
TYPES: Final = ("market", "limit", "stop", "stop_limit")
TIMES_IN_FORCE: Final = ("day", "gtc", "opg", "cls")
_DECIMALS: Final = 9
_KNOWN: Final = frozenset(
    (
        *("symbol", "qty", "notional", "side", "type", "time_in_force", "limit_price", "stop_price"),
        *("extended_hours", "client_order_id", "order_class", "position_intent"),
    )
)


@dataclass(frozen=True, slots=True)
class Ticket:
    """A well-formed order. Exactly one of qty and notional is set; client_order_id is "" where none was given."""

    symbol: str
    side: Side
    type: str
    time_in_force: str
    qty: Decimal | None = None
    notional: Decimal | None = None
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    extended_hours: bool = False
    client_order_id: str = ""

    @property
    def fractional(self) -> bool:
        """By notional, or not a whole number of shares."""
        return self.qty is None or not is_whole(self.qty)


def read_ticket(body: Any) -> Ticket:
    """Return the order in a request body (numbers as Decimal or text).

    Raises
    ------
    Refusal
        If a field is missing, unreadable, or at odds with another.
    """
    if not isinstance(body, dict):
        raise bad_parameter("request body format is invalid")
    unknown = sorted(set(body) - _KNOWN)
    if unknown:
        raise bad_parameter(f"{unknown[0]} is not supported by this exchange")
    ticket = Ticket(
        symbol=_text(body, "symbol"),
        side="buy" if _word(body, "side", SIDES) == "buy" else "sell",
        type=_word(body, "type", TYPES),
        time_in_force=_word(body, "time_in_force", TIMES_IN_FORCE),
        qty=number(body, "qty"),
        notional=number(body, "notional"),
        limit_price=number(body, "limit_price"),
        stop_price=number(body, "stop_price"),
        extended_hours=bool(body.get("extended_hours") or False),
        client_order_id=str(body.get("client_order_id") or ""),
    )
    if body.get("order_class") not in (None, "", "simple"):
        raise unprocessable("only simple orders are supported by this exchange")
    check_ticket(ticket)
    return ticket


def check_ticket(ticket: Ticket) -> None:
    """Raise Refusal if the fields of an order contradict each other or the price and quantity steps."""
    if len(ticket.client_order_id) > 128:
        raise bad_parameter("client_order_id must be no more than 128 characters")
    if (ticket.qty is None) == (ticket.notional is None):
        raise bad_parameter("exactly one of qty and notional is required")
    _check_size(ticket)
    for name, price, types in (
        ("limit_price", ticket.limit_price, ("limit", "stop_limit")),
        ("stop_price", ticket.stop_price, ("stop", "stop_limit")),
    ):
        if (price is not None) != (ticket.type in types):
            wanted = "require a" if price is None else "take no"
            raise unprocessable(f"{ticket.type} orders {wanted} {name}")
        if price is not None:
            _check_price(name, price)
    if ticket.time_in_force in ("opg", "cls") and ticket.type not in ("market", "limit"):
        raise unprocessable(f"{ticket.time_in_force} orders must be market or limit orders")
    if ticket.extended_hours and (ticket.type != "limit" or ticket.time_in_force not in ("day", "gtc")):
        raise unprocessable("extended hours order must be DAY or GTC limit orders")
    if ticket.fractional and ticket.time_in_force != "day":
        raise unprocessable("fractional orders must be DAY orders")


def _check_size(ticket: Ticket) -> None:
    for name, size in (("qty", ticket.qty), ("notional", ticket.notional)):
        if size is not None and size <= 0:
            raise unprocessable(f"{name} must be > 0")
    if ticket.qty is not None and _decimals(ticket.qty) > _DECIMALS:
        raise unprocessable("qty must be limited to 9 decimal places")
    if ticket.notional is not None and _decimals(ticket.notional) > 2:
        raise unprocessable("notional value must be limited to 2 decimal places")


def _check_price(name: str, price: Decimal) -> None:
    if price <= 0:
        raise unprocessable(f"{name} must be > 0")
    if price % tick(price) != 0:
        raise unprocessable(
            f"invalid {name} {plain(price)}. sub-penny increment does not fulfill minimum pricing criteria"
        )


def _decimals(size: Decimal) -> int:
    exponent = size.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def _text(body: Mapping[str, Any], name: str) -> str:
    found = body.get(name)
    if not isinstance(found, str) or not found:
        raise bad_parameter(f"{name} is required")
    return found


def _word(body: Mapping[str, Any], name: str, known: tuple[str, ...]) -> str:
    word = _text(body, name)
    if word not in known:
        raise bad_parameter(f"invalid {name}: {word[:40]}")
    return word


def number(body: Mapping[str, Any], name: str) -> Decimal | None:
    """Return a finite number given as JSON number or as text; None where it is absent or null."""
    found = body.get(name)
    if found is None:
        return None
    refusal: Refusal = bad_parameter(f"invalid {name}: {str(found)[:40]}")
    if isinstance(found, bool) or not isinstance(found, (str, int, Decimal)):
        raise refusal
    try:
        read = Decimal(found)
    except InvalidOperation:
        raise refusal from None
    if not read.is_finite() or abs(read) >= Decimal("1e15"):
        raise refusal
    return read
