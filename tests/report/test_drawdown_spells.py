"""The spells below a former peak."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from plimsoll.engine.report.metrics.drawdowns import drawdowns
from plimsoll.engine.report.metrics.returns import growth, max_drawdown

daily = st.floats(-0.2, 0.2, allow_nan=False).map(lambda x: round(x, 4))
series = arrays(np.float64, st.integers(1, 80), elements=daily)


def test_a_recovered_and_an_open_spell_are_told_by_their_positions() -> None:
    # index 1, .9, .8, 1.1, 1.0, .99: peak at the start, trough at 2, recovered at 3; then peak 3, trough 5, open
    index = np.array([1.0, 0.9, 0.8, 1.1, 1.0, 0.99])
    first, second = drawdowns(index[1:] / index[:-1] - 1.0)
    assert (first.peak, first.trough, first.recovery, first.end) == (0, 2, 3, 3)
    assert (first.duration, first.to_trough, first.to_recovery) == (3, 2, 1)
    assert first.depth == pytest.approx(-0.2)
    assert (second.peak, second.trough, second.recovery, second.end) == (3, 5, None, 5)
    assert (second.duration, second.to_recovery) == (2, None)
    assert second.depth == pytest.approx(-0.1)


def test_a_series_that_only_rises_has_none() -> None:
    assert drawdowns(np.full(20, 0.01)) == []
    assert drawdowns(np.empty(0)) == []


def test_equal_depths_are_listed_in_time_order() -> None:
    half_and_back = [-0.5, 1.0]
    spells = drawdowns(np.array(half_and_back * 3))
    assert [spell.peak for spell in spells] == [0, 2, 4]


@given(series)
def test_the_deepest_spell_is_the_maximum_drawdown(returns: np.ndarray) -> None:
    spells = drawdowns(returns)
    deepest = spells[0].depth if spells else 0.0
    assert deepest == pytest.approx(max_drawdown(returns), abs=1e-11)


@given(series)
def test_spells_do_not_overlap_and_only_the_last_can_be_open(returns: np.ndarray) -> None:
    spells = sorted(drawdowns(returns), key=lambda spell: spell.peak)
    for earlier, later in pairwise(spells):
        assert earlier.recovery is not None
        assert earlier.end <= later.peak


@given(series)
def test_between_peak_and_recovery_the_index_stays_below_the_peak(returns: np.ndarray) -> None:
    index = growth(returns)
    for spell in drawdowns(returns):
        assert np.all(index[spell.peak + 1 : spell.end] < index[spell.peak])
        assert index[spell.trough] == np.min(index[spell.peak : spell.end + 1])
        if spell.recovery is not None:
            assert index[spell.recovery] >= index[spell.peak] * (1.0 - 1e-11)
