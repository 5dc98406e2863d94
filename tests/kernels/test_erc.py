from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plimsoll.engine.errors import InputError
from plimsoll.engine.kernels import code
from plimsoll.engine.kernels.allocate import erc
from plimsoll.engine.kernels.allocate.erc import risk_budget_weights


def covariance(vols: list[float], rho: dict[tuple[int, int], float]) -> np.ndarray:
    corr = np.eye(len(vols))
    for (i, j), value in rho.items():
        corr[i, j] = corr[j, i] = value
    return corr * np.outer(vols, vols)


def random_covariance(n: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    loading = rng.normal(0.5, 0.7, size=(n, 2))
    scale = rng.uniform(0.02, 0.8, n)
    return (loading @ loading.T + np.diag(rng.uniform(0.2, 1.0, n))) * np.outer(scale, scale)


def shares(cov: np.ndarray, w: np.ndarray) -> np.ndarray:
    return w * (cov @ w) / (w @ cov @ w)


def newton(cov: np.ndarray, budget: np.ndarray) -> np.ndarray:
    """Solve the same problem by Newton's method with backtracking (Spinu 2013): an independent solver."""
    vol = np.sqrt(np.diag(cov))
    corr = cov / np.outer(vol, vol)

    def value(y: np.ndarray) -> float:
        return 0.5 * y @ corr @ y - budget @ np.log(y) if y.min() > 0.0 else np.inf

    y = np.full(len(vol), 1.0 / np.sqrt(corr.sum()))
    for _ in range(200):
        gradient = corr @ y - budget / y
        move = np.linalg.solve(corr + np.diag(budget / y**2), gradient)
        size = 1.0
        while value(y - size * move) > value(y) - 0.25 * size * (gradient @ move) + 1e-15:
            size *= 0.5
            if size < 1e-9:
                break
        y = y - size * move
        if np.abs(move / y).max() < 1e-14:
            break
    w = y / vol
    return w / w.sum()


MRT = covariance([0.1, 0.2, 0.3, 0.4], {(0, 1): 0.8, (2, 3): -0.5})
RONCALLI = covariance([0.3, 0.2, 0.15], {(0, 1): 0.8, (0, 2): 0.5, (1, 2): 0.3})


def test_maillard_roncalli_teiletches_four_assets() -> None:
    w = risk_budget_weights(MRT)
    np.testing.assert_allclose(100.0 * w, [38.4, 19.2, 24.3, 18.2], atol=0.05)
    assert 100.0 * np.sqrt(w @ MRT @ w) == pytest.approx(10.3, abs=0.05)


def test_constant_correlation_gives_inverse_volatility() -> None:
    for rho in (-0.3, 0.0, 0.5, 0.95):
        cov = covariance([0.1, 0.2, 0.3, 0.4], {(i, j): rho for i in range(4) for j in range(i)})
        np.testing.assert_allclose(100.0 * risk_budget_weights(cov), [48.0, 24.0, 16.0, 12.0], rtol=1e-9)


def test_roncallis_three_assets_equal_and_budgeted() -> None:
    np.testing.assert_allclose(100.0 * risk_budget_weights(RONCALLI), [19.69, 32.44, 47.87], atol=0.005)
    w = risk_budget_weights(RONCALLI, [50.0, 20.0, 30.0])
    # the book prints 31.15, 21.90, 46.96, whose sum is 100.01: the last digit is rounded up in print
    np.testing.assert_allclose(100.0 * w, [31.15, 21.90, 46.96], atol=0.006)
    assert 100.0 * np.sqrt(w @ RONCALLI @ w) == pytest.approx(17.49, abs=0.005)


def test_every_recorded_case_is_solved(golden: Any) -> None:
    for name, case in golden("erc")["cases"].items():
        w = risk_budget_weights(case["cov"], case["budget"])
        np.testing.assert_allclose(w, case["w_ccd"], atol=1e-9, err_msg=name)
        np.testing.assert_allclose(w, case["w_newton"], atol=1e-9, err_msg=name)
        for library in ("w_skfolio", "w_riskfolio"):
            np.testing.assert_allclose(w, case[library], atol=5e-5, err_msg=f"{name} {library}")


@settings(max_examples=60, deadline=None)
@given(n=st.integers(1, 20), seed=st.integers(0, 10_000))
def test_shares_of_risk_meet_the_budgets_and_newton_agrees(n: int, seed: int) -> None:
    cov = random_covariance(n, seed)
    budget = np.random.default_rng(seed).uniform(0.1, 1.0, n)
    w = risk_budget_weights(cov, budget)
    np.testing.assert_allclose(shares(cov, w), budget / budget.sum(), atol=1e-10)
    np.testing.assert_allclose(w, newton(cov, budget / budget.sum()), atol=1e-9)


@settings(max_examples=60, deadline=None)
@given(n=st.integers(2, 12), seed=st.integers(0, 10_000))
def test_its_risk_lies_between_minimum_variance_and_equal_weights(n: int, seed: int) -> None:
    cov = random_covariance(n, seed)
    w, equal = risk_budget_weights(cov), np.full(n, 1.0 / n)
    unconstrained = np.linalg.solve(cov, np.ones(n))
    unconstrained /= unconstrained.sum()  # at most as risky as the long-only minimum
    slack = 1.0 + 1e-12
    assert unconstrained @ cov @ unconstrained <= w @ cov @ w * slack
    assert w @ cov @ w <= equal @ cov @ equal * slack


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), leverage=st.floats(0.1, 10.0))
def test_a_leveraged_clone_gets_its_weight_divided_by_the_leverage(seed: int, leverage: float) -> None:
    cov = random_covariance(5, seed)
    scale = np.array([leverage, 1.0, 1.0, 1.0, 1.0])
    exposure = risk_budget_weights(cov * np.outer(scale, scale)) * scale
    np.testing.assert_allclose(exposure / exposure.sum(), risk_budget_weights(cov), rtol=1e-9)


