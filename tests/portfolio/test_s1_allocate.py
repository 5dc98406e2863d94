"""Stage 1: shares of the book, against the public HRP and ERC of a covariance and against arithmetic by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from support.allocation import NEUTRAL, covariance, first, market, moments_of, params, plain_cap, step

from plimsoll.engine.kernels.allocate.erc import risk_budget_weights
from plimsoll.engine.kernels.allocate.hrp import hrp_weights
from plimsoll.engine.kernels.allocate.nco import nco_weights
from plimsoll.engine.kernels.estimate import moments, shrinkage
from plimsoll.engine.portfolio.stages import s1_allocate as s1
from plimsoll.engine.types import Floats


# ----------------------------------------------------------------------------------------------- methods and ladder
@pytest.mark.parametrize("k", [2, 3, 5, 8])
def test_the_default_is_hrp_of_the_shrunk_covariance(k: int) -> None:
    seen = moments_of(market(k, k))
    s = s1.init(k)
    np.testing.assert_allclose(step(s, seen, NEUTRAL), hrp_weights(covariance(seen)), rtol=1e-12)
    assert s.counts[s1.RUNG] == s1.HRP
    np.testing.assert_allclose(s.erc, risk_budget_weights(covariance(seen)), rtol=1e-9)


def test_methods_can_be_chosen() -> None:
    seen = moments_of(market(1, 4))
    vol = np.sqrt(np.diag(covariance(seen)))
    for method, expected in {
        "erc": risk_budget_weights(covariance(seen)),
        "inverse_vol": (1.0 / vol) / (1.0 / vol).sum(),
        "equal": np.full(4, 0.25),
        "nco": nco_weights(covariance(seen)),
    }.items():
        p = params(method=method, cap=1.0, smoothing=0.0, ramp_start=1.0)
        np.testing.assert_allclose(first(seen, p), expected, rtol=1e-9)


def with_method(name: str) -> s1.Params:
    return params(method=name, cap=1.0, smoothing=0.0, apply_threshold=0.0, ramp_start=1.0)


def too_noisy() -> moments.State:
    """Moments whose correlations cannot be told from a common one: the intensity is clipped at 1."""
    rng = np.random.default_rng(0)
    for _ in range(200):
        seen = moments_of(rng.standard_normal((22, 4)) * 0.01, half_life=8.0)
        info, cov = np.zeros(shrinkage.INFO_SIZE), np.empty((4, 4))
        shrinkage.shrink_pairs(seen, 20, 1.0, shrinkage.init(4), info, cov)
        if info[shrinkage.INTENSITY] > 0.9:
            return seen
    raise AssertionError("no such draw")


def test_rung_erc_is_taken_where_hrp_is_not_asked_for_and_converges() -> None:
    s = s1.init(4)
    step(s, moments_of(market(2, 4)), with_method("erc"))
    assert s1.RUNGS[int(s.counts[s1.RUNG])] == "erc"


@pytest.mark.parametrize("k", [1, 2, 5, 9])
def test_nco_follows_the_clusters_of_the_shrunk_covariance(k: int) -> None:
    seen, s = moments_of(market(k, k)), s1.init(k)
    got = step(s, seen, with_method("nco"))
    assert s1.RUNGS[int(s.counts[s1.RUNG])] == "nco"
    np.testing.assert_allclose(got, nco_weights(covariance(seen)) if k > 1 else [1.0], rtol=1e-12)


def test_nco_falls_to_inverse_volatility_where_there_is_no_estimate_and_says_so() -> None:
    s = s1.init(4)
    np.testing.assert_allclose(step(s, too_noisy(), with_method("nco")), first(too_noisy()), rtol=1e-12)
    assert s1.RUNGS[int(s.counts[s1.RUNG])] == "inverse_vol"


def test_rung_inverse_volatility_where_shrinkage_leaves_nothing_of_the_sample() -> None:
    seen, s = too_noisy(), s1.init(4)
    got = step(s, seen, NEUTRAL)
    vol = np.sqrt(seen.pair[moments.M20].diagonal() / seen.pair[moments.WEIGHT].diagonal())
    assert s1.RUNGS[int(s.counts[s1.RUNG])] == "inverse_vol"
    np.testing.assert_allclose(got, (1.0 / vol) / (1.0 / vol).sum(), rtol=1e-12)
    assert np.isnan(s.hrp).all()
    assert np.isnan(s.erc).all()


def test_the_same_moments_give_hrp_where_more_shrinkage_is_allowed() -> None:
    s = s1.init(4)
    step(s, too_noisy(), params(max_shrinkage=1.0))
    assert s1.RUNGS[int(s.counts[s1.RUNG])] == "hrp"


@pytest.mark.parametrize("method", ["hrp", "erc", "min_variance", "nco"])
def test_a_sleeve_without_variance_gets_nothing_and_leaves_the_others_as_they_are(method: str) -> None:
    ret, p = market(3, 4), with_method(method)
    ret[:, 2] = 0.0
    others = [0, 1, 3]
    s, alone = s1.init(4), s1.init(3)
    got = step(s, moments_of(ret), p)
    assert s1.RUNGS[int(s.counts[s1.RUNG])] == method
    assert got[2] == 0.0
    np.testing.assert_array_equal(got[others], step(alone, moments_of(ret[:, others]), p))
    np.testing.assert_array_equal(s.info, alone.info)


def test_rung_one_over_n_where_nobody_has_a_volatility() -> None:
    s = s1.init(4)
    got = step(s, moments.init(4), NEUTRAL)
    assert s1.RUNGS[int(s.counts[s1.RUNG])] == "equal"
    np.testing.assert_allclose(got, 0.25, rtol=1e-15)


def test_moments_that_are_not_finite_end_at_one_over_n_never_in_nan() -> None:
    seen = moments_of(market(4, 3))
    seen.pair[moments.M20] = np.inf
    got = first(seen)
    np.testing.assert_allclose(got, 1.0 / 3.0)


def test_the_lone_sleeve_gets_everything_and_nobody_gets_nothing() -> None:
    seen = moments_of(market(5, 2))
    assert first(seen, active=np.array([False, True])).tolist() == [0.0, 1.0]
    s = s1.init(2)
    assert step(s, seen, NEUTRAL, active=np.zeros(2)).tolist() == [0.0, 0.0]
    assert s1.RUNGS[int(s.counts[s1.RUNG])] == "nobody"


def test_the_alarm_rings_where_hrp_and_erc_are_more_than_a_fifth_apart() -> None:
    rng = np.random.default_rng(0)
    rang = set()
    for _ in range(60):
        seen = moments_of(market(int(rng.integers(1 << 30)), 6, common=float(rng.uniform(0.7, 3))))
        s = s1.init(6)
        step(s, seen, NEUTRAL)
        gap = 0.5 * np.abs(hrp_weights(covariance(seen)) - risk_budget_weights(covariance(seen))).sum()
        assert s.info[-1] == pytest.approx(gap, rel=1e-6)
        assert s.counts[s1.ALARM] == float(gap > 0.20)
        rang.add(gap > 0.20)
    assert rang == {True, False}


# ------------------------------------------------------------------------------------------------------- who is in it
@pytest.mark.parametrize(
    ("n_obs", "in_it", "rung"),
    [
        ([250, 60, 59, 0], [1, 1, 0, 0], "hrp"),
        ([250, 59, 59, 59], [1, 0, 0, 0], "hrp"),
        ([59, 20, 19, 0], [1, 1, 0, 0], "inverse_vol"),
        ([19, 19, 19, 0], [1, 1, 1, 1], "inverse_vol"),
    ],
)
def test_full_histories_first_then_young_ones_then_all(n_obs: list[int], in_it: list[int], rung: str) -> None:
    s = s1.init(4)
    got = step(s, moments_of(market(6, 4)), NEUTRAL, n_obs=np.array(n_obs, dtype=np.float64))
    assert ((got > 0.0) == np.array(in_it, dtype=bool)).all()
    assert s1.RUNGS[int(s.counts[s1.RUNG])] == rung


def test_a_young_sleeve_does_not_demote_the_method_of_the_others() -> None:
    seen = moments_of(market(7, 4))
    three = covariance(moments.sub_moments(seen, np.arange(3)))
    got = first(seen, n_obs=np.array([250.0, 250.0, 250.0, 30.0]))
    np.testing.assert_allclose(got[:3], hrp_weights(three), rtol=1e-12)
    assert got[3] == 0.0


# ----------------------------------------------------------------------------------------------------- its properties
@given(st.integers(0, 2**32 - 1), st.integers(2, 9), st.floats(0.05, 1.0))
@settings(max_examples=60)
def test_shares_are_positive_sum_to_one_and_stay_under_the_cap_also_after_smoothing(
    seed: int, k: int, cap: float
) -> None:
    rng = np.random.default_rng(seed)
    s, p = s1.init(k), params(cap=cap, apply_threshold=0.0)
    for _ in range(12):
        seen = moments_of(market(int(rng.integers(1 << 30)), k, 80, float(rng.uniform(0, 3))))
        got = step(s, seen, p, skill=rng.uniform(0, 1, k), tilt=rng.uniform(0.8, 1.2, k))
        for a in (got, s.smooth):
            assert (a >= 0.0).all()
            assert a.sum() == pytest.approx(1.0, abs=1e-12)
            assert a.max() <= max(cap, 1.0 / k) + 1e-12


@given(st.integers(0, 2**32 - 1), st.floats(1e-3, 1e3))
@settings(max_examples=40)
def test_shares_do_not_depend_on_the_unit_of_returns(seed: int, by: float) -> None:
    ret = market(seed, 5)
    np.testing.assert_allclose(first(moments_of(by * ret)), first(moments_of(ret)), rtol=1e-9)


@given(st.permutations(range(5)))
@settings(max_examples=30)
def test_inverse_volatility_and_erc_follow_a_permutation_of_the_sleeves(order: list[int]) -> None:
    ret = market(8, 5)
    for method in ("inverse_vol", "erc"):
        p = with_method(method)
        np.testing.assert_allclose(first(moments_of(ret[:, order]), p), first(moments_of(ret), p)[order], rtol=1e-8)


def test_the_water_filled_cap_is_not_clip_and_divide() -> None:
    raw = np.array([0.6, 0.2, 0.1, 0.1])
    assert plain_cap(raw, 0.35) == pytest.approx([0.35, 0.325, 0.1625, 0.1625])
    vol = 0.01 / raw  # inverse volatility gives back the raw weights
    ret = np.random.default_rng(0).choice([-1.0, 1.0], (250, 4)) * vol
    got = first(moments_of(ret), params(method="inverse_vol", smoothing=0.0, ramp_start=1.0))
    np.testing.assert_allclose(got, [0.35, 0.325, 0.1625, 0.1625], rtol=1e-12)


@given(arrays(np.float64, 5, elements=st.floats(0.0, 1.0)), arrays(np.float64, 5, elements=st.floats(0.8, 1.2)))
@settings(max_examples=60)
def test_skill_and_regime_tilt_the_raw_weights_within_bounds_before_the_cap(skill: Floats, tilt: Floats) -> None:
    seen = moments_of(market(9, 5))
    raw = hrp_weights(covariance(seen))
    x = raw * np.clip(2.0 * skill, 0.75, 1.25) * tilt
    np.testing.assert_allclose(first(seen, skill=skill, tilt=tilt), x / x.sum(), rtol=1e-10)
    capped = first(seen, params(smoothing=0.0, ramp_start=1.0), skill=skill, tilt=tilt)
    np.testing.assert_allclose(capped, plain_cap(x, 0.35), rtol=1e-10)


def test_half_skill_and_missing_skill_are_neutral_and_none_takes_a_quarter() -> None:
    seen = moments_of(market(10, 3))
    raw = first(seen)
    np.testing.assert_allclose(first(seen, skill=np.array([0.5, np.nan, 0.5])), raw, rtol=1e-14)
    none = first(seen, skill=np.array([0.0, np.nan, np.nan]))
    assert none[0] / none[1] / (raw[0] / raw[1]) == pytest.approx(0.75, rel=1e-12)
    best = first(seen, skill=np.array([1.0, np.nan, np.nan]))
    assert best[0] / best[1] / (raw[0] / raw[1]) == pytest.approx(1.25, rel=1e-12)
