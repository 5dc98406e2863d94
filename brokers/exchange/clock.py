"""What time the exchange has: one that stands until it is moved, or the machine's own."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Where the time comes from."""

    def now(self) -> datetime:
        """Return the time, aware, UTC."""
        ...

    def move(self, to: datetime, /) -> bool:
        """Set the clock and return whether that can be done."""
        ...


class VirtualClock:
    """A clock that is moved by hand, and never backwards."""

    def __init__(self, start: datetime) -> None:
        self._now = start.astimezone(UTC)

    def now(self) -> datetime:
        """Return the time it was last moved to."""
        return self._now

    def move(self, to: datetime) -> bool:
        """Move to a later moment; an earlier one is refused."""
        if to < self._now:
            return False
        self._now = to.astimezone(UTC)
        return True

    def forward(self, seconds: float) -> None:
        """Move on by some seconds."""
        self._now += timedelta(seconds=seconds)


class FastClock:
    """A clock that begins somewhere and runs `speed` times as fast as the machine's; weeks pass in minutes."""

    def __init__(self, start: datetime, seconds: Callable[[], float], speed: float) -> None:
        self._start = start.astimezone(UTC)
        self._seconds = seconds
        self._begun = seconds()
        self._speed = speed

    def now(self) -> datetime:
        """Return the time it has come to."""
        return self._start + timedelta(seconds=(self._seconds() - self._begun) * self._speed)

    def move(self, to: datetime) -> bool:
        """Move to a later moment and run on from there; an earlier one is refused."""
        ahead = to - self.now()
        if ahead < timedelta(0):
            return False
        self._start += ahead
        return True


class WallClock:
    """The machine's clock, handed in as a function that returns seconds since 1970."""

    def __init__(self, seconds: Callable[[], float]) -> None:
        self._seconds = seconds

    def now(self) -> datetime:
        """Return the machine's time."""
        return datetime.fromtimestamp(self._seconds(), UTC)

    def move(self, _: datetime) -> bool:
        """Refuse: the machine's clock is not ours to set."""
        return False
