"""Intraday files as vendors write them: stamped with the end of a bar, with extended hours, with repeated actions."""

from pathlib import Path

import numpy as np
import pytest

from plimsoll.engine.config.interval import canonical_interval
from plimsoll.engine.config.schema import load_config
from plimsoll.engine.errors import ConfigError, DataError
from plimsoll.engine.market.csv.source import load_csv
from plimsoll.engine.market.panel import Panel
from plimsoll.engine.market.said import NOTHING, Said

HEAD = "datetime,open,high,low,close,volume"


def row(stamp: str, price: float, more: str = "") -> str:
    return f"{stamp},{price},{price},{price},{price},100{more}"


def write(folder: Path, *rows: str, head: str = HEAD, name: str = "ABC.csv") -> Path:
    (folder / name).write_text("\n".join([head, *rows]) + "\n")
    return folder


def load(folder: Path, said: Said = NOTHING, interval: str = "60min") -> Panel:
    return load_csv(folder, ["ABC"], interval=interval, said=said)


def known(panel: Panel) -> list[tuple[str, float]]:
    at = np.flatnonzero(~np.isnan(panel.close[:, 0]))
    return [(str(panel.clock.stamp[t])[5:16], float(panel.close[t, 0])) for t in at]


def test_bars_labelled_by_their_end_begin_where_the_bar_before_ended(tmp_path: Path) -> None:
    ends = ["2024-07-02 10:30", "2024-07-02 15:30", "2024-07-02 16:00", "2024-07-03T10:30:00", "2024-07-03T13:00:00"]
    write(tmp_path, *(row(end, 10.0 + k) for k, end in enumerate(ends)))
    # the last bar of a full day is half an hour, and so is that of the day that closes at 13:00
    starts = ["07-02T09:30", "07-02T14:30", "07-02T15:30", "07-03T09:30", "07-03T12:30"]
    assert known(load(tmp_path, Said(label="right"))) == [(s, 10.0 + k) for k, s in enumerate(starts)]
    with pytest.raises(DataError, match=r"closes at 16:00, no bar starts then .*stamped with the end"):
        load(tmp_path)


def test_an_end_that_ends_no_bar_is_refused(tmp_path: Path) -> None:
    write(tmp_path, row("2024-07-02 10:15", 10.0))
    with pytest.raises(DataError, match="ABC, 2024-07-02 10:15: not the end of a 60min bar"):
        load(tmp_path, Said(label="right"))


@pytest.mark.parametrize("label", ["left", "right"])
def test_extended_hours_are_refused_unless_they_are_to_be_dropped(tmp_path: Path, label: str) -> None:
    hours = [f"{hour:02d}:{minute}" for hour in range(4, 20) for minute in ("00", "30")]
    days = ("2024-07-02", "2024-07-03")
    stamps = [f"{day} {hour}" for day in days for hour in hours]
    write(tmp_path, *(row(stamp, 10.0 + k) for k, stamp in enumerate(stamps)))
    with pytest.raises(DataError, match="outside the session's hours 09:30-16:00"):
        load(tmp_path, Said(label=label), "30min")
    panel = load(tmp_path, Said(label=label, extended_hours="drop"), "30min")
    first = 11 + (label == "right")  # of each day's 32 rows: 09:30 begins one bar and ends another
    want = [10.0 + k for k in (*range(first, first + 13), *range(32 + first, 32 + first + 7))]
    assert [price for _, price in known(panel)] == want
    assert panel.clock.first_bar[0]
    told = [warning.text for warning in panel.warnings if warning.kind == "extended_hours_dropped"]
    began = "03:30" if label == "right" else "04:00"
    assert told == [f"ABC: 44 of 64 rows beyond regular hours dropped, the first 2024-07-02 {began}"]


def test_a_dividend_beyond_regular_hours_is_not_dropped_with_its_row(tmp_path: Path) -> None:
    rows = (row("2024-07-02 09:30", 10.0, ",0"), row("2024-07-03 08:30", 10.0, ",0.5"))
    write(tmp_path, *rows, head=f"{HEAD},dividend")
    with pytest.raises(DataError, match="2024-07-03 08:30: a dividend stands on a row beyond regular hours"):
        load(tmp_path, Said(extended_hours="drop"))


@pytest.mark.parametrize(("column", "value", "none"), [("dividend", "0.5", "0"), ("split", "2", "1")])
def test_an_action_stands_on_the_sessions_first_row_and_once(
    tmp_path: Path, column: str, value: str, none: str
) -> None:
    first = row("2024-07-02 09:30", 10.0, f",{none}")
    late = row("2024-07-03 10:30", 5.0, f",{value}")  # no trade in the session's first hour
    write(tmp_path, first, late, head=f"{HEAD},{column}")
    found = getattr(load(tmp_path), column)[:, 0]
    assert found[8] == float(value)
    write(tmp_path, first, late, row("2024-07-03 11:30", 5.0, f",{value}"), head=f"{HEAD},{column}")
    with pytest.raises(DataError, match=rf"2024-07-03 11:30: a {column} .*not the first of its session .*every bar"):
        load(tmp_path)


def test_an_interval_is_understood_as_people_write_it() -> None:
    said = {"5m": "5min", "5Min": "5min", "1h": "60min", "60m": "60min", "1D": "1d", "15 minutes": "15min"}
    assert {text: canonical_interval(text) for text in said} == said
    assert canonical_interval("fortnight") == "fortnight"


def test_files_are_found_by_their_interval_however_it_is_written(tmp_path: Path) -> None:
    write(tmp_path, row("2024-07-02 09:30", 1.0), name="ABC_1h_2024.csv")
    write(tmp_path, row("2024-07-02 09:30", 5.0), name="ABC_5m.csv")
    assert load(tmp_path, interval="60min").close[0, 0] == 1.0
    assert load(tmp_path, interval="5min").close[0, 0] == 5.0


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"label": "right"}, "data: 'label' has no effect on daily bars"),
        ({"interval": "5m", "resample": "7m"}, "data: resample = '7min' is no multiple of interval = '5min'"),
        ({"interval": "5m", "resample": "1w"}, "data.resample: string should match pattern"),
    ],
)
def test_keys_that_contradict_each_other_are_refused(data: dict[str, str], said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_config({"data": data, "sleeve": [{"name": "s", "strategy": "equal_weight"}]})
    assert said in str(caught.value)
