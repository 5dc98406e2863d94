"""A folder of CSV files read up to a day, or from one: what lies outside changes nothing."""

from datetime import date
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.csv_files import DAYS, GOOD, HEADER, made, put, same_bytes, write

from plimsoll.engine.errors import DataError
from plimsoll.engine.market.calendar import build_clock
from plimsoll.engine.market.csv.source import load_csv


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
