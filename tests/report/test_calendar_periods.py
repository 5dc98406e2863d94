"""Months and years, and the moving windows."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plimsoll.engine.report.metrics.periods import by_month, by_year, monthly_grid
from plimsoll.engine.report.metrics.returns import total_return
from plimsoll.engine.report.metrics.rolling import rolling_beta, rolling_sharpe, rolling_vol_ann


def days(*text: str) -> np.ndarray:
    return np.array(text, dtype="datetime64[D]")


def test_months_compound_their_own_sessions() -> None:
    sessions = days("2023-12-29", "2024-01-02", "2024-01-03", "2024-03-01")
    months = by_month(np.array([0.01, 0.10, 0.10, -0.05]), sessions)
    assert [month.label for month in months] == ["2023-12", "2024-01", "2024-03"]
    assert [month.sessions for month in months] == [1, 2, 1]
    assert [month.total for month in months] == pytest.approx([0.01, 0.21, -0.05])


def test_the_grid_leaves_months_without_sessions_empty() -> None:
    grid = monthly_grid(np.array([0.01, 0.02]), days("2023-12-29", "2024-02-01"))
    assert grid == {
        "2023": [None] * 11 + [pytest.approx(0.01)],
        "2024": [None, pytest.approx(0.02)] + [None] * 10,
    }


def test_no_sessions_no_periods() -> None:
    assert by_year(np.empty(0), days()) == []
    assert monthly_grid(np.empty(0), days()) == {}


@given(st.integers(1, 900), st.integers(0, 2**32 - 1))
def test_years_and_months_compound_to_the_whole(n: int, seed: int) -> None:
    returns = np.random.default_rng(seed).normal(0.0, 0.01, n)
    sessions = np.busday_offset("2019-11-29", np.arange(n), roll="forward")
    whole = 1.0 + total_return(returns)
    for periods in (by_year(returns, sessions), by_month(returns, sessions)):
        assert np.prod([1.0 + period.total for period in periods]) == pytest.approx(whole, rel=1e-10)
        assert sum(period.sessions for period in periods) == n


def test_moving_windows_agree_with_pandas() -> None:
    rng = np.random.default_rng(5)
    bench = rng.normal(0.0, 0.01, 300)
    returns = 0.5 * bench + rng.normal(0.0002, 0.01, 300)
    ours, theirs = pd.Series(returns), pd.Series(bench)
    sd = ours.rolling(60).std().dropna().to_numpy()
    mean = ours.rolling(60).mean().dropna().to_numpy()
    beta = (ours.rolling(60).cov(theirs) / theirs.rolling(60).var()).dropna().to_numpy()
    np.testing.assert_allclose(rolling_vol_ann(returns, 60), sd * np.sqrt(252.0), rtol=1e-9)
    np.testing.assert_allclose(rolling_sharpe(returns, 60), mean / sd * np.sqrt(252.0), rtol=1e-8, atol=1e-9)
    np.testing.assert_allclose(rolling_beta(returns, bench, 60), beta, rtol=1e-8)


def test_a_window_longer_than_the_series_is_empty_and_a_flat_one_undefined() -> None:
    assert len(rolling_vol_ann(np.zeros(5), 6)) == 0
    assert np.all(np.isnan(rolling_sharpe(np.full(8, 0.001), 6)))
    assert np.all(np.isnan(rolling_beta(np.arange(8.0), np.full(8, 0.001), 6)))
