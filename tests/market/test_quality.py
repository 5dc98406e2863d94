"""The gates, fed one fault at a time, and the suspicions."""

from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plimsoll.engine.errors import DataError
from plimsoll.engine.market.bars import BarRows, RawBars
from plimsoll.engine.market.calendar import build_clock, sessions
from plimsoll.engine.market.quality import check_finite, check_order
from plimsoll.engine.market.settle import settle

DAYS = sessions(date(2024, 1, 2), date(2024, 2, 29))
N = len(DAYS)
NAN = np.nan


def raw(**changed: Any) -> RawBars:
    """Return good rows around `close`, 100 unless given, with whole columns replaced."""
    close = changed.get("close", 100.0 + np.sin(np.arange(N)))
    columns = {
        "stamp": DAYS.astype("datetime64[s]"),
        "open": close + 0.25,
        "high": close + 1.0,
        "low": close - 1.0,
        "close": close,
        "volume": np.full(N, 1e6),
        "dividend": np.zeros(N),
    }
    return RawBars("ABC", "dir/ABC.csv", "1d", **{**columns, **changed})


def spoilt(column: str, at: int, value: float, **changed: Any) -> RawBars:
    """Return good rows with one cell replaced."""
    given = raw(**changed)
    cells = getattr(given, column).copy()
    cells[at] = value
    return replace(given, **{column: cells})


def refused(given: RawBars) -> str:
    with pytest.raises(DataError) as caught:
        settle(given)
    line = str(caught.value)
    assert "\n" not in line
    assert line.startswith("dir/ABC.csv: ABC")
    return line


def kinds(given: RawBars) -> list[str]:
    return [one.kind for one in settle(given).warnings]


def test_good_rows_pass_unchanged_and_without_a_word() -> None:
    given = raw()
    bars = settle(given)
    assert bars.warnings == ()
    for name in ("stamp", "open", "high", "low", "close", "volume", "dividend"):
        np.testing.assert_array_equal(getattr(bars, name), getattr(given, name))
    assert (bars.split == 1.0).all()
    assert (bars.adjusted_only, bars.n_derived_dividends) == (False, 0)


@pytest.mark.parametrize("column", ["open", "high", "low", "close"])
@pytest.mark.parametrize(
    ("value", "said"),
    [
        (NAN, "is empty while other prices of the row are known"),
        (0.0, "is 0, not a positive price"),
        (-3.5, "is -3.5, not a positive price"),
        (np.inf, "is inf, not a positive price"),
    ],
)
def test_a_price_that_is_none_is_refused_by_column_and_session(column: str, value: float, said: str) -> None:
    line = refused(spoilt(column, 4, value))
    assert f"ABC, {DAYS[4]}: {column} {said}" in line
    assert "empty all its prices" in line


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("high", 99.0, r"high 99 is below"),
        ("low", 99.9, r"low 99.9 is above 99.72"),
        ("low", 102.5, r"high .* is below 102.5"),
        ("close", 110.0, r"high .* is below 110, another price of the row"),
        ("open", 90.0, r"low .* is above 90, another price of the row"),
    ],
)
def test_contradictory_prices_are_refused(column: str, value: float, said: str) -> None:
    with pytest.raises(DataError, match=rf"ABC, {DAYS[6]}: {said}.*contradictory prices"):
        settle(spoilt(column, 6, value))


@settings(max_examples=200, deadline=None)
@given(st.floats(1.0, 1e5), st.floats(1.0, 1e5), st.floats(1.0, 1e5), st.floats(1.0, 1e5), st.floats(-3e-4, 3e-4))
def test_a_row_is_contradictory_exactly_beyond_one_part_in_ten_thousand(
    o: float, h: float, low: float, c: float, nudge: float
) -> None:
    high_need, low_need = max(o, low, c), min(o, h, c)
    h = max(h, high_need * (1.0 + nudge)) if nudge > 0 else high_need * (1.0 + nudge)
    low_need = min(o, h, c)
    wrong = h < high_need * (1 - 1e-4) or low > low_need * (1 + 1e-4)
    one = raw(
        stamp=DAYS[:1].astype("datetime64[s]"),
        open=np.array([o]),
        high=np.array([h]),
        low=np.array([low]),
        close=np.array([c]),
        volume=np.array([1.0]),
        dividend=np.zeros(1),
    )
    if wrong:
        assert "contradictory" in refused(one)
    else:
        assert len(settle(one)) == 1


