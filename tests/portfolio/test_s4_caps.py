"""Stage 4: caps by shrinkage only, each of them and all of them together."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from support.book_run import UNGOVERNED, Book, Replay, Steady, assert_inside_caps, run_book, walk_panel

from plimsoll.engine.kernels.allocate.waterfill import cap_weights
from plimsoll.engine.portfolio.stages import s4_caps as s4
from plimsoll.engine.types import Bools, Floats, Ints

CLUSTER = np.array([0, 0, 0, 1, 1, -1, -1, 2], dtype=np.int64)
books = arrays(np.float64, 8, elements=st.floats(-3.0, 3.0).map(lambda x: round(x, 9)))
ONES = np.ones(8)
leverages = arrays(np.float64, 8, elements=st.sampled_from([1.0, 2.0, 3.0]))
limits = st.tuples(st.floats(0.02, 1.0), st.floats(0.05, 1.5), st.floats(0.1, 3.0), st.floats(0.05, 2.0))


def groups(cluster: Ints = CLUSTER, per_name: Floats = ONES, per_cluster: Floats = ONES) -> s4.Groups:
    return s4.Groups(cluster, int(cluster.max()) + 1, per_name, per_cluster)


EIGHT = groups()


def capped(w: Floats, limit: tuple[float, ...], of: s4.Groups = EIGHT) -> tuple[Floats, int]:
    out = w.copy()
    bound = s4.apply_caps(of, s4.Params(*limit), out, np.empty(s4.CUTS))
    return out, bound


def plain(
    w: Floats,
    name: float,
    cluster: float,
    gross: float,
    net: float,
    per_name: Floats = ONES,
    per_cluster: Floats = ONES,
) -> Floats:
    """The five lines of the requirement, a weight counted times its leverage."""
    w = np.clip(w, -name / per_name, name / per_name)
    for k in range(3):
        inside = (np.abs(w) * per_cluster)[k == CLUSTER].sum()
        w = np.where(k == CLUSTER, w * min(1.0, cluster / inside if inside else 1.0), w)
    w = w * min(1.0, gross / np.abs(w).sum() if w.any() else 1.0)
    long, short = w[w > 0].sum(), -w[w < 0].sum()
    if long - short > net:
        return np.where(w > 0, w * (net + short) / long, w)
    if short - long > net:
        return np.where(w < 0, w * (net + long) / short, w)
    return w


@given(books, limits, leverages, leverages)
@settings(max_examples=300)
def test_all_caps_hold_at_once_after_one_pass(w: Floats, limit: tuple[float, ...], names: Floats, fund: Floats) -> None:
    out, _ = capped(w, limit, groups(CLUSTER, names, fund))
    name, cluster, gross, net = limit
    assert (np.abs(out) * names).max() <= name + 1e-12
    for k in range(3):
        assert (np.abs(out) * fund)[k == CLUSTER].sum() <= cluster + 1e-12
    assert np.abs(out).sum() <= gross + 1e-12
    assert abs(out.sum()) <= net + 1e-12


@given(books, limits, leverages, leverages)
@settings(max_examples=300)
def test_caps_only_shrink_keep_signs_and_are_the_plain_arithmetic(
    w: Floats, limit: tuple[float, ...], names: Floats, fund: Floats
) -> None:
    out, bound = capped(w, limit, groups(CLUSTER, names, fund))
    assert (np.abs(out) <= np.abs(w)).all()
    assert (np.sign(out) == np.sign(w)).all()
    np.testing.assert_allclose(out, plain(w, *limit, names, fund), rtol=1e-12, atol=1e-15)
    assert (bound == 0) == (out.tolist() == w.tolist())


@given(books, limits, leverages)
@settings(max_examples=200)
def test_capping_twice_changes_nothing_more(w: Floats, limit: tuple[float, ...], fund: Floats) -> None:
    of = groups(CLUSTER, fund, fund)
    once, _ = capped(w, limit, of)
    np.testing.assert_allclose(capped(once, limit, of)[0], once, rtol=1e-12, atol=1e-15)


@given(books, limits, leverages)
@settings(max_examples=200)
def test_what_each_cap_took_is_the_gross_that_is_missing(w: Floats, limit: tuple[float, ...], fund: Floats) -> None:
    out, cut = w.copy(), np.empty(s4.CUTS)
    bound = s4.apply_caps(groups(CLUSTER, fund, fund), s4.Params(*limit), out, cut)
    assert cut.sum() == pytest.approx(np.abs(w).sum() - np.abs(out).sum(), abs=1e-12)
    for bit, took in zip((s4.BOUND_NAME, s4.BOUND_CLUSTER, s4.BOUND_GROSS, s4.BOUND_NET), cut.tolist(), strict=True):
        assert took >= -1e-12
        assert abs(took) <= 1e-12 or bound & bit


def test_a_fund_of_three_times_its_index_fills_a_cluster_with_a_third_of_its_weight() -> None:
    fund = np.array([3.0, 1.0, 3.0])
    of = groups(np.zeros(3, dtype=np.int64), np.ones(3), fund)
    got, bits = capped(np.array([0.10, 0.15, -0.10]), (0.15, 0.45, 9.0, 9.0), of)
    assert got == pytest.approx(np.array([0.10, 0.15, -0.10]) * 0.45 / 0.75)  # .30 + .15 + .30
    assert bits == s4.BOUND_CLUSTER
    alone, bits = capped(np.array([0.15, 0.15, 0.0]), (0.15, 9.0, 9.0, 9.0), of._replace(per_name=fund))
    assert alone == pytest.approx([0.05, 0.15, 0.0])
    assert bits == s4.BOUND_NAME


@pytest.mark.parametrize(
    ("w", "limit", "out", "bound"),
    [
        ([0.3, -0.3, 0.1], (0.15, 9.0, 9.0, 9.0), [0.15, -0.15, 0.1], s4.BOUND_NAME),
        ([0.2, 0.2, 0.1], (0.9, 0.2, 9.0, 9.0), [0.08, 0.08, 0.04], s4.BOUND_CLUSTER),
        ([0.6, -0.4, 1.0], (9.0, 9.0, 1.0, 9.0), [0.3, -0.2, 0.5], s4.BOUND_GROSS),
        ([0.9, -0.2, 0.9], (9.0, 9.0, 9.0, 1.0), [0.6, -0.2, 0.6], s4.BOUND_NET),
        ([-0.9, 0.2, -0.9], (9.0, 9.0, 9.0, 1.0), [-0.6, 0.2, -0.6], s4.BOUND_NET),
        ([0.1, 0.1, 0.1], (0.15, 0.35, 1.0, 1.0), [0.1, 0.1, 0.1], 0),
    ],
    ids=["name", "cluster", "gross", "net long", "net short", "nothing"],
)
def test_each_cap_alone_and_what_it_is_called(
    w: list[float], limit: tuple[float, ...], out: list[float], bound: int
) -> None:
    got, bits = capped(np.array(w), limit, groups(np.zeros(3, dtype=np.int64), np.ones(3), np.ones(3)))
    assert got == pytest.approx(out)
    assert bits == bound


def test_the_order_is_name_cluster_gross_net() -> None:
    w = np.array([2.0, 0.1, 0.0, 0.3, 0.3, 0.9, -0.1, 0.0])
    got, bits = capped(w, (0.5, 0.3, 1.3, 0.6))
    by_hand = np.array([0.25, 0.05, 0.0, 0.15, 0.15, 0.5, -0.1, 0.0])  # names to .5, clusters to .3: gross 1.2
    by_hand[[0, 1, 3, 4, 5]] *= 0.7 / 1.1  # longs 1.1 to .6 + .1
    assert got == pytest.approx(by_hand)
    assert bits == s4.BOUND_NAME | s4.BOUND_CLUSTER | s4.BOUND_NET


def test_shares_of_sleeves_are_water_filled_where_clip_and_divide_would_break_the_cap() -> None:
    raw = np.array([0.6, 0.2, 0.1, 0.1])
    naive = np.minimum(raw, 0.35) / np.minimum(raw, 0.35).sum()
    assert naive.max() == pytest.approx(0.467, abs=5e-4)
    assert cap_weights(raw, 0.35) == pytest.approx([0.35, 0.325, 0.1625, 0.1625])


@given(books, books, arrays(np.int8, 8, elements=st.sampled_from([s4.FREE, s4.NO_NEW, s4.CLOSE])))
@settings(max_examples=200)
def test_restrictions_close_or_forbid_growth(w: Floats, held: Floats, rule: Floats) -> None:
    out = w.copy()
    bound = s4.restrict(rule, held, out)
    for i in range(8):
        if rule[i] == s4.FREE:
            assert out[i] == w[i]
        elif rule[i] == s4.CLOSE or w[i] * held[i] <= 0.0:
            assert out[i] == 0.0
        else:
            assert abs(out[i]) == min(abs(w[i]), abs(held[i]))
            assert out[i] * w[i] > 0.0
    assert (bound == s4.BOUND_RESTRICTED) == (out.tolist() != w.tolist())


def over(held: Floats, band: float, fund: Floats, *, any_net: bool) -> Bools:
    """Which names caps of 2.0 gross, 1.0 net and 0.35 a cluster force down; the seventh is cash."""
    forced = np.zeros(8, dtype=np.bool_)
    caps = s4.Params(name=9.0, cluster=0.35, gross=2.0, net=1.0)
    s4.held_over(held, np.arange(8) == 6, groups(CLUSTER, ONES, fund), caps, band, any_net, forced)
    return forced


@given(books, st.floats(0.0, 0.1), leverages, st.booleans())
@settings(max_examples=200)
def test_a_cap_forces_reductions_where_what_is_held_is_over_it_by_more_than_the_band(
    held: Floats, band: float, fund: Floats, any_net: bool
) -> None:
    forced = over(held, band, fund, any_net=any_net)
    risky = np.where(np.arange(8) == 6, 0.0, held)
    whole = np.abs(risky).sum() > 2.0 + band or (not any_net and abs(risky.sum()) > 1.0 + band)
    larger = np.sign(risky.sum()) if any_net and abs(risky.sum()) > 1.0 + 1e-9 else 0.0
    for i in range(8):
        k = CLUSTER[i]
        alone = k >= 0 and (np.abs(risky) * fund)[k == CLUSTER].sum() > 0.35 + band
        assert forced[i] == (whole or alone or held[i] * larger > 0.0)


def test_whatever_held_net_is_over_its_cap_the_larger_side_comes_down_and_the_other_stays() -> None:
    held = np.array([0.0, 0.0, 0.0, 0.0, 0.0, 1.302, 0.0, -0.301])  # net 1.001, a band of 0.75% above 1 is 1.0075
    assert over(held, 0.0075, ONES, any_net=True).tolist() == [False] * 5 + [True, False, False]
    assert not over(held, 0.0075, ONES, any_net=False).any()
    held[5] = 1.301  # at the cap, as it is sent
    assert not over(held, 0.0075, ONES, any_net=True).any()


# ----------------------------------------------------------------------------------------------------------- in a book
def test_every_target_of_random_books_is_inside_every_cap(random_run: Book) -> None:
    assert_inside_caps(random_run)
    bits = random_run.fact("binding").astype(int)
    for bit in (s4.BOUND_NAME, s4.BOUND_CLUSTER):
        assert (bits & bit > 0).any()  # they do bind


@pytest.mark.parametrize("cash", [50_000.0, 2_000_000.0, 20_000_000.0])
def test_the_tier_of_the_ladder_tightens_gross_and_names(cash: float) -> None:
    names = tuple(f"S{i:02d}" for i in range(24))
    panel = walk_panel(1, names, np.full(24, 0.12), 160, corr=0.5)
    sleeves = {f"s{k}": Steady(dict.fromkeys(names[k::3], 0.125)) for k in range(3)}
    stages = {"preset": "book", **UNGOVERNED, "caps": {"net": 3.0, "gross": 9.0}, "vol_target": {"l_max": 9.0}}
    book = run_book(panel, sleeves, first=120, run={"name": "t", "cash": cash}, integrator=stages)
    assert_inside_caps(book)
    loose = run_book(
        panel, sleeves, first=120, run={"name": "t", "cash": cash},
        integrator={**stages, "ladder": {"tiers": [{"min_equity": 0.0, "gross": 9.0, "name": 9.0}]}},
    )  # fmt: skip
    wide = np.abs(loose.targets).sum(axis=1)
    assert (np.abs(book.targets).sum(axis=1) <= wide + 1e-12).all()


def test_what_binds_is_reported_where_fifteen_per_cent_a_name_cannot_reach_the_target() -> None:
    names = tuple("ABCDEFGH")
    panel = walk_panel(2, tuple(n * 3 for n in names), np.full(8, 0.10), 160)
    sleeves = {n: Steady({n * 3: 1.0}) for n in names}
    book = run_book(panel, sleeves, first=120)
    vol = np.abs(book.targets).sum(axis=1)
    assert (vol <= 1.0 + 1e-12).all()
    reached = book.fact("leverage") * book.fact("sigma_ex")
    bits = book.fact("binding").astype(int)
    assert (bits > 0).all()
    assert ((bits & (s4.BOUND_NET | s4.BOUND_NAME) > 0) | (reached < 0.0999)).all()


@pytest.mark.parametrize("rule", ["no_new", "close"])
def test_a_restricted_symbol_obeys_from_its_first_to_its_last_date(rule: str) -> None:
    rng = np.random.default_rng(5)
    names = ("AAA", "BBB", "CCC")
    panel = walk_panel(3, names, (0.1, 0.12, 0.14), 180)
    path = rng.uniform(0.2, 1.0, (180, 1))
    sleeves = {"a": Replay(("AAA",), path), "b": Steady({"BBB": 1.0}), "c": Steady({"CCC": 1.0})}
    session = panel.clock.session
    restricted = {"AAA": {"rule": rule, "start": str(session[130]), "end": str(session[150])}}
    book = run_book(panel, sleeves, first=100, restricted=restricted, integrator={"turnover": {"band": 0.0}})
    inside = (book.bars >= 130) & (book.bars <= 150)
    at = book.column("AAA")
    held = np.concatenate(([0.0], book.result.weights["AAA"].to_numpy()))  # at each decision
    target = book.targets[:, at]
    if rule == "close":
        assert not target[inside].any()
        assert (target[~inside][1:] > 0.0).all()
        assert not held[(book.bars >= 132) & (book.bars <= 150)].any()
    else:
        assert (target[inside] <= held[inside] + 1e-12).all()
        assert (target[~inside][1:] > held[~inside][1:] + 1e-6).any()
    bits = book.fact("binding").astype(int)
    assert (bits[inside] & s4.BOUND_RESTRICTED > 0).any()
    assert not (bits[~inside] & s4.BOUND_RESTRICTED > 0).any()


def test_cash_equivalents_stand_outside_all_caps() -> None:
    panel = walk_panel(4, ("AAA", "SGOV"), (0.3, 0.001), 160)
    sleeves = {"a": Steady({"AAA": 0.2, "SGOV": 0.8}), "b": Steady({"AAA": 0.5, "SGOV": 0.5})}
    parked = {"preset": "book", "turnover": {"park_cash": True}}
    book = run_book(panel, sleeves, first=120, integrator=parked)
    at = book.column("SGOV")
    assert (book.targets[:, at] > 0.8).all()
    np.testing.assert_allclose(book.targets[0].sum(), 1.0, rtol=1e-12)
    assert not book.stage("s5_governor")[:, at].any()


def test_net_holds_also_when_the_short_side_was_dust_or_may_not_be_opened() -> None:
    names = tuple(f"S{i:02d}" for i in range(16))
    panel = walk_panel(8, names, np.full(16, 0.2), 200)
    weights = {n: 0.12 if k < 8 else -0.06 for k, n in enumerate(names)}
    stages = {"preset": "book", "caps": {"net": 0.2, "name": 0.15}}
    small = run_book(panel, {"s": Steady(weights)}, first=120, run={"name": "t", "cash": 50_000.0}, integrator=stages)
    assert (np.count_nonzero(small.targets, axis=1) == 10).all()
    assert_inside_caps(small)
    closed = {**stages, "governor": {"warn": 1e-6, "throttle": 1e-6, "no_new": 1e-6, "throttle_to": 0.9}}
    braked = run_book(panel, {"s": Steady(weights)}, first=120, integrator=closed)
    assert (braked.fact("tier") == 3.0).sum() > 20
    assert_inside_caps(braked)


def test_a_net_cap_that_binds_only_once_the_small_shorts_are_gone_is_reported() -> None:
    names = tuple(f"S{i:02d}" for i in range(16))
    panel = walk_panel(8, names, np.full(16, 0.2), 200)
    weights = {n: 0.12 if k < 8 else -0.06 for k, n in enumerate(names)}
    stages = {"preset": "book", **UNGOVERNED, "caps": {"net": 0.4}, "vol_target": {"l_max": 1.0},
              "normalize": {"max_scale": 1.0}}  # fmt: skip
    book = run_book(panel, {"s": Steady(weights)}, first=120, run={"name": "t", "cash": 50_000.0}, integrator=stages)
    assert (book.stage("s4_caps").sum(axis=1) < 0.4 - 1e-6).all()
    np.testing.assert_allclose(book.targets.sum(axis=1), 0.4, atol=1e-12)
    assert (book.fact("binding").astype(int) & s4.BOUND_NET > 0).all()
