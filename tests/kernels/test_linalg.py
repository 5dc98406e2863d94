"""Sums of a kernel against numpy's own and against exact ones; factors against the rows taken off one by one."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plimsoll.engine.kernels import code
from plimsoll.engine.kernels.linalg import cholesky, total


@given(values=st.lists(st.floats(-1e6, 1e6), max_size=128))
def test_a_total_is_numpys_sum_to_the_bit(values: list[float]) -> None:
    x = np.array(values)
    assert np.float64(total(x)) + 0.0 == x.sum() + 0.0
    assert (np.float64(total(x)) + 0.0).tobytes() == (x.sum() + 0.0).tobytes()


@given(values=st.lists(st.floats(0.0, 1.0), min_size=129, max_size=600))
def test_a_long_total_is_near_the_exact_one(values: list[float]) -> None:
    exact = math.fsum(values)
    assert abs(total(np.array(values)) - exact) <= 1e-15 * len(values) * max(exact, 1.0)


def one_by_one(a: np.ndarray) -> np.ndarray:
    """Return U of U'U = a: each row taken off all below before the next one is looked at."""
    left = np.triu(a)
    for k in range(len(left)):
        left[k, k:] /= np.sqrt(left[k, k])
        for i in range(k + 1, len(left)):
            left[i, i:] -= left[k, i] * left[k, i:]
    return left


@given(n=st.integers(1, 23), seed=st.integers(0, 10_000), zeros=st.floats(0.0, 0.9))
def test_factors_are_those_of_one_row_at_a_time_to_the_bit(n: int, seed: int, zeros: float) -> None:
    rng = np.random.default_rng(seed)
    x = np.where(rng.random((n, n)) < zeros, 0.0, rng.normal(size=(n, n)))
    a = x @ x.T + n * np.eye(n)
    factor = a.copy()
    assert cholesky(factor) == code.OK
    assert (np.triu(factor) + 0.0).tobytes() == (one_by_one(a) + 0.0).tobytes()
    np.testing.assert_allclose(np.triu(factor), np.linalg.cholesky(a).T, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("n", [1, 4, 5, 9, 16])
def test_the_first_pivot_that_is_not_positive_ends_it_wherever_it_is(n: int) -> None:
    for at in range(n):
        for bad in (0.0, -1.0, np.nan, np.inf):
            a = 2.0 * np.eye(n) + 0.1
            a[at, at] = bad
            assert cholesky(a) == code.NOT_POSITIVE_DEFINITE
