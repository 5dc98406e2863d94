"""Which session is the last completed one."""

from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from plimsoll.engine.market.calendar import is_session, previous_session, session_hours

# Volumes and closing prints still change for some minutes after the close, and the free tape comes a quarter late.
SETTLED: Final = timedelta(minutes=20)
NEW_YORK: Final = ZoneInfo("America/New_York")


def last_completed(now: datetime) -> date:
    """Return the last session whose close lies at least 20 minutes before `now` (aware); early closes count.

    Raises
    ------
    DataError
        If the calendar does not reach so far.
    """
    local = now.astimezone(NEW_YORK)
    day = local.date()
    if is_session(day):
        _, close = session_hours(day)
        midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
        if local >= midnight.replace(hour=close // 60, minute=close % 60) + SETTLED:
            return day
    return previous_session(day)
