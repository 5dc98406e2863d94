"""Choosing and stitching, worked by hand on ten sessions and two settings."""

from dataclasses import replace

import numpy as np
import pytest

from plimsoll.engine.report.metrics import returns as m
from plimsoll.engine.research.validate.path import Path
from plimsoll.engine.research.validate.walk import choices, switch, walked
from plimsoll.engine.research.validate.windows import Window
from plimsoll.engine.types import Floats

# Setting 0 earns in the first four sessions, setting 1 from then on.
A = np.array([0.02, 0.01, 0.02, 0.01, -0.01, -0.02, -0.01, -0.02, 0.03, 0.01])
B = np.array([-0.01, -0.02, -0.01, -0.02, 0.02, 0.01, 0.02, 0.01, 0.04, 0.02])
BOTH = np.column_stack((A, B))
FREE = np.full(10, 0.001)
WINDOWS = (Window(0, 3, 4, 7, 7), Window(3, 6, 7, 10, 10))


def path_with(returns: Floats, held: tuple[float, float], traded: float, costs: float) -> Path:
    n = len(returns)
    return Path(
        returns=returns,
        traded=np.full(n, traded),
        costs=np.full(n, costs),
        impact=np.zeros(n),
        equity=np.full(n, 100.0),
        begun=np.full(n, 100.0),
        held=np.tile(np.array(held), (n, 1)),
        effective=np.full(n, 2.0),
        target=np.full(n, 0.1),
        shares=np.empty((n, 0)),
        sleeves={},
        bill=FREE,
    )


PATHS = [path_with(A, (0.6, 0.2), 0.1, 0.0002), path_with(B, (0.1, 0.5), 0.2, 0.0001)]


def test_the_better_one_of_each_training_is_chosen_and_nothing_after_it_counts() -> None:
    assert choices(WINDOWS, BOTH, FREE).tolist() == [0, 1]
    later = BOTH.copy()
    later[3:, 1] = 1.0  # what follows the first training cannot change its choice
    assert choices(WINDOWS[:1], later, FREE).tolist() == [0]


def test_equals_go_to_the_first_and_who_has_no_return_is_not_chosen() -> None:
    assert choices(WINDOWS, np.column_stack((A, A)), FREE).tolist() == [0, 0]
    gone = BOTH.copy()
    gone[1, 0] = np.nan
    assert choices(WINDOWS, gone, FREE).tolist() == [1, 1]
    assert choices(WINDOWS, np.full((10, 2), np.nan), FREE).tolist() == [0, 0]


def test_the_stitched_account_pays_to_get_in_and_to_change() -> None:
    found = walked("rolling", WINDOWS, np.array([0, 1]), BOTH, FREE, PATHS.__getitem__)
    # from cash: 0.6 + 0.2 traded at 0.0002 / 0.1 a dollar; then |0.1 - 0.6| + |0.5 - 0.2| at 0.0001 / 0.2
    first, second = 0.8 * 0.002, 0.8 * 0.0005
    expected = np.concatenate((A[4:7], B[7:10]))
    expected[0] = (1.0 - first) * (1.0 - 0.01) - 1.0
    expected[3] = (1.0 - second) * (1.0 + 0.01) - 1.0
    np.testing.assert_allclose(found.returns, expected, rtol=1e-15)
    np.testing.assert_allclose(found.traded, [0.9, 0.1, 0.1, 1.0, 0.2, 0.2], rtol=1e-12)
    assert (found.first, found.last) == (4, 10)
    assert [step.cost for step in found.steps] == pytest.approx([first, second])
    assert [step.rank for step in found.steps] == [2, 1]
    assert found.steps[0].out_of_sample == pytest.approx(m.sharpe(A[4:7], FREE[4:7]))
    assert found.steps[0].in_sample == pytest.approx(m.sharpe(A[:3], FREE[:3]))


def test_who_stays_pays_nothing_and_loses_nothing() -> None:
    found = walked("rolling", WINDOWS, np.array([1, 1]), BOTH, FREE, PATHS.__getitem__)
    np.testing.assert_array_equal(found.returns[1:], B[5:10])
    assert found.steps[1].switched == 0.0


def test_a_setting_that_never_traded_is_changed_to_at_no_known_cost() -> None:
    idle = replace(PATHS[0], traded=np.zeros(10), costs=np.zeros(10))
    assert switch(PATHS[1], idle, 5) == (pytest.approx(0.8), 0.0)


def test_an_overlapping_test_is_held_only_until_the_next_one_begins() -> None:
    windows = (Window(0, 3, 4, 9, 6), Window(2, 5, 6, 10, 10))
    found = walked("rolling", windows, np.array([0, 1]), BOTH, FREE, PATHS.__getitem__)
    np.testing.assert_array_equal(found.returns[1:2], A[5:6])
    np.testing.assert_array_equal(found.returns[3:], B[7:])
    assert found.steps[0].out_of_sample == pytest.approx(m.sharpe(A[4:9], FREE[4:9]))
