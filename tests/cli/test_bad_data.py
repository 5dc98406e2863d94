"""Bad data: one line that names file, session and value; exit code 2; no run folder."""

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Edit = Callable[[list[str]], list[str]]
SPY = "data/SPY.csv"


def _cell(row: int, column: int, text: str) -> Edit:
    def edit(lines: list[str]) -> list[str]:
        cells = lines[row].split(",")
        cells[column] = text
        return [*lines[:row], ",".join(cells), *lines[row + 1 :]]

    return edit


def _dated(row: int, text: str) -> Edit:
    return _cell(row, 0, text)


def _emptied(row: int, *columns: int) -> Edit:
    def edit(lines: list[str]) -> list[str]:
        for column in columns:
            lines = _cell(row, column, "")(lines)
        return lines

    return edit


def _without_column(column: int) -> Edit:
    return lambda lines: [",".join(c for k, c in enumerate(line.split(",")) if k != column) for line in lines]


def _swapped(first: int, second: int) -> Edit:
    def edit(lines: list[str]) -> list[str]:
        lines[first], lines[second] = lines[second], lines[first]
        return lines

    return edit


def _low_above_close(lines: list[str]) -> list[str]:
    cells = lines[6].split(",")
    return _cell(6, 3, str(1.001 * max(float(cells[1]), float(cells[4]))))(lines)


# Row 6 (line 7 of the file) is 2015-01-09, a Friday.
BAD: dict[str, tuple[Edit, list[str]]] = {
    "empty file": (lambda lines: lines[:0], [SPY, "the file is empty"]),
    "only a header": (lambda lines: lines[:1], [SPY, "has a header but no rows"]),
    "missing column": (_without_column(4), [SPY, "no column 'close'"]),
    "renamed column": (_cell(0, 6, "volumes"), [SPY, "no column 'volume'", "did you mean 'volumes'"]),
    "misspelt optional column": (
        _cell(0, 7, "dividends"),
        [SPY, "unknown column 'dividends'", "did you mean 'dividend'"],
    ),
    "column twice": (_cell(0, 3, "high"), [SPY, "column 'high' comes twice"]),
    "cut-off line": (lambda lines: [*lines[:6], lines[6][:18], *lines[7:]], [SPY, "line 7 has 2 cells, the header 9"]),
    "unsorted": (_swapped(6, 7), [SPY, "2015-01-09", "comes after that of 2015-01-12", "sort them, oldest first"]),
    "duplicate": (_dated(6, "2015-01-08"), [SPY, "2015-01-08", "the row appears twice"]),
    "weekend": (_dated(6, "2015-01-10"), [SPY, "2015-01-10", "not a session of the exchange but a weekend"]),
    "holiday": (
        lambda lines: [*lines[:12], "2015-01-19" + lines[11][10:], *lines[12:]],
        [SPY, "2015-01-19", "a holiday"],
    ),
    "time zone": (_dated(6, "2015-01-09T00:00:00Z"), [SPY, "line 7", "carries a time zone", "without a zone"]),
    "time of day": (_dated(6, "2015-01-09 16:00:00"), [SPY, "2015-01-09", "a daily row carries a time of day"]),
    "american date": (_dated(6, "01/09/2015"), [SPY, "line 7", "'01/09/2015' is not a date", "write YYYY-MM-DD"]),
    "no date": (_dated(6, ""), [SPY, "line 7: date is empty"]),
    "zero price": (_cell(6, 4, "0"), [SPY, "SPY, 2015-01-09: close is 0, not a positive price"]),
    "negative price": (_cell(6, 1, "-3"), [SPY, "SPY, 2015-01-09: open is -3, not a positive price"]),
    "partly missing prices": (
        _cell(6, 2, ""),
        [SPY, "SPY, 2015-01-09: high is empty while other prices of the row are known"],
    ),
    "contradictory prices": (_cell(6, 2, "0.01"), [SPY, "SPY, 2015-01-09: high 0.01 is below", "contradictory prices"]),
    "low above the close": (_low_above_close, [SPY, "SPY, 2015-01-09: low", "is above", "contradictory prices"]),
    "infinite price": (_cell(6, 4, "inf"), [SPY, "2015-01-09", "inf"]),
    "text for a price": (_cell(6, 4, "1.234,5"), [SPY, "line 7"]),
    "thousands": (_cell(6, 4, "$12"), [SPY, "line 7", "'$12' is not a number", "currency signs"]),
    "negative volume": (_cell(6, 6, "-5"), [SPY, "SPY, 2015-01-09: volume is -5"]),
    "infinite volume": (_cell(6, 6, "inf"), [SPY, "2015-01-09", "inf"]),
    "zero split": (_cell(6, 8, "0"), [SPY, "SPY, 2015-01-09: split is 0"]),
    "negative dividend": (_cell(6, 7, "-1"), [SPY, "SPY, 2015-01-09: dividend is -1"]),
    "dividend above the price": (
        _cell(6, 7, "99999"),
        [SPY, "2015-01-09: dividend 99999 exceeds the previous close of"],
    ),
    "dividend on a session without prices": (
        lambda lines: _cell(6, 7, "1")(_emptied(6, 1, 2, 3, 4, 5)(lines)),
        [SPY, "2015-01-09: a dividend stands on a row without prices"],
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_is_told_in_one_line(name: str, here: Path, refused: Callable[..., str]) -> None:
    edit, fragments = BAD[name]
    path = here / SPY
    path.write_text("".join(f"{row}\n" for row in edit(path.read_text().splitlines())))
    line = refused("backtest", "run.toml", "--out", "out")
    for fragment in fragments:
        assert fragment in line


def test_a_file_that_is_not_utf8_is_told_with_its_line(here: Path, refused: Callable[..., str]) -> None:
    lines = (here / SPY).read_bytes().split(b"\n")
    (here / SPY).write_bytes(b"\n".join([*lines[:5], lines[5] + b"\xe9", *lines[6:]]))
    assert f"{SPY}: line 6: byte 0xe9 is not UTF-8; save the file as UTF-8" in refused("backtest", "run.toml")


def test_a_torn_gzip_file_is_told(here: Path, refused: Callable[..., str]) -> None:
    path = here / SPY
    (here / "data/SPY.csv.gz").write_bytes(gzip.compress(path.read_bytes())[:200])
    path.unlink()
    assert "data/SPY.csv.gz: not a complete gzip file" in refused("backtest", "run.toml")


def test_a_sound_file_passes_the_same_way(here: Path, cli: Callable[..., Any]) -> None:
    ran = cli("backtest", "run.toml", "--out", "out", "-q")
    assert ran.code == 0
    assert (here / "out/metrics.json").exists()


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ("nowhere", "nowhere: not a folder of CSV files (no such folder); check the data path"),
        ("run.toml", "run.toml: not a folder of CSV files (it is a file); check the data path"),
        ("empty", "empty: no CSV file for 1d bars in the folder; check the data path"),
    ],
)
def test_a_data_folder_that_is_none_is_told(data: str, says: str, here: Path, refused: Callable[..., str]) -> None:
    (here / "empty").mkdir()
    assert refused("backtest", "run.toml", "--data", data) == says


