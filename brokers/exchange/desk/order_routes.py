"""The trading API: orders."""

from dataclasses import replace
from typing import TYPE_CHECKING

from plimsoll.brokers.exchange.amount import is_whole
from plimsoll.brokers.exchange.desk.message import Reply, Request
from plimsoll.brokers.exchange.desk.trading_views import order_view
from plimsoll.brokers.exchange.refusal import bad_parameter, not_found, unprocessable
from plimsoll.brokers.exchange.ticket import TIMES_IN_FORCE, check_ticket, number, read_ticket

if TYPE_CHECKING:
    from plimsoll.brokers.exchange.desk.desk import Desk

_AMENDABLE = frozenset({"qty", "time_in_force", "limit_price", "stop_price", "client_order_id"})


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
    return Reply(207, [{"id": order.id, "status": 200, "body": None} for order in desk.exchange.cancel_all()])