@pytest.mark.parametrize(("value", "said"), [(-1.0, "volume is -1"), (np.inf, "volume is inf")])
def test_a_negative_or_infinite_volume_is_refused(value: float, said: str) -> None:
    assert f"ABC, {DAYS[2]}: {said}" in refused(spoilt("volume", 2, value))


@pytest.mark.parametrize("value", [0.0, NAN])
def test_no_volume_and_unknown_volume_are_both_allowed_and_kept_apart(value: float) -> None:
    np.testing.assert_equal(settle(spoilt("volume", 2, value)).volume[2], value)


@pytest.mark.parametrize("value", [-0.01, np.inf])
def test_an_impossible_dividend_is_refused(value: float) -> None:
    assert f"ABC, {DAYS[3]}: dividend is {value:g}" in refused(spoilt("dividend", 3, value))


def test_a_dividend_above_the_previous_close_is_refused_in_todays_shares() -> None:
    assert "dividend 150 exceeds the previous close of" in refused(spoilt("dividend", 3, 150.0))
    split = np.ones(N)
    split[3] = 2.0
    scale = np.where(np.arange(N) < 3, 2.0, 1.0)
    given = raw(split=split)
    doubled = {name: getattr(given, name) * scale for name in ("open", "high", "low", "close")}
    dividend = np.where(np.arange(N) == 3, 102.0, 0.0)
    assert "dividend 102 exceeds the previous close of 10" in refused(replace(given, **doubled, dividend=dividend))
    assert settle(spoilt("dividend", 3, 60.0), "raw").dividend[3] == 60.0
    assert settle(spoilt("dividend", 0, 150.0)).dividend[0] == 150.0  # no previous close to hold it against


@pytest.mark.parametrize("value", [0.0, -2.0, np.inf])
def test_an_impossible_split_is_refused(value: float) -> None:
    line = refused(spoilt("split", 5, value, split=np.ones(N)))
    assert f"ABC, {DAYS[5]}: split is {value:g}" in line
    assert "write 1" in line


def test_empty_cells_of_the_event_columns_mean_no_event() -> None:
    empty = np.full(N, NAN)
    bars = settle(raw(dividend=empty, split=empty))
    assert (bars.dividend == 0.0).all()
    assert (bars.split == 1.0).all()


@pytest.mark.parametrize(("column", "value"), [("dividend", 0.5), ("split", 2.0)])
def test_an_event_on_a_row_without_prices_is_refused_instead_of_lost(column: str, value: float) -> None:
    given = spoilt(column, 7, value, split=np.ones(N))
    for name in ("open", "high", "low", "close"):
        given = replace(given, **{name: np.where(np.arange(N) == 7, NAN, getattr(given, name))})
    line = refused(given)
    assert f"ABC, {DAYS[7]}: a {column} stands on a row without prices" in line
    assert "next session that has prices" in line


def test_a_row_without_prices_is_dropped() -> None:
    given = raw()
    for name in ("open", "high", "low", "close"):
        given = replace(given, **{name: np.where(np.arange(N) == 7, NAN, getattr(given, name))})
    np.testing.assert_array_equal(settle(given).stamp, np.delete(given.stamp, 7))


@pytest.mark.parametrize(
    ("day", "kind"), [("2024-01-13", "weekend"), ("2024-01-15", "holiday")], ids=["saturday", "mlk-day"]
)
def test_a_day_without_a_session_is_refused_by_its_kind(day: str, kind: str) -> None:
    stamp = np.sort(np.append(DAYS[:-1], np.datetime64(day))).astype("datetime64[s]")
    assert f"ABC, {day}: not a session of the exchange but a {kind}" in refused(raw(stamp=stamp))


