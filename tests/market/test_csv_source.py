"""A folder of CSV files: what is read, how it is cut, and each bad file by its message."""

import gzip
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plimsoll.engine.errors import ConfigError, DataError
from plimsoll.engine.market.calendar import build_clock, sessions
from plimsoll.engine.market.csv.source import load_csv, symbols_in
from plimsoll.engine.market.panel import Panel
from plimsoll.engine.market.said import Said

DAYS = sessions(date(2024, 1, 2), date(2024, 6, 28))
HEADER = "date,open,high,low,close,adj_close,volume"
GOOD = ["2024-01-02,10,11,9,10.5,10.5,1000", "2024-01-03,10.5,12,10,11,11,2000", "2024-01-04,11,11.5,10,10,10,1500"]

Table = Mapping[str, Any]


def write(folder: Path, name: str, table: Table) -> None:
    """Write columns as a CSV with shortest exact decimals, NaN as an empty cell."""
    cells = [[_text(value) for value in column] for column in table.values()]
    lines = [",".join(table), *(",".join(row) for row in zip(*cells, strict=True))]
    (folder / f"{name}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _text(value: Any) -> str:
    if isinstance(value, np.datetime64):
        return str(value).replace("T", " ")
    return "" if np.isnan(value) else repr(float(value))


def put(folder: Path, *lines: str, name: str = "ABC.csv", header: str = HEADER) -> Path:
    (folder / name).write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    return folder


def made(seed: int, stamps: Any, *, dividends: str = "adj_close", decimals: int = 6) -> dict[str, Any]:
    """Make a plausible table: rows missing, volumes unknown, dividends listed or left to be derived."""
    rng = np.random.default_rng(seed)
    n = len(stamps)
    close = np.round(60.0 * np.exp(np.cumsum(rng.normal(0.0, 0.01, n))), 4)
    spread = close * rng.uniform(0.0, 0.01, (3, n))
    paid = np.where(rng.random(n) < 0.08, np.round(rng.uniform(0.05, 0.6, n), 4), 0.0)
    factor = np.ones(n)
    for t in range(1, n):
        factor[:t] *= 1.0 - paid[t] / close[t - 1]
    table = {
        "date": stamps,
        "open": close - spread[0],
        "high": close + spread[1],
        "low": close - spread[0] - spread[2],
        "close": close,
        "adj_close": np.round(close * factor, decimals),
        "volume": np.where(rng.random(n) < 0.1, np.nan, np.round(rng.uniform(0.0, 1e7, n))),
    }
    if dividends == "column":
        table["dividend"] = paid
        table["split"] = np.where(rng.random(n) < 0.02, 2.0, 1.0)
    return table


def same_bytes(one: Panel, two: Panel, n: int) -> None:
    """Assert that the first n bars of two panels are equal, bit by bit."""
    for name in ("block", "high", "low", "indicator"):
        a, b = getattr(one, name), getattr(two, name)
        axis = 1 if name == "block" else 0
        assert a.take(range(n), axis=axis).tobytes() == b.take(range(n), axis=axis).tobytes(), name
    for name in one.clock.__slots__:
        a, b = getattr(one.clock, name), getattr(two.clock, name)
        assert np.array_equal(a[:n], b[:n]) if isinstance(a, np.ndarray) else a == b, name


# ---- what is read


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


# ---- cutting


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(2, len(DAYS) - 1), st.sampled_from([2, 4, 6]))
def test_loading_up_to_an_end_equals_a_cut_file_and_the_cut_panel_to_the_last_bit(
    tmp_path_factory: pytest.TempPathFactory, seed: int, cut: int, decimals: int
) -> None:
    whole, part = tmp_path_factory.mktemp("whole"), tmp_path_factory.mktemp("part")
    rng = np.random.default_rng(seed)
    kept = np.unique(np.append(np.flatnonzero(rng.random(len(DAYS)) < 0.9), [0, cut - 1]))
    tables = {
        "DER": made(seed, DAYS[kept], decimals=decimals),
        "LST": made(seed + 1, DAYS, dividends="column"),
        "NEW": made(seed + 2, DAYS[len(DAYS) // 2 :]),
    }
    tables["ADJ"] = made(seed + 3, DAYS)
    tables["GAP"] = made(seed + 4, DAYS, dividends="column" if seed % 2 else "adj_close")
    alone = (rng.random(len(DAYS)) < 0.2) & (np.arange(len(DAYS)) > 0)
    for name in ("open", "high", "low", "close", "volume"):
        tables["GAP"][name] = np.where(alone, np.nan, tables["GAP"][name])
    if seed % 2:
        tables["GAP"]["split"] = np.ones(len(DAYS))
    for name in ("open", "high", "low", "close", "volume"):
        tables["ADJ"][name] = np.where(np.arange(len(DAYS)) < 2, np.nan, tables["ADJ"][name])
    end = DAYS[cut - 1]
    vix = {"date": DAYS, "close": rng.uniform(10.0, 40.0, len(DAYS))}
    for name, table in {**tables, "VIX": vix}.items():
        write(whole, name, table)
        mask = table["date"] <= end
        write(
            part, name, {column: np.asarray(values)[mask] for column, values in table.items()} if mask.any() else table
        )
    full = load_csv(whole, list(tables), ["VIX"])
    ended = load_csv(whole, list(tables), ["VIX"], end=end.astype(object))
    assert len(ended.clock) == cut
    same_bytes(ended, full, cut)
    same_bytes(load_csv(part, list(tables), ["VIX"], end=end.astype(object)), ended, cut)
    assert ended.data_hash == load_csv(part, list(tables), ["VIX"], end=end.astype(object)).data_hash


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 8))
def test_intraday_bars_cut_by_session_the_same_way(
    tmp_path_factory: pytest.TempPathFactory, seed: int, days: int
) -> None:
    folder = tmp_path_factory.mktemp("bars")
    clock = build_clock(date(2024, 6, 24), date(2024, 7, 5), "30min")
    kept = np.random.default_rng(seed).random(len(clock)) < 0.9
    kept[clock.first_bar] = True
    table = made(seed, clock.stamp[kept])
    write(folder, "ABC", {"datetime": table.pop("date"), **table})
    full = load_csv(folder, ["ABC"], interval="30min")
    end = np.unique(clock.session)[days - 1].astype(object)
    ended = load_csv(folder, ["ABC"], interval="30min", end=end)
    same_bytes(ended, full, ended.n_bars)
    assert ended.clock.session[-1].astype(object) == end
    assert ended.clock.last_bar[-1]


