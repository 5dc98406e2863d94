"""The exchange calendar against another library's, session by session, from the first day promised."""

from datetime import date

import numpy as np
import pandas_market_calendars
import pytest

from plimsoll.engine.errors import DataError
from plimsoll.engine.market.bars import BarRows
from plimsoll.engine.market.calendar import (
    FIRST_DAY,
    FIRST_DAY_OF_HOURS,
    LAST_DAY,
    build_clock,
    day_kind,
    early_closes,
    session_hours,
    sessions,
)
from plimsoll.engine.market.quality import check_stamps

# the peer uses an accessor that pandas deprecates
pytestmark = pytest.mark.filterwarnings("ignore:Series.dt.weekday is deprecated")

# Bells that rang late and a halt that nobody had planned: bars are then missing, the grid stays.
UNPLANNED = ("2001-09-17", "2001-10-08", "2002-09-11", "2003-03-20", "2004-06-07", "2005-06-01", "2006-12-27")


def test_every_session_from_the_first_day_promised_to_the_last_is_one_of_the_peers() -> None:
    peer = pandas_market_calendars.get_calendar("NYSE").valid_days(str(FIRST_DAY), str(LAST_DAY), tz=None)
    assert len(peer) > 32_000
    np.testing.assert_array_equal(sessions(FIRST_DAY, LAST_DAY), peer.to_numpy().astype("datetime64[D]"))


def test_every_open_and_early_close_from_the_first_day_of_hours_is_one_of_the_peers() -> None:
    plan = pandas_market_calendars.get_calendar("NYSE").schedule(str(FIRST_DAY_OF_HOURS), str(LAST_DAY))
    days = plan.index.to_numpy().astype("datetime64[D]")
    planned = ~np.isin(days, np.array(UNPLANNED, dtype="datetime64[D]"))
    minutes = {
        name: (plan[name].dt.tz_convert("America/New_York") - plan.index.tz_localize("America/New_York"))
        .dt.total_seconds()
        .to_numpy()
        / 60.0
        for name in ("market_open", "market_close")
    }
    assert (minutes["market_open"][planned] == 9.5 * 60.0).all()
    np.testing.assert_array_equal(
        early_closes(FIRST_DAY_OF_HOURS, LAST_DAY), days[planned & (minutes["market_close"] < 16.0 * 60.0)]
    )
    short = planned & (minutes["market_close"] < 16.0 * 60.0)
    for day, close in zip(days[short], minutes["market_close"][short], strict=True):
        assert session_hours(day.astype(object)) == (570, close)


@pytest.mark.parametrize("day", [date(1963, 12, 25), date(1963, 11, 25), date(1968, 6, 12)])
def test_a_day_before_the_calendar_is_no_session_and_no_holiday_but_outside(day: date) -> None:
    assert day_kind(day) == "outside the calendar"
    rows = BarRows("ABC", "ABC.csv", "1d", np.array([str(day)], dtype="datetime64[s]"))
    with pytest.raises(DataError, match=rf"ABC, {day}: outside the calendar \(1970-01-01 to 2099-12-31\)"):
        check_stamps(rows)


def test_hours_before_they_are_known_are_refused() -> None:
    day = date(1985, 9, 26)  # the exchange opened at ten
    for ask in (lambda: session_hours(day), lambda: early_closes(day, LAST_DAY), lambda: build_clock(day, day, "5min")):
        with pytest.raises(DataError, match="1985-09-26 lies before 2000-01-01"):
            ask()
    rows = BarRows("ABC", "ABC.csv", "5min", np.array(["1985-09-26T10:00"], dtype="datetime64[s]"))
    with pytest.raises(DataError, match="hours are known from 2000-01-01 on"):
        check_stamps(rows)
    assert len(build_clock(day, day)) == 1