def test_days_out_of_order_or_given_twice_are_refused() -> None:
    stamp = DAYS.astype("datetime64[s]")
    turned = stamp.copy()
    turned[[8, 9]] = turned[[9, 8]]
    line = refused(raw(stamp=turned))
    assert f"ABC, {DAYS[8]}: the row comes after that of {DAYS[9]}" in line
    assert "oldest first" in line
    twice = stamp.copy()
    twice[9] = twice[8]
    assert f"ABC, {DAYS[8]}: the row appears twice" in refused(raw(stamp=twice))


def test_a_time_of_day_on_daily_rows_and_a_year_beyond_the_calendar_are_refused() -> None:
    stamp = DAYS.astype("datetime64[s]")
    timed = stamp.copy()
    timed[2] += np.timedelta64(16, "h")
    assert f"ABC, {DAYS[2]} 16:00: a daily row carries a time of day" in refused(raw(stamp=timed))
    ancient = stamp.copy()
    ancient[0] = np.datetime64("0205-01-03", "s")
    assert "ABC, 0205-01-03: outside the calendar (1970-01-01 to 2099-12-31)" in refused(raw(stamp=ancient))


def intraday(stamp: Any) -> RawBars:
    n = len(stamp)
    close = 100.0 + np.sin(np.arange(n))
    return RawBars("ABC", "dir/ABC.csv", "5min", stamp, close, close + 1, close - 1, close, np.ones(n))


def test_intraday_bars_on_the_grid_pass_with_a_word_on_missing_dividends() -> None:
    clock = build_clock(date(2024, 7, 2), date(2024, 7, 5), "5min")
    bars = settle(intraday(clock.stamp))
    assert [one.kind for one in bars.warnings] == ["no_dividends"]
    np.testing.assert_array_equal(bars.stamp, clock.stamp)


@pytest.mark.parametrize(
    ("stamp", "said"),
    [
        ("2024-07-02T09:25:00", "2024-07-02 09:25: outside the session's hours 09:30-16:00"),
        ("2024-07-03T13:05:00", "2024-07-03 13:05: outside the session's hours 09:30-13:00"),
        (
            "2024-07-03T13:00:00",
            "2024-07-03 13:00: the session closes at 13:00, no bar starts then (stamped with the end",
        ),
        ("2024-07-02T09:31:00", "2024-07-02 09:31: not the start of a 5min bar"),
        ("2024-07-02T09:30:30", "2024-07-02 09:30: not the start of a 5min bar"),
        ("2024-07-04T10:00:00", "2024-07-04 10:00: not a session of the exchange but a holiday"),
    ],
)
def test_an_intraday_stamp_off_the_grid_is_refused(stamp: str, said: str) -> None:
    assert said in refused(intraday(np.array([stamp], dtype="datetime64[s]")))


def test_daily_rows_that_cannot_tell_a_total_return_are_refused_with_the_likely_cause() -> None:
    for adj_close in (None, np.full(N, NAN)):
        line = refused(raw(dividend=None, adj_close=adj_close))
        assert "neither a dividend nor an adj_close" in line
        assert "an index rather than a fund?" in line


def emptied(alone: Any, **changed: Any) -> RawBars:
    """Return good rows of which some have an adjusted close alone."""
    names = ("open", "high", "low", "close", "volume")
    given = raw(**changed)
    return replace(given, **{name: np.where(alone, NAN, getattr(given, name)) for name in names})


def test_a_first_row_with_an_adjusted_close_alone_makes_the_symbol_adjusted_only_for_life() -> None:
    adjusted = 50.0 + np.arange(N, dtype=np.float64)
    bars = settle(emptied(np.arange(N) < 1, adj_close=adjusted, dividend=None))
    assert bars.adjusted_only
    for name in ("open", "high", "low", "close"):
        np.testing.assert_array_equal(getattr(bars, name), adjusted)
    assert np.isnan(bars.volume).all()
    assert (bars.dividend == 0.0).all()
    (warning,) = bars.warnings
    assert (warning.kind, warning.session) == ("adjusted_only", str(DAYS[0]))