def test_what_stands_after_the_end_is_neither_checked_nor_used(tmp_path: Path) -> None:
    bad = ["2024-01-05,1,0,9,-5,10,-1", "2024-01-06,,,,,7,", "2024-01-05,9,9,9,9,9,9"]
    panel = load_csv(put(tmp_path, *GOOD, *bad), ["ABC"], end=date(2024, 1, 4))
    other = tmp_path / "other"
    other.mkdir()
    assert panel.data_hash == load_csv(put(other, *GOOD), ["ABC"]).data_hash


def test_a_later_row_without_a_close_changes_nothing_before_it(tmp_path: Path) -> None:
    put(tmp_path, *GOOD, "2024-01-05,,,,,9.5,")
    whole = load_csv(tmp_path, ["ABC"])
    assert whole.adjusted_only == ()
    assert whole.close[3, 0] == 10.0 * (9.5 / 10.0)
    early = load_csv(tmp_path, ["ABC"], end=date(2024, 1, 4))
    assert early.volume[:, 0].tolist() == [1000.0, 2000.0, 1500.0]
    same_bytes(whole, early, 3)


@pytest.mark.parametrize(("start", "end"), [(date(2024, 1, 3), None), (None, date(2024, 1, 2)), (None, None)])
def test_the_first_row_of_the_file_decides_wherever_the_span_begins_or_ends(
    tmp_path: Path, start: date | None, end: date | None
) -> None:
    put(tmp_path, "2024-01-03,,,,,10.5,", GOOD[2])
    write(tmp_path, "OLD", made(1, DAYS))
    assert load_csv(tmp_path, ["ABC", "OLD"], start=start, end=end).adjusted_only == ("ABC",)


