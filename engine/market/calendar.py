"""Exchange time: the sessions of the New York Stock Exchange (XNYS) and the bar grid laid on them.

The schedule is built once per process over a fixed range, so that no answer depends on today's date or on where the
data stops. It promises what is right and no more: sessions from 1970 on, because the rules behind it know no regular
holiday before; hours from 2000 on, because they know neither the shorter days of the decades before (10:00 to 15:30
until 1974, 10:00 to 16:00 until 1985) nor the early closes after the crash of 1987.
"""

import importlib.util
import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import numpy as np

from plimsoll.engine.errors import ConfigError, DataError, did_you_mean
from plimsoll.engine.kept import keep, recall, stamp_of
from plimsoll.engine.market.panel import BarClock
from plimsoll.engine.types import Bools, Dates, Ints

FIRST_DAY: Final = date(1970, 1, 1)
# Hours, that is intraday bars and early closes, begin later than sessions.
FIRST_DAY_OF_HOURS: Final = date(2000, 1, 1)
LAST_DAY: Final = date(2099, 12, 31)
# Read beyond both ends, so that the flags of the outermost sessions see their neighbours.
_BUILD_FROM: Final = "1969-10-01"
_BUILD_TO: Final = "2100-02-28"

FULL_SESSION_MINUTES: Final = 390
SESSIONS_PER_YEAR: Final = 252.0
# Twenty years of early closes, 42 in 5,033 sessions: what a session has on average is taken from them.
MEAN_OF: Final = (date(2005, 1, 1), date(2024, 12, 31))
_KEPT: Final = "calendar-XNYS"
_COLUMNS: Final = (
    ("session", "<i8"),
    ("open_minute", "<i8"),
    ("close_minute", "<i8"),
    ("month_first", "|b1"),
    ("month_last", "|b1"),
    ("week_last", "|b1"),
)

COMMON_INTERVALS: Final = ("1d", "1min", "2min", "3min", "5min", "10min", "15min", "30min", "60min")


@dataclass(frozen=True, slots=True, eq=False)
class Schedule:
    """Every session from `FIRST_DAY` to `LAST_DAY`; all arrays (S,).

    session : datetime64[D], ascending.
    open_minute, close_minute : minutes after midnight, exchange local time; planned early closes included; right from
        `FIRST_DAY_OF_HOURS` on.
    month_first, month_last, week_last : the session is the first / last one of its month, the last of its week.
    """

    session: Dates
    open_minute: Ints
    close_minute: Ints
    month_first: Bools
    month_last: Bools
    week_last: Bools


@lru_cache(maxsize=1)
def schedule() -> Schedule:
    """Return the exchange schedule: as it was kept by an earlier process, as long as what made it has not changed."""
    key = _made_by()
    plan = _unpacked(recall(_KEPT, key)) if key else None
    if plan is None:
        plan = _built()
        if key:
            keep(_KEPT, key, _packed(plan))
    return plan


def _made_by() -> str:
    """Return a key over the calendar library's files, pandas and this file; "" where they cannot be looked at."""
    found = importlib.util.find_spec("exchange_calendars")
    try:
        files = [Path(__file__), *Path(found.origin).parent.rglob("*.py")] if found and found.origin else []
        return stamp_of(files, _BUILD_FROM, _BUILD_TO, version("pandas")) if files else ""
    except OSError:
        return ""


def _packed(plan: Schedule) -> bytes:
    return b"".join(getattr(plan, name).astype(kind).tobytes() for name, kind in _COLUMNS)


def _unpacked(payload: bytes | None) -> Schedule | None:
    """Return a kept schedule; None if there is none."""
    if payload is None:
        return None
    row = sum(np.dtype(kind).itemsize for _, kind in _COLUMNS)
    count, at, columns = len(payload) // row, 0, []
    for name, kind in _COLUMNS:
        column = np.frombuffer(payload, dtype=kind, count=count, offset=at)
        at += column.nbytes
        columns.append(column.astype("datetime64[D]" if name == "session" else kind.lstrip("<"), order="C"))
    return _frozen(columns)


