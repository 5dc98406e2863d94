"""From the venue's JSON to our records: what is missing or unknown degrades, what cannot be used is refused."""

from collections.abc import Mapping
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import Any, Final
from zoneinfo import ZoneInfo

from plimsoll.engine.errors import VenueError
from plimsoll.engine.execution.venue import (
    Asset,
    Quote,
    Side,
    VenueClock,
    VenueFill,
    VenueOrder,
    VenuePosition,
    VenueSession,
    VenueState,
)

NEW_YORK: Final = ZoneInfo("America/New_York")
_WORDS: Final[tuple[VenueState, ...]] = ("filled", "canceled", "expired", "rejected", "replaced")
_ENDED: Final[dict[str, VenueState]] = {word: word for word in _WORDS}
_ZERO: Final = Decimal(0)
_EASY: Final = "easy_to_borrow"
_SIDES: Final[dict[str, Side]] = {"buy": "buy", "sell": "sell", "sell_short": "sell"}
_MAGNITUDE: Final = 30  # no number of shares or dollars has an exponent beyond it; some would fill the memory as text


def number(value: object) -> Decimal | None:
    """Return a finite decimal of a usual size from text or a number, None for anything else."""
    if isinstance(value, bool) or not isinstance(value, (str, int, Decimal)):
        return None
    try:
        found = Decimal(value)
    except InvalidOperation:
        return None
    return found if found.is_finite() and abs(found.adjusted()) <= _MAGNITUDE else None


def moment(value: object) -> datetime | None:
    """Return an aware time, to the microsecond, of RFC 3339 text; None for anything else."""
    if not isinstance(value, str) or len(value) > 64:
        return None
    head, dot, tail = value.partition(".")
    if dot:  # nanoseconds: more digits than a datetime holds
        digits = len(tail) - len(tail.lstrip("0123456789"))
        value = f"{head}.{tail[: min(digits, 6)].ljust(6, '0')}{tail[digits:]}"
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        return None
    return found if found.tzinfo is not None else None


def order_of(body: object) -> VenueOrder | None:
    """Return an order, None where what identifies it, its side or its filled quantity cannot be read."""
    row = body if isinstance(body, Mapping) else {}
    venue_id, client_id, symbol, word = (row.get(key) for key in ("id", "client_order_id", "symbol", "status"))
    side, filled = _side(row), _filled(row)
    texts = (venue_id, client_id, symbol, word)
    if not all(isinstance(text, str) and text for text in texts) or side is None or filled is None:
        return None
    return VenueOrder(
        venue_id=str(venue_id),
        client_id=str(client_id),
        symbol=str(symbol),
        side=side,
        qty=number(row.get("qty")),
        filled=filled,
        average=number(row.get("filled_avg_price")),
        state=_ENDED.get(str(word), "working"),
        word=str(word),
        limit=number(row.get("limit_price")),
        submitted_at=moment(row.get("submitted_at")),
    )


def _side(row: Mapping[str, Any]) -> Side | None:
    word = row.get("side")
    return _SIDES.get(word) if isinstance(word, str) else None


def _filled(row: Mapping[str, Any]) -> Decimal | None:
    """Return the shares filled; where they are not told, none of a working order, all of a filled one, else unknown."""
    if row.get("filled_qty") is not None:
        return number(row["filled_qty"])
    word = str(row.get("status"))
    if word == "filled":
        return number(row.get("qty"))
    return None if word in _ENDED else _ZERO


def fill_of(body: object) -> VenueFill | None:
    """Return an execution, None where it cannot be booked."""
    row = body if isinstance(body, Mapping) else {}
    key, order_id, symbol = (row.get(name) for name in ("id", "order_id", "symbol"))
    side = _side(row)
    qty, price, cumulative = (number(row.get(name)) for name in ("qty", "price", "cum_qty"))
    at = moment(row.get("transaction_time"))
    if not all(isinstance(text, str) and text for text in (key, order_id, symbol)) or side is None:
        return None
    if qty is None or price is None or cumulative is None or at is None or qty <= 0 or price <= 0:
        return None
    return VenueFill(str(key), str(order_id), str(symbol), side, qty, price, cumulative, at)


def position_of(body: object) -> VenuePosition:
    """Return a position.

    Raises
    ------
    VenueError
        If symbol or quantity cannot be read: a position that is left out would be taken for none.
    """
    row = body if isinstance(body, Mapping) else {}
    symbol, qty = row.get("symbol"), number(row.get("qty"))
    if not isinstance(symbol, str) or not symbol or qty is None:
        raise VenueError("a position without a readable symbol or quantity", where="positions")
    if row.get("side") == "short" and qty > 0:
        qty = -qty
    available = number(row.get("qty_available"))
    price = number(row.get("current_price"))
    return VenuePosition(symbol, qty, qty if available is None else available, price if price and price > 0 else None)


def asset_of(body: object) -> Asset | None:
    """Return what may be done with a symbol; a flag that is not there is a no, except that of margin.

    Only what is easy to borrow is lent; older answers have a flag for it, newer ones a word.
    """
    row = body if isinstance(body, Mapping) else {}
    symbol = row.get("symbol")
    if not isinstance(symbol, str) or not symbol:
        return None
    active = row.get("status", "active") == "active"
    return Asset(
        symbol=symbol,
        tradable=active and row.get("tradable") is True,
        fractionable=row.get("fractionable") is True,
        shortable=row.get("shortable") is True
        and row.get("borrow_status", _EASY) == _EASY
        and row.get("easy_to_borrow", True) is True,
        marginable=row.get("marginable", True) is True,
        exchange=str(row.get("exchange", "")),
    )


def clock_of(body: object) -> VenueClock:
    """Return the venue's time.

    Raises
    ------
    VenueError
        If a part of it cannot be read.
    """
    row = body if isinstance(body, Mapping) else {}
    now, opens, closes = (moment(row.get(name)) for name in ("timestamp", "next_open", "next_close"))
    is_open = row.get("is_open")
    if now is None or opens is None or closes is None or not isinstance(is_open, bool):
        raise VenueError("the clock cannot be read", where="clock")
    return VenueClock(now, is_open, opens, closes)


def session_of(body: object) -> VenueSession:
    """Return one session of the calendar; its times are New York's.

    Raises
    ------
    VenueError
        If a part of it cannot be read.
    """
    row = body if isinstance(body, Mapping) else {}
    try:
        day = date.fromisoformat(str(row.get("date")))
        opens, closes = (time.fromisoformat(str(row.get(name))) for name in ("open", "close"))
    except ValueError:
        raise VenueError("a session cannot be read", where="calendar") from None
    at = (datetime.combine(day, moment_of_day, tzinfo=NEW_YORK) for moment_of_day in (opens, closes))
    return VenueSession(day, *at)


def quote_of(symbol: str, quote: object, trade: object, feed: str) -> Quote:
    """Return bid, ask and last trade; sides of 0 are none."""
    asked = quote if isinstance(quote, Mapping) else {}
    traded = trade if isinstance(trade, Mapping) else {}
    bid, ask, last = (_positive(row.get(key)) for row, key in ((asked, "bp"), (asked, "ap"), (traded, "p")))
    return Quote(symbol, bid, ask, moment(asked.get("t")), last, moment(traded.get("t")), feed)


def _positive(value: Any) -> Decimal | None:
    found = number(value)
    return found if found is not None and found > _ZERO else None
