"""Sleeves and accounts that mean ill: a book stays finite, capped and honest about what happened."""

from pathlib import Path

import numpy as np
import pytest
from support.book_run import (
    UNBOUND,
    UNGOVERNED,
    Book,
    Replay,
    Steady,
    assert_inside_caps,
    run_book,
    walk_panel,
    walks,
)
from support.panels import make_panel

from plimsoll.engine.errors import StrategyError
from plimsoll.engine.sleeve.strategy import Context
from plimsoll.engine.types import Floats, Weights

NAMES = ("AAA", "BBB", "CCC")
VOLS = (0.10, 0.14, 0.18)
LOOSE = {"preset": "book", **UNBOUND, **UNGOVERNED}


def share(book: Book, name: str) -> Floats:
    return book.fact(f"share.{name}")


def assert_sound(book: Book) -> None:
    """Everything finite, slots a partition of one, shares too while nobody's slot is lent, caps kept."""
    assert np.isfinite(book.targets).all()
    assert np.isfinite(book.equity["equity"]).all()
    names = [sleeve.name for sleeve in book.setup.system.sleeves]
    slots = np.array([book.fact(f"slot.{name}") for name in names])
    shares = np.array([share(book, name) for name in names])
    total = slots.sum(axis=0)
    np.testing.assert_allclose(total[total > 0.0], 1.0, atol=1e-12)
    assert (shares.sum(axis=0) <= total + 1e-12).all()
    whole = (shares >= slots).all(axis=0)
    np.testing.assert_allclose(shares.sum(axis=0)[whole], total[whole], atol=1e-12)
    assert_inside_caps(book)


class TurnsNan(Steady):
    def on_bar(self, ctx: Context) -> Weights | None:
        return np.full(1, np.nan) if ctx.bar_index == 150 else super().on_bar(ctx)


class Raises(Steady):
    def on_bar(self, ctx: Context) -> Weights | None:
        if ctx.bar_index == 150:
            raise ZeroDivisionError("no such luck")
        return super().on_bar(ctx)


@pytest.mark.parametrize(("broken", "what"), [(TurnsNan, "answered nan for BBB"), (Raises, "no such luck")])
def test_a_sleeve_that_breaks_is_named_and_held_where_it_is_while_the_others_go_on(
    broken: type[Steady], what: str
) -> None:
    panel = walk_panel(1, NAMES, VOLS, 220)
    sleeves = {"a": Steady({"AAA": 1.0}), "b": broken({"BBB": 1.0}), "c": Steady({"CCC": 1.0})}
    book = run_book(panel, sleeves, first=100, sleeve={"b": {"on_error": "quarantine"}})
    assert_sound(book)
    failed = book.setup.system.sleeves[1]
    assert what in failed.failure
    assert str(panel.clock.session[150]) in failed.failure
    assert book.result.counts["sleeves_quarantined"] == 1
    assert [w.text for w in book.result.warnings if w.kind == "quarantined"] == [failed.failure]
    assert (book.targets[-1, :3] > 0.0).all()  # what it held drifts on
    sound = run_book(panel, {**sleeves, "b": Replay(("BBB",), np.where(np.arange(151)[:, None] < 150, 1.0, np.nan))},
                     first=100)  # fmt: skip
    np.testing.assert_array_equal(book.targets, sound.targets)


def test_without_quarantine_the_run_ends_with_the_sleeve_named() -> None:
    panel = walk_panel(1, NAMES, VOLS, 220)
    with pytest.raises(StrategyError, match=r"sleeve 'b' \(TurnsNan\).*answered nan for BBB"):
        run_book(panel, {"a": Steady({"AAA": 1.0}), "b": TurnsNan({"BBB": 1.0})}, first=100)


