"""What files cannot tell of their prices: named in the summary, refused where asked, settled by the configuration."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from plimsoll.engine.config.schema import load_config

SPY = "data/SPY.csv"


def _scaled(path: Path, by: float, first: int) -> str:
    """Multiply the prices and dividends from row `first` on; return its date."""
    header, *rows = path.read_text().splitlines()
    for at in range(first, len(rows)):
        cells = rows[at].split(",")
        cells[1:6] = [repr(float(cell) * by) for cell in cells[1:6]]
        cells[7] = repr(float(cells[7]) * by)
        rows[at] = ",".join(cells)
    path.write_text("\n".join([header, *rows]) + "\n")
    return rows[first].split(",")[0]


def test_an_unlisted_split_is_named_in_the_summary_refused_by_strict_and_silenced_once_confirmed(
    here: Path, cli: Callable[..., Any], refused: Callable[..., str]
) -> None:
    day = _scaled(here / SPY, 0.25, 20)
    ran = cli("backtest", "run.toml", "--out", "out")
    assert ran.code == 0
    assert "like a 4:1 split" in " ".join(ran.out.split())
    line = refused("backtest", "run.toml", "--out", "strict", "--strict")
    assert f"SPY, {day}: the close goes from" in line
    assert f'or confirm it: [data.confirmed] SPY = ["{day}"]' in line
    with (here / "run.toml").open("a") as config:
        config.write(f'[data.confirmed]\nSPY = ["{day}"]\n')
    ran = cli("backtest", "run.toml", "--out", "confirmed", "--strict")
    assert ran.code == 0
    assert "4:1" not in ran.out


def test_adjusted_prices_beside_dividends_are_refused_and_read_once_the_configuration_says_so(
    here: Path, cli: Callable[..., Any], refused: Callable[..., str]
) -> None:
    header, *rows = (here / SPY).read_text().splitlines()
    cells = [row.split(",") for row in rows]
    for row in cells:
        row[1:5] = [row[5]] * 4
    (here / SPY).write_text("\n".join([header, *(",".join(row) for row in cells)]) + "\n")
    line = refused("backtest", "run.toml")
    assert "dividends are listed beside prices that contain them already: adj_close equals close in every row" in line
    assert cli("backtest", "run.toml", "--out", "out", "-q", "--set", 'data.prices.SPY="adjusted"').code == 0
    kept = load_config(here / "out/config.toml")
    assert kept.data.prices == {"SPY": "adjusted"}


@pytest.mark.parametrize("key", ["data.prices.SPX='raw'", "data.confirmed.SPX=['2015-01-05']"])
def test_what_is_said_of_a_symbol_that_is_not_in_the_run_is_refused(key: str, refused: Callable[..., str]) -> None:
    line = refused("backtest", "run.toml", "--set", key)
    assert f"{key.rpartition('.')[0]}: symbol 'SPX' is not in this run; did you mean 'SPY'?" in line


@pytest.mark.parametrize(
    ("key", "said"),
    [("data.prices.SPY='total'", "'raw', 'split' or 'adjusted'"), ("data.confirmed.SPY=['soon']", "date")],
)
def test_what_is_said_in_other_words_is_refused(key: str, said: str, refused: Callable[..., str]) -> None:
    assert said in refused("backtest", "run.toml", "--set", key)


def test_a_file_whose_lines_end_in_carriage_returns_alone_is_read(here: Path, cli: Callable[..., Any]) -> None:
    (here / SPY).write_bytes((here / SPY).read_bytes().replace(b"\n", b"\r"))
    assert cli("backtest", "run.toml", "--out", "out", "-q").code == 0


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda data: data.replace(b"date,", b'"date,', 1), "no column"),
        (lambda data: data.replace(b"\n", b"\n\x00", 1), "is not a date"),
        (lambda data: b"\n" + data, "the first line is blank"),
        (lambda data: data.partition(b"\n")[2], "no header line"),
        (lambda data: data.replace(b",", b";"), "separated by semicolons"),
        (lambda data: data + b'2015-05-13,"1', "cells, the header 9"),
        (lambda data: data + b'"' + b"9" * 200_000 + b'",1\n', "field larger than field limit"),
        (lambda data: data.replace(b"-", b""), "is written without hyphens"),
        (lambda data: data.replace(b"2015-01-09", b"2015-01-09 00:00:00.5"), "carries a fraction of a second"),
        (lambda data: re.sub(rb"\n2015-01-09,[^,]*", b"\n2015-01-09,1e308", data), "no price lies beyond"),
    ],
)
def test_a_file_broken_in_its_bytes_is_told_in_one_line(
    spoil: Callable[[bytes], bytes], said: str, here: Path, refused: Callable[..., str]
) -> None:
    (here / SPY).write_bytes(spoil((here / SPY).read_bytes()))
    line = refused("backtest", "run.toml", "--out", "out")
    assert said in line
    assert SPY in line
    assert len(line) < 500


def test_weekly_bars_are_refused_as_such(here: Path, refused: Callable[..., str]) -> None:
    header, *rows = (here / SPY).read_text().splitlines()
    (here / SPY).write_text("\n".join([header, *rows[2::5]]) + "\n")
    assert "SPY holds weekly bars: the median gap between rows is 5 sessions" in refused("backtest", "run.toml")
