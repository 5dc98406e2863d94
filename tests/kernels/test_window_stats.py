"""Moments of a window with holes against plain pandas."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plimsoll.engine.kernels.estimate.window_stats import basket_stats, pair_cov, portfolio_variance, window_std
from plimsoll.engine.types import Floats


def window_of(seed: int, holes: float) -> Floats:
    """(40, 5) returns with holes; the last column is mostly unknown."""
    rng = np.random.default_rng(seed)
    window = rng.normal(0.001, 0.02, (40, 5)) + 0.01 * rng.normal(size=(40, 1))
    window[rng.random(window.shape) < holes] = np.nan
    window[:37, 4] = np.nan
    return window


windows = st.builds(window_of, st.integers(0, 2**32), st.sampled_from([0.0, 0.3, 0.8]))


@given(window=windows, min_obs=st.integers(0, 40))
@settings(max_examples=60)
def test_standard_deviations_equal_plain_pandas(window: Floats, min_obs: int) -> None:
    out = np.empty(5)
    window_std(window, min_obs, out)
    table = pd.DataFrame(window)
    expected = table.std(ddof=1).where(table.count() >= max(min_obs, 2))
    np.testing.assert_allclose(out, expected, rtol=1e-12)


@given(window=windows)
@settings(max_examples=60)
def test_covariances_of_pairs_equal_plain_pandas(window: Floats) -> None:
    expected = pd.DataFrame(window).cov(min_periods=2).to_numpy()
    ours = [[pair_cov(window, i, j) for j in range(5)] for i in range(5)]
    np.testing.assert_allclose(ours, expected, rtol=1e-10, atol=1e-18)


@given(window=windows, seed=st.integers(0, 2**32))
@settings(max_examples=60)
def test_portfolio_variance_is_the_quadratic_form_over_held_columns(window: Floats, seed: int) -> None:
    rng = np.random.default_rng(seed)
    known = (~np.isnan(window)).sum(axis=0) >= 2
    w = np.where(known & (rng.random(5) < 0.8), rng.normal(size=5), 0.0)
    cov = pd.DataFrame(window).cov(min_periods=2).fillna(0.0).to_numpy()
    assert portfolio_variance(window, w) == pytest.approx(w @ cov @ w, rel=1e-9, abs=1e-16)


@given(window=windows, member=st.lists(st.booleans(), min_size=5, max_size=5))
@settings(max_examples=60)
def test_the_basket_equals_plain_pandas(window: Floats, member: list[bool]) -> None:
    basket = pd.DataFrame(window).loc[:, member].mean(axis=1).dropna()
    sigma, growth = basket_stats(window, np.array(member))
    if len(basket) < 2:
        assert (sigma, growth) == (0.0, 0.0)
    else:
        assert sigma == pytest.approx(basket.std(ddof=1), rel=1e-12)
        assert growth == pytest.approx((1.0 + basket).prod() - 1.0, rel=1e-10, abs=1e-15)


def test_too_few_common_rows_have_no_covariance_and_count_as_uncorrelated() -> None:
    window = np.array([[0.1, np.nan], [0.2, 0.3], [np.nan, 0.5], [np.nan, 0.1]])
    assert np.isnan(pair_cov(window, 0, 1))
    expected = 0.25 * np.var([0.1, 0.2], ddof=1) + 0.25 * np.var([0.3, 0.5, 0.1], ddof=1)
    assert portfolio_variance(window, np.array([0.5, 0.5])) == pytest.approx(expected, rel=1e-12)
