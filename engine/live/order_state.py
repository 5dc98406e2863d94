"""What is known of an order meant to be sent, and how knowledge may change: ends absorb, unknown is not failed.

    planned -> sending -> acked | unknown | rejected        planned | sending -> denied (nothing left this machine)
    acked -> partial -> filled | canceled | expired | replaced
    unknown -> acked, or anything an acked order may become, or absent (looked for until its slot was over)

These are steps of ours; what the venue tells may end an order in any of its words, one that filled in part as
rejected. A filled quantity only grows. An order that ended may still be told of a late fill; nothing else moves it.
"""

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final, Literal, TypeAlias

from plimsoll.engine.errors import EngineError
from plimsoll.engine.execution.venue import VenueOrder

State: TypeAlias = Literal[
    "planned", "sending", "unknown", "acked", "partial",
    "filled", "canceled", "expired", "replaced", "rejected", "denied", "absent",
]  # fmt: skip

ENDS: Final[frozenset[State]] = frozenset(("filled", "canceled", "expired", "replaced", "rejected", "denied", "absent"))
NEVER_SENT: Final[frozenset[State]] = frozenset(("planned", "denied"))
_NEXT: Final[dict[State, frozenset[State]]] = {
    "planned": frozenset(("sending", "denied")),
    "sending": frozenset(
        ("acked", "partial", "unknown", "rejected", "denied", "filled", "canceled", "expired", "replaced")
    ),
    "unknown": frozenset(
        ("sending", "acked", "partial", "filled", "canceled", "expired", "replaced", "rejected", "absent")
    ),
    "acked": frozenset(("partial", "filled", "canceled", "expired", "replaced", "rejected")),
    "partial": frozenset(("filled", "canceled", "expired", "replaced")),
}


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of one order: its state, shares filled, and the venue's own id once there is one."""

    state: State
    filled: Decimal = Decimal(0)
    venue_id: str = ""

    @property
    def ended(self) -> bool:
        """Return whether nothing more is expected of it."""
        return self.state in ENDS

    @property
    def may_work(self) -> bool:
        """Return whether the venue may be working it right now."""
        return self.state not in ENDS and self.state not in NEVER_SENT


def moved(known: Known, state: State) -> Known:
    """Return what is known after a step of ours.

    Raises
    ------
    EngineError
        If the step is not one that there is: an end is left, an order sent twice.
    """
    if state not in _NEXT.get(known.state, frozenset()):
        raise EngineError(f"an order that is {known.state} cannot become {state}")
    return replace(known, state=state)


def told(known: Known, order: VenueOrder) -> Known:
    """Return what is known after the venue told of the order; news that is older than what is known changes nothing."""
    if known.state in NEVER_SENT:
        raise EngineError(f"the venue knows order {order.client_id}, which was never sent")
    filled = max(known.filled, order.filled)
    if known.ended and known.state != "absent":
        return replace(known, filled=filled, venue_id=known.venue_id or order.venue_id)
    if order.state == "working":
        state: State = "partial" if filled > 0 else "acked"
    else:
        state = order.state
    return Known(state, filled, order.venue_id)