def test_a_budget_of_zero_gives_a_weight_of_zero_and_drops_the_asset() -> None:
    w = risk_budget_weights(MRT, [1.0, 0.0, 1.0, 1.0])
    keep = [0, 2, 3]
    assert w[1] == 0.0
    np.testing.assert_allclose(w[keep], risk_budget_weights(MRT[np.ix_(keep, keep)]), rtol=1e-9)


def test_exact_copies_share_alike_and_a_singular_matrix_is_fine() -> None:
    copies = MRT[np.ix_([0, 1, 2, 3, 0], [0, 1, 2, 3, 0])]
    w = risk_budget_weights(copies)
    assert w[0] == pytest.approx(w[4], rel=1e-9)
    np.testing.assert_allclose(shares(copies, w), 0.2, atol=1e-9)


def test_a_bill_fund_in_the_set_takes_nearly_everything() -> None:
    cov = np.diag(np.array([0.6, 0.12, 0.16, 0.003]) ** 2)
    assert risk_budget_weights(cov)[3] > 0.95


def test_factors_that_nearly_cancel_are_still_solved() -> None:
    rng = np.random.default_rng(1)
    loading = rng.normal(size=(200, 5))
    cov = loading @ loading.T + np.diag(rng.uniform(0.5, 2.0, 200))
    np.testing.assert_allclose(shares(cov, risk_budget_weights(cov)), 1.0 / 200, atol=1e-8)


def test_one_asset_gets_everything() -> None:
    assert risk_budget_weights([[0.04]]).tolist() == [1.0]


def test_a_matrix_that_is_no_covariance_gives_a_code_and_no_weights() -> None:
    indefinite = np.array([[1.0, -0.9, -0.9], [-0.9, 1.0, -0.9], [-0.9, -0.9, 1.0]])
    out = np.zeros(3)
    assert erc.risk_budget(indefinite, np.ones(3), erc.init(3), out) == code.NOT_CONVERGED
    assert np.isnan(out).all()
    with pytest.raises(InputError, match="not positive semidefinite"):
        risk_budget_weights(indefinite)


@pytest.mark.parametrize("budget", [[1.0, -0.1], [0.0, 0.0], [np.nan, 1.0], [np.inf, 1.0]])
def test_bad_budgets_are_refused(budget: list[float]) -> None:
    with pytest.raises(InputError, match="budgets are negative, not finite or all zero"):
        risk_budget_weights(np.eye(2), budget)


@pytest.mark.parametrize(
    ("cov", "words"),
    [
        (np.array([[1.0, np.nan], [np.nan, 1.0]]), r"entry \[0, 1\] is nan"),
        (np.diag([1.0, 0.0]), "variance of asset 1"),
        (np.array([[1.0, 0.5], [0.4, 1.0]]), "not symmetric"),
        (np.empty((0, 0)), "shape"),
    ],
)
def test_bad_covariances_are_told(cov: np.ndarray, words: str) -> None:
    with pytest.raises(InputError, match=words):
        risk_budget_weights(cov)


def test_budgets_that_do_not_fit_are_told() -> None:
    with pytest.raises(InputError, match="3 budgets for 2 assets"):
        risk_budget_weights(np.eye(2), np.ones(3))
    assert erc.risk_budget(np.eye(2), np.ones(3), erc.init(2), np.empty(2)) == code.WRONG_SHAPE


@pytest.mark.parametrize(("error", "verdict"), [(1e-9, code.OK), (1e-7, code.NOT_CONVERGED)])
def test_weights_are_accepted_only_if_their_shares_of_risk_meet_the_budgets(error: float, verdict: int) -> None:
    solution = np.sqrt([0.5 + error, 0.5 - error])  # uncorrelated: the shares are the squares
    vector, out = np.array([[0.1, 0.2], [0.5, 0.5], solution, solution]), np.zeros(2)
    assert erc.accept(vector, erc.SHARE_TOLERANCE, out) == verdict
    assert np.isnan(out).all() == (verdict != code.OK)
