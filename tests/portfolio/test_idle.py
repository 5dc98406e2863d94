"""Slots of sleeves that hold nothing: kept, lent after a while, given back in a straight line."""

from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.book_run import UNBOUND, UNGOVERNED, Book, Replay, Steady, build_book, run_book, settings_of, walk_panel
from support.panels import make_panel

from plimsoll.engine.market.calendar import build_clock
from plimsoll.engine.portfolio import idle
from plimsoll.engine.types import Bools, Floats


def days(
    slot: list[float], active: Bools, *, cap: float = 0.35, release: float | list[float] = 20.0
) -> tuple[Floats, idle.State]:
    """Return the shares (T, S) in force after each session; active (T, S)."""
    n, out = len(slot), []
    state = idle.init(n)
    each = np.broadcast_to(np.asarray(release, dtype=np.float64), n).copy()
    for row in np.asarray(active, dtype=np.float64):
        idle.observe(row[:, None], each, np.array(slot), cap, state)
        out.append(state.share.copy())
    return np.array(out), state


def spells(n_sleeves: int, *away: tuple[int, int, int], n: int = 60) -> Bools:
    """Everybody active but sleeve s from session a to session b - 1, for each (s, a, b)."""
    on = np.ones((n, n_sleeves), dtype=np.bool_)
    for s, a, b in away:
        on[a:b, s] = False
    return on


def test_a_slot_is_kept_for_nineteen_sessions_and_lent_at_the_twentieth() -> None:
    slot = [0.1, 0.2, 0.3, 0.4]
    share, _ = days(slot, spells(4, (0, 10, 60)), cap=1.0)
    assert (share[:29] == slot).all()
    np.testing.assert_allclose(share[29:], np.tile(np.array([0.0, 0.2, 0.3, 0.4]) / 0.9, (31, 1)), rtol=1e-14)


def test_a_sleeve_comes_back_to_its_slot_in_a_straight_line_within_five_sessions() -> None:
    share, _ = days([0.1, 0.2, 0.3, 0.4], spells(4, (0, 0, 30)), cap=1.0)
    np.testing.assert_allclose(share[30:35, 0], 0.1 * np.arange(1, 6) / 5.0, rtol=1e-12)
    np.testing.assert_allclose(
        share[30:, 1:].T / (1.0 - share[30:, 0]), np.array([[2], [3], [4]]) / 9 + 0 * share[30:, 0]
    )
    assert (share[34:] == [0.1, 0.2, 0.3, 0.4]).all()


def test_what_the_cap_leaves_over_is_cash_and_is_there_at_once_for_who_comes_back() -> None:
    share, _ = days([0.25] * 4, spells(4, (0, 0, 30)), cap=0.30)
    np.testing.assert_allclose(share[25], [0.0, 0.30, 0.30, 0.30], rtol=1e-14)  # a tenth of the book is cash
    first = 0.10 + (0.25 - 0.10) / 5.0
    np.testing.assert_allclose(share[30], [first, *[(1.0 - first) / 3.0] * 3], rtol=1e-14)


@pytest.mark.parametrize("slot", [[1.0], [0.5, 0.5]], ids=["alone", "one of two, both above the cap"])
def test_a_slot_nobody_can_take_is_whole_again_at_once(slot: list[float]) -> None:
    share, _ = days(slot, spells(len(slot), (0, 0, 30)))
    assert share[29].tolist() == [0.0, *slot[1:]]  # the cap is never 1 / K of those that are active
    assert (share[30:] == slot).all()


def test_a_sleeve_may_have_its_own_patience_and_zero_is_for_ever() -> None:
    on = spells(3, (0, 0, 50), (1, 0, 50))
    share, _ = days([0.2, 0.3, 0.5], on, cap=1.0, release=[0.0, 7.0, 20.0])
    assert (share[:6] == [0.2, 0.3, 0.5]).all()
    np.testing.assert_allclose(share[6:50], np.tile([2 / 7, 0.0, 5 / 7], (44, 1)), rtol=1e-14)


def test_short_pauses_do_not_add_up_and_a_return_broken_off_stays_where_it_was() -> None:
    slot = [0.1, 0.2, 0.3, 0.4]
    on = spells(4, (0, 0, 19), (0, 20, 39))
    assert (days(slot, on, cap=1.0)[0] == slot).all()
    share, _ = days(slot, spells(4, (0, 0, 30), (0, 32, 45)), cap=1.0)
    np.testing.assert_allclose(share[31:45, 0], 0.04, rtol=1e-12)  # two of five sessions
    np.testing.assert_allclose(share[45:48, 0], [0.06, 0.08, 0.1], rtol=1e-12)


def test_nobody_active_leaves_everything_in_cash() -> None:
    share, _ = days([0.4, 0.6], np.zeros((40, 2), dtype=np.bool_), cap=1.0)
    assert not share[19:].any()


