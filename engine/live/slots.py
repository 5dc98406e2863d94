"""The moments of a session at which orders are sent: each once, inside its session, never late."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from plimsoll.engine.config.live import LiveSection
from plimsoll.engine.errors import ConfigError, DataError
from plimsoll.engine.market.calendar import is_session, session_hours

NEW_YORK: Final = ZoneInfo("America/New_York")
AFTER_OPEN: Final = timedelta(minutes=5)
BEFORE_CLOSE: Final = timedelta(minutes=10)
EARLY: Final = timedelta(minutes=30)  # before the close of a short session


@dataclass(frozen=True, slots=True)
class Hours:
    """A session as moments in UTC."""

    session: date
    opens: datetime
    closes: datetime


@dataclass(frozen=True, slots=True)
class Window:
    """A slot: it begins within [due, late], and nothing of it is sent from `ends` on."""

    session: date
    slot: str
    due: datetime
    late: datetime
    ends: datetime

    def holds(self, now: datetime) -> bool:
        """Return whether orders of the slot may be sent now."""
        return self.due <= now < self.ends


@lru_cache(maxsize=64)
def hours_of(day: date) -> Hours:
    """Return when a session opens and closes; DataError if there is none."""
    if not is_session(day):
        raise DataError(f"{day} is not an exchange session")
    opens, closes = session_hours(day)
    return Hours(day, _at(day, opens), _at(day, closes))


def _at(day: date, minute: int) -> datetime:
    return datetime.combine(day, time(minute // 60, minute % 60), NEW_YORK).astimezone(UTC)


def today(now: datetime) -> date:
    """Return the date in New York."""
    return now.astimezone(NEW_YORK).date()


@dataclass(frozen=True, slots=True)
class Timing:
    """When a book's slots are. grace : how late one may begin; lasting : how long its orders may work.

    half_day : what becomes of the slots that a short session is too short for: "skip" = there are none; "early" = the
    last one of them is half an hour before the close.
    """

    slots: tuple[str, ...]
    grace: timedelta
    lasting: timedelta
    half_day: str = "skip"


def timing_of(live: LiveSection) -> Timing:
    """Return the configured timing."""
    return Timing(
        live.slots, timedelta(minutes=live.grace_minutes), timedelta(minutes=live.slot_minutes), live.half_day
    )


def windows(hours: Hours, timing: Timing) -> list[Window]:
    """Return the slots of a session that lie inside [open + 5 min, close - 10 min], in order.

    A slot ends when the next one begins, at most `lasting` later, and always ten minutes before the close.
    """
    last = hours.closes - BEFORE_CLOSE
    dues, beyond = [], []
    for slot in timing.slots:
        due = _at(hours.session, int(slot[:2]) * 60 + int(slot[3:]))
        if hours.opens + AFTER_OPEN <= due < last:
            dues.append((slot, due))
        elif due >= last:
            beyond.append(slot)
    early = hours.closes - EARLY
    if beyond and timing.half_day == "early" and (not dues or dues[-1][1] < early):
        dues.append((beyond[-1], early))
    grace, lasting = timing.grace, timing.lasting
    following = [due for _, due in dues[1:]] + [last]
    found = []
    for (slot, due), then in zip(dues, following, strict=True):
        ends = min(due + lasting, then, last)
        found.append(Window(hours.session, slot, due, min(due + grace, ends), ends))
    return found


def check_slot(slot: str, slots: Sequence[str]) -> None:
    """Refuse a slot that is none of the configured ones, with a ConfigError."""
    if slot not in slots:
        raise ConfigError(f"no slot {slot!r}", where="--slot", fix=f"one of live.slots: {', '.join(slots)}")


def window_of(hours: Hours, timing: Timing, slot: str) -> Window | None:
    """Return one slot of a session, None if the session is too short for it.

    Raises
    ------
    ConfigError
        If it is none of the configured ones.
    """
    check_slot(slot, timing.slots)
    found = [one for one in windows(hours, timing) if one.slot == slot]
    return found[0] if found else None
