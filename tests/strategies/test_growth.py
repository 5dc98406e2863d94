"""Growth of a level over bars with missing rows, against a forward fill that gives up after five."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plimsoll.strategies.growth import SLACK, growth


@given(seed=st.integers(0, 2**32), bars=st.integers(1, 30), gaps=st.floats(0.0, 0.9))
@settings(max_examples=80, deadline=None)
def test_growth_equals_a_limited_forward_fill(seed: int, bars: int, gaps: float) -> None:
    rng = np.random.default_rng(seed)
    level = np.exp(np.cumsum(rng.normal(0.0, 0.02, (60, 3)), axis=0))
    level[rng.random((60, 3)) < gaps] = np.nan
    filled = pd.DataFrame(level).ffill(limit=SLACK - 1)
    theirs = (filled / filled.shift(bars) - 1.0).iloc[-1]
    window = np.ascontiguousarray(level[-(bars + SLACK) :])
    ours = [growth(window, column, bars) for column in range(3)]
    np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("end", [0, 10])
def test_a_level_five_rows_old_stands_in_and_one_six_rows_old_does_not(end: int) -> None:
    level = np.arange(1.0, 17.0)[:, None]
    last = len(level) - 1 - end
    level[last - 4 : last + 1] = np.nan
    assert growth(level, 0, 10) == pytest.approx({0: 11.0 / 6.0, 10: 16.0 / 1.0}[end] - 1.0)
    level[last - 5] = np.nan
    assert np.isnan(growth(level, 0, 10))
