"""Small linear algebra, positive definiteness and the factor model against numpy's own."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plimsoll.engine.errors import InputError
from plimsoll.engine.kernels import code
from plimsoll.engine.kernels.eigen import smallest_eigenvalue, tridiagonalise
from plimsoll.engine.kernels.estimate import psd
from plimsoll.engine.kernels.estimate.factor_model import pca_factor_model
from plimsoll.engine.kernels.estimate.psd import (
    EIGENVALUE_FLOOR,
    INTENSITY_TOLERANCE,
    guess_intensity,
    is_positive,
    least_intensity,
)
from plimsoll.engine.kernels.linalg import cholesky, inner, multiply, quadratic, solve_factored


def positive(n: int, seed: int) -> np.ndarray:
    a = np.random.default_rng(seed).normal(size=(n, n + 3))
    return np.ascontiguousarray(a @ a.T)


@settings(max_examples=50, deadline=None)
@given(n=st.integers(1, 20), seed=st.integers(0, 10_000))
def test_cholesky_and_its_solution_are_numpys(n: int, seed: int) -> None:
    a = positive(n, seed)
    u, b = a.copy(), np.random.default_rng(seed + 1).normal(size=n)
    x = b.copy()
    assert cholesky(u) == code.OK
    np.testing.assert_allclose(np.triu(u), np.linalg.cholesky(a).T, rtol=1e-7, atol=1e-9)
    solve_factored(u, x)
    np.testing.assert_allclose(a @ x, b, rtol=1e-6, atol=1e-8)


def test_products_are_numpys() -> None:
    a, x, out = positive(7, 1), np.random.default_rng(2).normal(size=7), np.empty(7)
    multiply(a, x, out)
    np.testing.assert_allclose(out, a @ x, rtol=1e-12)
    assert quadratic(a, x, out) == pytest.approx(x @ a @ x, rel=1e-12)
    assert inner(x, x) == pytest.approx(x @ x, rel=1e-12)


@pytest.mark.parametrize("a", [np.array([[1.0, 2.0], [2.0, 1.0]]), np.zeros((1, 1)), np.array([[np.nan]]), -np.eye(3)])
def test_cholesky_refuses_what_is_not_positive_definite(a: np.ndarray) -> None:
    assert cholesky(a.copy()) == code.NOT_POSITIVE_DEFINITE


@settings(max_examples=50, deadline=None)
@given(n=st.integers(3, 10), seed=st.integers(0, 10_000))
def test_repair_stops_where_the_smallest_eigenvalue_reaches_the_floor(n: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    corr = np.clip(rng.normal(0.2, 0.8, (n, n)), -0.99, 0.99)
    corr = np.triu(corr, 1) + np.triu(corr, 1).T + np.eye(n)
    target = np.full((n, n), 0.2) + 0.8 * np.eye(n)
    trial = np.empty((n, n))
    found = least_intensity(corr, 0.2, 0.1, trial, np.empty((4, n)))
    smallest = float(np.linalg.eigvalsh(found * target + (1.0 - found) * corr)[0])
    assert 0.1 <= found <= 1.0
    if found == 0.1:
        assert smallest >= EIGENVALUE_FLOOR * 0.99
    else:
        assert smallest == pytest.approx(EIGENVALUE_FLOOR, abs=1e-11)
        assert not is_positive(corr, 0.2, found - 1e-9, trial)


@settings(max_examples=100, deadline=None)
@given(n=st.integers(1, 20), seed=st.integers(0, 10_000), kind=st.sampled_from(["full", "low rank", "twins", "zero"]))
def test_a_tridiagonal_matrix_has_the_same_eigenvalues_and_the_smallest_is_found(n: int, seed: int, kind: str) -> None:
    rng = np.random.default_rng(seed)
    a = rng.normal(size=(n, n)) * 10.0 ** rng.integers(-3, 4)
    a = a + a.T
    if kind == "low rank":
        a = a[:, :1] @ a[:, :1].T
    elif kind == "twins":
        a[n // 2 :] = a[: n - n // 2]
        a = a + a.T
    elif kind == "zero":
        a = np.zeros((n, n))
    size = max(float(np.abs(np.linalg.eigvalsh(a)).max()), 1e-300)
    work, diagonal, beside = a.copy(), np.empty(n), np.empty(n)
    tridiagonalise(work, diagonal, beside, np.empty(n))
    assert beside[-1] == 0.0
    ours = np.diag(diagonal) + np.diag(beside[:-1], 1) + np.diag(beside[:-1], -1)
    theirs = np.linalg.eigvalsh(a)
    np.testing.assert_allclose(np.linalg.eigvalsh(ours) / size, theirs / size, atol=1e-13)
    assert smallest_eigenvalue(diagonal, beside) / size == pytest.approx(theirs[0] / size, abs=1e-13)


def bisected(corr: np.ndarray, common: float, low: float) -> float:
    """Return the least intensity as it is defined: by halves, by numpy's eigenvalues."""
    target = np.full(corr.shape, common) + (1.0 - common) * np.eye(len(corr))
    high = 1.0
    while high - low > INTENSITY_TOLERANCE:
        middle = 0.5 * (low + high)
        good = np.linalg.eigvalsh(middle * target + (1.0 - middle) * corr)[0] >= EIGENVALUE_FLOOR
        low, high = (low, middle) if good else (middle, high)
    return high


