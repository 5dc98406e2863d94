from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plimsoll.engine.errors import InputError
from plimsoll.engine.kernels.allocate.black_litterman import Params, black_litterman
from plimsoll.engine.kernels.allocate.erc import risk_budget_weights

VOLS = np.array([0.60, 0.12, 0.16])
COV = np.array([[1.0, -0.2, 0.05], [-0.2, 1.0, 0.1], [0.05, 0.1, 1.0]]) * np.outer(VOLS, VOLS)
CORE = np.array([1.0, 0.0, 0.0])


def test_every_recorded_blend_is_reproduced(golden: Any) -> None:
    file = golden("bl_budget")
    for name, case in file["cases"].items():
        target, confidence = (float(part.split("=")[1]) for part in name.split(","))
        blend = black_litterman(COV, CORE, target, confidence)
        np.testing.assert_allclose(blend.prior_weights, file["prior"]["w_erc"], atol=1e-9)
        np.testing.assert_allclose(blend.prior_return, file["prior"]["pi"], atol=1e-9)
        np.testing.assert_allclose(blend.posterior_return, case["mu_posterior"], atol=1e-9)
        np.testing.assert_allclose(blend.budget, case["budget"], atol=1e-9)
        np.testing.assert_allclose(blend.weights, case["w"], atol=1e-9)


def test_the_worked_example_of_a_30_percent_view() -> None:
    blend = black_litterman(COV, CORE, 0.30, 0.5)
    np.testing.assert_allclose(100.0 * blend.prior_weights, [11.0, 53.9, 35.1], atol=0.05)
    np.testing.assert_allclose(blend.budget, [0.427, 0.271, 0.302], atol=5e-4)
    np.testing.assert_allclose(100.0 * blend.weights, [12.9, 52.2, 34.9], atol=0.05)


def test_no_view_gives_exact_equal_risk() -> None:
    blend = black_litterman(COV, np.zeros((0, 3)), [])
    np.testing.assert_allclose(blend.budget, 1.0 / 3.0, rtol=1e-9)
    np.testing.assert_allclose(blend.weights, risk_budget_weights(COV), rtol=1e-9)


def test_a_view_that_repeats_the_prior_changes_nothing() -> None:
    prior = black_litterman(COV, np.zeros((0, 3)), []).prior_return
    blend = black_litterman(COV, CORE, float(CORE @ prior), 0.8)
    np.testing.assert_allclose(blend.weights, risk_budget_weights(COV), rtol=1e-9)


def test_a_certain_view_is_met_exactly() -> None:
    view = np.array([1.0, -0.5, -0.5])
    blend = black_litterman(COV, view, 0.07, 1.0)
    assert view @ blend.posterior_return == pytest.approx(0.07, rel=1e-12)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000), n=st.integers(2, 8), k=st.integers(1, 2))
def test_the_posterior_follows_the_master_formula(seed: int, n: int, k: int) -> None:
    rng = np.random.default_rng(seed)
    loading = rng.normal(size=(n, 2)) * 0.1
    cov = loading @ loading.T + np.diag(rng.uniform(0.01, 0.05, n))
    view, target = rng.normal(size=(k, n)), rng.normal(0.05, 0.02, k)
    confidence = rng.uniform(0.05, 1.0, k)
    try:
        blend = black_litterman(cov, view, target, confidence)
    except InputError as error:  # views so bad that nothing is worth holding are refused, which is tested elsewhere
        if "positive expected return" not in str(error):
            raise
        return
    w = blend.prior_weights
    prior = 0.5 / np.sqrt(w @ cov @ w) * cov @ w
    inside = view @ (0.05 * cov) @ view.T
    inside += np.diag((1.0 - confidence) / confidence * np.diag(inside))
    expected = prior + 0.05 * cov @ view.T @ np.linalg.solve(inside, target - view @ prior)
    np.testing.assert_allclose(blend.posterior_return, expected, rtol=1e-7, atol=1e-9)


def test_a_better_view_raises_the_budget_and_the_bounds_hold() -> None:
    budgets = [black_litterman(COV, CORE, q, 0.5).budget for q in np.linspace(-0.3, 2.0, 24)]
    core = np.array([b[0] for b in budgets])
    assert (np.diff(core) >= -1e-12).all()
    assert core.min() == pytest.approx(0.05)
    assert core.max() == pytest.approx(0.70)
    assert all(b.sum() == pytest.approx(1.0) for b in budgets)


def test_a_floor_on_the_core_is_kept() -> None:
    blend = black_litterman(COV, CORE, 0.05, 0.5, budget_floor=np.array([0.5, 0.05, 0.05]))
    assert blend.budget[0] == pytest.approx(0.5)
    assert black_litterman(COV, CORE, 0.05, 0.5).budget[0] < 0.3


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"confidence": 0.0}, "confidence or tau"),
        ({"confidence": 1.5}, "confidence or tau"),
        ({"params": Params(tau=0.0)}, "confidence or tau"),
        ({"view": np.ones(4)}, "shapes do not fit"),
        ({"target": np.nan}, "not finite"),
        ({"budget_floor": np.array([0.6, 0.6, 0.6])}, "bounds"),
        ({"view": np.array([1.0, 1.0, 1.0]), "target": -9.0, "confidence": 1.0}, "positive expected return"),
        ({"view": np.zeros(3)}, "not positive definite"),
    ],
)
def test_what_cannot_be_blended_is_told(arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        black_litterman(**{"cov": COV, "view": CORE, "target": 0.2, "confidence": 0.5, **arguments})
