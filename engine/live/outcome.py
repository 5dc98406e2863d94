"""What became of a slot."""

from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal, TypeAlias

from plimsoll.engine.execution.legalise import Change
from plimsoll.engine.live.journal.rows import OrderRow
from plimsoll.engine.live.reconcile import Report

Ending: TypeAlias = Literal["done", "already", "skipped", "late", "refused", "halted"]


@dataclass(slots=True)
class Outcome:
    """What became of a slot.

    ending : done (whatever was to be sent was sent), already (it was done before: nothing was sent now), skipped (it
    does not exist today), late (its time is over, or has not come), refused (data, prices, a difference), halted.
    """

    ending: Ending
    why: str
    session: date
    slot: str
    orders: list[OrderRow] = field(default_factory=list)
    sent: int = 0
    changes: tuple[Change, ...] = ()
    notes: list[str] = field(default_factory=list)
    report: Report | None = None

    @property
    def ok(self) -> bool:
        """Return whether nothing stood in the way."""
        return self.ending in ("done", "already", "skipped")

    def plain(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            "ending": self.ending,
            "why": self.why,
            "session": self.session.isoformat(),
            "slot": self.slot,
            "sent": self.sent,
            "orders": [order_text(one) for one in self.orders],
            "changes": [{"symbol": one.symbol, "rule": one.rule, "why": one.why} for one in self.changes],
            "notes": self.notes,
            "reconciled": None if self.report is None else self.report.plain(),
        }


def order_text(one: OrderRow) -> dict[str, Any]:
    """Return an order of the journal as text."""
    average = "" if not one.known.filled else f"{one.value / one.known.filled:.4f}"
    return {
        "id": one.client_id,
        "step": one.step,
        "symbol": one.symbol,
        "side": one.side,
        "qty": f"{one.order.qty.normalize():f}",
        "limit": "" if one.order.limit is None else f"{one.order.limit:f}",
        "state": one.known.state,
        "filled": f"{one.known.filled.normalize():f}",
        "average": average,
        "why": one.why,
    }


def ended(out: Outcome, ending: Ending, why: str) -> Outcome:
    """Return the outcome with its ending."""
    out.ending, out.why = ending, why
    return out
