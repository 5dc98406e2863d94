"""The correlation guard: published switch counts, an independent form, and what it may and may not move."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.plain_blueprint import regimes
from support.plain_market import market_of_files

from plimsoll.strategies import correlation_regime as regime


def run(x: np.ndarray, y: np.ndarray, params: regime.Params) -> np.ndarray:
    """Memory after every bar (T, 8)."""
    state = regime.init()
    rows = []
    for a, b in zip(x, y, strict=True):
        regime.step(state, params, a, b)
        rows.append(state.memory.copy())
    return np.array(rows)


@pytest.mark.realdata
@pytest.mark.parametrize(("threshold", "published"), [(0.0, 27), (0.10, 9), (0.15, 3)])
def test_the_number_of_switches_of_real_stocks_and_bonds_is_the_measured_one(
    real_daily: Path, threshold: float, published: int
) -> None:
    ret = market_of_files(real_daily, ["QQQ", "TLT"], "2026-05-01").ret
    memory = run(ret["QQQ"].to_numpy(), ret["TLT"].to_numpy(), regime.Params(threshold=threshold))
    states = memory[memory[:, regime.REGIME] != 0.0, regime.REGIME]
    assert abs(int((np.diff(states) != 0.0).sum()) - published) <= 1


@given(seed=st.integers(0, 2**32), threshold=st.floats(0.0, 0.3), dwell=st.integers(1, 30), ramp=st.integers(1, 30))
def test_every_bar_equals_plain_pandas(seed: int, threshold: float, dwell: int, ramp: int) -> None:
    rng = np.random.default_rng(seed)
    x = rng.standard_t(4, 250) * 0.01
    y = 0.005 * rng.standard_normal(250) + np.repeat(rng.uniform(-1, 1, 10), 25) * x
    x[rng.random(250) < 0.03] = np.nan
    y[rng.random(250) < 0.03] = np.nan
    theirs = regimes(pd.Series(x), pd.Series(y), threshold, dwell, ramp)
    ours = run(x, y, regime.Params(threshold=threshold, dwell=dwell, ramp=ramp))
    np.testing.assert_allclose(ours[:, regime.RHO], theirs["rho"], rtol=1e-9)
    np.testing.assert_array_equal(ours[:, regime.REGIME], theirs["state"])
    np.testing.assert_allclose(ours[:, regime.LEVEL], theirs["level"], atol=1e-12)


def test_the_guard_goes_up_in_a_straight_line_and_the_regime_dwells() -> None:
    rng = np.random.default_rng(3)
    x = rng.normal(0.0, 0.01, 400)
    y = np.where(np.arange(400) < 150, -x, x)
    memory = run(x, y, regime.Params())
    up = int(np.flatnonzero(memory[:, regime.REGIME] > 0.0)[0])
    np.testing.assert_allclose(memory[up : up + 21, regime.LEVEL], np.arange(1, 22) / 21.0)
    assert (memory[up:, regime.REGIME] > 0.0).all()


budgets = st.lists(st.floats(0.0, 1.0), min_size=5, max_size=5)
masks = st.lists(st.booleans(), min_size=5, max_size=5)


@given(budget=budgets, amount=st.floats(0.0, 1.0), giver=masks, taker=masks)
def test_a_shift_keeps_the_sum_and_only_moves_from_givers_to_takers(
    budget: list[float], amount: float, giver: list[bool], taker: list[bool]
) -> None:
    before, after = np.array(budget), np.array(budget)
    gives, takes = np.array(giver), np.array(taker) & ~np.array(giver)
    moved = regime.shift_budget(after, amount, gives, takes)
    assert after.sum() == pytest.approx(before.sum(), abs=1e-12)
    assert moved <= min(amount, before[gives].sum()) + 1e-12
    assert before[gives].sum() - after[gives].sum() == pytest.approx(moved, abs=1e-12)
    np.testing.assert_array_equal(after[~gives & ~takes], before[~gives & ~takes])
    assert (after[gives] <= before[gives] + 1e-15).all()
    assert (after[takes] >= before[takes]).all()
    assert (after >= -1e-15).all()


def test_takers_share_by_what_they_have_and_equally_if_they_have_nothing() -> None:
    budget = np.array([0.2, 0.3, 0.1, 0.0])
    regime.shift_budget(budget, 0.1, np.array([True, False, False, False]), np.array([False, True, True, False]))
    np.testing.assert_allclose(budget, [0.1, 0.375, 0.125, 0.0])
    empty = np.array([0.2, 0.0, 0.0])
    regime.shift_budget(empty, 0.1, np.array([True, False, False]), np.array([False, True, True]))
    np.testing.assert_allclose(empty, [0.1, 0.05, 0.05])