def test_a_span_that_begins_on_a_row_without_a_close_is_refused(tmp_path: Path) -> None:
    put(tmp_path, *GOOD, "2024-01-05,,,,,9.5,")
    with pytest.raises(DataError, match="ABC, 2024-01-05: the rows asked for begin with an adjusted close alone"):
        load_csv(tmp_path, ["ABC"], start=date(2024, 1, 5))


@pytest.mark.parametrize("interval", ["1d", "390min"])
def test_a_file_of_stamps_and_adjusted_closes_alone_loads(tmp_path: Path, interval: str) -> None:
    name, time = ("date", "") if interval == "1d" else ("datetime", " 09:30:00")
    put(tmp_path, f"2024-01-02{time},10.5", f"2024-01-03{time},11", header=f"{name},adj_close")
    panel = load_csv(tmp_path, ["ABC"], interval=interval)
    assert panel.adjusted_only == ("ABC",)
    assert panel.open[:, 0].tolist() == panel.close[:, 0].tolist() == [10.5, 11.0]
    assert np.isnan(panel.volume).all()


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"], ids=["unix", "windows", "old mac"])
def test_line_ends_change_nothing(tmp_path: Path, end: str) -> None:
    (tmp_path / "ABC.csv").write_bytes(end.join([HEADER, *GOOD, ""]).encode())
    plain = tmp_path / "plain"
    plain.mkdir()
    assert load_csv(tmp_path, ["ABC"]).data_hash == load_csv(put(plain, *GOOD), ["ABC"]).data_hash


def test_start_and_end_are_both_included(tmp_path: Path) -> None:
    panel = load_csv(put(tmp_path, *GOOD), ["ABC"], start=date(2024, 1, 3), end=date(2024, 1, 3))
    assert panel.clock.session.astype(str).tolist() == ["2024-01-03"]
    assert panel.close[0, 0] == 11.0


def test_a_symbol_that_lists_after_the_end_is_an_empty_column_with_a_warning(tmp_path: Path) -> None:
    write(tmp_path, "OLD", made(1, DAYS))
    write(tmp_path, "NEW", made(2, DAYS[60:]))
    panel = load_csv(tmp_path, ["OLD", "NEW"], end=DAYS[30].astype(object))
    assert np.isnan(panel.close[:, 0]).all()
    assert ("no_rows", "NEW") in {(one.kind, one.symbol) for one in panel.warnings}


# ---- bad input, one fault at a time


def bad_folder(tmp_path: Path) -> Path:
    return tmp_path / "nowhere"


def file_as_folder(tmp_path: Path) -> Path:
    (tmp_path / "ABC.csv").touch()
    return tmp_path / "ABC.csv"


def no_csv(tmp_path: Path) -> Path:
    (tmp_path / "ABC.txt").touch()
    return tmp_path


def raw_bytes(data: bytes, name: str = "ABC.csv") -> Callable[[Path], Path]:
    def make(tmp_path: Path) -> Path:
        (tmp_path / name).write_bytes(data)
        return tmp_path

    return make


def lines(*rows: str, header: str = HEADER) -> Callable[[Path], Path]:
    return lambda tmp_path: put(tmp_path, *rows, header=header)


def two_files(tmp_path: Path) -> Path:
    put(tmp_path, *GOOD)
    (tmp_path / "ABC.csv.gz").write_bytes(b"")
    return tmp_path


