"""The trading API: account, orders, positions, assets, clock, calendar, activities."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from plimsoll.brokers.exchange.activity import Fill, activity_id, stable_id
from plimsoll.brokers.exchange.amount import down, is_whole
from plimsoll.brokers.exchange.desk.message import Reply, Request, local_stamp
from plimsoll.brokers.exchange.desk.trading_views import (
    account_view,
    activity_view,
    asset_view,
    configuration_view,
    order_view,
    position_view,
)
from plimsoll.brokers.exchange.hours import session_after
from plimsoll.brokers.exchange.matching import Exchange
from plimsoll.brokers.exchange.order import Order
from plimsoll.brokers.exchange.refusal import Refusal, bad_parameter, not_found, unprocessable
from plimsoll.brokers.exchange.ticket import TIMES_IN_FORCE, Ticket, check_ticket, number, read_ticket
from plimsoll.engine.market.calendar import FIRST_DAY, LAST_DAY, session_hours, sessions

if TYPE_CHECKING:
    from plimsoll.brokers.exchange.desk.desk import Desk

_AMENDABLE = frozenset({"qty", "time_in_force", "limit_price", "stop_price", "client_order_id"})
_SWITCHES = ("suspend_trade", "no_shorting", "fractional_trading")


def get_account(desk: "Desk", request: Request) -> Reply:
    """GET /v2/account."""
    del request
    return Reply(payload=desk.lagged("account", lambda: account_view(desk.exchange)))


def get_configuration(desk: "Desk", request: Request) -> Reply:
    """GET /v2/account/configurations."""
    del request
    return Reply(payload=configuration_view(desk.exchange))


def patch_configuration(desk: "Desk", request: Request) -> Reply:
    """PATCH /v2/account/configurations; what is null or not kept here is left as it is."""
    body = request.json()
    if not isinstance(body, dict):
        raise bad_parameter("request body format is invalid")
    changes = {name: body[name] for name in _SWITCHES if body.get(name) is not None}
    for name, value in changes.items():
        if not isinstance(value, bool):
            raise bad_parameter(f"invalid {name}")
    desk.exchange.switches = replace(desk.exchange.switches, **changes)
    return get_configuration(desk, request)


def get_clock(desk: "Desk", request: Request) -> Reply:
    """GET /v2/clock."""
    del request
    exchange = desk.exchange
    following = session_after(exchange.session) if exchange.is_open else exchange.session
    return Reply(
        payload={
            "timestamp": local_stamp(exchange.now),
            "is_open": exchange.is_open,
            "next_open": local_stamp(following.open),
            "next_close": local_stamp(exchange.session.close),
        }
    )


def get_calendar(desk: "Desk", request: Request) -> Reply:
    """GET /v2/calendar?start=&end=, both included; 1970 to 2029 where left out."""
    del desk
    first, last = _day(request, "start", date(1970, 1, 1)), _day(request, "end", date(2029, 12, 31))
    if last < first:
        return Reply(payload=[])
    days = sessions(max(first, FIRST_DAY), min(last, LAST_DAY)).astype(object).tolist()
    return Reply(payload=[_calendar_day(day) for day in days])


def get_assets(desk: "Desk", request: Request) -> Reply:
    """GET /v2/assets?status=&asset_class=&exchange=."""
    exchange = desk.exchange
    listed = [s for s in exchange.tape.symbols if exchange.tape.is_listed(s, exchange.session.day)]
    views = [asset_view(exchange, symbol) for symbol in listed]
    for parameter, key in (("status", "status"), ("asset_class", "class"), ("exchange", "exchange")):
        if parameter in request.query:
            views = [view for view in views if view[key] == request.query[parameter]]
    return Reply(payload=views)


def get_asset(desk: "Desk", request: Request, name: str) -> Reply:
    """GET /v2/assets/{symbol or asset id}."""
    del request
    symbol = symbol_of(desk.exchange, name)
    if not desk.exchange.tape.is_listed(symbol, desk.exchange.session.day):
        raise not_found(f"asset not found for {name}")
    return Reply(payload=asset_view(desk.exchange, symbol))


def post_order(desk: "Desk", request: Request) -> Reply:
    """POST /v2/orders."""
    return Reply(payload=order_view(desk.exchange.submit(read_ticket(request.json()))))


def get_orders(desk: "Desk", request: Request) -> Reply:
    """GET /v2/orders: by status, time or id of a neighbour; a page is `limit` long, there is no token."""
    query = request.query
    status = request.word("status", "open", ("open", "closed", "all"))
    direction = request.word("direction", "desc", ("asc", "desc"))
    limit = request.number("limit", 50, 500)
    after, until = request.moment("after"), request.moment("until")
    if "after_order_id" in query and "before_order_id" in query:
        raise bad_parameter("after_order_id and before_order_id are mutually exclusive")
    if ("after_order_id" in query or "before_order_id" in query) and (after or until):
        raise bad_parameter("after_order_id and before_order_id do not go with after and until")
    low = desk.exchange.find(query["after_order_id"]).number if "after_order_id" in query else 0
    high = desk.exchange.find(query["before_order_id"]).number if "before_order_id" in query else None
    symbols, side = request.names("symbols"), query.get("side", "")
    found = [
        order
        for order in desk.exchange.orders.values()
        if order.number > low
        and (high is None or order.number < high)
        and (status == "all" or order.working == (status == "open"))
        and (after is None or order.submitted_at > after)
        and (until is None or order.submitted_at < until)
        and (not symbols or order.ticket.symbol in symbols)
        and side in ("", order.ticket.side)
        and desk.is_visible(order)
    ]
    if direction == "desc":
        found.reverse()
    return Reply(payload=[order_view(order) for order in found[:limit]])


def get_order(desk: "Desk", request: Request, order_id: str) -> Reply:
    """GET /v2/orders/{id}."""
    del request
    order = desk.exchange.find(order_id)
    if not desk.is_visible(order):
        raise not_found(f"order not found for {order_id}")
    return Reply(payload=order_view(order))


def get_order_by_client_id(desk: "Desk", request: Request) -> Reply:
    """GET /v2/orders:by_client_order_id?client_order_id=."""
    wanted = request.query.get("client_order_id", "")
    order = desk.exchange.by_client_id.get(wanted)
    if order is None or not desk.is_visible(order):
        raise not_found(f"order not found for {wanted}")
    return Reply(payload=order_view(order))


def patch_order(desk: "Desk", request: Request, order_id: str) -> Reply:
    """PATCH /v2/orders/{id}: a new order in place of one that has no fill; whole shares only."""
    order, body = desk.exchange.find(order_id), request.json()
    if not isinstance(body, dict) or not set(body) <= _AMENDABLE:
        raise bad_parameter("request body format is invalid")
    qty, limit_price, stop_price = (number(body, name) for name in ("qty", "limit_price", "stop_price"))
    if qty is not None and not is_whole(qty):
        raise unprocessable("qty of a replacement must be a whole number")
    if order.ticket.notional is not None:
        raise unprocessable("cannot replace a notional order")
    old = order.ticket
    changes = replace(
        old,
        time_in_force=str(body.get("time_in_force") or old.time_in_force),
        client_order_id=str(body.get("client_order_id") or ""),
        qty=old.qty if qty is None else qty,
        limit_price=old.limit_price if limit_price is None else limit_price,
        stop_price=old.stop_price if stop_price is None else stop_price,
    )
    if changes.time_in_force not in TIMES_IN_FORCE:
        raise bad_parameter("invalid time_in_force")
    check_ticket(changes)
    return Reply(payload=order_view(desk.exchange.amend(order, changes)))


def delete_order(desk: "Desk", request: Request, order_id: str) -> Reply:
    """DELETE /v2/orders/{id}: 204, which says that the cancel was asked for, not that it happened."""
    del request
    desk.exchange.cancel(desk.exchange.find(order_id))
    return Reply(204)


def delete_orders(desk: "Desk", request: Request) -> Reply:
    """DELETE /v2/orders: 207 with a status for each."""
    del request
    return Reply(207, [{"id": order.id, "status": 200, "body": None} for order in _cancel_all(desk.exchange)])


def get_positions(desk: "Desk", request: Request) -> Reply:
    """GET /v2/positions."""
    del request
    return Reply(payload=desk.lagged("positions", lambda: get_positions_now(desk.exchange)))


def get_position(desk: "Desk", request: Request, name: str) -> Reply:
    """GET /v2/positions/{symbol or asset id}."""
    symbol = symbol_of(desk.exchange, name)
    for view in get_positions(desk, request).payload:
        if view["symbol"] == symbol:
            return Reply(payload=view)
    raise not_found("position does not exist")


def delete_position(desk: "Desk", request: Request, name: str) -> Reply:
    """DELETE /v2/positions/{symbol or asset id}?qty= or ?percentage=: a market order against it."""
    symbol = symbol_of(desk.exchange, name)
    qty, percentage = number(request.query, "qty"), number(request.query, "percentage")
    if qty is not None and percentage is not None:
        raise bad_parameter("only one of qty and percentage is allowed")
    return Reply(payload=order_view(_close(desk.exchange, symbol, qty, percentage)))


def delete_positions(desk: "Desk", request: Request) -> Reply:
    """DELETE /v2/positions?cancel_orders=: 207 with an order or an error for each."""
    if request.flag("cancel_orders"):
        _cancel_all(desk.exchange)
    rows: list[dict[str, Any]] = []
    for symbol in sorted(desk.exchange.ledger.positions):
        try:
            view = order_view(_close(desk.exchange, symbol, None, None))
            rows.append({"symbol": symbol, "status": 200, "order_id": view["id"], "body": view})
        except Refusal as refusal:
            rows.append({"symbol": symbol, "status": refusal.status, "body": refusal.body()})
    return Reply(207, rows)


def get_activities(desk: "Desk", request: Request, kind: str = "") -> Reply:
    """GET /v2/account/activities[/{type}]: by type, order, day; `page_token` is the id of the last one seen."""
    kinds = (kind,) if kind else request.names("activity_types")
    direction = request.word("direction", "desc", ("asc", "desc"))
    size = request.number("page_size", 100, 100)
    after, until = request.moment("after"), request.moment("until")
    day = _day(request, "date", date.min)
    order_id, token = request.query.get("order_id"), request.query.get("page_token")
    exchange, lag = desk.exchange, timedelta(seconds=desk.exchange.behaviour.activity_lag_s)
    found = [
        one
        for one in exchange.activities
        if (not kinds or one.kind in kinds)
        and one.at + lag <= exchange.now
        and (after is None or one.at > after)
        and (until is None or one.at < until)
        and (day == date.min or one.at.date() == day)
        and (order_id is None or (isinstance(one, Fill) and one.order_id == order_id))
    ]
    if direction == "desc":
        found.reverse()
    if token:
        ids = [activity_id(one) for one in found]
        found = found[ids.index(token) + 1 :] if token in ids else []
    if exchange.behaviour.duplicate_activities:
        found = [one for one in found for _ in range(2)]
    return Reply(payload=[activity_view(exchange, one) for one in found[:size]])


def symbol_of(exchange: Exchange, name: str) -> str:
    """Return the symbol that a symbol or an asset id stands for."""
    if name in exchange.tape.symbols:
        return name
    return next((symbol for symbol in exchange.tape.symbols if name == stable_id("asset", symbol)), name)


def get_positions_now(exchange: Exchange) -> list[dict[str, Any]]:
    """Return every position as it is now."""
    held = exchange.ledger.positions
    return [position_view(exchange, held[symbol]) for symbol in sorted(held)]


def _cancel_all(exchange: Exchange) -> list[Order]:
    asked = exchange.working()
    for order in asked:
        exchange.cancel(order)
    return asked


def _close(exchange: Exchange, symbol: str, qty: Decimal | None, percentage: Decimal | None) -> Order:
    held = exchange.ledger.qty(symbol)
    if held == 0:
        raise not_found("position does not exist")
    size = abs(held) if qty is None else qty
    if percentage is not None:
        if not 0 < percentage <= 100:
            raise unprocessable("percentage must be between 0 and 100")
        grain = Decimal("1e-9") if exchange.traits(symbol).fractionable else Decimal(1)
        size = down(abs(held) * percentage / 100, grain)
    ticket = Ticket(symbol, "sell" if held > 0 else "buy", "market", "day", qty=size)
    check_ticket(ticket)
    return exchange.submit(ticket)


def _calendar_day(day: date) -> dict[str, str]:
    opens, closes = (f"{minute // 60:02d}:{minute % 60:02d}" for minute in session_hours(day))
    return {"date": day.isoformat(), "open": opens, "close": closes, "session_open": "0400", "session_close": "2000"}


def _day(request: Request, name: str, default: date) -> date:
    text = request.query.get(name)
    if not text:
        return default
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        raise bad_parameter(f"invalid {name}: {text[:40]}") from None
