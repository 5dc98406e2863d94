"""A folder of CSV files: each bad one by its message."""

import gzip
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from support.csv_files import GOOD, HEADER, put

from plimsoll.engine.errors import ConfigError, DataError
from plimsoll.engine.market.csv.source import load_csv

INTRADAY = "datetime,open,high,low,close,volume"


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


@pytest.mark.parametrize(
    "header",
    ["Price,Close,High,Low,Open,Volume\nTicker,SPY,SPY,SPY,SPY,SPY\nDate,,,,,", "<TICKER>,<PER>,<DATE>,<CLOSE>"],
)
def test_the_layout_of_another_tool_is_told_how_it_is_imported(header: str, tmp_path: Path) -> None:
    (tmp_path / "SPY.csv").write_text(f"{header}\n2024-01-02,1,1,1,1,1\n")
    with pytest.raises(DataError) as caught:
        load_csv(tmp_path, ["SPY"])
    assert "plimsoll data import" in caught.value.fix
