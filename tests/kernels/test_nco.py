"""Nested clusters: against an allocation made of scipy's tree, silhouettes by definition and its optimiser."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.cluster.hierarchy import cut_tree, linkage
from scipy.optimize import minimize
from scipy.spatial.distance import squareform

from plimsoll.engine.errors import InputError
from plimsoll.engine.kernels import code
from plimsoll.engine.kernels.allocate import clustering, nco
from plimsoll.engine.kernels.allocate.erc import risk_budget_weights
from plimsoll.engine.kernels.allocate.nco import nco_weights
from plimsoll.engine.types import Floats


def factor_covariance(n: int, seed: int, factors: int = 3) -> Floats:
    """Return a covariance whose assets hang on a few factors, each on one of them most."""
    rng = np.random.default_rng(seed)
    loading = rng.normal(0.0, 0.3, (n, factors))
    loading[np.arange(n), rng.integers(0, factors, n)] += rng.uniform(0.5, 2.0, n)
    scale = rng.uniform(0.05, 0.5, n)
    cov: Floats = (loading @ loading.T + np.diag(rng.uniform(0.2, 1.0, n))) * np.outer(scale, scale)
    return cov


def distances(cov: Floats) -> Floats:
    deviation = np.sqrt(np.diag(cov))
    out: Floats = np.sqrt(0.5 * (1.0 - np.clip(cov / np.outer(deviation, deviation), -1.0, 1.0)))
    np.fill_diagonal(out, 0.0)
    return out


def plain_silhouettes(distance: Floats, label: np.ndarray) -> Floats:
    """Silhouettes as their definition has them, one asset at a time."""
    values = []
    for i, own in enumerate(label):
        mates = [j for j in range(len(label)) if label[j] == own and j != i]
        if not mates:
            values.append(0.0)
            continue
        a = np.mean([distance[i, j] for j in mates])
        b = min(np.mean(distance[i, label == other]) for other in set(label) - {own})
        values.append((b - a) / max(a, b))
    return np.array(values)


def plain_cuts(cov: Floats) -> dict[int, tuple[float, np.ndarray]]:
    """Return what every admissible number of clusters is worth, and its labels, from scipy's tree."""
    distance = distances(cov)
    tree = linkage(squareform(distance, checks=False), "single")
    found = {}
    for count in range(2, len(cov) // 2 + 1):
        label = cut_tree(tree, n_clusters=count).ravel()
        fit = plain_silhouettes(distance, label)
        found[count] = (float(fit.mean() / fit.std()), label)
    return found


def plain_equal_risk(cov: Floats) -> Floats:
    """Minimise x' S x / 2 - sum log x, whose solution has equal contributions, by scipy."""
    scale = np.sqrt(np.diag(cov))
    corr, n = cov / np.outer(scale, scale), len(cov)
    solved = minimize(
        lambda y: 0.5 * y @ corr @ y - np.log(y).sum() / n,
        np.full(n, 0.5),
        jac=lambda y: corr @ y - 1.0 / (n * y),
        bounds=[(1e-8, None)] * n,
        method="L-BFGS-B",
        options={"ftol": 1e-16, "gtol": 1e-11, "maxiter": 5_000},
    )
    weights: Floats = solved.x / scale
    return weights / weights.sum()


def plain_nco(cov: Floats, label: np.ndarray) -> Floats:
    names = sorted(set(label))
    inside = np.zeros((len(cov), len(names)))
    for column, name in enumerate(names):
        rows = np.flatnonzero(label == name)
        inside[rows, column] = plain_equal_risk(cov[np.ix_(rows, rows)])
    return inside @ plain_equal_risk(inside.T @ cov @ inside)


def clusters_of(cov: Floats) -> list[int]:
    work = nco.init(len(cov))
    assert nco.nco(cov, work, np.empty(len(cov))) == code.OK
    return [int(label) for label in work.room.clusters.label[1]]


def same_partition(left: list[int], right: list[int]) -> bool:
    pairs = set(zip(left, right, strict=True))
    return len(pairs) == len(set(left)) == len(set(right))


@settings(max_examples=60, deadline=None)
@given(n=st.integers(4, 14), seed=st.integers(0, 100_000))
def test_clusters_and_weights_are_those_of_scipy_and_the_definitions(n: int, seed: int) -> None:
    cov = factor_covariance(n, seed)
    cuts = plain_cuts(cov)
    worth = sorted((value for value, _ in cuts.values()), reverse=True)
    assume(worth[0] > 1e-9 and (len(worth) == 1 or worth[0] - worth[1] > 1e-9))  # a tie is decided by rounding
    label = max(cuts.values(), key=lambda one: one[0])[1]
    assert same_partition(clusters_of(cov), label.tolist())
    np.testing.assert_allclose(nco_weights(cov), plain_nco(cov, label), rtol=2e-5)


def test_blocks_that_are_alike_are_found() -> None:
    blocks = [0, 0, 1, 2, 1, 0, 2, 2, 1]
    corr = np.where(np.equal.outer(blocks, blocks), 0.8, 0.1)
    np.fill_diagonal(corr, 1.0)
    assert clusters_of(corr) == blocks
    np.testing.assert_allclose(nco_weights(corr), 1.0 / 9.0, rtol=1e-9)  # three alike blocks of three


def test_uncorrelated_assets_are_one_cluster_and_get_equal_risk() -> None:
    cov = np.diag([0.01, 0.04, 0.09, 0.16, 0.25])
    assert clusters_of(cov) == [0, 0, 0, 0, 0]
    np.testing.assert_allclose(nco_weights(cov), risk_budget_weights(cov), rtol=1e-9)


@settings(max_examples=40, deadline=None)
@given(n=st.integers(1, 3), seed=st.integers(0, 10_000))
def test_fewer_than_four_assets_cannot_be_cut_and_get_equal_risk(n: int, seed: int) -> None:
    cov = factor_covariance(n, seed)
    assert nco_weights(cov).tobytes() == risk_budget_weights(cov).tobytes()


@settings(max_examples=60, deadline=None)
@given(n=st.integers(1, 24), seed=st.integers(0, 10_000))
def test_risk_is_equal_within_each_cluster_and_across_them(n: int, seed: int) -> None:
    cov = factor_covariance(n, seed)
    weights, label = nco_weights(cov), np.array(clusters_of(cov))
    assert weights.min() > 0.0
    assert weights.sum() == pytest.approx(1.0, abs=1e-12)
    shares = weights * (cov @ weights) / (weights @ cov @ weights)
    count = label.max() + 1
    np.testing.assert_allclose(np.bincount(label, weights=shares), 1.0 / count, atol=1e-7)
    for one in range(count):
        rows = np.flatnonzero(label == one)
        own = weights[rows] * (cov[np.ix_(rows, rows)] @ weights[rows])
        np.testing.assert_allclose(own / own.sum(), 1.0 / len(rows), atol=1e-7)


@settings(max_examples=40, deadline=None)
@given(n=st.integers(1, 16), seed=st.integers(0, 10_000), power=st.integers(-40, 40))
def test_weights_do_not_depend_on_the_unit(n: int, seed: int, power: int) -> None:
    cov = factor_covariance(n, seed)
    assert nco_weights(cov * 4.0**power).tobytes() == nco_weights(cov).tobytes()


@settings(max_examples=40, deadline=None)
@given(data=st.data(), seed=st.integers(0, 10_000))
def test_weights_follow_a_permutation_of_the_assets(data: st.DataObject, seed: int) -> None:
    cov = factor_covariance(9, seed)
    worth = sorted((value for value, _ in plain_cuts(cov).values()), reverse=True)
    assume(worth[0] > 1e-9 and worth[0] - worth[1] > 1e-9)
    order = data.draw(st.permutations(range(9)))
    np.testing.assert_allclose(nco_weights(cov[np.ix_(order, order)]), nco_weights(cov)[order], rtol=1e-7)


def test_copies_share_what_one_of_them_gets_and_get_equal_shares() -> None:
    corr = np.full((6, 6), 0.1)
    corr[:3, :3] = 1.0  # three copies, where hierarchical risk parity gives 50, 25 and 25%
    corr[3:, 3:] = 0.7
    np.fill_diagonal(corr, 1.0)
    weights = nco_weights(corr)
    np.testing.assert_allclose(weights[:3], weights[0], rtol=1e-9)
    assert clusters_of(corr) == [0, 0, 0, 1, 1, 1]
    assert weights[:3].sum() < weights[3:].sum()  # and the three copies diversify nothing within themselves


def test_the_cut_is_no_finer_than_half_the_assets() -> None:
    corr = np.eye(8)
    for first in range(0, 8, 2):
        corr[first, first + 1] = corr[first + 1, first] = 0.9
    assert clusters_of(corr) == [0, 0, 1, 1, 2, 2, 3, 3]
    work = clustering.init(5)
    tree = nco.init(5)
    cov = factor_covariance(5, 3)
    nco.nco(cov, tree, np.empty(5))
    assert clustering.cut(tree.distance, tree.tree, work) <= 2


BAD = {
    "empty": (np.empty((0, 0)), code.EMPTY),
    "not square": (np.ones((2, 3)), code.WRONG_SHAPE),
    "missing": (np.array([[1.0, np.nan], [np.nan, 1.0]]), code.NOT_FINITE),
    "no variance": (np.diag([1.0, 0.0]), code.NO_VARIANCE),
    "asymmetric": (np.array([[1.0, 0.5], [0.4, 1.0]]), code.NOT_SYMMETRIC),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_covariance_gives_a_code_and_no_weights_and_is_told_in_one_line(name: str) -> None:
    cov, expected = BAD[name]
    out = np.zeros(cov.shape[0])
    assert nco.nco(cov, nco.init(max(*cov.shape, 1)), out) == expected
    assert np.isnan(out).all()
    with pytest.raises(InputError) as caught:
        nco_weights(cov)
    assert "\n" not in str(caught.value)


def test_room_of_another_size_and_weights_that_do_not_exist_give_a_code() -> None:
    out = np.zeros(3)
    assert nco.nco(np.eye(3), nco.init(2), out) == code.WRONG_SHAPE
    indefinite = np.array([[1.0, -0.9, -0.9], [-0.9, 1.0, -0.9], [-0.9, -0.9, 1.0]])
    assert nco.nco(indefinite, nco.init(3), out) == code.NOT_CONVERGED
    assert np.isnan(out).all()
