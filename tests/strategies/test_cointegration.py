"""The Engle-Granger kernel against least squares, its published critical value, and its size on noise."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.plain_pairs import residual_test

from plimsoll.engine.types import Floats
from plimsoll.strategies import cointegration as eg


def examined(pair: Floats) -> Floats:
    out = np.empty(eg.COLUMNS)
    eg.engle_granger(np.ascontiguousarray(pair), np.empty(len(pair)), out)
    return out


def planted(seed: int, n: int = 252, rho: float = 0.9, beta: float = 0.7) -> Floats:
    """Return y = 0.3 + beta x + a gap that keeps `rho` of itself, x a random walk."""
    rng = np.random.default_rng(seed)
    x = np.cumsum(rng.normal(0.0, 0.01, n))
    gap = np.zeros(n)
    for t in range(1, n):
        gap[t] = rho * gap[t - 1] + rng.normal(0.0, 0.01)
    return np.column_stack([0.3 + beta * x + gap, x])


@given(seed=st.integers(0, 2**32), n=st.integers(30, 400), rho=st.floats(-0.5, 1.0))
@settings(max_examples=60, deadline=None)
def test_everything_it_writes_equals_least_squares(seed: int, n: int, rho: float) -> None:
    pair = planted(seed, n, rho)
    ours, theirs = examined(pair), residual_test(pair[:, 0], pair[:, 1])
    np.testing.assert_allclose(ours[[eg.ALPHA, eg.BETA]], theirs["coefficient"], rtol=1e-8, atol=1e-10)
    assert ours[eg.STATISTIC] == pytest.approx(theirs["t"], rel=1e-7)
    assert ours[eg.HALF_LIFE] == pytest.approx(theirs["half_life"], rel=1e-6)
    assert ours[eg.VARIANCE] == pytest.approx(theirs["variance"], rel=1e-9)
    assert ours[eg.COUNT] == n
    slope = ours[eg.VARIANCE] / ours[eg.SPREAD_X]
    assert slope == pytest.approx(theirs["covariance"][1, 1], rel=1e-8)
    assert -ours[eg.MEAN_X] * slope == pytest.approx(theirs["covariance"][0, 1], rel=1e-7, abs=1e-14)


def test_the_critical_value_at_infinity_and_at_a_year() -> None:
    assert eg.critical_value(1e12) == pytest.approx(-3.34)  # MacKinnon (2010): -3.33613
    assert eg.critical_value(252.0) == pytest.approx(-3.36435, abs=1e-5)  # -3.34 - 0.024246 - 0.000107


def test_about_one_in_twenty_pairs_of_independent_walks_passes() -> None:
    rng = np.random.default_rng(11)
    walks = np.cumsum(rng.normal(0.0, 0.01, (2000, 252, 2)), axis=1)
    passed = np.mean([examined(pair)[eg.STATISTIC] <= eg.critical_value(252.0) for pair in walks])
    assert 0.035 < passed < 0.065  # binomial deviation 0.005


def test_a_gap_that_halves_in_ten_sessions_is_nearly_always_found() -> None:
    found = [examined(planted(seed, 504, rho=0.5**0.1)) for seed in range(200)]
    assert np.mean([out[eg.STATISTIC] <= eg.critical_value(504.0) for out in found]) > 0.9
    assert np.median([out[eg.HALF_LIFE] for out in found]) == pytest.approx(9.0, abs=1.5)  # biased down, as known


def test_rows_with_a_gap_are_left_out() -> None:
    pair = planted(3)
    holed = np.insert(pair, [50, 120], np.nan, axis=0)
    holed[30, 1], kept = np.nan, np.delete(pair, 30, axis=0)
    ours, theirs = examined(holed), residual_test(kept[:, 0], kept[:, 1])
    assert ours[eg.COUNT] == 251
    assert ours[eg.STATISTIC] == pytest.approx(theirs["t"], rel=1e-8)


@pytest.mark.parametrize("case", ["short", "constant x", "equal"])
def test_what_cannot_be_tested_is_nan(case: str) -> None:
    pair = planted(4, n=19 if case == "short" else 60)
    if case == "constant x":
        pair[:, 1] = 2.0
    if case == "equal":
        pair[:, 0] = 0.0
    out = examined(pair)
    assert out[eg.COUNT] == len(pair)
    assert np.isnan(out[: eg.COUNT]).all()


def test_the_statistic_ignores_level_and_scale_of_either_series() -> None:
    pair = planted(5)
    moved = pair * np.array([3.0, 0.5]) + np.array([-7.0, 11.0])
    assert examined(moved)[eg.STATISTIC] == pytest.approx(examined(pair)[eg.STATISTIC], rel=1e-9)


def test_half_lives_at_the_ends() -> None:
    grows = np.array([1.0, 1.5, 2.5, 4.0])
    turns = np.array([1.0, -1.0, 1.0, -1.0])
    halves = 0.5 ** np.arange(10.0)
    assert eg.half_life(grows, 4) == np.inf
    assert eg.half_life(turns, 4) == 0.0
    assert eg.half_life(halves, 10) == pytest.approx(1.0)
