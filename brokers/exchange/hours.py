"""When the exchange trades: its sessions as moments in UTC, half days and both changes of the clock included."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from plimsoll.engine.market.calendar import is_session, next_session, previous_session, session_hours

NEW_YORK: Final = ZoneInfo("America/New_York")
# Splits and dividends of a session are booked here, before anybody can trade.
_OVERNIGHT: Final = time(4, 0)
_EVENING: Final = time(19, 0)


@dataclass(frozen=True, slots=True)
class Session:
    """One trading day. overnight < open < close, all UTC; corporate actions of the day are in force from overnight."""

    day: date
    overnight: datetime
    open: datetime
    close: datetime

    @property
    def minutes(self) -> int:
        """Length in minutes: 390, or 210 on a half day."""
        return int((self.close - self.open) / timedelta(minutes=1))

    def has(self, moment: datetime) -> bool:
        """Say whether the market is open at `moment`: from the open on, until just before the close."""
        return self.open <= moment < self.close


def local(day: date, at: time) -> datetime:
    """Return a New York wall-clock time as a moment in UTC."""
    return datetime.combine(day, at, NEW_YORK).astimezone(UTC)


@lru_cache(maxsize=4096)
def session_on(day: date) -> Session:
    """Return the session of a day; DataError if there is none."""
    opens, closes = session_hours(day)
    return Session(
        day,
        local(day, _OVERNIGHT),
        local(day, time(opens // 60, opens % 60)),
        local(day, time(closes // 60, closes % 60)),
    )


@lru_cache(maxsize=4096)
def session_after(session: Session) -> Session:
    """Return the session that follows."""
    return session_on(next_session(session.day))


def session_before(session: Session) -> Session:
    """Return the session before."""
    return session_on(previous_session(session.day))


def current_session(moment: datetime) -> Session:
    """Return the session that is open at `moment`, or else the next one: the first whose close is still to come."""
    session = _session_from(moment.astimezone(NEW_YORK).date())
    return session if moment < session.close else session_after(session)


@lru_cache(maxsize=4096)
def _session_from(day: date) -> Session:
    return session_on(day if is_session(day) else next_session(day))


def evening_before(session: Session) -> datetime:
    """Return 19:00 New York time of the last session's day: from then on orders for the next auctions are taken."""
    return local(session_before(session).day, _EVENING)
