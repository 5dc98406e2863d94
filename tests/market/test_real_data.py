"""Real files: everything loads, and derived dividends are the listed ones."""

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from plimsoll import backtest
from plimsoll.engine.market.bars import BarRows
from plimsoll.engine.market.csv.file import open_csv, read_table
from plimsoll.engine.market.csv.source import load_csv, symbols_in
from plimsoll.engine.market.dividends import derive_dividends
from plimsoll.engine.market.feed import Feed

pytestmark = pytest.mark.realdata


def test_every_daily_file_loads_and_warns_of_what_its_provenance_tells(real_daily: Path) -> None:
    symbols = [name for name in symbols_in(real_daily) if name != "VIX"]
    panel = load_csv(real_daily, symbols, ["VIX"])
    assert len(symbols) >= 35
    assert panel.adjusted_only == ("PFIX", "SVOL", "USL", "UUP")
    found: dict[str, set[str]] = {}
    for one in panel.warnings:
        found.setdefault(one.kind, set()).add(one.symbol)
    assert found == {
        "adjusted_only": {"PFIX", "SVOL", "USL", "UUP"},
        "close_from_adjusted": {"TAIL"},
        "derived_dividends": {"EEM", "TAIL"},
        "dividend_mismatch": {"DBMF"},
        "ends_early": {"SGOV"},
        "missing_sessions": {"DBMF", "KMLM"},
    }
    texts = {(one.symbol, one.kind): one.text for one in panel.warnings}
    assert "no row on 27 of" in texts["DBMF", "missing_sessions"]
    assert "no row on 80 of" in texts["KMLM", "missing_sessions"]
    assert "667 rows from 2023-09-05 on" in texts["TAIL", "close_from_adjusted"]


def test_derived_dividends_are_on_the_listed_dates_and_no_other_in_every_file_with_a_table(real_daily: Path) -> None:
    compared, dividends = 0, 0
    for symbol in symbols_in(real_daily):
        file = open_csv(real_daily / f"{symbol}.csv")
        if "dividend" not in file.names:
            continue
        table = read_table(file, "date", ("close", "adj_close", "dividend"))
        close, listed = table.columns["close"], table.columns["dividend"]
        rows = BarRows(symbol, str(file.path), "1d", table.stamp)
        derived = derive_dividends(rows, close, table.columns["adj_close"], np.ones(len(close)))
        np.testing.assert_array_equal(table.stamp[derived != 0.0], table.stamp[listed != 0.0], err_msg=symbol)
        # listed amounts and adjusted closes are rounded apart: a basis point of the price, 14 for one DBMF year-end
        before = np.append(np.nan, close[:-1])[listed != 0.0]
        gap = np.abs(derived - listed)[listed != 0.0] / before
        assert (gap < (1.5e-3 if symbol == "DBMF" else 1e-5)).all(), symbol
        compared += 1
        dividends += int(np.count_nonzero(listed))
    assert compared >= 29
    assert dividends > 2500


def test_total_returns_of_derived_and_listed_dividends_agree_with_the_adjusted_close(real_daily: Path) -> None:
    panel = load_csv(real_daily, ["SPY", "TLT", "EEM"])
    ret = Feed(panel).ret
    for symbol in panel.symbols:
        table = read_table(open_csv(real_daily / f"{symbol}.csv"), "date", ("adj_close",))
        adjusted = table.columns["adj_close"]
        column = ret[:, panel.column(symbol)]
        column = column[np.isfinite(column)]
        # the vendor reinvests at the previous close, the ledger holds the cash: they differ by D/P times the move
        assert np.abs(column - (adjusted[1:] / adjusted[:-1] - 1.0)).max() < 1.5e-3, symbol
        assert np.prod(1.0 + column) == pytest.approx(adjusted[-1] / adjusted[0], rel=5e-3)


@pytest.mark.parametrize("end", [date(2011, 3, 9), date(2019, 8, 30), date(2023, 8, 31)])
def test_real_files_cut_at_a_date_equal_the_panel_cut_there(real_daily: Path, end: date) -> None:
    symbols = ("SPY", "EEM", "TMF", "SGOV", "UUP", "DBMF", "TAIL", "SVOL")
    full = load_csv(real_daily, symbols, ["VIX"])
    part = load_csv(real_daily, symbols, ["VIX"], end=end)
    n = part.n_bars
    assert full.clock.session[n - 1] <= np.datetime64(end) < full.clock.session[n]
    assert part.block.tobytes() == np.ascontiguousarray(full.block[:, :n]).tobytes()
    for name in ("high", "low", "indicator"):
        assert getattr(part, name).tobytes() == getattr(full, name)[:n].tobytes(), name
    for name in ("stamp", "month_first", "month_last", "week_last"):
        assert getattr(part.clock, name).tobytes() == getattr(full.clock, name)[:n].tobytes(), name


def test_a_fund_whose_prices_end_before_its_adjusted_closes_earns_what_those_say(real_daily: Path) -> None:
    panel = load_csv(real_daily, ["TAIL"])
    adjusted = read_table(open_csv(real_daily / "TAIL.csv"), "date", ("adj_close",)).columns["adj_close"]
    ret = Feed(panel).ret[:, 0]
    supplied = panel.clock.session > np.datetime64("2023-09-01")
    moves = np.append(np.nan, adjusted[1:] / adjusted[:-1] - 1.0)
    np.testing.assert_allclose(ret[supplied], moves[supplied], rtol=1e-9, atol=1e-12)
    assert np.isnan(panel.volume[supplied]).all()
    assert panel.volume[~supplied, 0].min() >= 0.0


def test_fills_of_a_run_do_not_depend_on_rows_after_its_end(real_daily: Path) -> None:
    sleeve = {"name": "s", "strategy": "equal_weight", "params": {"symbols": ["SPY", "TAIL"]}}
    values = {"run": {"cash": 5e6}, "sleeve": [sleeve]}
    whole = load_csv(real_daily, ["SPY", "TAIL"])
    part = load_csv(real_daily, ["SPY", "TAIL"], end=date(2023, 8, 31))
    fills = [backtest(values, data=panel, trials="off").fills for panel in (whole, part)]
    through = fills[0][fills[0]["session"] <= fills[1]["session"].max()]
    assert (fills[1]["symbol"] == "TAIL").sum() > 50
    pd.testing.assert_frame_equal(through.reset_index(drop=True), fills[1].reset_index(drop=True))


def test_every_funds_extraordinary_moves_are_explained_each_loaded_alone(real_daily: Path) -> None:
    for symbol in ("TQQQ", "SQQQ", "TMF", "USO"):
        assert not [one for one in load_csv(real_daily, [symbol]).warnings if one.kind == "price_jump"], symbol


@pytest.mark.parametrize("interval", ["1min", "5min"])
def test_every_intraday_file_lies_on_the_exchanges_grid(real_minute: Path, interval: str) -> None:
    symbols = symbols_in(real_minute, interval)
    panel = load_csv(real_minute, symbols, interval=interval)
    rows = {"1min": {"SPY": 99264}, "5min": {"QQQ": 16194, "SPY": 16194, "SQQQ": 16896, "TQQQ": 16038}}[interval]
    assert {name: int(np.isfinite(panel.close[:, panel.column(name)]).sum()) for name in symbols} == rows
    assert {one.kind for one in panel.warnings} == {"no_dividends", "ends_early"}
