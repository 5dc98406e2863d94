"""An order as it goes over the wire."""

from decimal import Decimal
from typing import Final

from plimsoll.engine.errors import EngineError
from plimsoll.engine.execution.venue import Intent
from plimsoll.engine.market.ticker import pointed

QTY_DECIMALS: Final = 9
ID_LENGTH: Final = 128


def body_of(intent: Intent) -> dict[str, str]:
    """Return an order as it goes over the wire: every number is text, digit by digit what was decided.

    Raises
    ------
    EngineError
        If a quantity, a price or the id could not stand there.
    """
    if not intent.client_id or len(intent.client_id) > ID_LENGTH or not intent.client_id.isascii():
        raise EngineError(f"client id {intent.client_id!r}")
    body = {
        "symbol": pointed(intent.symbol),
        "qty": _plain(intent.qty, QTY_DECIMALS),
        "side": intent.side,
        "type": intent.kind,
        "time_in_force": intent.time_in_force,
        "client_order_id": intent.client_id,
    }
    if (intent.kind == "limit") != (intent.limit is not None):
        raise EngineError(f"{intent.client_id}: a limit order has a limit, a market order none")
    if intent.limit is not None:
        body["limit_price"] = _plain(intent.limit, 2 if intent.limit >= 1 else 4)
    return body


def _plain(value: Decimal, decimals: int) -> str:
    if not value.is_finite() or value <= 0 or value != round(value, decimals):
        raise EngineError(f"{value} cannot be sent: positive, finite, at most {decimals} decimals")
    return f"{value.normalize():f}"
