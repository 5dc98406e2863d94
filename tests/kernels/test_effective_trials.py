"""How many independent trials a number of trials is worth: planted groups, copies, noise, and scipy's tree."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform

from plimsoll.engine.errors import InputError
from plimsoll.engine.kernels.overfit import effective
from plimsoll.engine.kernels.overfit.average_linkage import join, nearest_pair
from plimsoll.engine.kernels.overfit.effective import effective_trials
from plimsoll.engine.types import Floats


def planted(groups: int, each: int, n: int, rho: float, seed: int = 0) -> Floats:
    """Return n returns of groups of trials, correlated by rho within a group and not at all between."""
    rng = np.random.default_rng(seed)
    core = np.repeat(rng.normal(size=(n, groups)), each, axis=1)
    out: Floats = 0.01 * (np.sqrt(rho) * core + np.sqrt(1.0 - rho) * rng.normal(size=(n, groups * each)))
    return out


@pytest.mark.parametrize(("groups", "each", "rho"), [(2, 30, 0.8), (5, 20, 0.8), (12, 4, 0.9), (3, 10, 0.6)])
def test_planted_groups_are_found(groups: int, each: int, rho: float) -> None:
    found = effective_trials(planted(groups, each, 750, rho))
    assert (found.counted, found.clusters, found.number) == (groups * each, groups, groups)
    assert found.label.tolist() == np.repeat(np.arange(groups), each).tolist()
    within = groups * each * (each - 1) * rho / (groups * each * (groups * each - 1))
    assert found.mean_correlation == pytest.approx(within, abs=0.03)


def test_the_order_of_the_trials_changes_names_alone() -> None:
    returns = planted(4, 6, 500, 0.8)
    order = np.random.default_rng(1).permutation(24)
    ours, theirs = effective_trials(returns), effective_trials(returns[:, order])
    assert ours.clusters == theirs.clusters == 4
    same = ours.label[order][:, None] == ours.label[order][None, :]
    assert ((theirs.label[:, None] == theirs.label[None, :]) == same).all()
    assert effective_trials(returns).label.tobytes() == ours.label.tobytes()


def test_noise_has_no_groups_and_counts_in_full() -> None:
    found = effective_trials(np.random.default_rng(2).normal(size=(1000, 40)))
    assert found.clusters is None
    assert found.silhouette < effective.NO_STRUCTURE
    assert found.number == pytest.approx(40.0, abs=0.5)


def test_variations_of_one_idea_count_by_their_mean_correlation() -> None:
    found = effective_trials(planted(1, 30, 2000, 0.9))
    assert found.clusters is None
    assert found.number == pytest.approx(0.9 + 0.1 * 30, abs=0.2)


def test_copies_count_once() -> None:
    base = np.random.default_rng(3).normal(size=(300, 6))
    found = effective_trials(np.repeat(base, [3, 1, 2, 4, 1, 2], axis=1) * np.linspace(0.5, 2.0, 13))
    assert found.clusters == 6
    assert effective_trials(np.repeat(base[:, :1], 7, axis=1)).number == pytest.approx(1.0, abs=1e-9)


@given(st.integers(0, 10_000), st.integers(3, 9))
def test_the_cut_is_the_best_of_scipys_tree(seed: int, n: int) -> None:
    returns = np.random.default_rng(seed).normal(size=(60, n))
    returns[:, n // 2] = returns[:, 0] + 0.2 * returns[:, n // 2]
    found = effective_trials(returns)
    distance = np.sqrt(0.5 * (1.0 - np.corrcoef(returns.T)))
    np.fill_diagonal(distance, 0.0)
    tree = linkage(squareform(distance, checks=False), "average")
    scores = {count: silhouette(distance, fcluster(tree, count, "maxclust")) for count in range(2, n)}
    assert found.silhouette == pytest.approx(max(scores.values()), abs=1e-9)
    if found.clusters is not None:
        assert scores[found.clusters] == pytest.approx(found.silhouette, abs=1e-9)


@given(st.integers(0, 10_000), st.integers(3, 12))
def test_the_tree_merges_at_the_heights_of_scipys(seed: int, n: int) -> None:
    corner = np.triu(np.random.default_rng(seed).uniform(0.1, 1.0, (n, n)), 1)
    between = corner + corner.T
    wanted = linkage(squareform(between), "average")[:, 2]
    size, heights = np.ones(n), []
    for _ in range(n - 1):
        i, j = nearest_pair(between, size)
        heights.append(between[i, j])
        join(i, j, between, size)
        size[i], size[j] = size[i] + size[j], 0.0
    np.testing.assert_allclose(heights, wanted, rtol=1e-12)


def silhouette(distance: Floats, label: "np.typing.NDArray[np.int32]") -> float:
    fits = []
    for i, own in enumerate(label):
        mates = [j for j in range(len(label)) if label[j] == own and j != i]
        if not mates:
            fits.append(0.0)
            continue
        inside = np.mean([distance[i, j] for j in mates])
        outside = min(np.mean(distance[i, label == other]) for other in set(label) - {own})
        fits.append((outside - inside) / max(inside, outside))
    return float(np.mean(fits))


@pytest.mark.parametrize("gaps", [False, True])
def test_beyond_the_most_that_are_grouped_the_mean_correlation_is_the_same(
    gaps: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    returns = planted(3, 8, 400, 0.7)
    if gaps:
        returns[:100, 5:9] = np.nan
        returns[350:, 9:13] = np.nan
    grouped = effective_trials(returns)
    monkeypatch.setattr(effective, "MOST_CLUSTERED", 10)
    fast = effective_trials(returns)
    assert (fast.clusters, len(fast.label)) == (None, 0)
    assert fast.mean_correlation == pytest.approx(grouped.mean_correlation, abs=1e-12)
    rho = fast.mean_correlation
    assert fast.number == pytest.approx(rho + (1.0 - rho) * 24)


def test_a_correlation_is_over_common_sessions_around_each_trials_own_mean() -> None:
    returns = planted(1, 2, 300, 0.5)
    returns[:120, 0] = np.nan
    z = (returns - np.nanmean(returns, axis=0)) / np.nanstd(returns, axis=0)
    want = float(np.sum(z[120:, 0] * z[120:, 1])) / 180.0
    assert effective_trials(returns).mean_correlation == pytest.approx(want, rel=1e-12)


def test_too_few_common_sessions_and_idle_trials_are_unrelated_to_any() -> None:
    returns = planted(1, 2, 60, 0.99)
    returns[:20, 0], returns[40:, 1] = np.nan, np.nan
    found = effective_trials(returns)  # twenty sessions in common
    assert found.mean_correlation == pytest.approx(0.0, abs=1e-12)
    third = np.random.default_rng(9).normal(size=60)
    third[:39] = np.nan  # twenty-one with the first, one with the second
    z = (np.stack([returns[:, 0], third]) - np.nanmean([returns[:, 0], third], axis=1)[:, None])[:, 39:]
    z /= np.nanstd([returns[:, 0], third], axis=1)[:, None]
    found = effective_trials(np.column_stack([returns, third]))
    assert found.mean_correlation == pytest.approx(float(np.mean(z[0] * z[1])) / 3.0, rel=1e-9)
    idle = np.column_stack([planted(1, 2, 60, 0.99), np.full(60, 0.0001)])
    found = effective_trials(idle)
    assert found.mean_correlation == pytest.approx(np.corrcoef(idle[:, :2].T)[0, 1] / 3.0, rel=1e-9)


def test_one_and_two_trials_are_what_they_are() -> None:
    assert effective_trials(np.random.default_rng(0).normal(size=(50, 1))).number == 1.0
    opposed = np.random.default_rng(0).normal(size=(50, 1))
    assert effective_trials(np.hstack([opposed, -opposed])).number == 2.0  # a negative correlation is no discount


@pytest.mark.parametrize(("returns", "says"), [(np.zeros((2, 2, 2)), "shape"), (np.array([[np.inf, 0.0]]), "infinite")])
def test_what_is_no_matrix_of_returns_is_refused(returns: Floats, says: str) -> None:
    with pytest.raises(InputError, match=says):
        effective_trials(returns)
