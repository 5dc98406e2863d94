"""Engines with one rule taken out, which the crash suite must reject. Only ever in a child that ends afterwards."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal
from random import Random
from typing import Any, Final

from plimsoll.brokers.alpaca.venue import AlpacaVenue
from plimsoll.engine.execution.venue import Acked, Answer, Intent, Rejected, Unknown, VenueOrder
from plimsoll.engine.live import send
from plimsoll.engine.live.execute import Executor
from plimsoll.engine.live.ids import parse_id
from plimsoll.engine.live.journal.journal import Journal
from plimsoll.engine.live.journal.rows import OrderRow
from plimsoll.engine.live.order_state import State, moved


def _patch(owner: Any, name: str, value: Any) -> None:
    setattr(owner, name, value)


def no_write_ahead() -> None:
    """Send first, write afterwards."""
    right = Journal.set_state

    def late(journal: Journal, order: OrderRow, state: State, why: str = "") -> OrderRow:
        if state == "sending":
            return replace(order, known=moved(order.known, state))
        return right(journal, order, state, why)

    _patch(Journal, "set_state", late)


def fresh_ids() -> None:
    """Give every attempt an id of its own."""
    right, dice = OrderRow.intent, Random()

    def other(order: OrderRow) -> Intent:
        parts = parse_id(order.client_id)
        assert parts is not None
        return replace(right(order), client_id=str(replace(parts, attempt=dice.randrange(1, 99))))

    _patch(OrderRow, "intent", other)


def no_halt() -> None:
    """Look at the HALT file between slots only."""
    _patch(send, "read_halt", lambda *_: None)


def unknown_is_no() -> None:
    """Take an answer that did not come for a refusal, and send again under the next id."""
    right = AlpacaVenue.submit

    def submit(venue: AlpacaVenue, intent: Intent) -> Answer:
        answer = right(venue, intent)
        return Rejected("buying_power", answer.why) if isinstance(answer, Unknown) else answer

    _patch(AlpacaVenue, "submit", submit)


def unknown_is_yes() -> None:
    """Take whatever came back for a success."""
    right = AlpacaVenue.submit

    def submit(venue: AlpacaVenue, intent: Intent) -> Answer:
        answer = right(venue, intent)
        if not isinstance(answer, Unknown):
            return answer
        none = Decimal(0)
        return Acked(
            VenueOrder("?", intent.client_id, intent.symbol, intent.side, intent.qty, none, None, "working", "new")
        )

    _patch(AlpacaVenue, "submit", submit)


def no_barrier() -> None:
    """Do not wait for what frees money."""
    _patch(Executor, "_watch", lambda *_: None)
    _patch(Executor, "_end", lambda *_: None)
    _patch(Executor, "_size", lambda *_: None)


BROKEN: Final[Mapping[str, Callable[[], None]]] = {
    "no write-ahead": no_write_ahead,
    "an id for each attempt": fresh_ids,
    "no look at HALT": no_halt,
    "no barrier": no_barrier,
    "no answer is a no": unknown_is_no,
    "no answer is a yes": unknown_is_yes,
}