BAD: dict[str, tuple[Callable[[Path], Path], str]] = {
    "missing folder": (bad_folder, r"nowhere: not a folder of CSV files \(no such folder\)"),
    "file for a folder": (file_as_folder, r"not a folder of CSV files \(it is a file\)"),
    "folder without csv": (no_csv, r"no CSV file for 1d bars in the folder; check the data path"),
    "other symbols": (raw_bytes(b"", "ABX.csv"), r"no file for symbol 'ABC' \(1d bars\); did you mean 'ABX'\?"),
    "lower-case file": (raw_bytes(b"", "abc.csv"), r"no file for symbol 'ABC' .*did you mean 'abc'\?"),
    "two files": (two_files, r"'ABC' has several files: ABC.csv, ABC.csv.gz; keep one"),
    "empty file": (raw_bytes(b""), r"ABC\.csv: the file is empty"),
    "header only": (lines(), r"ABC\.csv: the file has a header but no rows"),
    "header without line end": (raw_bytes(HEADER.encode()), r"a header but no rows"),
    "latin-1": (raw_bytes(f"{HEADER}\n{GOOD[0]}\n{GOOD[1]}é".encode("latin-1")), r"line 3: byte 0xe9 is not UTF-8"),
    "utf-16": (raw_bytes(f"{HEADER}\n{GOOD[0]}\n".encode("utf-16")), r"line 1: byte 0xff is not UTF-8"),
    "not gzip": (raw_bytes(b"date,open", "ABC.csv.gz"), r"ABC\.csv\.gz: not a complete gzip file"),
    "cut gzip": (raw_bytes(gzip.compress(b"date,open" * 99)[:-9], "ABC.csv.gz"), r"not a complete gzip file"),
    "missing column": (
        lines(*GOOD, header=HEADER.replace("close,adj", "clsoe,adj")),
        r"no column 'close'; did you mean 'clsoe'\?",
    ),
    "no such column": (lines("1,2", header="date,price"), r"no column 'open'; the header is date,price"),
    "no adj_close": (
        lines("2024-01-02,1,1,1,1,5", header="date,open,high,low,close,volume"),
        r"no column 'adj_close' and none 'dividend'; add one, or say \[data.prices\] ABC = \"adjusted\"",
    ),
    "column twice": (lines(*GOOD, header=HEADER.replace("high", "open")), r"column 'open' comes twice"),
    "misspelt event": (
        lines(*(f"{x},0" for x in GOOD), header=HEADER + ",dividends"),
        r"unknown column 'dividends'; did you mean 'dividend'\?",
    ),
    "vendor's event": (
        lines(*(f"{x},0" for x in GOOD), header=HEADER + ",Stock Splits"),
        r"unknown column 'stock_splits'; did you mean 'split'\?",
    ),
    "intraday file": (
        lines("2024-01-02 09:30,1,1,1,1,5", header="datetime,open,high,low,close,volume"),
        r"holds intraday bars, 1d ones were asked for",
    ),
    "no number": (
        lines(GOOD[0], "2024-01-03,10.5,12,abc,11,11,2000"),
        r"line 3 \(2024-01-03\): low 'abc' is not a number",
    ),
    "thousands": (
        lines(GOOD[0], '2024-01-03,10.5,12,10,11,11,"2,000"'),
        r"line 3 \(2024-01-03\): volume '2,000' is not a number; .*no thousands",
    ),
    "cut line": (lines(GOOD[0], "2024-01-03,10.5,12"), r"line 3 has 3 cells, the header 7 \(a cut-off line"),
    "american date": (
        lines("01/02/2024,10,11,9,10.5,10.5,1000"),
        r"line 2: date '01/02/2024' is not a date; write YYYY-MM-DD",
    ),
    "no header": (lambda p: put(p, *GOOD[1:], header=GOOD[0]), r"no header line: the first line, '2024-01-02,10,11"),
    "blank first line": (lambda p: put(p, HEADER, *GOOD, header=""), r"the first line is blank; remove it"),
    "semicolons": (lines("1;2", header="date;open;close"), r"the columns are separated by semicolons"),
    "tabs": (lines("1\t2", header="date\topen"), r"the columns are separated by tabs"),
    "open quote": (lines('2024-01-02,"10,11,9,10.5,10.5,1000'), r"line 2 has 2 cells, the header 7"),
    "endless cell": (lines(GOOD[0] + "x", f'"{"9" * 200_000}"'), r"line 2 .*volume '1000x' is not a number"),
    "compact date": (
        lines("20240102,10,11,9,10.5,10.5,1000"),
        r"line 2: date '20240102' is written without hyphens; write YYYY-MM-DD",
    ),
    "date and time": (
        lines("2024-01-02,09:30,1", "2024-01-02,09:35,1", header="Date,Time,Close"),
        r"date and time of a bar stand in two columns; join them into one column datetime",
    ),
    "vendor's dividends": (
        lines("2024-01-02,1,1,1,1,5,0", header="Date,Open,High,Low,Close,Volume,Dividends"),
        r"unknown column 'dividends'; did you mean 'dividend'\?",
    ),
    "impossible date": (lines("2024-02-30,10,11,9,10.5,10.5,1000"), r"line 2: date '2024-02-30' is not a date"),
    "no date": (lines(GOOD[0], ",10,11,9,10.5,10.5,1000"), r"line 3: date is empty"),
    "zoned date": (
        lines("2024-01-02 00:00:00-05:00,10,11,9,10.5,10.5,1000"),
        r"line 2: date '2024-01-02 00:00:00-05:00' carries a time zone; write exchange local",
    ),
    "utc date": (lines("2024-01-02T05:00:00Z,10,11,9,10.5,10.5,1000"), r"line 2: .* carries a time zone"),
    "time of day": (
        lines("2024-01-02 16:00:00,10,11,9,10.5,10.5,1000"),
        r"ABC, 2024-01-02 16:00: a daily row carries a time of day",
    ),
    "unsorted": (lines(GOOD[1], GOOD[0]), r"ABC, 2024-01-02: the row comes after that of 2024-01-03"),
    "twice": (lines(GOOD[0], GOOD[0]), r"ABC, 2024-01-02: the row appears twice"),
    "weekend": (
        lines(GOOD[0], "2024-01-06,10,11,9,10.5,10.5,1000"),
        r"ABC, 2024-01-06: not a session of the exchange but a weekend",
    ),
    "holiday": (
        lines("2024-01-01,10,11,9,10.5,10.5,1000"),
        r"ABC, 2024-01-01: not a session of the exchange but a holiday",
    ),
    "partly missing": (
        lines(GOOD[0], "2024-01-03,,12,10,11,11,2000"),
        r"ABC, 2024-01-03: open is empty while other prices",
    ),
    "zero price": (lines(GOOD[0], "2024-01-03,10,12,0,11,11,2000"), r"ABC, 2024-01-03: low is 0, not a positive price"),
    "negative price": (lines("2024-01-03,10,12,-1,11,11,2000"), r"low is -1, not a positive price"),
    "infinite price": (lines("2024-01-03,10,inf,9,11,11,2000"), r"high is inf, not a positive price"),
    "contradiction": (
        lines("2024-01-03,10,10.5,9,11,11,2000"),
        r"high 10\.5 is below 11, another price of the row \(contradictory",
    ),
    "negative volume": (lines("2024-01-03,10,12,9,11,11,-7"), r"volume is -7"),
    "negative dividend": (lines("2024-01-03,10,12,9,11,11,7,-0.5", header=HEADER + ",dividend"), r"dividend is -0\.5"),
    "huge dividend": (
        lines("2024-01-02,10,12,9,11,11,7,0", "2024-01-03,10,12,9,11,11,7,11.5", header=HEADER + ",dividend"),
        r"2024-01-03: dividend 11\.5 exceeds the previous close of 11",
    ),
    "zero split": (lines("2024-01-03,10,12,9,11,11,7,0", header=HEADER + ",split"), r"split is 0 .*write 1"),
    "crossed downloads": (
        lines(GOOD[0], "2024-01-03,10.5,12,10,11,10,2000"),
        r"2024-01-03: close and adj_close imply a dividend of -1\.05",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_told_in_one_line(tmp_path: Path, case: str) -> None:
    make, said = BAD[case]
    with pytest.raises(DataError, match=said) as caught:
        load_csv(make(tmp_path), ["ABC"])
    assert "\n" not in str(caught.value)
    assert str(tmp_path) in str(caught.value)


def test_daily_bars_where_intraday_ones_were_asked_for_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds daily bars, 5min ones were asked for"):
        load_csv(put(tmp_path, *GOOD), ["ABC"], interval="5min")


INTRADAY = "datetime,open,high,low,close,volume"


@pytest.mark.parametrize(
    ("header", "stamps", "said"),
    [
        (INTRADAY, ["2024-01-02 09:30:00.250"], "'2024-01-02 09:30:00.250' carries a fraction of a second"),
        (INTRADAY, ["20240102 09:30:00"], "'20240102 09:30:00' is written without hyphens; write YYYY-MM-DD, for"),
        (INTRADAY, ["2024-01-02 09:30:00-05:00"], "carries a time zone"),
        (INTRADAY, ["09:30:00"], "'09:30:00' is not a date"),
        (f"Date,Time{INTRADAY[8:]}", ["2024-01-02,09:30", "2024-01-02,09:35"], "stand in two columns; join them"),
    ],
)
def test_an_intraday_stamp_written_another_way_is_told_by_its_cause(
    tmp_path: Path, header: str, stamps: list[str], said: str
) -> None:
    put(tmp_path, *(f"{stamp},1,1,1,1,5" for stamp in stamps), header=header)
    with pytest.raises(DataError, match=said):
        load_csv(tmp_path, ["ABC"], interval="5min")


def test_no_symbol_an_unknown_interval_and_an_end_before_the_start_are_refused(tmp_path: Path) -> None:
    put(tmp_path, *GOOD)
    with pytest.raises(DataError, match="no symbol was asked for"):
        load_csv(tmp_path, [])
    with pytest.raises(ConfigError, match=r"unknown bar interval '5m'; did you mean '5min'\?"):
        load_csv(tmp_path, ["ABC"], interval="5m")
    with pytest.raises(DataError, match="end 2023-01-01 lies before start 2024-01-01"):
        load_csv(tmp_path, ["ABC"], start=date(2024, 1, 1), end=date(2023, 1, 1))
    with pytest.raises(DataError, match="none of the symbols has a row to read; widen start and end"):
        load_csv(tmp_path, ["ABC"], end=date(2023, 1, 1))


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (["2024-01-03,12", "2024-01-02,13"], r"VIX, 2024-01-02: the row comes after that of 2024-01-03"),
        (["2024-01-02,12", "2024-01-02,13"], r"VIX, 2024-01-02: the row appears twice"),
        (["2024-01-02,inf"], r"VIX, 2024-01-02: the value is infinite"),
        (["2024-01-02,high"], r"line 2 \(2024-01-02\): close 'high' is not a number"),
        (["2024-01-02 16:15:00,12"], r"a daily row carries a time of day"),
    ],
)
def test_a_bad_indicator_is_told_in_one_line(tmp_path: Path, rows: list[str], said: str) -> None:
    put(tmp_path, *GOOD)
    put(tmp_path, *rows, name="VIX.csv", header="date,close")
    with pytest.raises(DataError, match=said):
        load_csv(tmp_path, ["ABC"], ["VIX"])


def test_an_indicator_may_be_negative_zero_partly_missing_and_carry_any_other_column(tmp_path: Path) -> None:
    put(tmp_path, *GOOD)
    rows = ["2024-01-02,n/a ,-0.5", "2024-01-03,x,", "2024-01-04,y,0"]
    panel = load_csv(put(tmp_path, *rows, name="SLOPE.csv", header="date,note,close"), ["ABC"], ["SLOPE"])
    np.testing.assert_array_equal(panel.indicator[:, 0], [-0.5, np.nan, 0.0])