def test_a_later_row_with_an_adjusted_close_alone_has_the_close_before_it_moved_alike() -> None:
    adjusted = 50.0 * 1.01 ** np.arange(N)
    given = emptied(np.arange(N) >= 30, close=100.0 * 1.01 ** np.arange(N), adj_close=adjusted, dividend=None)
    bars = settle(given)
    assert not bars.adjusted_only
    np.testing.assert_allclose(bars.close, 100.0 * 1.01 ** np.arange(N), rtol=1e-12)
    for name in ("open", "high", "low"):
        np.testing.assert_array_equal(getattr(bars, name)[:30], getattr(given, name)[:30])
        np.testing.assert_array_equal(getattr(bars, name)[30:], bars.close[30:])
    assert np.isnan(bars.volume).tolist() == [False] * 30 + [True] * (N - 30)
    said = {one.kind: one for one in bars.warnings}
    assert said["close_from_adjusted"].session == str(DAYS[30])
    assert f"ABC: {N - 30} rows from {DAYS[30]} on with an adjusted close and no other price" in (
        said["close_from_adjusted"].text
    )


@pytest.mark.parametrize("listed", [True, False])
def test_a_dividend_paid_while_only_the_adjusted_close_is_known_is_earned_once(listed: bool) -> None:
    # 100 flat, 2 paid on row 20; rows 19 to 22 have an adjusted close alone
    close = np.where(np.arange(N) < 20, 100.0, 98.0)
    adjusted = np.full(N, 98.0)
    dividend = np.where(np.arange(N) == 20, 2.0, 0.0) if listed else None
    alone = (np.arange(N) >= 19) & (np.arange(N) < 23)
    bars = settle(emptied(alone, close=close, adj_close=adjusted, dividend=dividend))
    growth = (bars.close[1:] + bars.dividend[1:]) * bars.split[1:] / bars.close[:-1]
    np.testing.assert_allclose(growth, 1.0, rtol=1e-12)
    assert bars.dividend[23] == pytest.approx(2.0)


def test_a_close_that_only_a_missing_adjusted_close_could_tell_is_refused() -> None:
    adjusted = np.where(np.arange(N) == 6, NAN, 50.0)
    line = refused(emptied(np.arange(N) == 7, adj_close=adjusted))
    assert f"ABC, {DAYS[6]}: adj_close is nan, and the close of {DAYS[7]} is known by it alone" in line
    split = np.where(np.arange(N) == 7, 2.0, 1.0)
    line = refused(emptied(np.arange(N) == 7, adj_close=np.full(N, 50.0), split=split))
    assert f"ABC, {DAYS[7]}: a split is listed on a row whose only price is an adjusted close" in line


def test_an_adjusted_only_symbol_needs_its_adjusted_close_in_every_row() -> None:
    given = emptied(np.arange(N) < 2, adj_close=np.where(np.arange(N) == 3, NAN, 50.0), dividend=None)
    assert f"ABC, {DAYS[3]}: adj_close is empty while other prices of the row are known" in refused(given)


@pytest.mark.parametrize("prices", ["raw", "split"])
def test_what_is_said_of_prices_that_are_not_there_is_refused(prices: Any) -> None:
    given = emptied(np.arange(N) < 2, adj_close=np.full(N, 50.0), dividend=None)
    with pytest.raises(DataError, match=rf"\[data.prices\] says '{prices}', but its first row has an adjusted close"):
        settle(given, prices)


def test_a_row_missing_its_close_alone_is_an_error_and_does_not_turn_the_symbol_adjusted_only() -> None:
    line = refused(spoilt("close", 5, NAN, adj_close=np.full(N, 50.0), dividend=None))
    assert f"ABC, {DAYS[5]}: close is empty while other prices of the row are known" in line


