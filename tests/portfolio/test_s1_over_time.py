"""Stage 1 from session to session: ramps, smoothing, thresholds, demotions, and shares inside a book."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from support.allocation import by_inverse_vol, covariance, demote, in_force, market, moments_of, params, plain_cap, step
from support.book_run import UNGOVERNED, Book, Steady, run_book, walk_panel
from support.panels import make_panel

from plimsoll.engine.config.stages import AllocateSection
from plimsoll.engine.kernels.allocate.hrp import hrp_weights
from plimsoll.engine.kernels.estimate import moments
from plimsoll.engine.market.calendar import build_clock
from plimsoll.engine.portfolio.settings import allocate_params
from plimsoll.engine.portfolio.stages import s1_allocate as s1
from plimsoll.engine.types import Floats


# ------------------------------------------------------------------------------------------- ramp, smoothing, threshold
def test_a_new_sleeve_is_ramped_from_half_to_its_full_weight_over_twenty_sessions() -> None:
    seen = moments_of(market(11, 4))
    p = params(cap=1.0, smoothing=0.0, apply_threshold=0.0)
    s = s1.init(4)
    active = np.array([True, True, True, False])
    for _ in range(30):
        step(s, seen, p, active=active)
    raw = hrp_weights(covariance(seen))
    for k in range(1, 26):
        got = step(s, seen, p)
        factor = min(0.5 + 0.5 * k / 20.0, 1.0)
        x = raw * np.array([1.0, 1.0, 1.0, factor])
        np.testing.assert_allclose(got, x / x.sum(), rtol=1e-10)


def test_the_ramp_counts_sessions_also_where_allocations_are_weekly() -> None:
    seen = moments_of(market(11, 4))
    p = params(cap=1.0, smoothing=0.0, apply_threshold=0.0)
    s = s1.init(4)
    for _ in range(30):
        step(s, seen, p, active=np.array([True, True, True, False]))
    raw = hrp_weights(covariance(seen))
    for k in (1, 6, 11, 16, 21):
        got = step(s, seen, p)
        x = raw * np.array([1.0, 1.0, 1.0, min(0.5 + 0.5 * k / 20.0, 1.0)])
        np.testing.assert_allclose(got, x / x.sum(), rtol=1e-10)
        for _ in range(4):  # the days of the week without an allocation
            s1.pass_session(s.counts, s.age)


def test_a_sleeve_that_waited_for_its_history_is_as_new_as_any_when_it_has_one() -> None:
    seen = moments_of(market(12, 3))
    p = params(cap=1.0, smoothing=0.0, apply_threshold=0.0)
    s = s1.init(3)
    for _ in range(5):  # nobody has a history: 1/N, the late one too
        step(s, moments.init(3), p, n_obs=np.zeros(3))
    for _ in range(40):
        step(s, seen, p, n_obs=np.array([100.0, 100.0, 0.0]))
    raw = hrp_weights(covariance(seen))
    x = raw * np.array([1.0, 1.0, 0.525])
    np.testing.assert_allclose(step(s, seen, p, n_obs=np.array([100.0, 100.0, 60.0])), x / x.sum(), rtol=1e-10)


def test_smoothing_starts_at_its_first_target() -> None:
    seen = moments_of(market(13, 3))
    s = s1.init(3)
    got = step(s, seen, params(cap=1.0, ramp_start=1.0))
    np.testing.assert_allclose(got, hrp_weights(covariance(seen)), rtol=1e-12)
    assert s.smooth.tolist() == got.tolist()


def test_a_constant_target_is_approached_geometrically_at_the_rate_of_smoothing() -> None:
    before, after = moments_of(market(14, 4)), moments_of(market(15, 4))
    p = params(cap=1.0, apply_threshold=0.0, ramp_start=1.0)
    s = s1.init(4)
    start = step(s, before, p)
    target = hrp_weights(covariance(after))
    for n in range(1, 30):
        np.testing.assert_allclose(step(s, after, p) - target, 0.8**n * (start - target), atol=1e-14)


def test_a_filter_on_each_weight_would_never_move_where_the_whole_vector_does() -> None:
    old, new = np.array([0.20, 0.20, 0.20, 0.20, 0.20]), np.array([0.28, 0.18, 0.18, 0.18, 0.18])
    p = params(method="inverse_vol", ramp_start=1.0)
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
    p = params(method="inverse_vol", cap=1.0, ramp_start=1.0)
    s = s1.init(3)
    start = step(s, by_inverse_vol(old), p)
    for _ in range(50):
        assert step(s, by_inverse_vol(new), p).tolist() == start.tolist()
    np.testing.assert_allclose(s.smooth, new, atol=1e-5)


# ------------------------------------------------------------------------------------------------------------ demotion
def test_a_demoted_sleeve_is_out_at_once_and_the_others_share_what_it_had() -> None:
    seen = moments_of(market(16, 4))
    p = params(cap=1.0, ramp_start=1.0, apply_threshold=0.0)
    s = s1.init(4)
    before = step(s, seen, p)
    demote(np.array([False, False, True, False]), p, s)
    expected = np.where(np.arange(4) == 2, 0.0, before) / (1.0 - before[2])
    for vector in (s.applied, s.smooth):
        np.testing.assert_allclose(vector, expected, rtol=1e-12)
        assert vector[2] == 0.0
    s1.pass_session(s.counts, s.age)
    assert in_force(s).tolist() == s.applied.tolist()  # one session of run-off is none


def test_what_a_demoted_sleeve_leaves_does_not_lift_the_others_over_the_cap() -> None:
    p = params(method="inverse_vol", ramp_start=1.0)
    s = s1.init(4)
    step(s, by_inverse_vol(np.array([0.34, 0.33, 0.23, 0.10])), p)
    demote(np.array([False, False, True, False]), p, s)
    for vector in (s.applied, s.smooth):
        np.testing.assert_allclose(vector, plain_cap(np.array([0.34, 0.33, 0.10]), 0.35)[[0, 1, 1, 2]] * [1, 1, 0, 1])
        assert vector.sum() == pytest.approx(1.0, abs=1e-12)


def test_a_demotion_runs_off_in_a_straight_line_over_the_sessions_asked_for() -> None:
    seen = moments_of(market(17, 3))
    p = params(cap=1.0, ramp_start=1.0, apply_threshold=0.0)
    s = s1.init(3)
    before = step(s, seen, p)
    demote(np.array([True, False, False]), p, s, 5)
    for k in range(1, 8):
        step(s, seen, p, active=np.array([False, True, True]))
        got = in_force(s, 5)
        left = max(1.0 - k / 5.0, 0.0)
        np.testing.assert_allclose(got, left * before + (1.0 - left) * s.applied, rtol=1e-12)
        assert got.sum() == pytest.approx(1.0, abs=1e-12)
        assert got[0] == pytest.approx(left * before[0], abs=1e-15)


def test_a_second_demotion_runs_off_from_what_was_in_force_then() -> None:
    seen = moments_of(market(19, 4))
    p = params(cap=1.0, ramp_start=1.0, apply_threshold=0.0)
    s = s1.init(4)
    step(s, seen, p)
    demote(np.array([True, False, False, False]), p, s, 10)
    for _ in range(4):
        step(s, seen, p, active=np.array([False, True, True, True]))
    between = in_force(s, 10).copy()
    demote(np.array([False, True, False, False]), p, s, 10)
    np.testing.assert_allclose(in_force(s, 10), between, rtol=1e-14)  # no jump
    assert between[0] > 0.0


def test_a_sleeve_promoted_after_everybody_left_starts_whole() -> None:
    seen = moments_of(market(18, 2))
    p = params()
    s = s1.init(2)
    step(s, seen, p, active=np.array([True, False]))
    demote(np.array([True, False]), p, s)
    assert step(s, seen, p, active=np.zeros(2)).tolist() == [0.0, 0.0]
    assert step(s, seen, p, active=np.array([False, True])).tolist() == [0.0, 1.0]
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


# --------------------------------------------------------------------------------------------------------- least share
def test_what_a_sleeve_without_a_target_has_left_ends_at_a_millionth_and_the_others_have_it() -> None:
    seen = moments_of(market(14, 4))
    waits = np.array([250.0, 250.0, 250.0, 0.0])
    left = {}
    for least in (0.0, 1e-6):
        p = params(cap=1.0, apply_threshold=0.0, ramp_start=1.0, least_share=least)
        s = s1.init(4)
        step(s, seen, p)
        left[least] = [step(s, seen, p, n_obs=waits)[3] for _ in range(70)]
        np.testing.assert_allclose(s.applied.sum(), 1.0, atol=1e-12)
    ends = int(np.argmax(np.array(left[1e-6]) == 0.0))
    assert left[0.0][ends - 1] >= 1e-6 > left[0.0][ends] > 0.0
    assert not any(left[1e-6][ends:])
    np.testing.assert_allclose(left[1e-6][:ends], left[0.0][:ends], rtol=1e-12)


@pytest.mark.parametrize(
    ("given", "literal", "least"), [({}, False, 1e-6), ({}, True, 0.0), ({"least_share": 0.01}, True, 0.01)]
)
def test_the_least_share_is_a_millionth_unless_the_requirement_is_read_to_the_letter(
    given: dict[str, float], literal: bool, least: float
) -> None:
    assert allocate_params(AllocateSection(**given), 20, literal=literal).least_share == least
