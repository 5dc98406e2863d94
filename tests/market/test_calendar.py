"""The exchange calendar, against the exchange's published closures and plain date arithmetic."""

from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plimsoll.engine.errors import ConfigError, DataError
from plimsoll.engine.market.calendar import (
    FIRST_DAY,
    LAST_DAY,
    build_clock,
    day_kind,
    early_closes,
    is_session,
    minutes_of,
    next_session,
    previous_session,
    schedule,
    session_hours,
    session_mask,
    sessions,
)

DAYS = st.dates(date(1990, 1, 1), date(2060, 12, 31))


def test_the_year_2024_has_the_252_sessions_the_exchange_held() -> None:
    # NYSE holidays of 2024 as the exchange published them
    closed = ["01-01", "01-15", "02-19", "03-29", "05-27", "06-19", "07-04", "09-02", "11-28", "12-25"]
    holidays = np.array([f"2024-{day}" for day in closed], dtype="datetime64[D]")
    days = np.arange("2024-01-01", "2025-01-01", dtype="datetime64[D]")
    expected = days[np.is_busday(days, holidays=holidays)]
    assert len(expected) == 252
    np.testing.assert_array_equal(sessions(date(2024, 1, 1), date(2024, 12, 31)), expected)


@pytest.mark.parametrize(
    ("day", "kind"),
    [
        (date(2024, 7, 4), "holiday"),
        (date(2025, 1, 9), "holiday"),  # national day of mourning
        (date(2012, 10, 29), "holiday"),  # hurricane Sandy
        (date(2001, 9, 12), "holiday"),
        (date(2022, 6, 20), "holiday"),  # Juneteenth observed
        (date(2021, 6, 18), "session"),  # not yet observed the year before
        (date(2024, 7, 6), "weekend"),
        (date(2024, 7, 5), "session"),
        (date(1970, 1, 2), "session"),
        (date(1969, 12, 31), "outside the calendar"),
        (date(2100, 1, 4), "outside the calendar"),
    ],
)
def test_a_day_is_called_what_the_exchange_made_of_it(day: date, kind: str) -> None:
    assert day_kind(day) == kind
    assert is_session(day) == (kind == "session")


def test_early_closes_of_2024_and_2025_are_the_published_ones() -> None:
    expected = ["2024-07-03", "2024-11-29", "2024-12-24", "2025-07-03", "2025-11-28", "2025-12-24"]
    found = early_closes(date(2024, 1, 1), date(2025, 12, 31))
    np.testing.assert_array_equal(found, np.array(expected, dtype="datetime64[D]"))
    assert session_hours(date(2024, 7, 3)) == (570, 780)
    assert session_hours(date(2024, 7, 5)) == (570, 960)


def test_hours_of_a_closed_day_are_refused_with_the_reason() -> None:
    with pytest.raises(DataError, match=r"2024-07-04 is not an exchange session \(holiday\)"):
        session_hours(date(2024, 7, 4))


@given(DAYS)
def test_next_and_previous_session_are_the_nearest_ones_on_either_side(day: date) -> None:
    later, earlier = next_session(day), previous_session(day)
    assert earlier < day < later
    assert is_session(later)
    assert is_session(earlier)
    between = [earlier + timedelta(n) for n in range(1, (later - earlier).days)]
    assert [one for one in between if is_session(one)] == ([day] if is_session(day) else [])


@pytest.mark.parametrize("ask", [next_session, previous_session])
@pytest.mark.parametrize("day", [date(1900, 1, 1), date(2200, 1, 1)])
def test_days_beyond_the_calendar_are_refused(ask: object, day: date) -> None:
    assert callable(ask)
    with pytest.raises(DataError, match="leaves the exchange calendar"):
        ask(day)


def test_the_edges_of_the_calendar_have_no_session_beyond_them() -> None:
    first, last = schedule().session[0], schedule().session[-1]
    assert first.astype(object) >= FIRST_DAY
    assert last.astype(object) <= LAST_DAY
    with pytest.raises(DataError, match="leaves"):
        next_session(LAST_DAY)
    with pytest.raises(DataError, match="leaves"):
        previous_session(FIRST_DAY)


def test_session_mask_agrees_with_is_session_in_any_order_and_beyond_the_calendar() -> None:
    days = np.array(["2100-06-01", "2024-07-04", "2024-07-05", "1900-01-02", "2024-07-06"], dtype="datetime64[D]")
    assert session_mask(days).tolist() == [False, False, True, False, False]


