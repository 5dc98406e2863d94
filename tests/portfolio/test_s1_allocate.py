"""Stage 1: shares of the book, against the public HRP and ERC of a covariance and against arithmetic by hand."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from support.book_run import UNGOVERNED, Book, Steady, run_book, walk_panel
from support.panels import make_panel

from engine.kernels import moments, shrinkage
from engine.kernels.erc import risk_budget_weights
from engine.kernels.hrp import hrp_weights
from engine.market.calendar import build_clock
from engine.portfolio.stages import s1_allocate as s1
from engine.types import Bools, Floats

NEUTRAL = s1.Params(cap=1.0, smoothing=0.0, apply_threshold=0.0, ramp_start=1.0)


def moments_of(ret: Floats, half_life: float = 63.0) -> Floats:
    state = moments.init(ret.shape[1])
    moments.scan(state, moments.params(half_life), np.ascontiguousarray(ret))
    return state.pair


def market(seed: int, k: int, n_bars: int = 250, common: float = 1.0) -> Floats:
    """Returns of k sleeves that hang on two factors, each in its own way: correlations that are far from alike."""
    rng = np.random.default_rng(seed)
    loading = common * np.where(np.arange(k) % 2 == 0, [[1.6], [0.1]], [[-0.2], [1.2]]) * rng.uniform(0.6, 1.4, (2, k))
    ret: Floats = (rng.standard_normal((n_bars, 2)) @ loading + rng.standard_normal((n_bars, k))) * rng.uniform(
        0.003, 0.02, k
    )
    return ret


def covariance(pair: Floats) -> Floats:
    k = pair.shape[1]
    cov, info = np.empty((k, k)), np.zeros(shrinkage.INFO_SIZE)
    assert shrinkage.shrink_pairs(pair, 20, shrinkage.init(k), info, cov) == 0
    return cov


def step(s: s1.State, pair: Floats, p: s1.Params, **given: Floats | Bools) -> Floats:
    """Let a session pass and allocate at its close; return what was applied."""
    k = pair.shape[1]
    s1.pass_session(s.counts, s.age)
    s1.allocate(
        pair,
        np.asarray(given.get("n_obs", np.full(k, 250.0)), dtype=np.float64),
        np.asarray(given.get("active", np.ones(k)), dtype=np.bool_),
        np.asarray(given.get("skill", np.full(k, np.nan)), dtype=np.float64),
        np.asarray(given.get("tilt", np.ones(k)), dtype=np.float64),
        p,
        s,
    )
    return s.applied.copy()


def first(pair: Floats, p: s1.Params = NEUTRAL, **given: Floats | Bools) -> Floats:
    return step(s1.init(pair.shape[1]), pair, p, **given)


def plain_cap(x: Floats, cap: float) -> Floats:
    """Cap and give the rest to the others in proportion, again and again, on fractions of a sum of 1."""
    x = np.asarray(x, dtype=np.float64) / np.sum(x)
    top = max(cap, 1.0 / len(x))
    fixed = np.zeros(len(x), dtype=bool)
    while (x > top * (1 + 1e-14)).any():
        fixed |= x >= top * (1 - 1e-14)
        x = np.where(fixed, top, x)
        rest = ~fixed
        if x[rest].sum() > 0:
            x[rest] *= (1.0 - top * fixed.sum()) / x[rest].sum()
    return x


# ----------------------------------------------------------------------------------------------- methods and ladder
@pytest.mark.parametrize("k", [2, 3, 5, 8])
def test_the_default_is_hrp_of_the_shrunk_covariance(k: int) -> None:
    pair = moments_of(market(k, k))
    s = s1.init(k)
    np.testing.assert_allclose(step(s, pair, NEUTRAL), hrp_weights(covariance(pair)), rtol=1e-12)
    assert s.counts[s1.RUNG] == s1.HRP
    np.testing.assert_allclose(s.erc, risk_budget_weights(covariance(pair)), rtol=1e-9)


def test_methods_can_be_chosen() -> None:
    pair = moments_of(market(1, 4))
    vol = np.sqrt(np.diag(covariance(pair)))
    for method, expected in {
        "erc": risk_budget_weights(covariance(pair)),
        "inverse_vol": (1.0 / vol) / (1.0 / vol).sum(),
        "equal": np.full(4, 0.25),
    }.items():
        p = s1.Params(method=method, cap=1.0, smoothing=0.0, ramp_start=1.0)  # type: ignore[arg-type]
        np.testing.assert_allclose(first(pair, p), expected, rtol=1e-9)


def with_method(name: str) -> s1.Params:
    return s1.Params(method=name, cap=1.0, smoothing=0.0, apply_threshold=0.0, ramp_start=1.0)  # type: ignore[arg-type]


def too_noisy() -> Floats:
    """Moments whose correlations cannot be told from a common one: the intensity is clipped at 1."""
    rng = np.random.default_rng(0)
    for _ in range(200):
        pair = moments_of(rng.standard_normal((22, 4)) * 0.01, half_life=8.0)
        info, cov = np.zeros(shrinkage.INFO_SIZE), np.empty((4, 4))
        shrinkage.shrink_pairs(pair, 20, shrinkage.init(4), info, cov)
        if info[shrinkage.INTENSITY] > 0.9:
            return pair
    raise AssertionError("no such draw")


def test_rung_erc_is_taken_where_hrp_is_not_asked_for_and_converges() -> None:
    s = s1.init(4)
    step(s, moments_of(market(2, 4)), with_method("erc"))
    assert s1.RUNGS[int(s.counts[s1.RUNG])] == "erc"


def test_rung_inverse_volatility_where_shrinkage_leaves_nothing_of_the_sample() -> None:
    pair, s = too_noisy(), s1.init(4)
    got = step(s, pair, NEUTRAL)
    vol = np.sqrt(pair[moments.M20].diagonal() / pair[moments.WEIGHT].diagonal())
    assert s1.RUNGS[int(s.counts[s1.RUNG])] == "inverse_vol"
    np.testing.assert_allclose(got, (1.0 / vol) / (1.0 / vol).sum(), rtol=1e-12)
    assert np.isnan(s.hrp).all()
    assert np.isnan(s.erc).all()


def test_the_same_moments_give_hrp_where_more_shrinkage_is_allowed() -> None:
    s = s1.init(4)
    step(s, too_noisy(), s1.Params(max_intensity=1.0))
    assert s1.RUNGS[int(s.counts[s1.RUNG])] == "hrp"


def test_a_sleeve_without_variance_falls_to_inverse_volatility_over_the_others() -> None:
    ret = market(3, 4)
    ret[:, 2] = 0.0
    s = s1.init(4)
    got = step(s, moments_of(ret), NEUTRAL)
    assert s1.RUNGS[int(s.counts[s1.RUNG])] == "inverse_vol"
    assert got[2] == 0.0
    assert got.sum() == pytest.approx(1.0, abs=1e-12)


def test_rung_one_over_n_where_nobody_has_a_volatility() -> None:
    s = s1.init(4)
    got = step(s, np.zeros((moments.PLANES, 4, 4)), NEUTRAL)
    assert s1.RUNGS[int(s.counts[s1.RUNG])] == "equal"
    np.testing.assert_allclose(got, 0.25, rtol=1e-15)


def test_moments_that_are_not_finite_end_at_one_over_n_never_in_nan() -> None:
    pair = moments_of(market(4, 3))
    pair[moments.M20] = np.inf
    got = first(pair)
    np.testing.assert_allclose(got, 1.0 / 3.0)


def test_the_lone_sleeve_gets_everything_and_nobody_gets_nothing() -> None:
    pair = moments_of(market(5, 2))
    assert first(pair, active=np.array([False, True])).tolist() == [0.0, 1.0]
    s = s1.init(2)
    assert step(s, pair, NEUTRAL, active=np.zeros(2)).tolist() == [0.0, 0.0]
    assert s1.RUNGS[int(s.counts[s1.RUNG])] == "nobody"


def test_the_alarm_rings_where_hrp_and_erc_are_more_than_a_fifth_apart() -> None:
    rng = np.random.default_rng(0)
    seen = set()
    for _ in range(60):
        pair = moments_of(market(int(rng.integers(1 << 30)), 6, common=float(rng.uniform(0.7, 3))))
        s = s1.init(6)
        step(s, pair, NEUTRAL)
        gap = 0.5 * np.abs(hrp_weights(covariance(pair)) - risk_budget_weights(covariance(pair))).sum()
        assert s.info[-1] == pytest.approx(gap, rel=1e-6)
        assert s.counts[s1.ALARM] == float(gap > 0.20)
        seen.add(gap > 0.20)
    assert seen == {True, False}


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
    pair = moments_of(market(7, 4))
    three = covariance(pair[:, :3, :3].copy())
    got = first(pair, n_obs=np.array([250.0, 250.0, 250.0, 30.0]))
    np.testing.assert_allclose(got[:3], hrp_weights(three), rtol=1e-12)
    assert got[3] == 0.0


# ----------------------------------------------------------------------------------------------------- its properties
@given(st.integers(0, 2**32 - 1), st.integers(2, 9), st.floats(0.05, 1.0))
@settings(max_examples=60)
def test_shares_are_positive_sum_to_one_and_stay_under_the_cap_also_after_smoothing(
    seed: int, k: int, cap: float
) -> None:
    rng = np.random.default_rng(seed)
    s, p = s1.init(k), s1.Params(cap=cap, apply_threshold=0.0)
    for _ in range(12):
        pair = moments_of(market(int(rng.integers(1 << 30)), k, 80, float(rng.uniform(0, 3))))
        got = step(s, pair, p, skill=rng.uniform(0, 1, k), tilt=rng.uniform(0.8, 1.2, k))
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
    got = first(moments_of(ret), s1.Params(method="inverse_vol", smoothing=0.0, ramp_start=1.0))
    np.testing.assert_allclose(got, [0.35, 0.325, 0.1625, 0.1625], rtol=1e-12)


@given(arrays(np.float64, 5, elements=st.floats(0.0, 1.0)), arrays(np.float64, 5, elements=st.floats(0.8, 1.2)))
@settings(max_examples=60)
def test_skill_and_regime_tilt_the_raw_weights_within_bounds_before_the_cap(skill: Floats, tilt: Floats) -> None:
    pair = moments_of(market(9, 5))
    raw = hrp_weights(covariance(pair))
    x = raw * np.clip(2.0 * skill, 0.75, 1.25) * tilt
    np.testing.assert_allclose(first(pair, skill=skill, tilt=tilt), x / x.sum(), rtol=1e-10)
    capped = first(pair, s1.Params(smoothing=0.0, ramp_start=1.0), skill=skill, tilt=tilt)
    np.testing.assert_allclose(capped, plain_cap(x, 0.35), rtol=1e-10)


def test_half_skill_and_missing_skill_are_neutral_and_none_takes_a_quarter() -> None:
    pair = moments_of(market(10, 3))
    raw = first(pair)
    np.testing.assert_allclose(first(pair, skill=np.array([0.5, np.nan, 0.5])), raw, rtol=1e-14)
    none = first(pair, skill=np.array([0.0, np.nan, np.nan]))
    assert none[0] / none[1] / (raw[0] / raw[1]) == pytest.approx(0.75, rel=1e-12)
    best = first(pair, skill=np.array([1.0, np.nan, np.nan]))
    assert best[0] / best[1] / (raw[0] / raw[1]) == pytest.approx(1.25, rel=1e-12)


# ------------------------------------------------------------------------------------------- ramp, smoothing, threshold
def test_a_new_sleeve_is_ramped_from_half_to_its_full_weight_over_twenty_sessions() -> None:
    pair = moments_of(market(11, 4))
    p = s1.Params(cap=1.0, smoothing=0.0, apply_threshold=0.0)
    s = s1.init(4)
    active = np.array([True, True, True, False])
    for _ in range(30):
        step(s, pair, p, active=active)
    raw = hrp_weights(covariance(pair))
    for k in range(1, 26):
        got = step(s, pair, p)
        factor = min(0.5 + 0.5 * k / 20.0, 1.0)
        x = raw * np.array([1.0, 1.0, 1.0, factor])
        np.testing.assert_allclose(got, x / x.sum(), rtol=1e-10)


def test_the_ramp_counts_sessions_also_where_allocations_are_weekly() -> None:
    pair = moments_of(market(11, 4))
    p = s1.Params(cap=1.0, smoothing=0.0, apply_threshold=0.0)
    s = s1.init(4)
    for _ in range(30):
        step(s, pair, p, active=np.array([True, True, True, False]))
    raw = hrp_weights(covariance(pair))
    for k in (1, 6, 11, 16, 21):
        got = step(s, pair, p)
        x = raw * np.array([1.0, 1.0, 1.0, min(0.5 + 0.5 * k / 20.0, 1.0)])
        np.testing.assert_allclose(got, x / x.sum(), rtol=1e-10)
        for _ in range(4):  # the days of the week without an allocation
            s1.pass_session(s.counts, s.age)


def test_a_sleeve_that_waited_for_its_history_is_as_new_as_any_when_it_has_one() -> None:
    pair = moments_of(market(12, 3))
    p = s1.Params(cap=1.0, smoothing=0.0, apply_threshold=0.0)
    s = s1.init(3)
    for _ in range(5):  # nobody has a history: 1/N, the late one too
        step(s, np.zeros_like(pair), p, n_obs=np.zeros(3))
    for _ in range(40):
        step(s, pair, p, n_obs=np.array([100.0, 100.0, 0.0]))
    raw = hrp_weights(covariance(pair))
    x = raw * np.array([1.0, 1.0, 0.525])
    np.testing.assert_allclose(step(s, pair, p, n_obs=np.array([100.0, 100.0, 60.0])), x / x.sum(), rtol=1e-10)


def test_smoothing_starts_at_its_first_target() -> None:
    pair = moments_of(market(13, 3))
    s = s1.init(3)
    got = step(s, pair, s1.Params(cap=1.0, ramp_start=1.0))
    np.testing.assert_allclose(got, hrp_weights(covariance(pair)), rtol=1e-12)
    assert s.smooth.tolist() == got.tolist()


def test_a_constant_target_is_approached_geometrically_at_the_rate_of_smoothing() -> None:
    before, after = moments_of(market(14, 4)), moments_of(market(15, 4))
    p = s1.Params(cap=1.0, apply_threshold=0.0, ramp_start=1.0)
    s = s1.init(4)
    start = step(s, before, p)
    target = hrp_weights(covariance(after))
    for n in range(1, 30):
        np.testing.assert_allclose(step(s, after, p) - target, 0.8**n * (start - target), atol=1e-14)


def by_inverse_vol(raw: Floats) -> Floats:
    ret = np.random.default_rng(0).choice([-1.0, 1.0], (250, len(raw))) * (0.01 / np.asarray(raw))
    return moments_of(ret)


def test_a_filter_on_each_weight_would_never_move_where_the_whole_vector_does() -> None:
    old, new = np.array([0.20, 0.20, 0.20, 0.20, 0.20]), np.array([0.28, 0.18, 0.18, 0.18, 0.18])
    p = s1.Params(method="inverse_vol", ramp_start=1.0)
    s = s1.init(5)
    step(s, by_inverse_vol(old), p)
    stuck = 0.20
    path = []
    for _ in range(40):
        path.append(step(s, by_inverse_vol(new), p)[0])
        smooth = 0.8 * stuck + 0.2 * 0.28
        stuck = smooth if abs(smooth - stuck) > 0.02 else stuck
        assert s.applied.sum() == pytest.approx(1.0, abs=1e-12)
    assert stuck == 0.20  # the seed's rule, self-referential: forever
    assert path[0] == pytest.approx(0.20)  # .016 of lag is not worth a move
    assert path[1] == pytest.approx(0.28 - 0.08 * 0.8**2, rel=1e-12)
    assert abs(path[-1] - 0.28) <= 0.02


def test_applied_weights_stay_while_the_largest_lag_is_within_the_threshold() -> None:
    old, new = np.array([0.50, 0.30, 0.20]), np.array([0.515, 0.295, 0.19])
    p = s1.Params(method="inverse_vol", cap=1.0, ramp_start=1.0)
    s = s1.init(3)
    start = step(s, by_inverse_vol(old), p)
    for _ in range(50):
        assert step(s, by_inverse_vol(new), p).tolist() == start.tolist()
    np.testing.assert_allclose(s.smooth, new, atol=1e-5)


# ------------------------------------------------------------------------------------------------------------ demotion
def test_a_demoted_sleeve_is_out_at_once_and_the_others_share_what_it_had() -> None:
    pair = moments_of(market(16, 4))
    p = s1.Params(cap=1.0, ramp_start=1.0, apply_threshold=0.0)
    s = s1.init(4)
    before = step(s, pair, p)
    s1.demote(np.array([False, False, True, False]), p, s)
    expected = np.where(np.arange(4) == 2, 0.0, before) / (1.0 - before[2])
    for vector in (s.applied, s.smooth):
        np.testing.assert_allclose(vector, expected, rtol=1e-12)
        assert vector[2] == 0.0
    s1.pass_session(s.counts, s.age)
    assert s1.in_force(p, s).tolist() == s.applied.tolist()  # one session of run-off is none


def test_what_a_demoted_sleeve_leaves_does_not_lift_the_others_over_the_cap() -> None:
    p = s1.Params(method="inverse_vol", ramp_start=1.0)
    s = s1.init(4)
    step(s, by_inverse_vol(np.array([0.34, 0.33, 0.23, 0.10])), p)
    s1.demote(np.array([False, False, True, False]), p, s)
    for vector in (s.applied, s.smooth):
        np.testing.assert_allclose(vector, plain_cap(np.array([0.34, 0.33, 0.10]), 0.35)[[0, 1, 1, 2]] * [1, 1, 0, 1])
        assert vector.sum() == pytest.approx(1.0, abs=1e-12)


def test_a_demotion_runs_off_in_a_straight_line_over_the_sessions_asked_for() -> None:
    pair = moments_of(market(17, 3))
    p = s1.Params(cap=1.0, ramp_start=1.0, apply_threshold=0.0, runoff_sessions=5)
    s = s1.init(3)
    before = step(s, pair, p)
    s1.demote(np.array([True, False, False]), p, s)
    for k in range(1, 8):
        step(s, pair, p, active=np.array([False, True, True]))
        got = s1.in_force(p, s)
        left = max(1.0 - k / 5.0, 0.0)
        np.testing.assert_allclose(got, left * before + (1.0 - left) * s.applied, rtol=1e-12)
        assert got.sum() == pytest.approx(1.0, abs=1e-12)
        assert got[0] == pytest.approx(left * before[0], abs=1e-15)


def test_a_second_demotion_runs_off_from_what_was_in_force_then() -> None:
    pair = moments_of(market(19, 4))
    p = s1.Params(cap=1.0, ramp_start=1.0, apply_threshold=0.0, runoff_sessions=10)
    s = s1.init(4)
    step(s, pair, p)
    s1.demote(np.array([True, False, False, False]), p, s)
    for _ in range(4):
        step(s, pair, p, active=np.array([False, True, True, True]))
    between = s1.in_force(p, s).copy()
    s1.demote(np.array([False, True, False, False]), p, s)
    np.testing.assert_allclose(s1.in_force(p, s), between, rtol=1e-14)  # no jump
    assert between[0] > 0.0


def test_a_sleeve_promoted_after_everybody_left_starts_whole() -> None:
    pair = moments_of(market(18, 2))
    p = s1.Params()
    s = s1.init(2)
    step(s, pair, p, active=np.array([True, False]))
    s1.demote(np.array([True, False]), p, s)
    assert step(s, pair, p, active=np.zeros(2)).tolist() == [0.0, 0.0]
    assert step(s, pair, p, active=np.array([False, True])).tolist() == [0.0, 1.0]
    assert s.smooth.tolist() == [0.0, 1.0]


# ------------------------------------------------------------------------------------------------------------ in a book
def shares(book: Book, name: str) -> Floats:
    return book.fact(f"share.{name}")


QUIET = {"preset": "book", **UNGOVERNED, "regime": {"enabled": False}}


def four() -> dict[str, Steady]:
    return {n: Steady({s: 1.0}) for n, s in zip("abcd", ("AAA", "BBB", "CCC", "DDD"), strict=True)}


@pytest.mark.parametrize("every", [1, "week"])
def test_a_sleeve_quarantined_by_date_has_no_weight_from_that_close_on(every: int | str) -> None:
    panel = walk_panel(3, ("AAA", "BBB", "CCC", "DDD"), (0.1, 0.12, 0.14, 0.16), 160)
    at = 121
    sleeve = {"b": {"status": "quarantined", "since": str(panel.clock.session[at])}}
    book = run_book(panel, four(), first=100, sleeve=sleeve, integrator={**QUIET, "allocate": {"every": every}})
    weight = shares(book, "b")
    assert (weight[book.bars < at] > 0.1).all()
    assert not weight[book.bars >= at].any()
    total = sum(shares(book, n) for n in "abcd")
    np.testing.assert_allclose(total, 1.0, atol=1e-12)
    column = book.column("BBB")
    assert not book.targets[book.bars >= at, column].any()
    assert not book.stage("s7_turnover")[book.bars >= at, column].any()


def test_a_sleeve_promoted_by_date_enters_at_that_close_and_its_history_counts() -> None:
    panel = walk_panel(4, ("AAA", "BBB", "CCC", "DDD"), (0.1, 0.12, 0.14, 0.16), 160)
    at = 120
    sleeve = {"c": {"since": str(panel.clock.session[at])}}
    book = run_book(
        panel, four(), first=100, sleeve=sleeve,
        integrator={**QUIET, "allocate": {"smoothing": 0.0, "apply_threshold": 0.0, "cap": 1.0}},
    )  # fmt: skip
    weight, other = shares(book, "c"), shares(book, "d")
    assert not weight[book.bars < at].any()
    ramp = np.minimum(0.5 + 0.5 * (book.bars - at + 1) / 20.0, 1.0)
    looked = (book.bars >= at) & (book.fact("rung") == s1.HRP)
    assert looked.sum() > 30
    raw = book.fact("hrp.c") / book.fact("hrp.d")
    np.testing.assert_allclose((weight / other)[looked], (ramp * raw)[looked], rtol=1e-9)


def test_the_nudge_towards_erc_is_as_strong_as_a_crisis_is_certain() -> None:
    rng = np.random.default_rng(0)
    n_bars = 330
    z = rng.normal(0, 0.01, (n_bars, 3))
    z[:, 1] = 0.8 * z[:, 0] + 0.4 * z[:, 1]  # bonds fall with stocks: the third sign of a crisis
    z[280:, :2] -= 0.006
    closes = 100.0 * np.cumprod(1.0 + z, axis=0)
    panel = make_panel(closes, closes.copy(), symbols=("GLD", "SPY", "TLT"))
    vix = np.where(np.arange(n_bars) < 280, 15.0, 15.0 + 2.0 * (np.arange(n_bars) - 280))
    panel = replace(panel, indicators=("VIX",), indicator=vix[:, None])
    sleeves = {n: Steady({s: 1.0}) for n, s in zip("abc", panel.symbols, strict=True)}
    allocate = {"erc_blend_max": 0.6, "smoothing": 0.0, "apply_threshold": 0.0, "cap": 1.0, "ramp_start": 1.0}
    book = run_book(
        panel, sleeves, first=250,
        integrator={"preset": "book", **UNGOVERNED, "allocate": {**allocate, "skill_kappa": 0.0}},
    )  # fmt: skip
    crisis = book.fact("regime") == 3.0
    assert crisis.any()
    assert not crisis.all()
    blend = np.where(crisis, 0.6 * book.fact("confidence"), 0.0)
    for name in "abc":
        expected = (1.0 - blend) * book.fact(f"hrp.{name}") + blend * book.fact(f"erc.{name}")
        np.testing.assert_allclose(shares(book, name), expected, rtol=1e-9)


def test_statuses_move_at_the_closes_of_sessions_on_intraday_bars_too() -> None:
    clock = build_clock(date(2019, 1, 2), date(2019, 3, 29), "60min")
    n_bars = len(clock)
    rng = np.random.default_rng(1)
    closes = 100.0 * np.cumprod(1.0 + rng.normal(0, 0.003, (n_bars, 2)), axis=0)
    panel = make_panel(closes, closes.copy(), symbols=("AAA", "BBB"), clock=clock)
    day = panel.clock.session[n_bars // 2]
    sleeve = {"b": {"status": "quarantined", "since": str(day)}}
    sleeves = {"a": Steady({"AAA": 1.0}), "b": Steady({"BBB": 1.0})}
    book = run_book(panel, sleeves, sleeve=sleeve, integrator=QUIET)
    gone = panel.clock.session[book.bars] >= day
    assert gone.any()
    assert not gone.all()
    assert not shares(book, "b")[gone].any()
    np.testing.assert_allclose(shares(book, "a")[gone], 1.0, rtol=1e-12)
    before = (shares(book, "a") + shares(book, "b"))[~gone]
    np.testing.assert_allclose(before[1:], 1.0, rtol=1e-12)  # the first decision precedes the first close
