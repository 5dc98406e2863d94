"""A folder of CSV files: what is read."""

import gzip
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.csv_files import DAYS, GOOD, HEADER, made, put, write

from plimsoll.engine.market.calendar import build_clock
from plimsoll.engine.market.csv.source import load_csv, symbols_in
from plimsoll.engine.market.said import Said


def test_a_plain_file_comes_out_as_it_was_written(tmp_path: Path) -> None:
    panel = load_csv(put(tmp_path, *GOOD), ["ABC"])
    assert panel.symbols == ("ABC",)
    assert panel.clock.session.astype(str).tolist() == ["2024-01-02", "2024-01-03", "2024-01-04"]
    assert panel.open[:, 0].tolist() == [10.0, 10.5, 11.0]
    assert panel.high[:, 0].tolist() == [11.0, 12.0, 11.5]
    assert panel.low[:, 0].tolist() == [9.0, 10.0, 10.0]
    assert panel.close[:, 0].tolist() == [10.5, 11.0, 10.0]
    assert panel.volume[:, 0].tolist() == [1000.0, 2000.0, 1500.0]
    assert panel.source == f"csv {tmp_path}"
    assert not panel.synthetic


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0.0, 0.6))
def test_any_written_table_reads_back_to_the_last_bit(
    tmp_path_factory: pytest.TempPathFactory, seed: int, missing: float
) -> None:
    folder = tmp_path_factory.mktemp("csv")
    rng = np.random.default_rng(seed)
    kept = np.flatnonzero(rng.random(len(DAYS)) >= missing)
    kept = np.unique(np.append(kept, [0, len(DAYS) - 1]))
    table = made(seed, DAYS[kept], dividends="column")
    write(folder, "ABC", table)
    panel = load_csv(folder, ["ABC"], said=Said({"ABC": "raw"}))
    for name in ("open", "high", "low", "close", "volume", "dividend", "split"):
        assert getattr(panel, name)[kept, 0].tobytes() == np.asarray(table[name], dtype=np.float64).tobytes(), name
    holes = np.setdiff1d(np.arange(len(DAYS)), kept)
    assert np.isnan(panel.close[holes, 0]).all()
    assert [one.kind for one in panel.warnings if one.kind == "missing_sessions"] == ["missing_sessions"][: len(holes)]


def test_gzip_a_byte_order_mark_windows_line_ends_and_capital_headers_change_nothing(tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    odd = tmp_path / "odd"
    plain.mkdir()
    odd.mkdir()
    put(plain, *GOOD)
    header = "Date,Open,High,Low,Close,Adj Close,Volume"
    (odd / "ABC.csv.gz").write_bytes(gzip.compress(("\ufeff" + "\r\n".join([header, *GOOD, ""])).encode("utf-8")))
    assert load_csv(odd, ["ABC"]).data_hash == load_csv(plain, ["ABC"]).data_hash


def test_a_row_without_prices_is_a_session_without_a_row(tmp_path: Path) -> None:
    panel = load_csv(put(tmp_path, GOOD[0], "2024-01-03,,,,,,", GOOD[2]), ["ABC"])
    assert np.isnan(panel.close[1, 0])
    assert [(one.kind, one.session) for one in panel.warnings if one.kind == "missing_sessions"] == [
        ("missing_sessions", "2024-01-03")
    ]


def test_the_panel_spans_the_earliest_first_to_the_latest_last_row_of_what_is_traded(tmp_path: Path) -> None:
    write(tmp_path, "AAA", made(1, DAYS[5:40]))
    write(tmp_path, "BBB", made(2, DAYS[20:60]))
    write(tmp_path, "VIX", {"date": DAYS, "close": np.arange(1.0, len(DAYS) + 1)})
    panel = load_csv(tmp_path, ["BBB", "AAA", "BBB"], ["VIX"])
    assert panel.symbols == ("AAA", "BBB")
    np.testing.assert_array_equal(panel.clock.session, DAYS[5:60])
    np.testing.assert_array_equal(panel.indicator[:, 0], np.arange(6.0, 61.0))


def test_intraday_bars_are_found_by_the_interval_in_the_file_name(tmp_path: Path) -> None:
    clock = build_clock(date(2024, 7, 2), date(2024, 7, 3), "30min")
    table = {**made(3, clock.stamp), "datetime": clock.stamp}
    columns = ("datetime", "open", "high", "low", "close", "volume")
    write(tmp_path, "ABC_30min_2024", {name: table[name] for name in columns})
    write(tmp_path, "ABC", made(4, DAYS))
    panel = load_csv(tmp_path, ["ABC"], interval="30min")
    np.testing.assert_array_equal(panel.clock.stamp, clock.stamp)
    np.testing.assert_array_equal(panel.close[:, 0], table["close"])
    assert load_csv(tmp_path, ["ABC"]).n_bars == len(DAYS)
    assert symbols_in(tmp_path, "30min") == symbols_in(tmp_path) == ("ABC",)


def test_a_daily_indicator_serves_intraday_bars_from_the_last_bar_of_its_session(tmp_path: Path) -> None:
    clock = build_clock(date(2024, 7, 2), date(2024, 7, 3), "60min")
    table = {**made(3, clock.stamp), "datetime": clock.stamp}
    write(tmp_path, "ABC", {name: table[name] for name in ("datetime", "open", "high", "low", "close", "volume")})
    write(tmp_path, "VIX", {"date": np.unique(clock.session), "close": np.array([12.0, 13.0])})
    panel = load_csv(tmp_path, ["ABC"], ["VIX"], interval="60min")
    np.testing.assert_array_equal(panel.indicator[clock.last_bar, 0], [12.0, 13.0])
    assert np.isnan(panel.indicator[~clock.last_bar]).all()


def test_symbols_of_a_folder_are_those_with_a_file(tmp_path: Path) -> None:
    for name in ("SPY.csv", "BRK.B.csv.gz", "^VIX.csv", "QQQ_5min_2025.csv", "notes.txt"):
        (tmp_path / name).touch()
    assert symbols_in(tmp_path) == ("BRK.B", "SPY", "^VIX")
    assert symbols_in(tmp_path, "5min") == ("BRK.B", "QQQ", "SPY", "^VIX")


def test_columns_nobody_reads_are_named(tmp_path: Path) -> None:
    put(tmp_path, *(f"{line},7" for line in GOOD), header=HEADER + ",VWAP")
    (warning,) = (one for one in load_csv(tmp_path, ["ABC"]).warnings if one.kind == "unused_columns")
    assert warning.text == "ABC: columns not used: VWAP"


def test_a_dividend_column_makes_the_adjusted_close_optional(tmp_path: Path) -> None:
    lines = ["2024-01-02,10,11,9,10,1000,", "2024-01-03,10,12,10,11,2000,0.25"]
    panel = load_csv(put(tmp_path, *lines, header="date,open,high,low,close,volume,dividend"), ["ABC"])
    assert panel.dividend[:, 0].tolist() == [0.0, 0.25]
    assert [one.kind for one in panel.warnings] == ["dividends_unproven"]


def test_an_indicator_may_be_negative_zero_partly_missing_and_carry_any_other_column(tmp_path: Path) -> None:
    put(tmp_path, *GOOD)
    rows = ["2024-01-02,n/a ,-0.5", "2024-01-03,x,", "2024-01-04,y,0"]
    panel = load_csv(put(tmp_path, *rows, name="SLOPE.csv", header="date,note,close"), ["ABC"], ["SLOPE"])
    np.testing.assert_array_equal(panel.indicator[:, 0], [-0.5, np.nan, 0.0])
