"""The threshold of the HRP-ERC alarm: against the moments of the Wishart distribution and an allocation by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2

from plimsoll.engine.kernels import code
from plimsoll.engine.kernels.allocate import gap
from plimsoll.engine.kernels.allocate.erc import risk_budget_weights
from plimsoll.engine.kernels.allocate.hrp import hrp_weights
from plimsoll.engine.kernels.linalg import cholesky
from plimsoll.engine.types import Floats


def factor_covariance(n: int, seed: int) -> Floats:
    rng = np.random.default_rng(seed)
    loading = rng.normal(size=(n, 2))
    scale = rng.uniform(0.05, 0.3, n)
    cov: Floats = (loading @ loading.T + np.diag(rng.uniform(0.3, 1.0, n))) * np.outer(scale, scale)
    return cov


def normals(n: int, seed: int = 0, draws: int = gap.DRAWS) -> Floats:
    out: Floats = np.random.default_rng(seed).standard_normal(draws * n * (n + 1) // 2)
    return out


def kernel_draw(cov: Floats, freedom: float, z: Floats) -> Floats:
    upper, factor, out = cov.copy(), np.zeros_like(cov), np.zeros_like(cov)
    assert cholesky(upper) == code.OK
    degrees = np.zeros((3, len(cov)))
    gap.set_degrees(freedom, degrees)
    gap.draw(upper, freedom, degrees, z, factor, out)
    return out


def plain_draw(cov: Floats, freedom: float, z: Floats) -> Floats:
    """Put Bartlett's factor together with numpy, column by column, its diagonal by Wilson and Hilferty."""
    n, at = len(cov), 0
    a = np.zeros((n, n))
    for j in range(n):
        left = freedom - j
        cube = 1.0 - 2.0 / (9.0 * left) + z[at] * np.sqrt(2.0 / (9.0 * left))
        a[j, j] = np.sqrt(left * cube**3)
        a[j + 1 :, j] = z[at + 1 : at + n - j]
        at += n - j
    root = np.linalg.cholesky(cov) @ a
    out: Floats = root @ root.T / freedom
    return out


def plain_shrink(cov: Floats, intensity: float) -> Floats:
    deviation = np.sqrt(np.diag(cov))
    corr = cov / np.outer(deviation, deviation)
    mean = corr[np.triu_indices(len(cov), 1)].mean()
    shrunk = intensity * mean + (1.0 - intensity) * corr
    np.fill_diagonal(shrunk, 1.0)
    out: Floats = shrunk * np.outer(deviation, deviation)
    return out


def plain_threshold(cov: Floats, freedom: float, intensity: float, z: Floats) -> float:
    gaps = []
    for numbers in z.reshape(gap.DRAWS, -1):
        drawn = plain_shrink(plain_draw(cov, freedom, numbers), intensity)
        gaps.append(0.5 * np.abs(hrp_weights(drawn) - risk_budget_weights(drawn)).sum())
    return float(np.sort(gaps)[round(0.95 * gap.DRAWS) - 1])


@settings(max_examples=8, deadline=None)
@given(n=st.integers(2, 7), seed=st.integers(0, 1000), freedom=st.floats(20.0, 400.0), shrunk=st.floats(0.0, 0.9))
def test_the_threshold_is_the_95_per_cent_point_of_the_gaps_of_the_draws(
    n: int, seed: int, freedom: float, shrunk: float
) -> None:
    cov, z = factor_covariance(n, seed), normals(n, seed)
    expected = plain_threshold(cov, freedom, shrunk, z)
    assert gap.threshold(cov, freedom, shrunk, 1.0, z, gap.init(n)) == pytest.approx(expected, abs=2e-5)


@pytest.mark.parametrize("freedom", [15.0, 60.0, 180.0])
def test_the_first_variance_drawn_has_the_quantiles_of_a_chi_square(freedom: float) -> None:
    for z, level in ((-2.0, 0.02275013), (-1.0, 0.15865525), (0.0, 0.5), (1.0, 0.84134475), (2.0, 0.97724987)):
        found = kernel_draw(np.array([[0.04]]), freedom, np.array([z]))[0, 0]
        assert found == pytest.approx(0.04 * chi2.ppf(level, freedom) / freedom, rel=8e-3)
    assert kernel_draw(np.array([[0.04]]), 1.0, np.array([-9.0]))[0, 0] == 0.0  # never below zero


