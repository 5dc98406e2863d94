"""What a name's cap takes from one leg of a hedge it takes from the other."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from support.book_run import UNGOVERNED, Book, Steady, assert_inside_caps, run_book, walk_panel

from plimsoll.engine.portfolio.stages import s4_caps as s4
from plimsoll.engine.portfolio.stages import s4_hedges as hedges
from plimsoll.engine.types import Bools, Floats

parts4 = arrays(np.float64, (4, 6), elements=st.one_of(st.just(0.0), st.floats(-1.0, 1.0).map(lambda x: round(x, 9))))
limits = arrays(np.float64, 6, elements=st.floats(0.05, 0.8))


def scaled(part: Floats, limit: Floats) -> tuple[Floats, Bools]:
    """What is left of each sleeve, and which are hedged."""
    hedged, factor = np.empty(len(part), dtype=np.bool_), np.ones(len(part))
    if hedges.find_hedged(part, hedged):
        hedges.hedge_factors(part, limit, hedged, factor)
    return factor, hedged


def capped(part: Floats, limit: Floats) -> tuple[Floats, Floats, Floats]:
    """Factors, the book after them, and the book after the name caps as well."""
    factor, _ = scaled(part, limit)
    w = part.sum(axis=0)
    hedges.scale_hedges(part, factor, w)
    return factor, w, np.clip(w, -limit, limit)


@given(parts4, limits)
@settings(max_examples=300)
def test_only_sleeves_that_are_long_and_short_shrink_and_each_as_a_whole(part: Floats, limit: Floats) -> None:
    factor, hedged = scaled(part, limit)
    assert hedged.tolist() == [(row > 0).any() and (row < 0).any() for row in part]
    assert ((factor > 0.0) & (factor <= 1.0)).all()
    assert (factor[~hedged] == 1.0).all()
    _, w, _ = capped(part, limit)  # one factor a sleeve: the ratio of its legs is kept
    np.testing.assert_allclose(w, factor @ part, rtol=1e-12, atol=1e-12)


def table(rows: dict[int, dict[int, float]]) -> Floats:
    """Parts of four sleeves in six names, 0 where nothing is said."""
    part = np.zeros((4, 6))
    for s, row in rows.items():
        for i, weight in row.items():
            part[s, i] = weight
    return part


@given(parts4, limits)
@settings(max_examples=300)
# two hedges that offset each other in two names, which halve their way to .75 and .5: after 50 rounds still 1e-8 above
@example(table({1: {4: 1.0}, 2: {3: 1.0, 4: -1.0}, 3: {3: -1.0, 4: 1.0}}), np.full(6, 0.25))
@example(table({1: {2: 0.5, 3: -1.0}, 3: {2: -1.0, 3: 1.0}}), np.full(6, 0.125))
def test_the_cap_that_follows_takes_nothing_more_from_a_leg_of_a_hedge(part: Floats, limit: Floats) -> None:
    factor, w, after = capped(part, limit)
    _, hedged = scaled(part, limit)
    for i in np.flatnonzero(np.abs(w) > limit + 1e-9):
        side = np.sign(w[i])
        push = np.maximum(side * part[:, i], 0.0)
        # what is cut away now is at most what sleeves of one sign still have there, and they keep no smaller a share
        # of it than the hedges keep of theirs
        alone = push[~hedged].sum()
        cut = abs(w[i] - after[i])
        assert cut <= alone + 1e-9
        # in weights, not in shares: of next to nothing a share is rounding
        assert (factor[hedged & (push > 0.0)] * alone <= alone - cut + 1e-11).all()


def test_hedges_that_offset_each_other_end_where_both_caps_hold() -> None:
    part = table({1: {4: 1.0}, 2: {3: 1.0, 4: -1.0}, 3: {3: -1.0, 4: 1.0}})
    factor, _ = scaled(part, np.full(6, 0.25))
    # f2 - f3 = 1/4 in the fourth name, f3 = (1/4 + f2) / 2 in the fifth
    np.testing.assert_allclose(factor, [1.0, 1.0, 0.75, 0.5], atol=1e-10)


@given(parts4, limits)
@settings(max_examples=300)
def test_where_nothing_binds_nothing_changes_to_the_bit(part: Floats, limit: Floats) -> None:
    w = part.sum(axis=0)
    loose = np.maximum(limit, np.abs(w) + 1e-9)
    factor, after, _ = capped(part, loose)
    assert (factor == 1.0).all()
    assert after.tolist() == w.tolist()


@given(parts4, limits)
@settings(max_examples=300)
def test_what_was_scaled_and_capped_is_scaled_no_further(part: Floats, limit: Floats) -> None:
    factor, w, after = capped(part, limit)
    _, hedged = scaled(part, limit)
    again = factor[:, None] * part
    for i in range(6):  # the cap's own cut, shared out among the sleeves of one sign that push there
        push = (again[:, i] * np.sign(w[i]) > 0.0) & ~hedged
        if abs(w[i]) > limit[i] and push.any():
            again[push, i] *= 1.0 + (after[i] - w[i]) / again[push, i].sum()
    second, _ = scaled(again, limit + 1e-12)
    np.testing.assert_allclose(second, 1.0, atol=1e-9)


@given(parts4, limits, st.permutations(range(6)), st.permutations(range(4)))
@settings(max_examples=100)
def test_the_order_of_names_and_of_sleeves_does_not_matter(
    part: Floats, limit: Floats, names: list[int], sleeves: list[int]
) -> None:
    factor, _ = scaled(part, limit)
    turned, _ = scaled(np.ascontiguousarray(part[sleeves][:, names]), limit[names])
    np.testing.assert_allclose(turned, factor[sleeves], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(
    ("part", "left"),
    [
        ([[0.60, -0.90]], 0.15 / 0.90),  # the shorter leg decides
        ([[0.10, -0.10], [0.20, 0.0]], 0.5),  # .30 is wanted of the first name, half of it allowed, from each alike
        ([[-0.10, 0.30], [0.25, 0.0]], 0.5),  # the first leg offsets the other sleeve: only the second is over
        ([[0.10, -0.10], [0.05, 0.10]], 1.0),  # netted, nothing is over
    ],
    ids=["one sleeve", "shared", "offset", "inside"],
)
def test_by_hand(part: list[list[float]], left: float) -> None:
    factor, _ = scaled(np.array(part), np.full(2, 0.15))
    assert factor[0] == pytest.approx(left)


def test_a_hedge_that_offsets_less_may_take_another_name_over_its_cap_and_pays_for_that_too() -> None:
    # the first sleeve is cut by its second leg; it then offsets the second sleeve's first leg no more than by half
    part = np.array([[-0.10, 0.30, 0.0], [0.23, 0.0, -0.20]])
    factor, _ = scaled(part, np.array([0.15, 0.15, 0.9]))
    assert factor[0] == pytest.approx(0.5)
    assert factor[1] == pytest.approx((0.15 + 0.5 * 0.10) / 0.23)


# ----------------------------------------------------------------------------------------------------------- in a book
NAMES = ("AAA", "BBB", "CCC", "DDD")


def pair_book(*, on: bool) -> Book:
    """A spread whose legs need several times the name cap, beside two sleeves of one sign."""
    panel = walk_panel(3, NAMES, (0.05, 0.06, 0.15, 0.2), 260, corr=0.6)
    sleeves = {
        "spread": Steady({"AAA": 0.4, "BBB": -0.6}),
        "long": Steady({"CCC": 1.0}),
        "mixed": Steady({"AAA": 0.3, "DDD": 0.7}),
    }
    stages = {"preset": "book", **UNGOVERNED, "caps": {"hedges": on, "clusters": {}}, "turnover": {"band": 0.0}}
    return run_book(panel, sleeves, first=120, integrator=stages)


def test_in_a_book_the_legs_of_a_spread_keep_their_ratio_under_a_name_cap() -> None:
    with_it, without = pair_book(on=True), pair_book(on=False)
    a, b = with_it.column("AAA"), with_it.column("BBB")
    bits = with_it.fact("binding").astype(int)
    assert (bits & s4.BOUND_HEDGE > 0).all()
    assert not (without.fact("binding").astype(int) & s4.BOUND_HEDGE).any()
    assert_inside_caps(with_it)
    # both legs at the cap on their own, whatever the spread's ratio; scaled, the longer leg alone is at the cap
    assert without.targets[:, b] == pytest.approx(-0.15)
    assert with_it.targets[:, b] == pytest.approx(-0.15)
    scaled, capped = with_it.stage("s3_vol_target"), with_it.stage("s4_caps")
    left = capped[:, b] / scaled[:, b]  # nobody else is short of BBB
    of_spread = scaled[:, b] / -0.6 * 0.4
    of_others = scaled[:, a] - of_spread
    np.testing.assert_allclose(capped[:, a], np.minimum(left * of_spread + of_others, 0.15), rtol=1e-9)
    assert (left < 0.9).all()


def test_a_book_without_hedged_sleeves_is_the_same_with_and_without() -> None:
    panel = walk_panel(4, NAMES, (0.05, 0.06, 0.15, 0.2), 200, corr=0.3)
    sleeves = {"long": Steady({"AAA": 0.5, "BBB": 0.5}), "short": Steady({"CCC": -0.5, "DDD": -0.5})}
    books = [
        run_book(panel, sleeves, first=120, integrator={"preset": "book", "caps": {"hedges": on, "clusters": {}}})
        for on in (True, False)
    ]
    assert (books[0].fact("binding").astype(int) & s4.BOUND_NAME > 0).any()
    assert books[0].targets.tobytes() == books[1].targets.tobytes()
    assert books[0].equity.to_numpy().tobytes() == books[1].equity.to_numpy().tobytes()