@given(st.integers(0, 2**32 - 1), st.integers(1, 8), st.floats(0.1, 1.0), st.integers(0, 6))
def test_shares_never_exceed_the_book_nor_cap_or_slot_and_nobody_loses_by_anothers_rest(
    seed: int, n: int, cap: float, release: int
) -> None:
    rng = np.random.default_rng(seed)
    slot = rng.exponential(1.0, n) * (rng.random(n) < 0.8)
    slot = slot / slot.sum() if slot.sum() > 0.0 else slot
    on = np.cumsum(rng.random((80, n)) < 0.12, axis=0) % 2 == 0
    share, _ = days(slot.tolist(), on, cap=cap, release=float(release))
    assert (share >= 0.0).all()
    assert (share.sum(axis=1) <= slot.sum() + 1e-12).all()
    assert (share <= np.maximum(cap, slot) + 1e-12).all()
    waited = np.zeros(n)
    back = np.full(n, 5)
    for t, row in enumerate(on):
        waited = np.where(row, 0, waited + 1)
        back = np.where(row, np.minimum(back + 1, 5), back)
        back = np.where((release > 0) & (waited >= release) & ~row, 0, back)
        assert (share[t][back == 5] >= slot[back == 5] - 1e-12).all()
        assert not share[t][back == 0].any()
        room = np.minimum(np.maximum(cap, slot), 1e9)[(back > 0) & (slot > 0)].sum()
        if room >= slot.sum():  # where the cap lets it, all that was in use before is in use
            assert share[t].sum() == pytest.approx(slot.sum(), abs=1e-12)


# ------------------------------------------------------------------------------------------------------------ in a book
QUIET = {"preset": "book", **UNBOUND, **UNGOVERNED, "regime": {"enabled": False}}
PANEL = walk_panel(21, ("AAA", "BBB", "CCC"), (0.1, 0.12, 0.14), 260)
AWAY = slice(150, 200)


def part_timer() -> Replay:
    path = np.full((260, 1), 1.0)
    path[AWAY] = 0.0
    return Replay(("AAA",), path)


def book_of(**allocate: object) -> Book:
    sleeves = {"a": part_timer(), "b": Steady({"BBB": 1.0}), "c": Steady({"CCC": 1.0})}
    return run_book(PANEL, sleeves, first=100, integrator={**QUIET, "allocate": {"cap": 0.6, **allocate}})


def test_a_book_shows_the_slot_the_share_and_the_capital_that_nobody_uses() -> None:
    book = book_of()
    at = book.bars
    slot, share, lying = (book.fact(name) for name in ("slot.a", "share.a", "idle_capital"))
    away = (at >= AWAY.start) & (at < AWAY.stop)
    lent = away & (at >= AWAY.start + 19)
    assert (slot > 0.2).all()  # kept all the while
    assert (share[lent] == 0.0).all()
    np.testing.assert_array_equal(share[~lent & (at < AWAY.stop)], slot[~lent & (at < AWAY.stop)])
    np.testing.assert_allclose(lying[away & ~lent], slot[away & ~lent], rtol=1e-12)
    np.testing.assert_allclose(lying[~away | lent], 0.0, atol=1e-12)
    back = (at >= AWAY.stop) & (at < AWAY.stop + 5)
    np.testing.assert_allclose(share[back] / slot[back], np.arange(1, 6) / 5.0, rtol=1e-9)
    counts = book.result.counts
    assert counts["idle_slots_returned"] == 1
    assert counts["idle_capital"] == pytest.approx(lying.mean())


def test_a_return_does_not_begin_the_ramp_of_a_new_sleeve_anew() -> None:
    book = book_of()
    whole = book_of(release_idle_sessions=0)
    after = book.bars >= AWAY.stop + 5
    np.testing.assert_array_equal(book.fact("share.a")[after], whole.fact("share.a")[after])
    np.testing.assert_array_equal(book.fact("slot.a"), whole.fact("slot.a"))


@pytest.mark.parametrize(
    ("integrator", "own", "sessions"),
    [
        ({}, None, 20.0),
        ({"allocate": {"release_idle_sessions": 7}}, None, 7.0),
        ({"allocate": {"release_idle_sessions": 7}}, 0, 0.0),
        ({"readings": "literal"}, None, 0.0),
        ({"readings": "literal"}, 9, 9.0),
        ({"normalize": {"mode": "unit_gross"}}, None, 0.0),
    ],
    ids=["ruled", "book", "sleeve", "literal", "literal but for one", "unit gross"],
)
def test_patience_is_the_sleeves_own_else_the_books_else_as_the_requirement_is_read(
    integrator: dict[str, object], own: int | None, sessions: float
) -> None:
    more = {"a": {} if own is None else {"release_idle_sessions": own}}
    setup = build_book(PANEL, {"a": part_timer()}, sleeve=more, integrator={"preset": "book", **integrator})
    assert settings_of(setup).watch.release.tolist() == [sessions]


def test_patience_counts_sessions_in_a_book_on_intraday_bars() -> None:
    clock = build_clock(date(2019, 1, 2), date(2019, 8, 30), "195min")
    n_bars = len(clock)
    rng = np.random.default_rng(1)
    closes = 100.0 * np.cumprod(1.0 + rng.normal(0, 0.003, (n_bars, 2)), axis=0)
    panel = make_panel(closes, closes.copy(), symbols=("AAA", "BBB"), clock=clock, interval="195min")
    gone = int(np.flatnonzero(clock.session_index == 130)[0])
    path = np.where(np.arange(n_bars) < gone, 1.0, 0.0)[:, None]
    sleeves = {"a": Replay(("AAA",), path), "b": Steady({"BBB": 1.0})}
    book = run_book(panel, sleeves, data={"interval": "195min"}, integrator={**QUIET, "allocate": {"cap": 1.0}})
    first = book.bars[np.argmax((book.fact("share.a") == 0.0) & (book.fact("slot.a") > 0.0))]
    assert clock.session_index[first] == 130 + 19
