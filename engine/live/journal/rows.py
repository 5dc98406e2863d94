"""The rows of the journal as typed records."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Literal, TypeAlias

from plimsoll.engine.execution.legalise import LegalOrder
from plimsoll.engine.execution.venue import Intent, OrderKind, Side
from plimsoll.engine.live.order_state import Known

Grade: TypeAlias = Literal["all", "new_risk"]
ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Halt:
    """Why nothing is sent any more: no order at all, or none that opens or adds."""

    grade: Grade
    reason: str
    since: str


@dataclass(frozen=True, slots=True)
class Goal:
    """Where a symbol is meant to end: signed shares.

    held : what there was when it was decided; price : the decision price, close : the last close, dollars in today's
    shares. adv : dollars traded in a usual session, None = not known. pair : hedge group, -1 = none.
    """

    symbol: str
    qty: Decimal
    held: Decimal
    price: Decimal
    close: Decimal
    adv: Decimal | None = None
    pair: int = -1


@dataclass(frozen=True, slots=True)
class PlanRow:
    """The one decision of a session. decided : the session at whose close; carried : an older one goes on."""

    session: date
    decided: date
    made: datetime
    carried: bool
    equity: Decimal
    config_hash: str
    code_hash: str
    goals: Mapping[str, Goal] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SlotRow:
    """A moment of a session at which orders are sent, and until when they may be."""

    session: date
    slot: str
    due: datetime
    ends: datetime
    done: bool
    note: str = ""


@dataclass(frozen=True, slots=True)
class OrderRow:
    """An order of ours: what it asks for, and what is known of it.

    step : orders of a slot go out in ascending steps, each ended before the next begins. frees : it reduces what is
    held. value : dollars of what filled.
    """

    client_id: str
    session: date
    slot: str
    step: int
    frees: bool
    order: LegalOrder
    known: Known
    value: Decimal = ZERO
    why: str = ""

    @property
    def symbol(self) -> str:
        """The book's symbol."""
        return self.order.symbol

    @property
    def side(self) -> Side:
        """Buy or sell."""
        return self.order.side

    @property
    def sign(self) -> int:
        """1 for a purchase, -1 for a sale."""
        return 1 if self.order.side == "buy" else -1

    @property
    def left(self) -> Decimal:
        """Shares that did not fill."""
        return self.order.qty - self.known.filled

    def intent(self) -> Intent:
        """Return what goes over the wire."""
        kind: OrderKind = self.order.kind
        return Intent(
            self.client_id, self.order.symbol, self.order.side, self.order.qty, kind, limit=self.order.limit
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened, in the chain of events."""

    seq: int
    at: str
    kind: str
    body: str
    sha: str
