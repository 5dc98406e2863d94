"""Long-only minimum variance, against every choice of assets tried one by one."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plimsoll.engine.kernels import code
from plimsoll.engine.kernels.allocate.min_variance import least_variance, min_variance
from plimsoll.engine.types import Floats


def drawn(seed: int, n: int) -> Floats:
    rng = np.random.default_rng(seed)
    root = rng.standard_normal((n + 3, n)) * rng.uniform(0.2, 3.0, n) + rng.standard_normal((n + 3, 1))
    cov: Floats = root.T @ root
    return cov


def tried_one_by_one(cov: Floats) -> Floats:
    """Return the best of the solutions on every set of assets that come out at 0 or more."""
    n, best, found = len(cov), np.inf, np.zeros(len(cov))
    for size in range(1, n + 1):
        for chosen in combinations(range(n), size):
            part = np.linalg.inv(cov[np.ix_(chosen, chosen)]).sum(axis=1)
            w = np.zeros(n)
            w[list(chosen)] = part / part.sum()
            if w.min() >= 0.0 and w @ cov @ w < best:
                best, found = float(w @ cov @ w), w
    return found


@given(st.integers(0, 2**32 - 1), st.integers(1, 6))
def test_no_long_only_choice_of_assets_has_less_variance(seed: int, n: int) -> None:
    cov = drawn(seed, n)
    np.testing.assert_allclose(min_variance(cov), tried_one_by_one(cov), atol=1e-9)


def test_uncorrelated_assets_share_by_the_inverse_of_their_variance() -> None:
    np.testing.assert_allclose(min_variance(np.diag([1.0, 2.0, 4.0])), np.array([4.0, 2.0, 1.0]) / 7.0, rtol=1e-12)


def test_an_asset_that_only_adds_variance_gets_nothing() -> None:
    cov = np.array([[1.0, 1.5], [1.5, 4.0]])  # its covariance exceeds the other's variance
    assert min_variance(cov).tolist() == [1.0, 0.0]


@pytest.mark.parametrize("cov", [np.array([[1.0, 1.0], [1.0, 1.0]]), np.array([[1.0, 2.0], [2.0, 1.0]])])
def test_what_is_not_positive_definite_is_refused_by_the_kernel(cov: Floats) -> None:
    assert least_variance(cov, np.empty(2)) == code.NOT_POSITIVE_DEFINITE
    assert min_variance(cov).tolist() == [0.5, 0.5]
