"""The paired block bootstrap: against samples put together one session at a time, and against theory."""

import math

import numpy as np
import pytest

from plimsoll.engine.report.metrics.bootstrap import sharpe_difference_error
from plimsoll.engine.types import Floats


def pair(n: int, seed: int = 0, rho: float = 0.8, persistence: float = 0.0) -> tuple[Floats, Floats]:
    """Return two correlated series of daily returns; with persistence, what one gains on the other goes on for days."""
    rng = np.random.default_rng(seed)
    common, own = rng.standard_normal(n), rng.standard_normal(n)
    for t in range(1, n):
        own[t] = persistence * own[t - 1] + math.sqrt(1.0 - persistence**2) * own[t]
    first = 0.0005 + 0.01 * common
    second = 0.0002 + 0.02 * (rho * common + math.sqrt(1.0 - rho**2) * own)
    return first, second


def plain_sharpe(returns: Floats) -> float:
    return float(np.mean(returns) / np.std(returns, ddof=1) * math.sqrt(252.0))


def plain_error(first: Floats, second: Floats, seed: int, block: int, draws: int) -> float:
    """Put every sample together from its sessions, round the circle, and take it as it is."""
    n = len(first)
    starts = np.random.default_rng(seed).integers(0, n, (draws, math.ceil(n / block)))
    found = []
    for row in starts:
        sessions = np.concatenate([(start + np.arange(block)) % n for start in row])[:n]
        found.append(plain_sharpe(first[sessions]) - plain_sharpe(second[sessions]))
    return float(np.std(found, ddof=1))


@pytest.mark.parametrize(("n", "block"), [(252, 63), (600, 63), (631, 63), (300, 1), (257, 20)])
def test_the_error_is_that_of_samples_put_together_session_by_session(n: int, block: int) -> None:
    first, second = pair(n, seed=n)
    expected = plain_error(first, second, 42, block, 150)
    assert sharpe_difference_error(first, second, 42, block, 150) == pytest.approx(expected, rel=1e-9)


def test_for_independent_sessions_it_is_the_textbook_error() -> None:
    first, second = pair(4000, seed=3)
    a, b = (series.mean() / series.std(ddof=1) for series in (first, second))
    rho = np.corrcoef(first, second)[0, 1]
    # Jobson & Korkie (1981) as corrected by Memmel (2003)
    variance = (2.0 * (1.0 - rho) + 0.5 * (a * a + b * b - 2.0 * a * b * rho * rho)) / 4000
    assert sharpe_difference_error(first, second, 1, block=1) == pytest.approx(math.sqrt(variance * 252.0), rel=0.06)


def test_blocks_see_what_goes_on_for_days_and_single_sessions_do_not() -> None:
    first, second = pair(4000, seed=5, persistence=0.9)
    assert sharpe_difference_error(first, second, 1, block=63) > 2.0 * sharpe_difference_error(
        first, second, 1, block=1
    )


def test_the_same_seed_gives_the_same_error_and_another_one_nearly_the_same() -> None:
    first, second = pair(1500)
    one, again, other = (sharpe_difference_error(first, second, seed) for seed in (7, 7, 8))
    assert one == again
    assert other == pytest.approx(one, rel=0.1)
    assert other != one


def test_a_series_against_itself_or_a_multiple_of_it_has_no_error() -> None:
    first, _ = pair(800)
    assert sharpe_difference_error(first, first, 1) == 0.0
    assert sharpe_difference_error(first, 2.0 * first, 1) == pytest.approx(0.0, abs=1e-9)


def test_there_is_no_error_for_a_year_less_a_day_nor_without_volatility() -> None:
    first, second = pair(252)
    assert math.isfinite(sharpe_difference_error(first, second, 1))
    assert math.isnan(sharpe_difference_error(first[1:], second[1:], 1))
    assert math.isnan(sharpe_difference_error(first, np.full(252, 0.001), 1))
