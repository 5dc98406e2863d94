"""What a decision hands to whoever sends: wishes in shares, and what they were sized by."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, Protocol

from plimsoll.engine.execution.legalise import Wish
from plimsoll.engine.execution.venue import Asset, Snapshot
from plimsoll.engine.market.panel import Panel


@dataclass(frozen=True, slots=True)
class Proposal:
    """Orders as wanted, before any rule of a venue.

    decided : the session whose close decided. due : whether it called for a decision. closes : last closes of the
    symbols in dollars. adv : dollars of a usual session. pairs : hedge group of a symbol, none if it is in none.
    refusal : why nothing may be sent, "". detail : for people. governor : drawdown and kill
    tier, where the integrator has one. vix : the last close of VIX, where the book reads it. inputs : everything it was
    decided on, for the journal.
    """

    decided: date
    due: bool
    wishes: tuple[Wish, ...]
    closes: Mapping[str, Decimal]
    adv: Mapping[str, Decimal] = field(default_factory=dict)
    pairs: Mapping[str, int] = field(default_factory=dict)
    refusal: str = ""
    detail: Mapping[str, Any] = field(default_factory=dict)
    governor: tuple[float, int] | None = None
    vix: float | None = None
    inputs: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a decision is made on.

    session : the one that executes. snapshot : the account. assets : the venue's flags. splits : shares after for one
    before, of what was split since the last close. last : the last close that decided, None before the first.
    """

    session: date
    snapshot: Snapshot
    assets: Mapping[str, Asset]
    splits: Mapping[str, Decimal]
    last: date | None


class Decider(Protocol):
    """Decides once a session. config_hash, code_hash : of what decides, for the journal."""

    config_hash: str
    code_hash: str

    def propose(self, asked: Asked) -> Proposal:
        """Return what should be traded."""
        ...

    def reductions(self, asked: Asked, day_return: float) -> Mapping[str, Decimal]:
        """Return what should be left of each holding that is too large now, signed shares; never more than is held.

        day_return : of the account since the last close, a fraction.
        """
        ...

    def credits(self, since: date | None, until: date, held: Mapping[str, Decimal]) -> Decimal:
        """Return the dividends that came due after `since`, through `until`, on what is held."""
        ...


def missed(panel: Panel, due: Sequence[int], last: date | None) -> bool:
    """Return whether an answer was never executed: the first one of all, or that of a close that nobody decided at.

    due : bars before the one that decides now at which the system answered. last : the last close that decided, None
    before the first. An answer is due until it was executed: whoever comes next takes over what the sleeves hold.
    """
    return last is None or any(panel.clock.session[t].astype("datetime64[D]").item() > last for t in due[-1:])