def test_two_sleeves_that_are_the_same_share_and_count_as_one_idea() -> None:
    panel = walk_panel(2, NAMES, VOLS, 260, corr=0.2)
    twins = {"a": Steady({"AAA": 1.0}), "b": Steady({"AAA": 1.0}), "c": Steady({"BBB": 1.0}), "d": Steady({"CCC": 1.0})}
    book = run_book(panel, twins, first=150, integrator={**LOOSE, "allocate": {"cap": 1.0}})
    assert_sound(book)
    assert (book.fact("rung") == 0.0).all()
    np.testing.assert_allclose(share(book, "a"), share(book, "b"), rtol=1e-6)
    assert (share(book, "a") + share(book, "b")).mean() < 0.45  # HRP sees one cluster


def test_a_sleeve_of_almost_no_volatility_is_stopped_by_floor_scale_and_caps() -> None:
    n_bars = 260
    closes = walks(3, (0.12, 0.15, 0.18), n_bars)
    closes[:, 2] = 100.0 * (1.0 + 1e-8 * np.random.default_rng(0).standard_normal(n_bars))
    panel = make_panel(closes, closes.copy(), symbols=NAMES)
    sleeves = {n.lower(): Steady({n: 1.0}) for n in NAMES}
    book = run_book(panel, sleeves, first=150)
    assert_sound(book)
    scale = book.setup.system.integrator.save()["s0.scale"]
    assert scale[2] == 5.0
    assert share(book, "ccc").max() <= 0.35 + 1e-12
    loose = run_book(panel, sleeves, first=150, integrator={**LOOSE, "vol_target": {"l_max": 2.0}})
    assert np.abs(loose.stage("s1_allocate")[:, 2]).max() <= 0.35 * 5.0 + 1e-12


def test_a_constant_price_is_no_risk_and_takes_no_rung_from_the_others() -> None:
    n_bars = 260
    closes = walks(3, (0.12, 0.15, 0.18), n_bars)
    closes[:, 2] = 100.0
    panel = make_panel(closes, closes.copy(), symbols=NAMES)
    book = run_book(panel, {n.lower(): Steady({n: 1.0}) for n in NAMES}, first=150)
    assert_sound(book)
    assert (book.fact("rung") == 0.0).all()  # the two that move are allocated as ever
    assert share(book, "ccc").max() <= 0.35 + 1e-12


def test_two_hundred_sleeves() -> None:
    symbols = tuple(f"S{i:02d}" for i in range(20))
    panel = walk_panel(4, symbols, np.linspace(0.08, 0.3, 20), 170, corr=0.3)
    rng = np.random.default_rng(4)
    sleeves = {}
    for k in range(200):
        chosen = tuple(rng.choice(symbols, 3, replace=False).tolist())
        sleeves[f"s{k:03d}"] = Steady(dict(zip(chosen, rng.dirichlet(np.ones(3)).tolist(), strict=True)))
    book = run_book(panel, sleeves, first=120)
    assert_sound(book)
    assert book.targets[-1].any()


def test_all_weight_of_everybody_in_one_symbol_stops_at_the_cap_of_a_name() -> None:
    panel = walk_panel(5, NAMES, VOLS, 200)
    book = run_book(panel, {n: Steady({"AAA": 1.0}) for n in "abcd"}, first=120)
    assert_sound(book)
    np.testing.assert_allclose(book.targets[:, 0], 0.15, rtol=1e-12)
    assert (book.fact("binding").astype(int) & 1 == 1).all()


def test_a_sleeve_that_changes_its_side_at_every_bar_flattens_before_it_reverses() -> None:
    n_bars = 220
    panel = walk_panel(6, NAMES, VOLS, n_bars)
    path = np.where(np.arange(n_bars)[:, None] % 2 == 0, 1.0, -1.0)
    book = run_book(panel, {"flip": Replay(("AAA",), path), "b": Steady({"BBB": 1.0})}, first=120)
    assert_sound(book)
    signs = np.sign(book.targets[:, 0])
    assert (signs[1:] == -signs[:-1]).all()
    orders = book.result.orders
    legs = orders[orders["symbol"] == "AAA"].groupby("session")["leg"].agg(["min", "max"])
    assert (legs.iloc[1:]["max"] == 1).all()
    assert (legs.iloc[1:]["min"] == 0).all()


