"""Paths of a book that is held: Student-t against published quantiles, correlations by formula, drawn sessions."""

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from support.book_run import walk_panel
from support.stressed import direct, held_case, imagined, still_panel, wired

from plimsoll.engine.errors import ConfigError, DataError
from plimsoll.engine.kernels.estimate.psd import EIGENVALUE_FLOOR
from plimsoll.engine.research.stress.bootstrap import MEAN_BLOCK, SESSIONS, bootstrap_tail, stationary_draws
from plimsoll.engine.research.stress.correlation import blended
from plimsoll.engine.research.stress.monte_carlo import DEGREES, stressed_covariance, student_returns, student_tail
from plimsoll.engine.research.stress.stress import case_of, run_stress
from plimsoll.engine.research.stress.tail import hold, tail_of

# One-sided points of Student's t with four degrees of freedom, as printed in every table.
T4 = {0.95: 2.132, 0.99: 3.747}


@pytest.mark.parametrize("level", T4)
def test_draws_have_the_published_quantiles(level: float) -> None:
    n, sigma = 400_000, 0.01
    drawn = student_returns(np.array([[sigma**2]]), n, 1, np.random.default_rng(3))[:, 0, 0]
    standard = drawn / (sigma * np.sqrt(0.5))  # variance nu / (nu - 2) = 2
    error = np.sqrt(level * (1.0 - level) / n) / stats.t.pdf(T4[level], DEGREES)
    assert np.quantile(standard, level) == pytest.approx(T4[level], abs=4.0 * error + 5e-4)
    assert -np.quantile(standard, 1.0 - level) == pytest.approx(T4[level], abs=4.0 * error + 5e-4)


def test_draws_have_the_covariance_asked_for_and_come_together() -> None:
    cov = np.array([[4e-4, 1.2e-4, 0.0], [1.2e-4, 1e-4, 0.0], [0.0, 0.0, 0.0]])
    drawn = student_returns(cov, 300_000, 1, np.random.default_rng(5))[:, 0]
    assert np.cov(drawn.T) == pytest.approx(cov, rel=0.05, abs=1e-7)
    assert (drawn[:, 2] == 0.0).all()
    # of two uncorrelated t's of one mixing variable both are large together: normal ones would be so in 1e-5 of cases
    both = student_returns(np.eye(2), 300_000, 1, np.random.default_rng(6))[:, 0]
    assert (np.abs(both) > 3.0).all(axis=1).mean() > 2e-4


def test_value_at_risk_of_a_book_is_that_of_the_closed_form() -> None:
    cov = np.array([[4e-4, 1e-4], [1e-4, 2.25e-4]])
    weights = np.array([0.6, 0.3])
    found = student_tail("last", weights, cov, 0.15, seed=1).horizons[0]
    scale = np.sqrt(weights @ cov @ weights / 2.0)
    for var, shortfall, level in zip(found.var, found.shortfall, (0.95, 0.99), strict=True):
        q = stats.t.ppf(level, DEGREES)
        # McNeil, Frey & Embrechts (2005), eq. 2.25
        beyond = stats.t.pdf(q, DEGREES) / (1.0 - level) * (DEGREES + q * q) / (DEGREES - 1.0)
        assert var == pytest.approx(q * scale, rel=0.06)
        assert shortfall == pytest.approx(beyond * scale, rel=0.08)


def test_blended_correlations_are_the_formula_on_a_small_case() -> None:
    corr = np.array([[1.0, 0.4, -0.2], [0.4, 1.0, 0.1], [-0.2, 0.1, 1.0]])
    found = blended(corr, np.array([1.0, 1.0, 0.0]))
    assert found.mended == 0.0
    assert found.corr == pytest.approx(np.array([[1.0, 0.7, -0.2], [0.7, 1.0, 0.1], [-0.2, 0.1, 1.0]]), abs=1e-15)
    short = blended(corr, np.array([1.0, -1.0, 0.0]))  # a short fund goes the other way
    assert short.corr[0, 1] == pytest.approx(0.5 * 0.4 - 0.5)


def test_what_blending_breaks_is_mended_by_the_least_shrinkage() -> None:
    # two equities that a third asset holds apart cannot both be near each other and as far from it
    corr = np.array([[1.0, 0.0, 0.7], [0.0, 1.0, -0.7], [0.7, -0.7, 1.0]])
    moved = corr.copy()
    moved[0, 1] = moved[1, 0] = 0.5
    assert np.linalg.eigvalsh(moved).min() < 0.0
    found = blended(corr, np.array([1.0, 1.0, 0.0]))
    assert 0.0 < found.mended < 1.0
    assert np.linalg.eigvalsh(found.corr).min() == pytest.approx(EIGENVALUE_FLOOR, rel=1e-3, abs=1e-9)
    assert (np.diag(found.corr) == 1.0).all()


@given(seed=st.integers(0, 10_000), k=st.integers(1, 8))
def test_blended_correlations_are_always_positive_definite(seed: int, k: int) -> None:
    rng = np.random.default_rng(seed)
    draws = rng.standard_normal((k + 3, k)) @ rng.standard_normal((k, k))
    cov = draws.T @ draws
    scale = np.sqrt(np.diag(cov))
    found = blended(cov / np.outer(scale, scale), rng.choice([-1.0, 0.0, 1.0], k))
    assert np.linalg.eigvalsh(found.corr).min() > 0.0
    assert (np.abs(found.corr) <= 1.0 + 1e-12).all()
    assert (np.diag(found.corr) == 1.0).all()