@settings(max_examples=60, deadline=None)
@given(DAYS, st.integers(0, 400), st.integers(1, 400))
def test_flags_are_those_of_a_longer_calendar_wherever_the_data_stops(first: date, n_days: int, more: int) -> None:
    last = first + timedelta(n_days)
    if len(sessions(first, last)) == 0:
        return
    short = build_clock(first, last)
    long = build_clock(first, last + timedelta(more))
    n = len(short)
    for name in ("stamp", "session", "session_index", "month_first", "month_last", "week_last"):
        np.testing.assert_array_equal(getattr(short, name), getattr(long, name)[:n], err_msg=name)


@settings(max_examples=40, deadline=None)
@given(st.dates(date(1990, 1, 1), date(2050, 1, 1)))
def test_month_and_week_flags_mark_the_extremes_of_each_month_and_week(first: date) -> None:
    clock = build_clock(first, first + timedelta(200))
    days = [day.astype(object) for day in clock.session]
    for t in range(1, len(days) - 1):
        assert clock.month_last[t] == (days[t].month != days[t + 1].month)
        assert clock.month_first[t] == (days[t].month != days[t - 1].month)
        assert clock.week_last[t] == (days[t].isocalendar()[:2] != days[t + 1].isocalendar()[:2])


def test_the_last_session_before_good_friday_closes_its_week() -> None:
    clock = build_clock(date(2024, 3, 25), date(2024, 3, 28))
    assert clock.week_last.tolist() == [False, False, False, True]
    assert clock.month_last.tolist() == [False, False, False, True]  # the 29th was Good Friday


def test_a_daily_clock_has_one_bar_stamped_at_midnight_per_session() -> None:
    clock = build_clock(date(2005, 1, 1), date(2026, 5, 1))
    np.testing.assert_array_equal(clock.stamp, clock.session.astype("datetime64[s]"))
    np.testing.assert_array_equal(clock.session_index, np.arange(len(clock)))
    assert clock.first_bar.all()
    assert clock.last_bar.all()
    assert (clock.bars_per_session, clock.interval, clock.bars_per_year) == (1, "1d", 252.0)


@pytest.mark.parametrize(
    ("interval", "full", "early", "last_start"),
    [
        ("1min", 390, 210, "12:59"),
        ("5min", 78, 42, "12:55"),
        ("15min", 26, 14, "12:45"),
        ("30min", 13, 7, "12:30"),
        ("60min", 7, 4, "12:30"),
    ],
)
def test_an_intraday_clock_runs_from_open_to_close_and_stops_early_on_short_days(
    interval: str, full: int, early: int, last_start: str
) -> None:
    clock = build_clock(date(2024, 7, 2), date(2024, 7, 5), interval)  # full, early, (holiday), full
    assert np.bincount(clock.session_index).tolist() == [full, early, full]
    assert clock.bars_per_session == full
    # in the twenty years from 2005 on 42 of 5,033 sessions closed at 13:00
    assert clock.bars_per_year == pytest.approx(252.0 * (4991 * full + 42 * early) / 5033, rel=1e-12)
    assert str(clock.stamp[0]) == "2024-07-02T09:30:00"
    assert str(clock.stamp[full + early - 1]) == f"2024-07-03T{last_start}:00"
    assert np.flatnonzero(clock.first_bar).tolist() == [0, full, full + early]
    assert np.flatnonzero(clock.last_bar).tolist() == [full - 1, full + early - 1, 2 * full + early - 1]
    steps = np.diff(clock.stamp)[~clock.last_bar[:-1]]
    assert (steps == np.timedelta64(minutes_of(interval) or 0, "m")).all()


@pytest.mark.parametrize("interval", ["5m", "0min", "391min", "1h", "daily", "", "1D", "-5min", "5min "])
def test_an_unknown_interval_is_refused_with_the_known_ones(interval: str) -> None:
    with pytest.raises(ConfigError, match=r"unknown bar interval .*(did you mean|known: )"):
        build_clock(date(2024, 1, 2), date(2024, 1, 5), interval)


def test_a_range_without_a_session_is_refused() -> None:
    with pytest.raises(DataError, match="no exchange session between 2024-07-06 and 2024-07-07"):
        build_clock(date(2024, 7, 6), date(2024, 7, 7))


def test_the_schedule_cannot_be_written_to() -> None:
    with pytest.raises(ValueError, match="read-only"):
        sessions(date(2024, 1, 1), date(2024, 2, 1))[0] = np.datetime64("2024-01-01")