def test_a_sleeve_whose_every_symbol_dies_goes_idle_and_frees_its_place_in_the_book() -> None:
    n_bars = 240
    closes = walks(7, VOLS, n_bars)
    closes[170:, 1] = np.nan
    panel = make_panel(closes, closes.copy(), symbols=NAMES)
    sleeves = {n.lower(): Steady({n: 1.0}) for n in NAMES}
    book = run_book(panel, sleeves, first=120)
    assert_sound(book)
    assert book.targets[book.bars < 170][:, 1].all()
    assert not book.targets[book.bars > 178][:, 1].any()
    assert not book.result.weights["BBB"].to_numpy()[-40:].any()
    assert book.result.counts["delisted_positions_sold"] == 1
    vol = book.setup.system.integrator.save()["s0.vol"]
    assert vol[1] > 0.0  # frozen, not decayed
    np.testing.assert_allclose([share(book, n)[-1] for n in ("aaa", "bbb", "ccc")], [0.35, 0.0, 0.35], rtol=1e-12)
    assert book.fact("slot.bbb")[-1] > 0.2


def test_a_sleeve_whose_strategy_wakes_up_late_gets_nothing_before_it_has_a_history() -> None:
    n_bars = 300
    panel = walk_panel(8, NAMES, VOLS, n_bars)
    path = np.full((n_bars, 1), np.nan)
    path[150] = 1.0
    book = run_book(
        panel, {"a": Steady({"AAA": 1.0}), "b": Steady({"BBB": 1.0}), "late": Replay(("CCC",), path)}, first=120
    )
    assert_sound(book)
    assert share(book, "late")[book.bars < 210].max() < 0.02  # what the 1/N of the first bars left, below the threshold
    assert not book.targets[book.bars < 170][:, 2].any()
    assert (share(book, "late")[book.bars >= 230] > 0.05).all()


def test_a_symbol_that_lists_later_is_held_only_after_twenty_returns() -> None:
    n_bars = 240
    closes = walks(9, VOLS, n_bars)
    closes[:150, 2] = np.nan
    panel = make_panel(closes, closes.copy(), symbols=NAMES)
    book = run_book(panel, {"a": Steady({"AAA": 0.5, "CCC": 0.5}), "b": Steady({"BBB": 1.0})}, first=120)
    assert_sound(book)
    assert not book.targets[book.bars < 170][:, 2].any()
    assert (book.targets[book.bars >= 170][:, 2] > 0.0).all()


def test_deposits_and_withdrawals_on_consecutive_days_leave_the_governor_where_it_was(tmp_path: Path) -> None:
    n_bars = 260
    panel = walk_panel(10, NAMES, (0.2, 0.25, 0.3), n_bars, drift=-0.25)
    session = panel.clock.session
    file = tmp_path / "flows.csv"
    rows = [(180, 200_000.0), (181, -150_000.0), (182, 100_000.0), (183, -140_000.0)]
    file.write_text("\n".join(["date,amount", *(f"{session[t]},{x}" for t, x in rows)]))
    flat = {"preset": "book", "allocate": {"cap": 1.0}}
    sleeves = {n.lower(): Steady({n: 1.0}) for n in NAMES}
    still = run_book(panel, sleeves, first=120, integrator=flat)
    moved = run_book(panel, sleeves, first=120, integrator=flat, account={"flows": str(file)})
    assert_sound(moved)
    navs = [1.0 - moved.fact("drawdown"), 1.0 - still.fact("drawdown")]
    assert still.fact("drawdown").max() > 0.01
    np.testing.assert_allclose(navs[0], navs[1], atol=0.004)  # but for sizes fixed the close before the money moved
    compounded = (1.0 + moved.equity["ret"]).cumprod()
    peak = np.maximum.accumulate(np.concatenate(([1.0], compounded)))[1:]
    np.testing.assert_allclose(
        moved.fact("drawdown")[1:], (1.0 - compounded / peak).to_numpy()[: len(moved.bars) - 1], atol=1e-12
    )