def _frozen(columns: Sequence[Any]) -> Schedule:
    for column in columns:
        column.flags.writeable = False
    return Schedule(*columns)


def _built() -> Schedule:
    import exchange_calendars

    with warnings.catch_warnings():
        # the calendar library uses an accessor that pandas is about to change
        warnings.filterwarnings("ignore", message="Series.values returning an ndarray that drops timezone")
        exchange = exchange_calendars.get_calendar("XNYS", start=_BUILD_FROM, end=_BUILD_TO)
    session = exchange.sessions.to_numpy().astype("datetime64[D]")
    opens = exchange.opens.dt.tz_convert("America/New_York").dt
    closes = exchange.closes.dt.tz_convert("America/New_York").dt
    month = session.astype("datetime64[M]").astype(np.int64)
    week = (session.astype(np.int64) + 3) // 7  # 1970-01-01 was a Thursday: weeks begin on Monday
    new_month = np.diff(month, prepend=month[0] - 1) != 0
    inside = (session >= np.datetime64(FIRST_DAY)) & (session <= np.datetime64(LAST_DAY))
    columns = (
        session,
        (opens.hour * 60 + opens.minute).to_numpy().astype(np.int64),
        (closes.hour * 60 + closes.minute).to_numpy().astype(np.int64),
        new_month,
        np.append(new_month[1:], True),
        np.append(np.diff(week) != 0, True),
    )
    return _frozen([np.ascontiguousarray(column[inside]) for column in columns])


def sessions(first: date, last: date) -> Dates:
    """Return the sessions of [first, last], both included, as datetime64[D] (read-only)."""
    lo, hi = _span(first, last)
    return schedule().session[lo:hi]


def session_mask(days: Dates) -> Bools:
    """Return which of `days` (datetime64[D], any order) are sessions; days the schedule does not reach are not."""
    session = schedule().session
    at = np.searchsorted(session, days)
    found: Bools = session[np.minimum(at, len(session) - 1)] == days
    return found


def is_session(day: date) -> bool:
    """Say whether the exchange opens on `day`."""
    return bool(session_mask(np.array([day], dtype="datetime64[D]"))[0])


def day_kind(day: date) -> str:
    """Return "session", "weekend", "holiday", or "outside the calendar": the word for error messages."""
    if not FIRST_DAY <= day <= LAST_DAY:
        return "outside the calendar"
    if is_session(day):
        return "session"
    return "weekend" if day.weekday() >= 5 else "holiday"


def next_session(after: date) -> date:
    """Return the first session later than `after`.

    Raises
    ------
    DataError
        If the calendar ends before.
    """
    session = schedule().session
    at = int(np.searchsorted(session, np.datetime64(after), side="right"))
    if after < FIRST_DAY or at == len(session):
        raise _beyond(after)
    return _as_date(session[at])


def previous_session(before: date) -> date:
    """Return the last session earlier than `before`.

    Raises
    ------
    DataError
        If the calendar begins after.
    """
    session = schedule().session
    at = int(np.searchsorted(session, np.datetime64(before), side="left")) - 1
    if before > LAST_DAY or at < 0:
        raise _beyond(before)
    return _as_date(session[at])


def session_hours(day: date) -> tuple[int, int]:
    """Return (open, close) of a session in minutes after midnight, exchange local time.

    Raises
    ------
    DataError
        If `day` is not a session, or its hours are not known.
    """
    if not is_session(day):
        raise DataError(f"{day} is not an exchange session", cause=day_kind(day))
    _check_hours(day)
    plan = schedule()
    at = int(np.searchsorted(plan.session, np.datetime64(day)))
    return int(plan.open_minute[at]), int(plan.close_minute[at])


def early_closes(first: date, last: date) -> Dates:
    """Return the sessions of [first, last] that close before 16:00, as datetime64[D].

    Raises
    ------
    DataError
        If the range begins before hours are known, or leaves the calendar.
    """
    _check_hours(first)
    lo, hi = _span(first, last)
    plan = schedule()
    return plan.session[lo:hi][plan.close_minute[lo:hi] < 16 * 60]


