"""What the API answers when it says no: status, code, message and extra fields, one maker for each."""

from decimal import Decimal
from typing import Any

from plimsoll.brokers.exchange.amount import plain

BAD_PARAMETER = 40010001
FORBIDDEN = 40310000
NOT_FOUND = 40410000
UNPROCESSABLE = 42210000


class Refusal(Exception):  # noqa: N818  (an answer of the exchange, not a fault of the program)
    """A request that is answered with an error body; nothing has changed."""

    def __init__(self, status: int, code: int | None, message: str, **extra: Any) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.extra = extra

    def body(self) -> dict[str, Any]:
        """Return the JSON body; `code` is left out where the API has none."""
        code = {} if self.code is None else {"code": self.code}
        return {**code, "message": self.message, **self.extra}


def bad_parameter(message: str) -> Refusal:
    """422: a parameter that cannot be read."""
    return Refusal(422, BAD_PARAMETER, message)


def unprocessable(message: str) -> Refusal:
    """422: readable, and against a rule of orders."""
    return Refusal(422, UNPROCESSABLE, message)


def forbidden(message: str, **extra: Any) -> Refusal:
    """403: against the state of the account, of the market or of an asset."""
    return Refusal(403, FORBIDDEN, message, **extra)


def not_found(message: str) -> Refusal:
    """404."""
    return Refusal(404, NOT_FOUND, message)


def unauthorized() -> Refusal:
    """401, which has no code."""
    return Refusal(401, None, "unauthorized.")


def too_many_requests() -> Refusal:
    """429, which has no code."""
    return Refusal(429, None, "rate limit exceeded")


def no_buying_power(buying_power: Decimal, cost: Decimal) -> Refusal:
    """403: the order costs more than may be bought."""
    return forbidden("insufficient buying power", buying_power=plain(buying_power), cost_basis=plain(cost))


def no_shares(symbol: str, requested: Decimal, existing: Decimal, held: Decimal) -> Refusal:
    """403: more shares than the position has free."""
    available = existing - held
    return forbidden(
        f"insufficient qty available for order (requested: {plain(requested)}, available: {plain(available)})",
        symbol=symbol,
        existing_qty=plain(existing),
        held_for_orders=plain(held),
        available=plain(available),
    )


def wash_trade(existing_order_id: str, kind: str) -> Refusal:
    """403: a working order of the other side could trade with this one."""
    return forbidden(
        "potential wash trade detected. use complex orders",
        existing_order_id=existing_order_id,
        reject_reason=f"opposite side {kind} order exists",
    )