def test_leveraged_funds_are_sized_by_their_volatility_and_margined_by_their_leverage() -> None:
    symbols = ("SPY", "TMF", "TQQQ")
    closes = walks(11, (0.16, 0.45, 0.6), 220)
    panel = make_panel(closes, closes.copy(), symbols=symbols)
    book = run_book(panel, {s.lower(): Steady({s: 1.0}) for s in symbols}, first=120)
    assert_sound(book)
    assert (book.targets[:, book.column("TQQQ")] < book.targets[:, book.column("SPY")]).all()
    scale = book.setup.system.integrator.save()["s0.scale"]
    assert scale[2] < 0.35
    assert book.result.counts["margin_calls"] == 0


def test_a_margin_call_inside_a_book_is_answered_by_the_next_decision() -> None:
    n_bars = 200
    wiggle = np.where(np.arange(n_bars)[:, None] % 2 == 0, 1.0, [1.0002, 1.0004])
    closes = np.full((n_bars, 2), 100.0) * wiggle
    closes[150:] *= 0.64
    panel = make_panel(closes, closes.copy(), symbols=("AAA", "BBB"))
    stages = {**LOOSE, "vol_target": {"l_max": 3.9}, "normalize": {"max_scale": 1.0}}
    book = run_book(panel, {"a": Steady({"AAA": 1.0}), "b": Steady({"BBB": 1.0})}, first=120, integrator=stages)
    called = [decision for decision in book.decisions if decision.target.forced]
    assert book.result.counts["margin_calls"] >= 1
    assert called[0].t == 150
    rates = book.setup.broker.book.acct[11]
    for decision in called:
        assert (decision.target.weights * rates).sum() <= 1.0 + 1e-12
    assert not book.result.ruined
    bits = book.fact("binding").astype(int)
    assert (bits[book.bars == 150] & 64 > 0).all()


def test_two_sleeves_against_each_other_leave_nothing_to_scale() -> None:
    panel = walk_panel(12, ("AAA",), (0.15,), 200)
    book = run_book(panel, {"bear": Steady({"AAA": -1.0}), "bull": Steady({"AAA": 1.0})}, first=120)
    assert np.isfinite(book.targets).all()
    assert np.abs(book.targets).max() <= 0.15 + 1e-12
    assert (np.abs(book.stage("s1_allocate")) < 0.05).all()


def test_a_restriction_by_date_ends_with_its_last_day() -> None:
    panel = walk_panel(13, NAMES, VOLS, 220)
    session = panel.clock.session
    restricted = {
        "AAA": {"rule": "close", "start": str(session[140]), "end": str(session[160])},
        "BBB": {"rule": "no_new", "start": str(session[140])},
    }
    sleeves = {n.lower(): Steady({n: 1.0}) for n in NAMES}
    book = run_book(panel, sleeves, first=100, restricted=restricted)
    assert_sound(book)
    inside = (book.bars >= 140) & (book.bars <= 160)
    assert not book.targets[inside, 0].any()
    assert (book.targets[~inside][1:, 0] > 0.0).all()
    weights = book.result.weights["BBB"].to_numpy()
    shares = np.diff(weights[45:] * book.equity["equity"].to_numpy()[45:] / panel.close[145:, 1])
    assert (shares <= 1e-9).all()  # not one share more


def test_a_sleeve_that_is_not_promoted_leaves_no_mark_on_the_book() -> None:
    panel = walk_panel(14, NAMES, VOLS, 200)
    sleeves = {n.lower(): Steady({n: 1.0}) for n in NAMES}
    watched = run_book(panel, sleeves, first=120, sleeve={"bbb": {"status": "incubating"}})
    without = run_book(panel, {n: s for n, s in sleeves.items() if n != "bbb"}, first=120)
    for stage in watched.setup.system.integrator.stages:
        np.testing.assert_array_equal(watched.stage(stage)[:, [0, 2]], without.stage(stage)[:, [0, 2]])
        assert not watched.stage(stage)[:, 1].any()
