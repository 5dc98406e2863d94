"""The bare filter and the regression against textbook matrix algebra."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plimsoll.engine.errors import InputError
from plimsoll.engine.kernels.estimate import kalman_level
from plimsoll.engine.kernels.estimate.kalman_regression import ALPHA, BETA, DEVIATION, SCORE, SURPRISE, hedge_ratio


def textbook_level(price: np.ndarray, q: tuple[float, float], noise: float) -> np.ndarray:
    f, h = np.array([[1.0, 1.0], [0.0, 1.0]]), np.array([[1.0, 0.0]])
    state, cov = np.array([price[0], 0.0]), np.eye(2)
    shown = [state]
    for value in price[1:]:
        state, cov = f @ state, f @ cov @ f.T + np.diag(q)
        gain = cov @ h.T / (h @ cov @ h.T + noise)
        state = state + (gain * (value - h @ state)).ravel()
        cov = (np.eye(2) - gain @ h) @ cov
        shown.append(state)
    return np.array(shown)


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    q=st.tuples(st.floats(0.0, 1.0), st.floats(0.0, 1.0)),
    noise=st.floats(1e-2, 1e4),
)
def test_level_and_slope_follow_the_matrix_form(seed: int, q: tuple[float, float], noise: float) -> None:
    price = 100.0 + np.cumsum(np.random.default_rng(seed).normal(size=120))
    out = kalman_level.level_slope(price, kalman_level.params(*q, noise))
    np.testing.assert_allclose(out, textbook_level(price, q, noise), rtol=1e-9, atol=1e-9)


def test_a_gap_takes_no_time_step_and_nothing_is_known_before_the_first_price() -> None:
    price = np.array([np.nan, 10.0, 11.0, np.nan, np.inf, 12.0])
    params = kalman_level.params(noise=1.0)
    out, known = kalman_level.level_slope(price, params), kalman_level.level_slope(price[[1, 2, 5]], params)
    assert np.isnan(out[0]).all()
    assert out[1].tolist() == [10.0, 0.0]
    assert out[[1, 2, 5]].tobytes() == known.tobytes()
    assert out[3].tobytes() == out[4].tobytes() == out[2].tobytes()


def textbook_regression(y: np.ndarray, x: np.ndarray, drift: float, noise: float) -> np.ndarray:
    theta, cov = np.zeros(2), np.eye(2)
    rows = []
    for a, b in zip(y, x, strict=True):
        h = np.array([1.0, b])
        cov = cov + drift * np.eye(2)
        surprise, variance = a - h @ theta, h @ cov @ h + noise
        gain = cov @ h / variance
        theta, cov = theta + gain * surprise, cov - np.outer(gain, h @ cov)
        rows.append([*theta, surprise, np.sqrt(variance), surprise / np.sqrt(variance)])
    return np.array(rows)


def pair(seed: int, n: int = 300) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = 4.0 + np.cumsum(rng.normal(0.0, 0.01, n))
    return 0.5 + 1.3 * x + rng.normal(0.0, 0.02, n), x


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), delta=st.floats(0.0, 0.5), noise=st.floats(1e-4, 1.0))
def test_regression_follows_the_matrix_form(seed: int, delta: float, noise: float) -> None:
    y, x = pair(seed)
    out = hedge_ratio(y, x, delta, noise)
    np.testing.assert_allclose(out, textbook_regression(y, x, delta / (1.0 - delta), noise), rtol=1e-6, atol=1e-8)


def test_without_drift_and_prior_the_last_coefficients_are_least_squares() -> None:
    y, x = pair(3)
    out = hedge_ratio(y, x, delta=0.0, noise=4e-4, start=1e6)
    slope, intercept = np.polyfit(x, y, 1)
    assert out[-1, ALPHA] == pytest.approx(intercept, abs=1e-4)
    assert out[-1, BETA] == pytest.approx(slope, abs=1e-4)


def test_the_score_is_standard_normal_where_the_model_is_true() -> None:
    rng = np.random.default_rng(8)
    n, delta, noise = 20_000, 1e-4, 1e-3
    x = rng.normal(1.0, 1.0, n)
    theta = np.cumsum(rng.normal(0.0, np.sqrt(delta / (1.0 - delta)), (n, 2)), axis=0)
    y = theta[:, 0] + theta[:, 1] * x + rng.normal(0.0, np.sqrt(noise), n)
    score = hedge_ratio(y, x, delta, noise)[100:, SCORE]
    assert score.std() == pytest.approx(1.0, abs=0.02)  # 0.02 = four standard errors of a deviation of 20,000 draws
    assert abs(np.corrcoef(score[1:], score[:-1])[0, 1]) < 0.03


def test_a_gap_in_either_leg_carries_the_ratio_and_has_no_score() -> None:
    y, x = pair(5, 50)
    y[20], x[30] = np.nan, np.nan
    out = hedge_ratio(y, x)
    assert np.isnan(out[[20, 30]][:, [SURPRISE, DEVIATION, SCORE]]).all()
    assert out[20, :2].tobytes() == out[19, :2].tobytes()
    keep = np.delete(np.arange(50), [20, 30])
    assert out[keep].tobytes() == hedge_ratio(y[keep], x[keep]).tobytes()


def test_bad_parameters_are_told() -> None:
    with pytest.raises(InputError, match=r"shape \(2, 2\)"):
        kalman_level.level_slope(np.ones((2, 2)))
    np.testing.assert_array_equal(kalman_level.level_slope([5.0, 6.0])[0], [5.0, 0.0])
    with pytest.raises(InputError, match="delta = 1"):
        hedge_ratio(np.ones(3), np.ones(3), delta=1.0)
    with pytest.raises(InputError, match=r"q_level = -0\.1"):
        kalman_level.params(q_level=-0.1)
    with pytest.raises(InputError, match="different lengths"):
        hedge_ratio(np.ones(3), np.ones(4))