def test_draws_have_the_mean_and_the_variances_of_a_wishart_matrix() -> None:
    n, freedom, draws = 3, 60.0, 20_000
    cov = factor_covariance(n, 4)
    z = normals(n, 1, draws).reshape(draws, -1)
    drawn = np.array([kernel_draw(cov, freedom, numbers) for numbers in z])
    variance = (cov**2 + np.outer(np.diag(cov), np.diag(cov))) / freedom
    np.testing.assert_allclose(drawn.mean(axis=0), cov, atol=5.0 * np.sqrt(variance.max() / draws))
    np.testing.assert_allclose(drawn.var(axis=0), variance, rtol=0.06)


def test_drawn_matrices_are_symmetric_and_positive_definite_also_with_fewer_observations_than_assets() -> None:
    cov = factor_covariance(6, 2)
    for freedom in (3.0, 8.0, 100.0):
        out = kernel_draw(cov, freedom, normals(6, 3, 1))
        assert out.tobytes() == out.T.copy().tobytes()
        assert np.linalg.eigvalsh(out).min() > 0.0


def test_shrinking_keeps_variances_and_the_mean_correlation() -> None:
    cov = factor_covariance(5, 7)
    out, deviation, corr = cov.copy(), np.zeros(5), np.zeros((5, 5))
    gap.shrink(0.4, 1.0, out, deviation, corr)
    expected = plain_shrink(cov, 0.4)
    np.testing.assert_allclose(out, expected, rtol=1e-12)
    np.testing.assert_allclose(corr, expected / np.outer(deviation, deviation), rtol=1e-12)


def test_shrinking_to_no_correlation_leaves_each_pair_its_share() -> None:
    cov = factor_covariance(5, 7)
    out, deviation, corr = cov.copy(), np.zeros(5), np.zeros((5, 5))
    gap.shrink(0.4, 0.0, out, deviation, corr)
    np.testing.assert_allclose(out, np.where(np.eye(5, dtype=bool), cov, 0.6 * cov), rtol=1e-12)


@settings(max_examples=10, deadline=None)
@given(n=st.integers(2, 8), seed=st.integers(0, 1000), power=st.integers(-20, 20))
def test_the_threshold_does_not_depend_on_the_unit(n: int, seed: int, power: int) -> None:
    cov, z = factor_covariance(n, seed), normals(n, seed)
    found = [gap.threshold(c, 100.0, 0.0, 1.0, z, gap.init(n)) for c in (cov, cov * 4.0**power)]
    assert found[0] == found[1]


def test_more_observations_bring_the_threshold_down_to_the_gap_itself() -> None:
    cov, z = factor_covariance(6, 5), normals(6, 5)
    own = 0.5 * np.abs(hrp_weights(cov) - risk_budget_weights(cov)).sum()
    few, many, endless = (gap.threshold(cov, freedom, 0.0, 1.0, z, gap.init(6)) for freedom in (60.0, 600.0, 1e14))
    assert few > many > own
    assert endless == pytest.approx(own, abs=1e-5)


@pytest.mark.parametrize(
    ("cov", "freedom", "numbers"),
    [
        (np.array([[1.0, 2.0], [2.0, 1.0]]), 50.0, normals(2)),
        (np.eye(2), 0.0, normals(2)),
        (np.eye(2), np.nan, normals(2)),
        (np.eye(2), 50.0, normals(2)[:-1]),
    ],
    ids=["indefinite", "no observation", "unknown observations", "too few numbers"],
)
def test_there_is_no_threshold_without_a_covariance_observations_and_numbers(
    cov: Floats, freedom: float, numbers: Floats
) -> None:
    assert np.isnan(gap.threshold(cov, freedom, 0.0, 1.0, numbers, gap.init(2)))
