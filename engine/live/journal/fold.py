"""The tables held against the events they came from: a byte changed in either is seen when the journal is opened."""

import json
import sqlite3
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Final, NoReturn

from plimsoll.engine.errors import OutputError
from plimsoll.engine.live.journal.chain import MEND

ZERO: Final = Decimal(0)
ROUNDING: Final = Decimal("1e-6")  # dollars; sums of 28 digits differ with their order
# What an order is, as its first event has it; the rest changes.
FIXED: Final = ("symbol", "side", "limit_price", "price", "step", "session", "slot")


def check(db: sqlite3.Connection, where: str) -> None:
    """Fold the events and compare orders, holdings and cash.

    Raises
    ------
    OutputError
        If a table says anything else than its events.
    """
    folded = _Folded()
    try:
        for kind, body in db.execute("SELECT kind, body FROM event ORDER BY seq"):
            folded.take(kind, json.loads(body))
        _orders(db, folded, where)
        _holdings(db, folded, where)
    except (KeyError, TypeError, ValueError, InvalidOperation, AttributeError) as error:
        _refuse(where, f"an event cannot be read ({type(error).__name__})")


class _Folded:
    """What the events come to."""

    def __init__(self) -> None:
        self.orders: dict[str, dict[str, Any]] = {}
        self.holdings: dict[str, Decimal] = {}
        self.cash = ZERO

    def take(self, kind: str, body: Mapping[str, Any]) -> None:
        """Take in an event."""
        if kind == "planned":
            self.orders[body["id"]] = {**body, "state": "planned", "filled": ZERO, "value": ZERO}
        elif kind == "resize":
            self.orders[body["id"]]["qty"] = body["qty"]
        elif kind == "order":
            self.orders[body["id"]]["state"] = body["state"]
        elif kind == "told":
            self._told(self.orders[body["id"]], body)
        elif kind == "adopt":
            self.holdings = {symbol: Decimal(qty) for symbol, qty in body["holdings"].items()}
            self.cash = Decimal(body["cash"])
        elif kind in ("split", "dust"):
            self.holdings[body["symbol"]] = Decimal(body["after"])
        elif kind in ("dividends", "cash"):
            self.cash += Decimal(body["amount"])

    def _told(self, order: dict[str, Any], body: Mapping[str, Any]) -> None:
        sign = 1 if order["side"] == "buy" else -1
        filled, value = Decimal(body["filled"]), Decimal(body["value"])
        symbol = order["symbol"]
        self.holdings[symbol] = self.holdings.get(symbol, ZERO) + sign * (filled - order["filled"])
        self.cash -= sign * (value - order["value"])
        order.update(state=body["state"], filled=filled, value=value)


def _orders(db: sqlite3.Connection, folded: _Folded, where: str) -> None:
    left = dict(folded.orders)
    rows = db.execute("SELECT * FROM intent")
    names = [column[0] for column in rows.description]
    for row in rows:
        found = dict(zip(names, row, strict=True))
        told = left.pop(found["client_id"], None)
        if told is None:
            _refuse(where, f"order {found['client_id']} was never planned")
        same = (
            all(told[name] == found[name] for name in (*FIXED, "state"))
            and all(Decimal(told[name]) == Decimal(found[name]) for name in ("qty", "filled", "value"))
        )  # fmt: skip
        if not same:
            _refuse(where, f"order {found['client_id']} is not what its events say")
    if left:
        _refuse(where, f"order {next(iter(left))} is missing")


def _holdings(db: sqlite3.Connection, folded: _Folded, where: str) -> None:
    there = {symbol: Decimal(qty) for symbol, qty in db.execute("SELECT symbol, qty FROM holding")}
    for symbol in {*there, *folded.holdings}:
        if there.get(symbol, ZERO) != folded.holdings.get(symbol, ZERO):
            _refuse(where, f"the holding of {symbol} is not what its events say")
    row = db.execute("SELECT value FROM meta WHERE key = 'cash'").fetchone()
    if abs(Decimal(row[0] if row is not None else "0") - folded.cash) > ROUNDING:
        _refuse(where, "the cash is not what its events say")


def _refuse(where: str, what: str) -> NoReturn:
    raise OutputError(
        what, where=where, cause="the journal was altered or is damaged",
        fix=MEND,
    )  # fmt: skip