@settings(max_examples=50, deadline=None)
@given(n=st.integers(3, 25), seed=st.integers(0, 10_000), common=st.floats(0.0, 0.95), spread=st.floats(0.1, 2.0))
def test_the_intensity_is_the_one_that_halving_finds_in_two_looks(
    n: int, seed: int, common: float, spread: float
) -> None:
    rng = np.random.default_rng(seed)
    corr = np.clip(rng.normal(common, spread, (n, n)), -0.999, 0.999)
    corr = np.triu(corr, 1) + np.triu(corr, 1).T + np.eye(n)
    trial = np.empty((n, n))
    if is_positive(corr, common, 0.0, trial):
        return
    want = bisected(corr, common, 0.0)
    found = least_intensity(corr, common, 0.0, trial, np.empty((4, n)))
    assert found == pytest.approx(want, abs=1e-11)
    assert is_positive(corr, common, found, trial)
    assert not is_positive(corr, common, found - 2.0 * INTENSITY_TOLERANCE, trial)
    assert guess_intensity(corr, common, trial, np.empty((4, n))) == pytest.approx(found, abs=2.0 * INTENSITY_TOLERANCE)


def test_two_looks_hold_the_guess_from_both_sides(monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[float] = []

    def counted(corr: np.ndarray, common: float, intensity: float, trial: np.ndarray) -> bool:
        looks.append(intensity)
        return bool(is_positive(corr, common, intensity, trial))

    monkeypatch.setattr(psd, "is_positive", counted)
    rng, many = np.random.default_rng(3), []
    for n in range(4, 24):
        corr = np.clip(rng.normal(0.2, 0.8, (n, n)), -0.99, 0.99)
        corr = np.triu(corr, 1) + np.triu(corr, 1).T + np.eye(n)
        plain = getattr(least_intensity, "py_func", least_intensity)
        looks.clear()
        plain(corr, 0.2, 0.0, np.empty((n, n)), np.empty((4, n)))
        many.append(len(looks))
    assert min(many) == 4  # the given one, the target, above the guess, below it
    assert np.median(many) == 4
    assert max(many) <= 12  # where rounding moved the root out of reach, bisection over what 16 times that reach leaves


def test_repair_says_so_when_the_target_itself_is_indefinite() -> None:
    assert np.isnan(least_intensity(np.full((4, 4), -0.9), -0.5, 0.0, np.empty((4, 4)), np.empty((4, 4))))


def factor_returns(n_rows: int, n_assets: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n_rows, 2)) @ rng.normal(size=(2, n_assets)) + 0.3 * rng.normal(size=(n_rows, n_assets))


def test_factors_are_the_leading_eigenvectors_and_the_diagonal_is_the_samples() -> None:
    r = factor_returns(300, 12, 1)
    model = pca_factor_model(r, 3)
    sample = np.cov(r.T, ddof=0)
    values, vectors = np.linalg.eigh(sample)
    np.testing.assert_allclose(model.factor_variance, values[::-1][:3], rtol=1e-9)
    for k in range(3):
        assert abs(model.loading[:, k] @ vectors[:, -1 - k]) == pytest.approx(1.0, abs=1e-9)
        assert model.loading[np.abs(model.loading[:, k]).argmax(), k] > 0.0
    rebuilt = model.loading @ np.diag(model.factor_variance) @ model.loading.T + np.diag(model.specific_variance)
    np.testing.assert_allclose(model.cov, rebuilt, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(np.diag(model.cov), np.diag(sample), rtol=1e-9)


def test_more_assets_than_rows_still_give_a_positive_definite_matrix() -> None:
    model = pca_factor_model(factor_returns(40, 120, 2), 5, half_life=20.0)
    assert np.linalg.eigvalsh(model.cov).min() > 0.0
    assert model.loading.shape == (120, 5)


def test_all_factors_give_back_the_weighted_sample_covariance() -> None:
    r = factor_returns(60, 6, 3)
    w = 0.5 ** (np.arange(59, -1, -1) / 30.0)
    np.testing.assert_allclose(pca_factor_model(r, 9, 30.0).cov, np.cov(r.T, aweights=w, ddof=0), rtol=1e-9, atol=1e-12)


def test_a_true_factor_structure_beats_the_sample_where_rows_are_few() -> None:
    rng = np.random.default_rng(5)
    loading = rng.normal(size=(60, 2))
    truth = loading @ loading.T + 0.25 * np.eye(60)
    r = rng.multivariate_normal(np.zeros(60), truth, size=50)

    def true_risk_of_its_safest_portfolio(cov: np.ndarray) -> float:
        w = np.linalg.pinv(cov) @ np.ones(60)
        w /= w.sum()
        return float(w @ truth @ w)

    safest = true_risk_of_its_safest_portfolio(truth)
    assert true_risk_of_its_safest_portfolio(pca_factor_model(r, 2).cov) < 1.5 * safest
    assert true_risk_of_its_safest_portfolio(np.cov(r.T, ddof=0)) > 3.0 * safest


def test_bad_tables_are_told() -> None:
    r = factor_returns(20, 3, 1)
    r[4, 1] = np.nan
    with pytest.raises(InputError, match="row 4, column 1 is nan"):
        pca_factor_model(r)
    with pytest.raises(InputError, match="1 rows"):
        pca_factor_model(r[:1])
    with pytest.raises(InputError, match="n_factors = 0"):
        pca_factor_model(factor_returns(20, 3, 1), 0)
