"""Crisis windows, quantiles, the rolling Sortino ratio and capacity against plain arithmetic."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from plimsoll.engine.report.metrics.capacity import cost_growth
from plimsoll.engine.report.metrics.crises import OWN, WINDOWS, crisis_rows
from plimsoll.engine.report.metrics.quantiles import SHARES, quantile_rows
from plimsoll.engine.report.metrics.rolling import rolling_sortino
from plimsoll.engine.report.result import Result

Make = Callable[..., Result]


def days(first: str, last: str) -> np.ndarray:
    return np.asarray(pd.bdate_range(first, last), dtype="datetime64[D]")


def test_a_window_is_the_return_from_the_first_close_to_the_last() -> None:
    sessions = days("2019-12-31", "2020-12-31")
    returns = np.zeros(len(sessions))
    first, last = np.datetime64("2020-02-19"), np.datetime64("2020-03-23")
    returns[sessions == first] = -0.5  # the return to the close that it is measured from does not count
    returns[sessions == np.datetime64("2020-02-20")] = -0.1
    returns[sessions == last] = -0.2
    returns[sessions == np.datetime64("2020-03-24")] = 0.9
    (row,) = [row for row in crisis_rows(returns, sessions) if row["name"].startswith("2020")]
    assert (row["start"], row["end"], row["whole"]) == (str(first), str(last), True)
    assert row["total_return"] == pytest.approx(0.9 * 0.8 - 1.0)
    assert row["sessions"] == int(((sessions > first) & (sessions <= last)).sum())


def test_a_run_that_begins_within_a_window_says_so() -> None:
    sessions = days("2022-06-01", "2022-12-30")
    rows = {row["name"]: row for row in crisis_rows(np.full(len(sessions), -0.001), sessions)}
    assert len(rows) == 2
    part = rows["2022, inflation and rates"]
    assert (part["start"], part["end"], part["whole"]) == ("2022-05-31", "2022-10-12", False)
    assert rows[OWN]["total_return"] == pytest.approx(0.999 ** len(sessions) - 1.0)


def test_all_six_falls_are_told_of_a_run_that_saw_them() -> None:
    sessions = days("2007-01-03", "2023-12-29")
    names = [row["name"] for row in crisis_rows(np.full(len(sessions), 0.0001), sessions)]
    assert names == [name for name, _, _ in WINDOWS]  # it never fell itself
    assert [name[:4] for name in names] == ["2008", "2011", "2015", "2018", "2020", "2022"]


def test_quantiles_of_months_are_those_of_compounded_months() -> None:
    sessions = days("2020-01-01", "2021-12-31")
    returns = np.random.default_rng(0).normal(0.0, 0.01, len(sessions))
    series = pd.Series(1.0 + returns, index=pd.DatetimeIndex(sessions.astype("datetime64[s]")))
    monthly = series.groupby(series.index.to_period("M")).prod() - 1.0
    rows = {row["horizon"]: row for row in quantile_rows(returns, sessions)}
    assert [rows[name]["count"] for name in ("session", "month", "year")] == [len(sessions), 24, 2]
    assert rows["month"]["quantiles"] == pytest.approx([monthly.quantile(share) for share in SHARES])


def test_the_rolling_sortino_is_that_of_each_window() -> None:
    returns = np.random.default_rng(1).normal(0.0005, 0.01, 60)
    found = rolling_sortino(returns, 20)
    for k in (0, 17, 40):
        part = returns[k : k + 20]
        down = np.sqrt(np.mean(np.minimum(part, 0.0) ** 2))
        assert found[k] == pytest.approx(part.mean() / down * np.sqrt(252.0))
    assert np.isnan(rolling_sortino(np.full(30, 0.001), 20)).all()  # nothing fell


def test_impact_doubles_at_four_times_the_money_and_costs_later() -> None:
    n, equity = 252, 1e6
    growth = cost_growth(np.full(n, 3e-5), np.full(n, 1e-5), np.full(n, equity))
    assert growth.assets_at(growth.fixed + 2.0 * growth.impact) == pytest.approx(4.0 * equity)
    # spread of 2 and impact of 1: twice 3 needs an impact of 4, sixteen times the money
    assert growth.assets_at(2.0 * growth.drag) == pytest.approx(16.0 * equity)
    assert cost_growth(np.full(n, 3e-5), np.zeros(n), np.full(n, equity)).assets_at(1.0) is None


def test_a_run_says_how_its_own_costs_grow(make_result: Make) -> None:
    block = make_result(sessions=300).metrics["capacity"]
    assert block["costs"] >= block["impact"] >= 0.0
    assert make_result(sessions=130, trade=False).metrics["capacity"] is None