def test_an_unknown_symbol_suggests_the_one_there_is(refused: Callable[..., str]) -> None:
    line = refused("backtest", "run.toml", "--set", "sleeve.s.params.symbols=['SPYY', 'TLT']")
    assert "no file for symbol 'SPYY' (1d bars); did you mean 'SPY'?" in line


def test_an_unknown_symbol_of_the_sample_suggests_the_one_there_is(here: Path, refused: Callable[..., str]) -> None:
    line = refused("backtest", "run.toml", "--set", "data.source=sample", "--set", "sleeve.s.params.symbols=['SPYY']")
    assert "unknown symbol 'SPYY'; did you mean 'SPY'?" in line


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--from", "2016-01-04"], "run.start: start 2016-01-04 is after the last session of the data, 2015-05-12"),
        (["--to", "2014-12-31"], "none of the symbols has a row to read"),
        (["--from", "2015-05-01", "--to", "2015-02-02"], "run: end 2015-02-02 is before start 2015-05-01"),
        (["--from", "2015-01-02"], "run.start: start 2015-01-02 leaves 0 of the 1 bars of history the strategy needs"),
        (["--from", "2015-13-01"], "run.start: input should be a valid date"),
    ],
    ids=["starts after the data", "ends before the data", "ends before it starts", "no warm-up", "no such day"],
)
def test_a_span_that_cannot_be_run_is_told(arguments: list[str], says: str, refused: Callable[..., str]) -> None:
    assert says in refused("backtest", "run.toml", *arguments)


def test_too_little_history_names_the_earliest_start(
    here: Path, refused: Callable[..., str], cli: Callable[..., Any]
) -> None:
    config = (
        (here / "run.toml").read_text().replace("equal_weight", "inverse_vol").replace('"5"', '"5"\nlookback_bars = 20')
    )
    (here / "long.toml").write_text(config)
    line = refused("backtest", "long.toml", "--from", "2015-01-20")
    assert "start 2015-01-20 leaves 11 of the 21 bars of history the strategy needs" in line
    earliest = line.rpartition("the earliest possible start is ")[2]
    assert earliest == "2015-02-03"
    assert cli("backtest", "long.toml", "--from", earliest, "--out", "out", "-q").code == 0


def test_history_shorter_than_the_warm_up_is_told(here: Path, refused: Callable[..., str]) -> None:
    config = (
        (here / "run.toml")
        .read_text()
        .replace("equal_weight", "inverse_vol")
        .replace('"5"', '"5"\nlookback_bars = 200')
    )
    (here / "long.toml").write_text(config)
    line = refused("backtest", "long.toml")
    assert line.startswith("2015-01-02 to 2015-05-12: the strategy needs 201 bars of history before it trades")
    assert line.endswith("and the data has 90; use more history, or a shorter lookback")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("date;amount\n", "the header is not 'date,amount'"),
        ("date,amount\n2015-02-03,1,000\n", "line 2: '2015-02-03,1,000' is not a date and an amount"),
        ("date,amount\n2015-02-03,many\n", "line 2: '2015-02-03,many' is not a date and an amount"),
        (
            "date,amount\n2015-02-07,5\n",
            "line 2: 2015-02-07 is not a session of the data; use the next exchange session",
        ),
        ("date,amount\n2015-02-03,inf\n", "line 2: amount inf is not finite"),
        ("date,amount\n2015-02-03,-1e9\n", "account.flows: the withdrawal on 2015-02-03 exceeds the account's equity"),
    ],
    ids=["header", "thousands", "text", "weekend", "infinite", "too much"],
)
def test_bad_flows_are_told(content: str, says: str, here: Path, refused: Callable[..., str]) -> None:
    (here / "flows.csv").write_text(content)
    assert says in refused("backtest", "run.toml", "--set", "account.flows=flows.csv")


def test_missing_flows_are_told(refused: Callable[..., str]) -> None:
    assert refused("backtest", "run.toml", "--set", "account.flows=f.csv") == "f.csv: no such file; mend account.flows"
