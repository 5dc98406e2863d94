import numpy as np
import pytest
from scipy.cluster.hierarchy import leaves_list, linkage
from scipy.spatial.distance import squareform

from plimsoll.engine.kernels.allocate.linkage import init, leaf_order, single_linkage

CASES = 3000


def random_distance(case: int) -> np.ndarray:
    """Return a distance matrix; two thirds of them with ties from rounding, every fifth with duplicate columns."""
    rng = np.random.default_rng(case)
    n = int(rng.integers(2, 16))
    returns = rng.normal(size=(30, n)) + rng.normal(size=(30, 1))
    if case % 5 == 0 and n > 3:
        returns[:, n - 1] = returns[:, 0]
        returns[:, n - 2] = returns[:, 1]
    corr = np.corrcoef(returns.T)
    if case % 3:
        corr = np.round(corr, case % 3)
    distance = np.sqrt(np.clip(0.5 * (1.0 - corr), 0.0, 1.0))
    distance = 0.5 * (distance + distance.T)
    np.fill_diagonal(distance, 0.0)
    return distance


def test_the_tree_and_its_leaves_are_scipys_in_3000_cases_with_ties_and_duplicates() -> None:
    ties = 0
    for case in range(CASES):
        distance = random_distance(case)
        n = distance.shape[0]
        tree = linkage(squareform(distance, checks=False), "single")
        ties += np.unique(tree[:, 2]).size < n - 1
        work, order = init(n), np.empty(n, dtype=np.int64)
        single_linkage(distance, work)
        leaf_order(n, work, order)
        np.testing.assert_array_equal(work.merge, tree[:, :2], err_msg=f"case {case}")
        np.testing.assert_array_equal(work.length, tree[:, 2], err_msg=f"case {case}")
        np.testing.assert_array_equal(order, leaves_list(tree), err_msg=f"case {case}")
    assert ties > CASES // 3  # the cases do contain what they are for


@pytest.mark.parametrize("n", [1, 2, 3, 64, 65, 200])
def test_every_leaf_appears_once_and_lengths_ascend(n: int) -> None:
    points = np.random.default_rng(n).random((n, 2))
    distance = np.linalg.norm(points[:, None] - points[None], axis=2)
    work, order = init(n), np.empty(n, dtype=np.int64)
    single_linkage(distance, work)
    leaf_order(n, work, order)
    assert sorted(order) == list(range(n))
    assert (np.diff(work.length) >= 0.0).all()


def test_a_chain_needs_no_recursion() -> None:
    n = 3000
    distance = np.abs(np.subtract.outer(np.arange(n), np.arange(n))).astype(float)
    work, order = init(n), np.empty(n, dtype=np.int64)
    single_linkage(distance, work)
    leaf_order(n, work, order)
    assert sorted(order) == list(range(n))
