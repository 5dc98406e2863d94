"""Rank information coefficients against scipy, and skill against a direct weighted mean of means."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import rankdata, spearmanr

from plimsoll.engine.kernels.estimate import rank_ic
from plimsoll.engine.types import Floats

DECAY = 0.5 ** (1.0 / 63.0)


def coefficient(x: Floats, y: Floats, known: Floats) -> float:
    work = np.full((2, len(x)), np.nan)
    return rank_ic.spearman(x, y, known, work)


@given(
    arrays(np.float64, 9, elements=st.integers(-4, 4).map(float)),
    arrays(np.float64, 9, elements=st.integers(-4, 4).map(float)),
    arrays(np.bool_, 9),
)
@settings(max_examples=400)
def test_the_coefficient_is_spearmans_with_mid_ranks_over_what_is_known(x: Floats, y: Floats, known: Floats) -> None:
    got = coefficient(x, y, known)
    if known.sum() < 5 or len(set(x[known])) < 2 or len(set(y[known])) < 2:
        assert np.isnan(got)
    else:
        assert got == pytest.approx(float(spearmanr(x[known], y[known]).statistic), abs=1e-12)


@given(arrays(np.float64, 12, elements=st.integers(-3, 3).map(float)), arrays(np.bool_, 12))
def test_ranks_share_places_among_equals(x: Floats, known: Floats) -> None:
    out = np.full(12, np.nan)
    assert rank_ic.ranks(x, known, out) == known.sum()
    np.testing.assert_array_equal(out[known], rankdata(x[known]))


@settings(max_examples=40, deadline=None)
@given(
    n=st.integers(rank_ic.MANY - 30, 2 * rank_ic.MANY + 30),
    seed=st.integers(0, 2**32 - 1),
    values=st.integers(1, 2000),
    share=st.floats(0.5, 1.0),
)
def test_ranks_of_many_are_those_of_few(n: int, seed: int, values: int, share: float) -> None:
    rng = np.random.default_rng(seed)
    x, known, out = rng.integers(-values, values, n) / 7.0, rng.random(n) <= share, np.full(n, np.nan)
    assert rank_ic.ranks(x, known, out) == known.sum()
    np.testing.assert_array_equal(out[known], rankdata(x[known]))
    assert np.isnan(out[~known]).all()


@given(arrays(np.float64, st.integers(0, 70), elements=st.integers(-3, 3).map(float)))
def test_sorting_keeps_equals_in_their_order(x: Floats) -> None:
    room = np.empty(len(x), dtype=np.int64)
    order = rank_ic.merge_sort(x, np.empty_like(room), room)
    np.testing.assert_array_equal(order, np.argsort(x, kind="stable"))


def test_four_symbols_say_nothing_and_five_do() -> None:
    x, y = np.arange(5.0), np.arange(5.0) ** 3
    assert np.isnan(coefficient(x, y, np.array([True, True, True, True, False])))
    assert coefficient(x, y, np.ones(5, dtype=np.bool_)) == pytest.approx(1.0)
    assert coefficient(x, -y, np.ones(5, dtype=np.bool_)) == pytest.approx(-1.0)


def walked(held: Floats, ret: Floats, member: Floats) -> tuple[Floats, rank_ic.State]:
    """held (T, S, N) at the close before each bar, ret (T, N) -> skill (T, S)."""
    n_sleeves = held.shape[1]
    state, work = rank_ic.init(n_sleeves), np.zeros((2, ret.shape[1]))
    skill, out = np.full(n_sleeves, np.nan), []
    for t in range(len(ret)):
        rank_ic.step(state, held[t], member, ret[t], DECAY, work, skill)
        out.append(skill.copy())
    return np.array(out), state


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=25)
def test_skill_is_a_bias_corrected_mean_of_the_last_twenty_one_coefficients(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n_bars, n_sleeves, n = 70, 3, 8
    held = rng.normal(0, 0.3, (n_bars, n_sleeves, n))
    held[rng.random((n_bars, n_sleeves)) < 0.15] = 0.0  # idle: no opinion
    ret = rng.normal(0, 0.01, (n_bars, n)) + 0.003 * held[:, 0]
    ret[rng.random((n_bars, n)) < 0.15] = np.nan
    member = rng.random((n_sleeves, n)) < 0.9
    member[0] = True
    skill, state = walked(held, ret, member)
    for s in range(n_sleeves):
        seen: list[float] = []
        means: list[float] = []
        for t in range(n_bars):
            known = member[s] & ~np.isnan(ret[t])
            if held[t, s].any() and known.sum() >= 5 and len(set(held[t, s, known])) > 1:
                seen.append(float(spearmanr(held[t, s, known], ret[t, known]).statistic))
                if len(seen) >= 21:
                    means.append(float(np.mean(seen[-21:])))
            if not means:
                assert np.isnan(skill[t, s])
                continue
            weights = DECAY ** np.arange(len(means))[::-1]
            ic = float(np.average(means, weights=weights))
            assert skill[t, s] == pytest.approx(np.clip(0.5 + ic / 0.2, 0.0, 1.0), abs=1e-9)
        assert state.seen[s] == len(seen)


@pytest.mark.parametrize(("sign", "skill"), [(1.0, 1.0), (-1.0, 0.0)], ids=["always right", "always wrong"])
def test_skill_is_clipped_to_its_ends(sign: float, skill: float) -> None:
    rng = np.random.default_rng(1)
    ret = rng.normal(0, 0.01, (30, 6))
    got, _ = walked(sign * ret[:, None, :], ret, np.ones((1, 6), dtype=np.bool_))
    assert np.isnan(got[:20]).all()
    assert (got[20:] == skill).all()


def test_a_sleeve_of_equal_weights_never_shows_skill() -> None:
    ret = np.random.default_rng(2).normal(0, 0.01, (60, 6))
    got, state = walked(np.full((60, 1, 6), 1.0 / 6.0), ret, np.ones((1, 6), dtype=np.bool_))
    assert np.isnan(got).all()
    assert state.seen[0] == 0.0


def test_skill_looks_at_the_weights_before_the_return_not_after_it() -> None:
    """A sleeve that buys what just rose knows nothing of tomorrow."""
    rng = np.random.default_rng(3)
    ret = rng.normal(0, 0.01, (400, 10))
    after = np.vstack((np.zeros((1, 10)), ret[:-1]))[:, None, :]
    got, _ = walked(after, ret, np.ones((1, 10), dtype=np.bool_))
    assert 0.0 < np.nanmean(got) < 1.0
    assert abs(np.nanmean(got) - 0.5) < 0.4
