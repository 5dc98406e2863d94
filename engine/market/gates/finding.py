"""What a gate says: its name, how bad it is, which symbol and session, and the words."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

# note: stored, and named. row: that session is kept out of the store. symbol: nothing of this pull is stored.
Severity: TypeAlias = Literal["note", "row", "symbol"]
# What may be true all the same: a person who knows better can stand for that session, and it passes as a note.
CONFIRMABLE: Final = frozenset(
    (
        *("wild_range", "stale_repeat", "sources_disagree"),
        *("jump", "split_applied_twice", "split_not_applied", "history_rewritten"),
        *("dividend_above_price", "dividend_unseen"),
    )
)


@dataclass(frozen=True, slots=True)
class GateFinding:
    """One thing a gate found. session : ISO date, empty where it concerns more than one session."""

    gate: str
    severity: Severity
    symbol: str
    text: str
    session: str = ""

    @property
    def confirmable(self) -> bool:
        """Whether a person's word for that session lets it pass."""
        return self.severity != "note" and bool(self.session) and self.gate in CONFIRMABLE

    def plain(self) -> dict[str, str]:
        """Return it as plain values."""
        return {
            "gate": self.gate,
            "severity": self.severity,
            "symbol": self.symbol,
            "text": self.text,
            "session": self.session,
        }

    @classmethod
    def of(cls, plain: dict[str, Any]) -> "GateFinding":
        """Return the finding that `plain` made; KeyError if it is none."""
        return cls(plain["gate"], plain["severity"], plain["symbol"], plain["text"], plain["session"])


def refused(findings: Iterable[GateFinding]) -> bool:
    """Say whether any of them keeps something out of the store."""
    return any(finding.severity != "note" for finding in findings)
