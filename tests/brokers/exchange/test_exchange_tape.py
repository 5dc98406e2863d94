"""Prices over time, from daily bars by hand."""

from datetime import date
from decimal import Decimal

import numpy as np
import pytest
from support.panels import make_panel
from support.venue import moment

from plimsoll.brokers.exchange.hours import current_session, session_on
from plimsoll.brokers.exchange.tape import DayBar, Tape, path_price
from plimsoll.engine.errors import DataError
from plimsoll.engine.market.panel import Panel

UP = DayBar(date(2019, 1, 3), Decimal(100), Decimal(106), Decimal(94), Decimal(103), 1000)
DOWN = DayBar(date(2019, 1, 3), Decimal(103), Decimal(106), Decimal(94), Decimal(100), 1000)


@pytest.mark.parametrize(("bar", "minute", "price"), [
    (UP, 0, 100), (UP, 65, 97), (UP, 130, 94), (UP, 195, 100), (UP, 260, 106), (UP, 325, Decimal("104.50")),
    (DOWN, 0, 103), (DOWN, 130, 106), (DOWN, 260, 94), (DOWN, 389, Decimal("99.95")),
])  # fmt: skip
def test_the_path_meets_the_four_prices_of_the_day(bar: DayBar, minute: int, price: Decimal) -> None:
    assert path_price(bar, minute, 390) == price


def test_the_path_never_leaves_the_day() -> None:
    bar = DayBar(UP.day, Decimal("10.005"), Decimal("10.0061"), Decimal("10.0049"), Decimal("10.006"), 0)
    assert all(bar.low <= path_price(bar, k, 210) <= bar.high for k in range(210))


def test_between_sessions_the_last_close_stands_and_a_split_divides_it_on_its_morning(market: Panel) -> None:
    tape = Tape(market)
    for at, price in (
        ("2019-01-08T12:45", Decimal("104.5")),  # half of the session, half of the way from low to high
        ("2019-01-08T16:00", Decimal(105)),
        ("2019-01-09T03:59", Decimal(105)),
        ("2019-01-09T04:00", Decimal("52.5")),
        ("2019-01-09T09:30", Decimal("52.5")),
        ("2019-01-09T20:00", Decimal(53)),
    ):
        last = tape.last("A", moment(at))
        assert last is not None
        assert last.price == price, at


def test_the_spread_is_rounded_outwards_to_the_tick() -> None:
    tape = Tape(make_panel([[100.0, 0.5]] * 2, symbols=("A", "B")), half_spread_bps=Decimal(3))
    seen = [tape.quote(symbol, moment("2019-01-02T17:00")) for symbol in "AB"]
    assert [(q.bid, q.ask) for q in seen if q] == [
        (Decimal("99.97"), Decimal("100.03")), (Decimal("0.4998"), Decimal("0.5002")),
    ]  # fmt: skip


def test_share_classes_are_written_with_a_point_and_two_ways_to_write_one_are_refused() -> None:
    assert Tape(make_panel([[1.0]], symbols=("BRK-B",))).symbols == ("BRK.B",)
    with pytest.raises(DataError, match="one symbol"):
        Tape(make_panel([[1.0, 1.0]], symbols=("BRK-B", "BRK.B")))


def test_intraday_bars_are_refused() -> None:
    with pytest.raises(DataError, match="daily bars"):
        Tape(make_panel(np.full(390, 10.0), interval="1min"))


def test_a_symbol_without_rows_for_six_sessions_is_no_longer_traded() -> None:
    closes = np.full((9, 1), 10.0)
    closes[2:] = np.nan
    panel = make_panel(closes, symbols=("A",))
    tape = Tape(panel)
    assert [tape.is_active("A", day) for day in tape.days] == [True] * 7 + [False] * 2
    assert tape.bar("A", date(2019, 3, 1)) is None


@pytest.mark.parametrize(("at", "day", "hours"), [
    ("2026-11-27T12:59", "2026-11-27", ("09:30", "13:00")), ("2026-11-27T13:00", "2026-11-30", ("09:30", "16:00")),
    ("2026-03-06T17:00", "2026-03-09", ("09:30", "16:00")), ("2026-11-01T12:00", "2026-11-02", ("09:30", "16:00")),
])  # fmt: skip
def test_sessions_follow_half_days_and_both_changes_of_the_clock(at: str, day: str, hours: tuple[str, str]) -> None:
    session = current_session(moment(at))
    assert session == session_on(date.fromisoformat(day))
    assert (session.open, session.close) == tuple(moment(f"{day}T{hour}") for hour in hours)