def test_the_covariance_keeps_variances_and_leaves_what_does_not_move() -> None:
    rng = np.random.default_rng(2)
    returns = rng.normal(0.0, [0.01, 0.02, 0.0], (300, 3))
    cov = stressed_covariance(returns, np.array([1.0, 1.0, 0.0]))
    w = 0.5 ** (np.arange(119, -1, -1) / 63.0)
    w /= w.sum()
    recent = returns[-120:]
    variance = w @ (recent - w @ recent) ** 2
    assert np.diag(cov) == pytest.approx(variance)
    assert (cov[2] == 0.0).all()
    assert (stressed_covariance(np.zeros((300, 2)), np.zeros(2)) == 0.0).all()


def test_a_held_book_is_not_rebalanced_and_its_cash_earns_nothing() -> None:
    paths = np.array([[[0.10, -0.50], [0.10, 0.50]]])
    worth = hold(np.array([0.5, 0.2]), paths)
    assert worth == pytest.approx(np.array([[0.3 + 0.55 + 0.1, 0.3 + 0.605 + 0.15]]))
    gone = hold(np.array([1.0]), np.array([[[-1.4], [9.0]]]))
    assert gone.tolist() == [[0.0, 0.0]]


def test_the_tail_of_known_paths_by_hand() -> None:
    worth = np.full((100, 2), 1.0)
    worth[:4, 1], worth[0, 0] = 0.8, 0.7  # one path falls to .7 before it ends at .8
    found = tail_of("last", worth, (1, 2), 0.25)
    assert found.horizons[0].beyond == 0.01
    assert found.horizons[1].beyond == 0.01  # below .75 at some close, whatever comes after
    assert found.horizons[1].shortfall == (pytest.approx(4 * 0.2 / 5), pytest.approx(0.2))
    assert found.drawdown[0] == 0.0


def test_drawn_blocks_go_on_row_by_row_and_are_twenty_sessions_long_on_average() -> None:
    drawn = stationary_draws(500, 4_000, SESSIONS, np.random.default_rng(4))
    assert (drawn.min(), drawn.max()) == (0, 499)
    goes_on = drawn[:, 1:] == (drawn[:, :-1] + 1) % 500
    expected = 1.0 - (1.0 - 1.0 / 500) / MEAN_BLOCK  # a fresh row may be the next one by chance
    assert goes_on.mean() == pytest.approx(expected, abs=4.0 * np.sqrt(0.05 / goes_on.size))
    counts = np.bincount(drawn.ravel(), minlength=500)
    assert counts.std() / counts.mean() < 0.2  # no row is preferred, the ends of the series neither


def test_drawn_sessions_of_one_return_compound_it() -> None:
    found = bootstrap_tail("last", np.array([1.0]), np.full((300, 1), -0.01), 0.4, seed=1, paths=50)
    assert [one.sessions for one in found.horizons] == [1, 10, 63]
    assert [one.var[0] for one in found.horizons] == pytest.approx([1 - 0.99**h for h in (1, 10, 63)])
    assert found.horizons[2].beyond == 1.0  # .99^63 = .531


def reported(seed: int, paths: int = 0, bars: int = 320) -> dict[str, Any]:
    panel = walk_panel(9, ("GLD", "SPY", "TLT"), (0.15, 0.2, 0.1), n_bars=bars)
    case = case_of(*wired(panel, *direct({"GLD": 0.2, "SPY": 0.5, "TLT": 0.2})))
    return run_stress(case, [imagined(returns={"SPY": -0.1})], seed=seed, system_paths=paths).plain()


def test_the_same_seed_gives_the_same_bytes_and_another_one_others() -> None:
    first, again, other = (json.dumps(reported(seed, 2), allow_nan=False) for seed in (7, 7, 8))
    assert first == again
    assert first != other
    one, two = json.loads(first)["system"]
    assert one["nav"] != two["nav"]
    assert one["sessions"] == SESSIONS


def test_drawn_paths_through_the_system_lose_as_much_as_the_book_they_hold() -> None:
    found = reported(7, 1)["system"][0]
    assert 0.0 < found["drawdown"] < 0.3
    assert found["gross_before"] == pytest.approx(0.9, abs=0.1)


def test_too_short_a_history_is_said_and_not_drawn_from() -> None:
    found = reported(7, bars=200)
    assert found["drawn"]["tails"] == []
    assert "252 are needed" in found["drawn"]["why"]
    with pytest.raises(DataError, match="252 are needed"):
        reported(7, paths=1, bars=200)


def test_an_empty_book_has_an_empty_tail() -> None:
    case = held_case(still_panel(("SPY",), n_bars=300), {"SPY": 0.0})
    found = run_stress(case, [imagined(returns={"SPY": -0.1})], seed=1).plain()
    for tail in (*found["student"], *found["drawn"]["tails"]):
        assert all(list(one["var"]) == [0.0, 0.0] for one in tail["horizons"])
        assert all(one["beyond"] == 0.0 for one in tail["horizons"])


def test_two_scenarios_of_one_name_are_refused() -> None:
    case = held_case(still_panel(("SPY",)), {"SPY": 1.0})
    with pytest.raises(ConfigError, match="two scenarios are called 'mine'"):
        run_stress(case, [imagined(returns={"SPY": -0.1})] * 2, seed=1)