def minutes_of(interval: str) -> int | None:
    """Return the length of an intraday bar in minutes; None for "1d".

    Raises
    ------
    ConfigError
        If `interval` is neither "1d" nor "<n>min" with 1 <= n <= 390.
    """
    if interval == "1d":
        return None
    match = re.fullmatch(r"([1-9]\d{0,2})min", interval)
    if match is None or int(match[1]) > FULL_SESSION_MINUTES:
        raise ConfigError(f"unknown bar interval {interval!r}", fix=did_you_mean(interval, COMMON_INTERVALS))
    return int(match[1])


def build_clock(first: date, last: date, interval: str = "1d") -> BarClock:
    """Lay the bars of `interval` over every session of [first, last].

    Daily bars are stamped at midnight. Intraday bars are stamped with their start and run from the open to the close
    of each session, early closes included; where the interval does not divide the session its last bar is shorter.

    Raises
    ------
    DataError
        If the range holds no session, leaves the calendar, or begins before hours are known while bars are intraday.
    ConfigError
        If the interval is unknown.
    """
    minutes = minutes_of(interval)
    if minutes is not None:
        _check_hours(first)
    lo, hi = _span(first, last)
    if hi <= lo:
        raise DataError(f"no exchange session between {first} and {last}", fix="widen the range")
    plan = schedule()
    days = plan.session[lo:hi]
    counts = np.ones(hi - lo, dtype=np.int64)
    if minutes is not None:
        counts = -(-(plan.close_minute[lo:hi] - plan.open_minute[lo:hi]) // minutes)
    index = np.repeat(np.arange(hi - lo), counts)
    ends = np.cumsum(counts)
    first_bar = np.zeros(len(index), dtype=np.bool_)
    last_bar = np.zeros(len(index), dtype=np.bool_)
    first_bar[ends - counts] = True
    last_bar[ends - 1] = True
    stamp = days[index].astype("datetime64[s]")
    if minutes is not None:
        within = np.arange(len(index)) - (ends - counts)[index]
        stamp += (60 * (plan.open_minute[lo:hi][index] + minutes * within)).astype("timedelta64[s]")
    return BarClock(
        stamp=stamp,
        session=days[index],
        session_index=index,
        first_bar=first_bar,
        last_bar=last_bar,
        month_first=plan.month_first[lo:hi][index],
        month_last=plan.month_last[lo:hi][index],
        week_last=plan.week_last[lo:hi][index],
        bars_per_session=1 if minutes is None else -(-FULL_SESSION_MINUTES // minutes),
        interval=interval,
        bars_per_year=SESSIONS_PER_YEAR * mean_bars(minutes),
    )


@lru_cache(maxsize=64)
def mean_bars(minutes: int | None) -> float:
    """Return the mean number of bars of a session over `MEAN_OF`, early closes included; 1 for daily bars.

    The sum of a session's returns has on average so many times the variance of one bar's. The span is fixed, so that
    nothing annualised depends on where the data begin or end.
    """
    if minutes is None:
        return 1.0
    lo, hi = _span(*MEAN_OF)
    plan = schedule()
    return float(np.mean(-(-(plan.close_minute[lo:hi] - plan.open_minute[lo:hi]) // minutes)))


def _span(first: date, last: date) -> tuple[int, int]:
    for day in (first, last):
        if not FIRST_DAY <= day <= LAST_DAY:
            raise _beyond(day)
    session = schedule().session
    lo = int(np.searchsorted(session, np.datetime64(first), side="left"))
    return lo, int(np.searchsorted(session, np.datetime64(last), side="right"))


def _check_hours(day: date) -> None:
    if day < FIRST_DAY_OF_HOURS:
        what = f"{day} lies before {FIRST_DAY_OF_HOURS}, from when on the exchange's hours are known"
        raise DataError(what, fix="use daily bars, or begin later")


def _beyond(day: date) -> DataError:
    return DataError(f"{day} leaves the exchange calendar, which covers {FIRST_DAY} to {LAST_DAY}")


def _as_date(day: np.datetime64) -> date:
    found: date = day.astype(object)
    return found
