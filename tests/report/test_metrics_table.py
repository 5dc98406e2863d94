"""The nested dictionary of figures: what it must contain, add up to, and refuse."""

import json
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import kurtosis, norm, skew

from plimsoll.engine.errors import DataError, EngineError
from plimsoll.engine.report.metrics import returns as m
from plimsoll.engine.report.metrics.table import plain
from plimsoll.engine.report.result import Result, record_of
from plimsoll.engine.report.tearsheet.tables import sleeve_table

Make = Callable[..., Result]


def leaves(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [leaf for item in value.values() for leaf in leaves(item)]
    if isinstance(value, list):
        return [leaf for item in value for leaf in leaves(item)]
    return [value]


def test_every_leaf_is_plain_and_strict_json_takes_it(result: Result) -> None:
    assert {type(leaf) for leaf in leaves(result.metrics)} <= {str, bool, int, float, type(None)}
    json.dumps(result.metrics, allow_nan=False)


def test_the_account_stands_on_top_and_is_computed_from_session_returns(result: Result) -> None:
    returns = result.equity["ret"].to_numpy()
    assert result.metrics["sharpe"] == m.sharpe(returns)
    assert result.metrics["max_drawdown"] == pytest.approx(result.equity["drawdown"].min(), rel=1e-12)
    assert result.metrics["total_return"] == pytest.approx(result.equity["equity"].iloc[-1] / result.cash - 1.0)


def test_sharpe_over_bills_subtracts_the_bill_and_equals_the_plain_one_without(
    make_result: Make, result: Result
) -> None:
    assert result.bill is not None
    excess = result.equity["ret"].to_numpy() - result.bill.to_numpy()
    assert result.metrics["sharpe_excess"] == pytest.approx(np.mean(excess) / np.std(excess, ddof=1) * math.sqrt(252.0))
    without = make_result(sessions=60, bill=None).metrics
    assert without["sharpe_excess"] == without["sharpe"]
    assert without["conventions"]["risk_free"] == "0"
    assert result.metrics["conventions"]["risk_free"] == "BIL"


def test_the_probability_over_bills_is_of_the_excess(make_result: Make) -> None:
    result = make_result(sessions=300)
    assert result.bill is not None
    excess = result.equity["ret"].to_numpy() - result.bill.to_numpy()
    ratio, n = excess.mean() / excess.std(ddof=1), len(excess)
    spread = 1.0 - skew(excess) * ratio + (kurtosis(excess, fisher=False) - 1.0) / 4.0 * ratio**2
    wanted = norm.cdf(ratio * np.sqrt((n - 1) / spread))
    assert result.metrics["probabilistic_sharpe_excess"] == pytest.approx(wanted, rel=1e-9)
    without = make_result(sessions=300, bill=None).metrics
    assert without["probabilistic_sharpe_excess"] == without["probabilistic_sharpe"] != pytest.approx(wanted)


def test_conventions_are_printed_beside_the_figures(result: Result) -> None:
    assert result.metrics["conventions"]["periods_per_year"] == 252.0
    assert result.metrics["conventions"]["ddof"] == 1


def test_before_costs_is_better_by_the_costs(result: Result) -> None:
    base = np.concatenate(([result.cash], result.equity["equity"].to_numpy()[:-1]))
    gross = result.equity["ret"].to_numpy() + result.equity["costs"].to_numpy() / base
    assert result.metrics["gross_of_costs"]["total_return"] == pytest.approx(np.prod(1.0 + gross) - 1.0, rel=1e-10)
    assert result.metrics["costs"]["cagr_lost"] == pytest.approx(m.cagr(gross) - m.cagr(result.returns.to_numpy()))
    assert result.metrics["costs"]["cagr_lost"] > 0.0


def test_all_cash_is_defined_and_empty(make_result: Make) -> None:
    metrics = make_result(sessions=80, trade=False, cash=1000.0).metrics
    assert metrics["exposure"]["time_in_market"] == 0.0
    assert metrics["exposure"]["effective_n"] is None
    assert metrics["turnover"]["two_sided_per_year"] == 0.0
    assert metrics["costs"]["per_traded_bps"] is None
    assert metrics["drawdowns"] == []
    assert metrics["max_drawdown"] == 0.0


def test_one_session_has_no_volatility_but_a_result(make_result: Make) -> None:
    metrics = make_result(sessions=1).metrics
    assert metrics["vol_ann"] is None
    assert metrics["sharpe"] is None
    assert metrics["relative"]["beta"] is None
    assert metrics["run"]["sessions"] == 1
    assert metrics["best_day"] == metrics["worst_day"] == metrics["total_return"]


def test_ruin_is_minus_one_hundred_percent_a_year(make_result: Make) -> None:
    result = make_result(sessions=30, trade=False)
    table = result.equity.copy()
    table.loc[table.index[5], "ret"] = -1.0
    table.loc[table.index[6] :, "ret"] = 0.0
    table.loc[table.index[5] :, ["equity", "equity_gross"]] = 0.0
    metrics = make_result(sessions=30, trade=False, equity=table, ruined=True).metrics
    assert metrics["cagr"] == metrics["total_return"] == metrics["max_drawdown"] == -1.0
    assert metrics["gross_of_costs"]["total_return"] == -1.0
    assert metrics["run"]["ruined"] is True
    json.dumps(metrics, allow_nan=False)


def test_a_nan_return_is_refused(make_result: Make) -> None:
    table = make_result(sessions=10).equity.copy()
    table.loc[table.index[3], "ret"] = np.nan
    with pytest.raises(DataError, match=r"1 of 10 session returns .* position 3"):
        _ = make_result(sessions=10, equity=table).metrics


def test_a_bill_series_with_a_hole_is_refused_by_name_and_session(make_result: Make) -> None:
    bill = make_result(sessions=10).bill
    assert bill is not None
    day = bill.index[4]
    with pytest.raises(DataError, match=rf"bill BIL: 1 of 10 sessions .* {day:%Y-%m-%d}"):
        _ = make_result(sessions=10, bill=bill.drop(day)).metrics


def test_intraday_statistics_are_those_of_session_closes(make_result: Make) -> None:
    result = make_result(sessions=40, bars=5, every=7, interval="1h")
    compounded = (1.0 + result.equity["ret"]).groupby(pd.DatetimeIndex(result.equity.index).normalize()).prod() - 1.0
    np.testing.assert_allclose(result.returns.to_numpy(), compounded.to_numpy(), rtol=1e-12, atol=1e-15)
    assert list(result.returns.index) == list(compounded.index)
    metrics = result.metrics
    assert metrics["run"]["sessions"] == 40
    assert metrics["run"]["bars"] == 200
    assert metrics["sharpe"] == pytest.approx(m.sharpe(compounded.to_numpy()), rel=1e-9)
    traded = result.equity["traded"].to_numpy() / record_of(result).base
    assert metrics["turnover"]["two_sided_per_year"] == pytest.approx(traded.sum() * 252.0 / 40.0)


def test_a_run_that_ends_within_a_session_counts_what_there_is_of_it(make_result: Make) -> None:
    whole = make_result(sessions=4, bars=3)
    cut = {name: getattr(whole, name).iloc[:-1] for name in ("equity", "weights", "sleeves")}
    result = make_result(sessions=4, bars=3, session_last=record_of(whole).session_last[:-1], **cut)
    assert len(result.returns) == 4
    assert 1.0 + result.metrics["total_return"] == pytest.approx(np.prod(1.0 + cut["equity"]["ret"]))


def test_years_and_months_cover_every_session_once(result: Result) -> None:
    rows = result.metrics["by_year"]
    assert sum(row["sessions"] for row in rows) == len(result.returns)
    grown = np.prod([1.0 + row["total_return"] for row in rows])
    assert grown == pytest.approx(1.0 + result.metrics["total_return"], rel=1e-12)
    months = [value for year in result.metrics["monthly"].values() for value in year if value is not None]
    assert np.prod(1.0 + np.array(months)) == pytest.approx(grown, rel=1e-12)


def test_worst_drawdowns_name_the_sessions_of_their_closes(make_result: Make) -> None:
    result = make_result(sessions=5, trade=False)
    table = result.equity.copy()
    table["ret"] = [0.1, -0.2, 0.1, 0.5, -0.1]  # peak day 1, trough day 2, new peak day 4, open since
    first, second = make_result(sessions=5, trade=False, equity=table).metrics["drawdowns"]
    days = [f"{day:%Y-%m-%d}" for day in table.index]
    assert (first["peak"], first["trough"], first["recovery"]) == (days[0], days[1], days[3])
    assert (second["peak"], second["trough"], second["recovery"], second["open"]) == (days[3], days[4], None, True)


def test_a_switch_is_counted_and_a_number_averaged(make_result: Make) -> None:
    days = pd.bdate_range("2015-01-05", periods=4)
    notes = pd.DataFrame(
        {
            "session": [*days, *days[1:]],
            "sleeve": "level61",
            "name": ["risk_off"] * 4 + ["vol"] * 3,
            "value": [0.0, 1.0, 1.0, 0.0, 0.1, np.nan, 0.3],
        }
    )
    block = make_result(sessions=4, diagnostics=notes).metrics["diagnostics"]["level61"]
    assert block == {"risk_off_days": 2, "risk_off_ratio": 0.5, "vol_mean": pytest.approx(0.2), "vol_last": 0.3}


def test_sleeves_report_their_own_notional_account(result: Result) -> None:
    equity = result.sleeves["trend.equity"].to_numpy()
    block = result.metrics["sleeves"]["trend"]
    assert block["total_return"] == pytest.approx(equity[-1] / equity[0] - 1.0)
    assert block["weight"]["mean"] == pytest.approx(result.sleeves["trend.weight"].mean())


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({}, "promoted"),
        ({"status": "incubating"}, "incubating"),
        ({"since": "2015-01-07"}, "promoted"),
        ({"since": "2040-01-01"}, "incubating"),
        ({"status": "quarantined", "since": "2040-01-01"}, "promoted"),
    ],
    ids=["as it is", "watched", "since then", "not yet", "still"],
)
def test_a_sleeve_of_a_book_is_reported_with_its_status_at_the_end(
    make_result: Make, given: dict[str, str], told: str
) -> None:
    sleeve = {"name": "trend", "strategy": "trend", **given}
    result = make_result(sessions=40, config={"sleeve": [sleeve], "integrator": {"preset": "book"}})
    assert result.metrics["sleeves"]["trend"]["status"] == told
    table = sleeve_table(result.metrics)
    assert table is not None
    assert [row[0] for row in table.rows] == ["level61", "trend" if told == "promoted" else f"trend ({told})"]


def test_counts_are_all_there_even_when_zero(result: Result) -> None:
    assert result.metrics["counts"] == {"margin_calls": 2, "partial_fills": 0, "volume_unknown_fills": 31}


def test_a_missing_column_is_an_engine_error(make_result: Make) -> None:
    table = make_result(sessions=3).equity.drop(columns=["borrow", "flow"])
    with pytest.raises(EngineError, match="lacks borrow, flow"):
        make_result(sessions=3, equity=table)


def test_plain_values_hold_no_nan_and_no_foreign_types() -> None:
    given = {
        1: np.float64("nan"),
        "b": (np.int64(3), float("inf"), np.bool_(True)),
        "c": {"y", "x"},
        "d": np.datetime64("2024-01-02"),
        "e": np.array([1.5, np.nan]),
    }
    assert plain(given) == {"1": None, "b": [3, None, True], "c": ["x", "y"], "d": "2024-01-02", "e": [1.5, None]}
