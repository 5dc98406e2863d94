"""The time as the live half sees it; handed in, so that a test can bend it."""

from collections.abc import Callable
from datetime import datetime
from typing import Protocol


class LiveClock(Protocol):
    """What time it is, and how to let some of it pass."""

    def now(self) -> datetime:
        """Return the time, aware."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


# Called with the name of every place at which the process might die; tests let it die there.
Point = Callable[[str], None]


def nowhere(_: str) -> None:
    """Go on."""


# The places, in the order in which a rebalance without trouble passes them.
POINTS: tuple[str, ...] = (
    "opened", "fenced", "reconciled", "decided", "planned", "wave begun", "sending locked", "sending committed",
    "answered", "outcome committed", "all sent", "fill committed", "cancel asked", "wave over", "resized", "slot done",
    "reconciled after",
)  # fmt: skip
