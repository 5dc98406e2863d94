"""Stage 2: one book of symbols; wrappers of the same thing are one position."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from support.book_run import Steady, run_book, walks
from support.panels import make_panel

from plimsoll.engine.kernels.derive import HALTED, TRADING, UNBORN
from plimsoll.engine.portfolio.stages import s2_net as s2
from plimsoll.engine.types import Floats

OLD = np.full(7, 250.0)
SYMBOLS = ("AAA", "GLD", "IAU", "SGOL", "SIVR", "SLV", "ZZZ")
MEMBER, GROUP = s2.wrapper_arrays((("GLD", "IAU", "SGOL"), ("SLV", "SIVR"), ("DBC", "PDBC")), SYMBOLS)
GROUPS = ([1, 2, 3], [5, 4])

weights7 = arrays(np.float64, 7, elements=st.integers(-100, 100).map(lambda x: x / 64.0))
statuses = arrays(np.int8, 7, elements=st.sampled_from([UNBORN, TRADING, HALTED]))
histories = arrays(np.float64, 7, elements=st.sampled_from([5.0, 250.0]))


def netted(w: Floats, status: Floats | None = None, n_obs: Floats = OLD) -> Floats:
    out = w.copy()
    s2.net_wrappers(MEMBER, GROUP, np.full(7, TRADING, dtype=np.int8) if status is None else status, n_obs, 20.0, out)
    return out


@given(st.integers(0, 2**32 - 1), st.integers(1, 6))
def test_the_book_is_the_sum_of_shares_times_scaled_sleeves(seed: int, n_sleeves: int) -> None:
    rng = np.random.default_rng(seed)
    share, scale = rng.dirichlet(np.ones(n_sleeves)), rng.uniform(0, 5, n_sleeves)
    unit = rng.normal(0, 1, (n_sleeves, 7))
    out = np.full(7, 9.0)
    s2.combine(share, scale, unit, out)
    np.testing.assert_allclose(out, (share * scale) @ unit, rtol=1e-12, atol=1e-14)


def test_offsetting_sleeves_cancel_before_anything_is_sized() -> None:
    out = np.empty(2)
    s2.combine(np.array([0.5, 0.5]), np.array([2.0, 1.0]), np.array([[0.5, 0.5], [-1.0, 0.0]]), out)
    assert out.tolist() == [0.0, 0.5]


@given(weights7, statuses, histories)
def test_netting_keeps_every_groups_sum_and_the_net_exactly_and_never_raises_gross(
    w: Floats, status: Floats, n_obs: Floats
) -> None:
    out = netted(w, status, n_obs)  # sixty-fourths: sums are exact
    for group in GROUPS:
        assert out[group].sum() == w[group].sum()
    assert out.sum() == w.sum()
    assert np.abs(out).sum() <= np.abs(w).sum()
    assert out[[0, 6]].tolist() == w[[0, 6]].tolist()


@given(weights7, statuses, histories)
def test_all_of_a_group_is_on_its_first_member_that_can_be_traded_in_a_book(
    w: Floats, status: Floats, n_obs: Floats
) -> None:
    out = netted(w, status, n_obs)
    for group in GROUPS:
        able = [i for i in group if status[i] == TRADING and n_obs[i] >= 20]
        for i in group:
            if able:
                assert out[i] == (w[group].sum() if i == able[0] else 0.0)
            else:
                assert out[i] == w[i]


def test_netting_twice_changes_nothing_more() -> None:
    once = netted(np.array([0.1, 0.2, 0.3, -0.1, 0.2, -0.4, 0.5]))
    assert netted(once).tolist() == once.tolist()


def test_a_group_with_one_member_in_the_panel_is_none() -> None:
    member, group = s2.wrapper_arrays((("GLD", "NONE"), ("SLV", "SIVR")), SYMBOLS)
    assert member.tolist() == [5, 4]
    assert group.tolist() == [1, 1]


def test_a_symbol_below_twenty_returns_is_not_traded() -> None:
    w = np.array([0.5, 0.5, -0.5])
    s2.drop_young(np.array([19.0, 20.0, 0.0]), 20.0, w)
    assert w.tolist() == [0.0, 0.5, 0.0]


def late_primary(n_bars: int = 200, listed: int = 120) -> Floats:
    closes = walks(1, (0.15, 0.15, 0.1), n_bars)
    closes[:, 1] = closes[:, 0] * 0.5  # the same thing in another wrapper
    closes[:listed, 0] = np.nan
    return closes


def test_until_the_primary_has_a_history_of_its_own_the_next_wrapper_holds_the_position() -> None:
    closes = late_primary()
    panel = make_panel(closes, closes.copy(), symbols=("GLD", "IAU", "SPY"))
    sleeves = {"gold": Steady({"IAU": 1.0}), "stocks": Steady({"SPY": 1.0})}
    targets = run_book(panel, sleeves, first=100)
    gold, iau = targets.targets[:, 0], targets.targets[:, 1]
    returns_of_primary = targets.bars - 120  # its first row has none
    assert (iau[returns_of_primary < 20] > 0.0).all()
    assert not gold[returns_of_primary < 20].any()
    assert (gold[returns_of_primary >= 20] > 0.0).all()
    assert not iau[returns_of_primary >= 20].any()


def test_a_new_wrapper_is_netted_into_the_old_one_without_a_history_of_its_own() -> None:
    closes = walks(2, (0.15, 0.15, 0.1), 200)
    closes[:150, 1] = np.nan
    panel = make_panel(closes, closes.copy(), symbols=("GLD", "IAU", "SPY"))
    path = Steady({"GLD": 0.5, "IAU": 0.5})
    book = run_book(panel, {"gold": path, "stocks": Steady({"SPY": 1.0})}, first=100)
    young = (book.bars >= 150) & (book.bars < 165)
    before, after = book.stage("s1_allocate")[young], book.stage("s2_net")[young]
    assert (before[:, 1] > 0.0).all()
    np.testing.assert_allclose(after[:, 0], before[:, 0] + before[:, 1], rtol=1e-12)
    assert not after[:, 1].any()


@pytest.mark.parametrize("halted", [True, False])
def test_while_the_primary_is_halted_the_next_wrapper_takes_the_target(halted: bool) -> None:
    closes = walks(3, (0.15, 0.15, 0.1), 160)
    if halted:
        closes[130:133, 0] = np.nan
    panel = make_panel(closes, closes.copy(), symbols=("GLD", "IAU", "SPY"))
    book = run_book(panel, {"gold": Steady({"IAU": 1.0}), "stocks": Steady({"SPY": 1.0})}, first=100)
    during = (book.bars >= 130) & (book.bars < 133)
    column = int(halted)
    assert (book.stage("s2_net")[during, column] > 0.0).all()
    assert not book.stage("s2_net")[during, 1 - column].any()
    if halted:  # it cannot be sold on paper
        held = book.stage("s7_turnover")[during, 0]
        assert (held > 0.0).all()
