"""As of when: a date or a timestamp in a configuration, and the moment it stands for.

A date is the end of that day in New York, where the exchange is; a timestamp is taken exactly and says its zone.
"""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

NEW_YORK: Final = ZoneInfo("America/New_York")
_RIGHT: Final = "write 2026-07-01, the end of that day in New York, or 2026-07-01T16:30:00-04:00"


def as_of_text(given: Any) -> str:
    """Return a date as YYYY-MM-DD, a timestamp as ISO 8601 in UTC.

    Raises
    ------
    ValueError
        If it is neither, or a timestamp without a zone.
    """
    found = _parsed(given)
    if not isinstance(found, datetime):
        return found.isoformat()
    if found.tzinfo is None:
        raise ValueError(f"{given} says no zone: {_RIGHT}")
    return found.astimezone(UTC).isoformat().replace("+00:00", "Z")


def moment_of(text: str) -> datetime:
    """Return the moment (aware, UTC) of what `as_of_text` made."""
    found = _parsed(text)
    if isinstance(found, datetime):
        return found.astimezone(UTC)
    next_day = datetime.combine(found + timedelta(days=1), time(), NEW_YORK)
    return next_day.astimezone(UTC) - timedelta(microseconds=1)


def _parsed(given: Any) -> date:
    """Return a date, or a datetime, which is one too."""
    if isinstance(given, date):
        return given
    text = given.strip() if isinstance(given, str) else ""
    for read in (date.fromisoformat, datetime.fromisoformat):
        try:
            return read(text)
        except ValueError:
            continue
    raise ValueError(f"not a date or a timestamp: {_RIGHT}")
