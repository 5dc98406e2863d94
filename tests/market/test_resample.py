"""Longer bars from shorter ones: pandas as the oracle, conventions by hand."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from plimsoll.engine.errors import ConfigError
from plimsoll.engine.market.calendar import build_clock
from plimsoll.engine.market.csv.source import load_csv
from plimsoll.engine.market.panel import Panel
from plimsoll.engine.market.resample import resample
from plimsoll.engine.market.span import first_bars
from tests.support.panels import make_panel

CLOCK = build_clock(date(2024, 7, 2), date(2024, 7, 8), "1min")  # full, early close, holiday, full, weekend, full
HOW = {"open": "first", "high": "max", "low": "min", "close": "last", "volume": "sum"}


def minutes(seed: int = 1, holes: float = 0.3) -> Panel:
    rng = np.random.default_rng(seed)
    shape = (len(CLOCK), 2)
    close = 100.0 * np.exp(np.cumsum(rng.normal(0.0, 5e-4, shape), axis=0))
    close[rng.random(shape) < holes] = np.nan
    close[40:60, 1] = np.nan  # longer than any bar of ten minutes
    volume = rng.integers(0, 5_000, shape).astype(np.float64)
    return make_panel(close, volume=volume, symbols=("AAA", "BBB"), clock=CLOCK)


def by_pandas(panel: Panel, column: int, rule: str) -> pd.DataFrame:
    """Return the longer bars of a symbol as pandas makes them, session by session from the open on."""
    table = pd.DataFrame({name: getattr(panel, name)[:, column] for name in HOW}, index=panel.clock.stamp).dropna()
    made = []
    for day, rows in table.groupby(table.index.normalize()):
        opens = day + pd.Timedelta(hours=9, minutes=30)
        found = (
            rows.groupby(rows.index.normalize()).agg(HOW)
            if rule == "1D"
            else rows.resample(rule, origin=opens, label="left", closed="left").agg(HOW)
        )
        made.append(found[found["close"].notna()])
    return pd.concat(made)


@pytest.mark.parametrize(("interval", "rule"), [("5min", "5min"), ("7min", "7min"), ("60min", "60min"), ("1d", "1D")])
def test_longer_bars_are_those_of_pandas(interval: str, rule: str) -> None:
    panel = minutes()
    longer = resample(panel, interval)
    for column in range(2):
        want = by_pandas(panel, column, rule)
        got = pd.DataFrame({name: getattr(longer, name)[:, column] for name in HOW}, index=longer.clock.stamp).dropna()
        np.testing.assert_array_equal(got.index.to_numpy(), want.index.to_numpy().astype("datetime64[s]"))
        np.testing.assert_array_equal(got.to_numpy(), want.to_numpy())


def test_in_two_steps_as_in_one() -> None:
    panel = minutes(2)
    once, twice = resample(panel, "1d"), resample(resample(panel, "5min"), "1d")
    for name in ("block", "high", "low"):
        np.testing.assert_array_equal(getattr(twice, name), getattr(once, name))
    assert twice.data_hash == once.data_hash


def test_no_bar_crosses_a_night_and_the_last_one_of_a_short_session_is_partial() -> None:
    close = np.arange(1.0, len(CLOCK) + 1.0)
    longer = resample(make_panel(close, close, clock=CLOCK), "60min")
    # 390 minutes are six hours and a half, 210 are three and a half
    assert np.bincount(longer.clock.session_index).tolist() == [7, 4, 7, 7]
    assert longer.open[:7, 0].tolist() == [1, 61, 121, 181, 241, 301, 361]
    assert longer.close[:7, 0].tolist() == [60, 120, 180, 240, 300, 360, 390]
    assert longer.open[7:11, 0].tolist() == [391, 451, 511, 571]
    assert longer.close[7:11, 0].tolist() == [450, 510, 570, 600]
    assert str(longer.clock.stamp[10]) == "2024-07-03T12:30:00"


def test_unknown_volume_stays_unknown_and_a_quiet_minute_counts_with_its_prices() -> None:
    close = np.full(len(CLOCK), 10.0)
    close[[5, 6]] = np.nan  # two minutes of the second bar without a row
    close[10:15] = np.nan  # the third bar has none at all
    volume = np.full(len(CLOCK), 100.0)
    volume[0] = np.nan
    volume[16], close[16] = 0.0, 12.0
    longer = resample(make_panel(close, close, volume=volume, clock=CLOCK), "5min")
    assert np.isnan(longer.volume[0, 0])
    assert longer.volume[1, 0] == 300.0
    assert np.isnan(longer.block[:3, 2, 0]).all()
    assert (longer.volume[3, 0], longer.high[3, 0]) == (400.0, 12.0)


def test_actions_stand_in_the_sessions_first_bar_and_indicators_keep_the_last_value() -> None:
    close = np.full(len(CLOCK), 10.0)
    dividend, split = np.zeros(len(CLOCK)), np.ones(len(CLOCK))
    dividend[390], split[600] = 0.5, 2.0
    known = np.full((len(CLOCK), 1), np.nan)
    known[[3, 389]] = [[15.0], [16.0]]
    panel = make_panel(close, close, dividend=dividend, split=split, clock=CLOCK)
    panel = replace(panel, indicators=("VIX",), indicator=known)
    longer, daily = resample(panel, "5min"), resample(panel, "1d")
    assert np.flatnonzero(longer.dividend).tolist() == [78]
    assert np.flatnonzero(longer.split != 1.0).tolist() == [78 + 42]
    assert daily.dividend[:, 0].tolist() == [0.0, 0.5, 0.0, 0.0]
    assert daily.split[:, 0].tolist() == [1.0, 1.0, 2.0, 1.0]
    assert np.flatnonzero(~np.isnan(longer.indicator[:, 0])).tolist() == [0, 77]
    np.testing.assert_array_equal(daily.indicator[:, 0], [16.0, np.nan, np.nan, np.nan])


@pytest.mark.parametrize("through", [1, 391, 598, 803])
def test_a_bar_depends_on_its_own_rows_only(through: int) -> None:
    panel = minutes(3)
    whole, cut = resample(panel, "5min"), resample(first_bars(panel, through), "5min")
    closed = cut.n_bars - 1  # the last one may be a part of what it will be
    np.testing.assert_array_equal(cut.block[:, :closed], whole.block[:, :closed])
    np.testing.assert_array_equal(cut.clock.stamp, whole.clock.stamp[: cut.n_bars])


@pytest.mark.parametrize(
    ("have", "wanted", "said"),
    [
        ("1d", "5min", "daily bars cannot become 5min ones"),
        ("5min", "7min", "7min is no multiple of 5min"),
        ("5min", "5min", "5min is no multiple of 5min"),
    ],
)
def test_what_cannot_be_made_is_refused(have: str, wanted: str, said: str) -> None:
    clock = build_clock(date(2024, 7, 2), date(2024, 7, 3), have)
    with pytest.raises(ConfigError, match=said):
        resample(make_panel(np.full(len(clock), 10.0), clock=clock, interval=have), wanted)


@pytest.mark.realdata
def test_real_minutes_make_the_days_of_the_daily_file(real_minute: Path, real_daily: Path) -> None:
    made = resample(load_csv(real_minute, ["SPY"], interval="1min", end=date(2024, 12, 31)), "1d")
    daily = load_csv(real_daily, ["SPY"], start=date(2024, 3, 26), end=date(2024, 12, 31))
    np.testing.assert_array_equal(made.clock.session, daily.clock.session)
    # the last minute is not the closing auction, and one feed is not all exchanges
    assert np.max(np.abs(made.close / daily.close - 1.0)) < 16e-4
    assert np.max(np.abs(made.open / daily.open - 1.0)) < 16e-4
    assert np.max(made.high / daily.high - 1.0) < 16e-4
    assert np.min(made.low / daily.low - 1.0) > -16e-4
