"""Weekly, monthly and quarterly files are refused as such; sparse daily ones pass."""

from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plimsoll.engine.errors import DataError
from plimsoll.engine.market.bars import BarRows
from plimsoll.engine.market.calendar import build_clock, sessions
from plimsoll.engine.market.frequency import check_frequency
from plimsoll.engine.types import Dates

CLOCK = build_clock(date(2015, 1, 2), date(2024, 12, 31))
DAYS = CLOCK.session
MONTHS = np.arange("2015-01", "2024-12", dtype="datetime64[M]")


def check(days: Dates, interval: str = "1d") -> None:
    check_frequency(BarRows("ABC", "ABC.csv", interval, days.astype("datetime64[s]")))


@pytest.mark.parametrize(
    ("days", "said"),
    [
        (DAYS[CLOCK.week_last], "weekly bars: the median gap between rows is 5 sessions"),
        (np.arange("2015-01-03", "2024-12-28", 7, dtype="datetime64[D]"), "weekly"),  # Saturdays
        (np.arange("2015-01-05", "2024-12-28", 7, dtype="datetime64[D]"), "weekly"),  # Mondays, as Yahoo stamps weeks
        (DAYS[CLOCK.month_last], "monthly bars: the median gap between rows is 21 sessions"),
        (MONTHS.astype("datetime64[D]"), "monthly"),  # the first of the month, as Yahoo stamps months
        (DAYS[CLOCK.month_last][2::3], "quarterly"),
        (MONTHS[::3].astype("datetime64[D]"), "quarterly"),
        (DAYS[CLOCK.week_last][:8], "weekly"),
    ],
    ids=["fridays", "saturdays", "mondays", "month ends", "month starts", "quarter ends", "quarter starts", "eight"],
)
def test_longer_bars_are_refused_as_what_they_are(days: Dates, said: str) -> None:
    with pytest.raises(DataError, match=rf"ABC\.csv: ABC holds {said}"):
        check(days)


def test_seven_rows_say_nothing_and_intraday_bars_are_not_asked() -> None:
    check(DAYS[CLOCK.week_last][:7])
    check(DAYS[CLOCK.week_last], interval="5min")


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0.35, 1.0), st.integers(8, 2000))
def test_a_daily_file_that_lacks_rows_at_random_passes(seed: int, share: float, n: int) -> None:
    rng = np.random.default_rng(seed)
    check(DAYS[:n][rng.random(n) < share])


def test_every_daily_span_passes() -> None:
    check(sessions(date(1970, 1, 2), date(2024, 12, 31)))
