"""Bars of many symbols laid on one clock."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plimsoll.engine.errors import DataError, EngineError
from plimsoll.engine.market.align import align
from plimsoll.engine.market.bars import Bars, IndicatorBars
from plimsoll.engine.market.calendar import build_clock, sessions
from plimsoll.engine.market.panel import Panel
from plimsoll.engine.types import Dates

DAYS = sessions(date(2024, 1, 2), date(2024, 3, 28))


def bars(symbol: str, stamp: Dates, level: float = 100.0) -> Bars:
    n = len(stamp)
    price = level + np.arange(n, dtype=np.float64)
    return Bars(
        symbol,
        stamp.astype("datetime64[s]"),
        price,
        price + 2.0,
        price - 2.0,
        price + 1.0,
        np.full(n, 5e5),
        np.zeros(n),
        np.ones(n),
    )


def warnings_of(panel: Panel) -> dict[tuple[str, str], str]:
    return {(one.symbol, one.kind): one.text for one in panel.warnings}


def test_columns_are_alphabetical_whatever_the_order_of_the_source() -> None:
    one, two = bars("ZZZ", DAYS), bars("AAA", DAYS, 50.0)
    panel = align([one, two])
    assert panel.symbols == ("AAA", "ZZZ")
    np.testing.assert_array_equal(panel.close[:, 0], two.close)
    np.testing.assert_array_equal(panel.open[:, 1], one.open)
    assert panel.data_hash == align([two, one]).data_hash


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sets(st.integers(0, len(DAYS) - 1), min_size=1), min_size=1, max_size=4))
def test_every_row_lands_on_its_session_and_nothing_else_is_known(picks: list[set[int]]) -> None:
    panel = align([bars(f"S{i}", DAYS[sorted(pick)], 10.0 * (i + 1)) for i, pick in enumerate(picks)])
    lo, hi = min(map(min, picks)), max(map(max, picks))
    np.testing.assert_array_equal(panel.clock.session, DAYS[lo : hi + 1])
    for column, pick in enumerate(picks):
        for rank, at in enumerate(sorted(pick)):
            assert panel.close[at - lo, column] == 10.0 * (column + 1) + rank + 1.0
            assert panel.high[at - lo, column] == 10.0 * (column + 1) + rank + 2.0
            assert panel.low[at - lo, column] == 10.0 * (column + 1) + rank - 2.0
        holes = [at - lo for at in range(lo, hi + 1) if at not in pick]
        for array in (panel.open, panel.close, panel.volume, panel.high, panel.low):
            assert np.isnan(array[holes, column]).all()
            assert np.isfinite(np.delete(array[:, column], holes)).all()
        assert (panel.dividend[:, column] == 0.0).all()
        assert (panel.split[:, column] == 1.0).all()


def test_a_hole_is_counted_once_per_symbol_with_its_first_and_last_session() -> None:
    kept = np.delete(np.arange(len(DAYS)), [5, 9, 10, 11])
    panel = align([bars("AAA", DAYS), bars("BBB", DAYS[kept][3:])])  # a late start is no hole
    (warning,) = panel.warnings
    assert (warning.kind, warning.symbol, warning.session) == ("missing_sessions", "BBB", str(DAYS[5]))
    assert f"no row on 4 of {len(DAYS) - 3} sessions" in warning.text
    assert f"first {DAYS[5]}, last {DAYS[11]} ({DAYS[5]}, {DAYS[9]}, {DAYS[10]}, ...)" in warning.text


def test_a_symbol_that_stops_before_the_others_is_named() -> None:
    panel = align([bars("AAA", DAYS), bars("BBB", DAYS[:-3])])
    assert warnings_of(panel) == {
        ("BBB", "ends_early"): f"BBB has its last row on {DAYS[-4]}, 3 sessions before the data ends"
    }


def test_a_symbol_without_rows_is_a_column_that_never_lists() -> None:
    panel = align([bars("AAA", DAYS), bars("NEW", DAYS[:0])])
    assert np.isnan(panel.close[:, 1]).all()
    assert (panel.split[:, 1] == 1.0).all()
    assert "never lists" in warnings_of(panel)["NEW", "no_rows"]


def test_no_row_at_all_is_bad_input() -> None:
    with pytest.raises(DataError, match="none of the symbols has a row"):
        align([bars("NEW", DAYS[:0])], source="here")


def test_a_stamp_off_the_clock_and_a_name_given_twice_are_broken_invariants() -> None:
    with pytest.raises(EngineError, match="AAA: 2024-01-06"):
        align([bars("AAA", np.array(["2024-01-05", "2024-01-06", "2024-01-08"], dtype="datetime64[D]"))])
    with pytest.raises(EngineError, match="twice"):
        align([bars("AAA", DAYS), bars("AAA", DAYS)])


def test_an_indicator_is_laid_on_the_sessions_and_its_strays_are_counted() -> None:
    days = np.array(["2023-12-29", "2024-01-02", "2024-01-06", "2024-01-15", "2024-01-16"], dtype="datetime64[D]")
    vix = IndicatorBars("VIX", days.astype("datetime64[s]"), np.array([12.0, 13.0, 14.0, 15.0, np.nan]))
    panel = align([bars("AAA", DAYS)], indicators=[vix])
    assert (panel.indicators, panel.indicator.shape) == (("VIX",), (len(DAYS), 1))
    assert panel.indicator[0, 0] == 13.0
    assert np.isnan(panel.indicator[1:, 0]).all()
    found = warnings_of(panel)
    # a Saturday and a holiday; the row before the panel begins is simply not needed
    assert (
        "2 rows dropped that fall on no session, first 2024-01-06, last 2024-01-15"
        in found["VIX", "indicator_rows_dropped"]
    )
    assert f"no value on {len(DAYS) - 1} of {len(DAYS)} sessions" in found["VIX", "indicator_unknown"]


def test_a_daily_indicator_on_intraday_bars_becomes_known_with_the_sessions_last_bar() -> None:
    clock = build_clock(date(2024, 7, 2), date(2024, 7, 5), "60min")
    days = np.unique(clock.session)
    vix = IndicatorBars("VIX", days.astype("datetime64[s]"), np.array([11.0, 12.0, 13.0]))
    panel = align([bars("AAA", clock.stamp)], "60min", indicators=[vix])
    np.testing.assert_array_equal(panel.indicator[clock.last_bar, 0], [11.0, 12.0, 13.0])
    assert np.isnan(panel.indicator[~clock.last_bar, 0]).all()


def test_an_intraday_indicator_is_laid_bar_by_bar() -> None:
    clock = build_clock(date(2024, 7, 2), date(2024, 7, 3), "60min")
    series = IndicatorBars("VXX", clock.stamp[2:5], np.array([1.0, 2.0, 3.0]), daily=False)
    panel = align([bars("AAA", clock.stamp)], "60min", indicators=[series])
    np.testing.assert_array_equal(panel.indicator[2:5, 0], [1.0, 2.0, 3.0])
    assert np.isnan(np.delete(panel.indicator[:, 0], [2, 3, 4])).all()


def test_intraday_bars_missing_within_the_life_are_named_with_their_time() -> None:
    clock = build_clock(date(2024, 7, 2), date(2024, 7, 3), "30min")
    panel = align([bars("AAA", np.delete(clock.stamp, [4])[:-2])], "30min")
    found = warnings_of(panel)
    assert "no row on 1 of 18 bars of its life, first 2024-07-02 11:30" in found["AAA", "missing_sessions"]
    assert found["AAA", "ends_early"] == "AAA has its last row on 2024-07-03 11:30, within the last session"
    assert panel.n_bars == 20  # whole sessions, wherever the rows stop


def test_arrays_are_c_contiguous_float64_in_time_then_asset_order() -> None:
    panel = align([bars("AAA", DAYS), bars("BBB", DAYS)])
    assert panel.block.shape == (5, len(DAYS), 2)
    for array in (panel.block, panel.high, panel.low, panel.indicator):
        assert array.flags.c_contiguous
        assert array.dtype == np.float64


def test_the_hash_sees_every_number_and_name_but_not_where_they_came_from() -> None:
    one = bars("AAA", DAYS)
    vix = IndicatorBars("VIX", DAYS.astype("datetime64[s]"), np.full(len(DAYS), 15.0))
    base = align([one], indicators=[vix], source="here")
    assert len(base.data_hash) == 64
    assert align([one], indicators=[vix], source="there").data_hash == base.data_hash
    seen = {base.data_hash}
    for field in ("open", "high", "low", "close", "volume", "dividend", "split"):
        column = getattr(one, field).copy()
        column[7] = np.nextafter(column[7], np.inf)
        seen.add(align([replace(one, **{field: column})], indicators=[vix]).data_hash)
    seen.add(align([replace(one, symbol="AAB")], indicators=[vix]).data_hash)
    seen.add(align([replace(one, adjusted_only=True)], indicators=[vix]).data_hash)
    seen.add(align([one], indicators=[vix], synthetic=True).data_hash)
    seen.add(align([one], indicators=[replace(vix, name="VXN")]).data_hash)
    seen.add(align([one], indicators=[replace(vix, value=vix.value + 1.0)]).data_hash)
    seen.add(align([one]).data_hash)
    assert len(seen) == 14


def test_every_unknown_has_the_same_bits() -> None:
    one = bars("AAA", DAYS)
    odd = one.volume.copy()
    odd[3] = -np.nan
    plain = one.volume.copy()
    plain[3] = np.nan
    assert odd.tobytes() != plain.tobytes()
    panels = [align([replace(one, volume=volume)]) for volume in (odd, plain)]
    assert panels[0].block.tobytes() == panels[1].block.tobytes()
    assert panels[0].data_hash == panels[1].data_hash
