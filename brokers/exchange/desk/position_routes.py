"""The trading API: positions, and closing them."""

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from plimsoll.brokers.exchange.amount import GRAIN, ONE, down
from plimsoll.brokers.exchange.desk.message import Reply, Request
from plimsoll.brokers.exchange.desk.trading_views import order_view, position_view, symbol_of
from plimsoll.brokers.exchange.matching import Exchange
from plimsoll.brokers.exchange.order import Order
from plimsoll.brokers.exchange.refusal import Refusal, bad_parameter, not_found, unprocessable
from plimsoll.brokers.exchange.ticket import Ticket, check_ticket, number

if TYPE_CHECKING:
    from plimsoll.brokers.exchange.desk.desk import Desk


def get_positions(desk: "Desk", request: Request) -> Reply:
    """GET /v2/positions."""
    del request
    return Reply(payload=desk.lagged("positions", lambda: positions_now(desk.exchange)))


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
        desk.exchange.cancel_all()
    rows: list[dict[str, Any]] = []
    for symbol in sorted(desk.exchange.ledger.positions):
        try:
            view = order_view(_close(desk.exchange, symbol, None, None))
            rows.append({"symbol": symbol, "status": 200, "order_id": view["id"], "body": view})
        except Refusal as refusal:
            rows.append({"symbol": symbol, "status": refusal.status, "body": refusal.body()})
    return Reply(207, rows)


def positions_now(exchange: Exchange) -> list[dict[str, Any]]:
    """Return every position as it is now."""
    held = exchange.ledger.positions
    return [position_view(exchange, held[symbol]) for symbol in sorted(held)]


def _close(exchange: Exchange, symbol: str, qty: Decimal | None, percentage: Decimal | None) -> Order:
    held = exchange.ledger.qty(symbol)
    if held == 0:
        raise not_found("position does not exist")
    size = abs(held) if qty is None else qty
    if percentage is not None:
        if not 0 < percentage <= 100:
            raise unprocessable("percentage must be between 0 and 100")
        grain = GRAIN if exchange.traits(symbol).fractionable else ONE
        size = down(abs(held) * percentage / 100, grain)
    ticket = Ticket(symbol, "sell" if held > 0 else "buy", "market", "day", qty=size)
    check_ticket(ticket)
    return exchange.submit(ticket)
