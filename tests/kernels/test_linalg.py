"""Sums of a kernel against numpy's own and against exact ones."""

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from plimsoll.engine.kernels.linalg import total


@given(values=st.lists(st.floats(-1e6, 1e6), max_size=128))
def test_a_total_is_numpys_sum_to_the_bit(values: list[float]) -> None:
    x = np.array(values)
    assert np.float64(total(x)) + 0.0 == x.sum() + 0.0
    assert (np.float64(total(x)) + 0.0).tobytes() == (x.sum() + 0.0).tobytes()


@given(values=st.lists(st.floats(0.0, 1.0), min_size=129, max_size=600))
def test_a_long_total_is_near_the_exact_one(values: list[float]) -> None:
    exact = math.fsum(values)
    assert abs(total(np.array(values)) - exact) <= 1e-15 * len(values) * max(exact, 1.0)
