"""Statistics of one series at their edges, and what must hold for every series."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from plimsoll.engine.errors import DataError
from plimsoll.engine.report.metrics import returns as m

daily = st.floats(-0.2, 0.2, allow_nan=False).map(lambda x: round(x, 6))
series = arrays(np.float64, st.integers(2, 60), elements=daily)

ALL = [
    m.cagr,
    m.vol_ann,
    m.sharpe,
    m.sortino,
    m.calmar,
    m.skew,
    m.kurtosis,
    m.value_at_risk,
    m.expected_shortfall,
    m.omega,
    m.tail_ratio,
    m.hit_rate,
    m.payoff,
    m.max_drawdown,
    m.ulcer,
    m.downside_dev_ann,
    m.probabilistic_sharpe,
]


@pytest.mark.parametrize("statistic", ALL, ids=lambda f: f.__name__)
def test_no_returns_give_nan_without_a_warning(statistic: Any) -> None:
    assert math.isnan(statistic(np.empty(0)))


def test_one_return_has_no_volatility_but_a_drawdown() -> None:
    one = np.array([-0.1])
    assert math.isnan(m.sharpe(one))
    assert math.isnan(m.vol_ann(one))
    assert m.max_drawdown(one) == pytest.approx(-0.1)
    assert m.expected_shortfall(one) == pytest.approx(-0.1, rel=1e-15)


@pytest.mark.parametrize("level", [0.0, 1e-4, -0.003])
def test_a_constant_return_has_no_sharpe_ratio_and_no_moments(level: float) -> None:
    flat = np.full(300, level)
    assert m.vol_ann(flat) == 0.0
    assert math.isnan(m.sharpe(flat))
    assert math.isnan(m.skew(flat))
    assert math.isnan(m.probabilistic_sharpe(flat))


def test_rounding_noise_on_a_constant_return_is_not_volatility() -> None:
    noisy = 1e-4 + np.random.default_rng(0).choice([0.0, 1.1e-16], 300)
    assert float(np.std(noisy)) > 0.0
    assert m.vol_ann(noisy) == 0.0


@pytest.mark.parametrize("last", [-1.0, -1.4], ids=["to zero", "below zero"])
def test_ruin_loses_everything_and_stays_defined(last: float) -> None:
    returns = np.array([0.05, last, 0.0, 0.0])
    assert m.cagr(returns) == -1.0
    assert m.max_drawdown(returns) == pytest.approx(last)
    assert m.total_return(returns) == pytest.approx(1.05 * (1.0 + last) - 1.0)


@pytest.mark.parametrize("hole", [np.nan, np.inf, -np.inf])
def test_a_hole_is_refused_with_its_position(hole: float) -> None:
    with pytest.raises(DataError, match=r"1 of 3 returns .* position 1 .*hole"):
        m.checked(np.array([0.1, hole, 0.2]))


def test_a_table_is_refused() -> None:
    with pytest.raises(DataError, match=r"\(2, 2\)"):
        m.checked(np.zeros((2, 2)))


def test_an_absurd_annualisation_is_infinite_and_raises_nothing() -> None:
    assert m.cagr(np.array([50.0])) == math.inf


@given(series)
def test_drawdown_lies_between_total_loss_and_zero_and_covers_the_final_value(returns: np.ndarray) -> None:
    worst = m.max_drawdown(returns)
    assert -1.0 <= worst <= 0.0
    assert worst <= min(0.0, m.total_return(returns)) + 1e-12


@given(series, st.floats(0.1, 5.0))
def test_sharpe_does_not_depend_on_the_size_of_the_position(returns: np.ndarray, size: float) -> None:
    if m.stdev(returns) > 1e-8:
        assert m.sharpe(returns * size) == pytest.approx(m.sharpe(returns), rel=1e-6, abs=1e-9)


@given(series)
def test_order_of_returns_changes_the_path_but_not_the_distribution(returns: np.ndarray) -> None:
    back = returns[::-1].copy()
    for statistic in (m.vol_ann, m.value_at_risk, m.expected_shortfall, m.hit_rate):
        assert statistic(back) == pytest.approx(statistic(returns), rel=1e-9, abs=1e-12, nan_ok=True)


@given(series)
def test_shortfall_is_never_better_than_the_value_at_risk(returns: np.ndarray) -> None:
    assert m.expected_shortfall(returns) <= m.value_at_risk(returns) + 1e-15


@given(series, series)
def test_returns_of_two_spans_compound(first: np.ndarray, second: np.ndarray) -> None:
    whole = m.total_return(np.concatenate((first, second)))
    assert 1.0 + whole == pytest.approx((1.0 + m.total_return(first)) * (1.0 + m.total_return(second)), rel=1e-9)