def test_derived_dividends_are_counted_and_reported() -> None:
    given = raw(dividend=None)
    factor = np.where(np.arange(N) < 20, 1.0 - 0.5 / given.close[19], 1.0)
    bars = settle(replace(given, adj_close=np.round(given.close * factor, 6), close=np.round(given.close, 4)))
    assert bars.n_derived_dividends == 1
    np.testing.assert_allclose(bars.dividend[20], 0.5, atol=2e-4)
    assert [one.text for one in bars.warnings] == ["ABC: 1 dividends derived from close and adj_close"]


def test_a_hole_in_the_adjusted_close_is_an_error_where_dividends_come_from_it() -> None:
    adjusted = np.where(np.arange(N) == 9, NAN, raw().close)
    assert f"ABC, {DAYS[9]}: adj_close is empty" in refused(raw(dividend=None, adj_close=adjusted))
    assert settle(raw(adj_close=adjusted)).warnings == ()  # listed dividends do not need it


def repeated(n: int, **changed: Any) -> RawBars:
    run = (np.arange(N) >= 12) & (np.arange(N) < 12 + n)
    given = raw(**changed)
    return replace(
        given, **{c: np.where(run, getattr(given, c)[12], getattr(given, c)) for c in ("open", "high", "low", "close")}
    )


def test_ten_identical_rows_are_stale_and_nine_are_not() -> None:
    assert kinds(repeated(9)) == []
    (warning,) = settle(repeated(10)).warnings
    assert (warning.kind, warning.session) == ("stale_prices", str(DAYS[12]))
    assert "1 time; the longest run is 10 bars" in warning.text


def test_rows_that_traded_nothing_may_repeat_and_unknown_volume_does_not_excuse() -> None:
    assert kinds(repeated(20, volume=np.zeros(N))) == []
    assert kinds(repeated(20, volume=np.full(N, NAN))) == ["stale_prices"]


def test_a_calm_close_with_a_moving_range_is_not_stale() -> None:
    calm = np.full(N, 91.5)
    assert kinds(raw(close=calm)) == ["stale_prices"]
    assert kinds(raw(close=calm, high=91.52 + 0.01 * (np.arange(N) % 2), open=calm)) == []


def test_dividends_that_contradict_the_adjusted_close_are_named_and_still_used() -> None:
    given = raw()
    dividend = np.where(np.arange(N) == 20, 0.5, 0.0)
    right = given.close * np.where(np.arange(N) < 20, 1.0 - 0.5 / given.close[19], 1.0)
    wrong = given.close * np.where(np.arange(N) < 20, 1.0 - 0.8 / given.close[19], 1.0)
    assert kinds(replace(given, dividend=dividend, adj_close=right)) == []
    bars = settle(replace(given, dividend=dividend, adj_close=wrong))
    (warning,) = bars.warnings
    assert (warning.kind, warning.session) == ("dividend_mismatch", str(DAYS[20]))
    assert "disagree on 1 session, worst" in warning.text
    assert "0.5 listed, 0.8 implied" in warning.text
    assert bars.dividend[20] == 0.5


def test_an_unused_adjusted_close_may_hold_anything() -> None:
    odd = np.where(np.arange(N) % 3 == 0, 0.0, np.where(np.arange(N) % 3 == 1, np.inf, NAN))
    assert kinds(raw(adj_close=odd)) == []


def test_series_checks_name_the_first_fault() -> None:
    rows = BarRows("VIX", "VIX.csv", "1d", DAYS.astype("datetime64[s]"))
    with pytest.raises(DataError, match=rf"VIX\.csv: VIX, {DAYS[1]}: the value is infinite"):
        check_finite(rows, np.append([1.0, np.inf], np.full(N - 2, NAN)))
    with pytest.raises(DataError, match="comes after"):
        check_order(rows._replace(stamp=rows.stamp[::-1]))
