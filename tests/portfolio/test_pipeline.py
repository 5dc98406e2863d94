"""The nine stages as one: traces, caps, volatility, order of sleeves, size of the account, purity, state, uplift."""

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import spearmanr
from support.book_run import (
    UNBOUND,
    UNGOVERNED,
    Book,
    Replay,
    Steady,
    assert_inside_caps,
    build_book,
    finish,
    run_book,
    settings_of,
    walk_panel,
    walks,
)
from support.panels import make_panel

from plimsoll.engine.config.schema import load_config
from plimsoll.engine.core import Decision
from plimsoll.engine.errors import ConfigError
from plimsoll.engine.execution.broker import Account
from plimsoll.engine.kernels.account.ledger import MARGIN_CALL
from plimsoll.engine.portfolio.book_decide import SKIPPABLE
from plimsoll.engine.portfolio.integrator import Mark
from plimsoll.engine.portfolio.stages.s4_caps import names_of
from plimsoll.engine.runtime.assemble import Setup, build
from plimsoll.engine.runtime.load import load_panel
from plimsoll.engine.runtime.needs import needs_of
from plimsoll.engine.runtime.prepare import make_strategies
from plimsoll.engine.sleeve.strategy import Strategy

CONFIG = Path(__file__).resolve().parents[2] / "config"
NAMES = ("AAA", "BBB", "CCC", "DDD", "EEE", "FFF")


def wander(seed: int, n_bars: int = 300) -> dict[str, Strategy]:
    rng = np.random.default_rng(seed)
    sleeves: dict[str, Strategy] = {}
    for k, name in enumerate(("alpha", "beta", "gamma", "delta")):
        chosen = NAMES[k : k + 3]
        path = rng.normal(0.25, 0.3, (n_bars, 3))
        path[rng.random(n_bars) < 0.7, 0] = np.nan
        sleeves[name] = Replay(chosen, path)
    return sleeves


def market(seed: int, n_bars: int = 300) -> object:
    return walk_panel(seed, NAMES, (0.1, 0.12, 0.15, 0.2, 0.25, 0.3), n_bars, corr=0.3)


def picture(book: Book) -> list[bytes]:
    """Every byte a run put out, in an order that does not depend on the names of ids."""
    parts = [book.equity.to_numpy(), book.result.weights.to_numpy(), book.targets, book.setup.broker.fills]
    parts += [decision.target.trace for decision in book.decisions]
    parts += [decision.target.facts for decision in book.decisions]
    return [np.ascontiguousarray(part).tobytes() for part in parts]


# --------------------------------------------------------------------------------------------------------------- traces
def assert_traced(book: Book) -> None:
    for decision in book.decisions:
        trace = decision.target.trace
        steps = np.diff(trace, axis=1).sum(axis=1)
        np.testing.assert_allclose(steps, trace[:, -1] - trace[:, 0], rtol=0, atol=1e-12)
        held = np.where(decision.target.trade, decision.target.goal, trace[:, -1])
        np.testing.assert_array_equal(trace[:, -1], held)


def test_the_steps_of_the_trace_add_up_and_end_at_what_will_be_held(random_run: Book) -> None:
    assert_traced(random_run)
    at = random_run.bars[1:]
    before = random_run.result.weights.to_numpy()
    for k, t in enumerate(at):
        decision = random_run.decisions[k + 1]
        kept = ~decision.target.trade
        np.testing.assert_allclose(
            decision.target.trace[kept, -1], before[t - random_run.setup.first][kept], rtol=1e-12, atol=1e-15
        )


def test_each_column_of_the_trace_is_the_stage_before_changed_by_its_own_rule(random_run: Book) -> None:
    s = settings_of(random_run.setup).rules
    assert s.turnover.kelly == 1.0
    s3, s2 = random_run.stage("s3_vol_target"), random_run.stage("s2_net")
    np.testing.assert_allclose(s3, s2 * random_run.fact("leverage")[:, None], rtol=1e-12)
    s4, s5 = random_run.stage("s4_caps"), random_run.stage("s5_governor")
    assert (np.abs(s4) <= np.abs(s3) + 1e-15).all()
    assert (np.abs(s5) <= np.abs(s4)).all()
    normal = random_run.fact("tier") < 3
    np.testing.assert_allclose(s5[normal], (s4 * random_run.fact("multiplier")[:, None])[normal], rtol=1e-12)
    unchanged = np.array([not names_of(int(bits)) for bits in random_run.fact("binding")])
    np.testing.assert_array_equal(s4[unchanged], s3[unchanged])


def test_the_raw_column_is_what_equal_shares_would_hold() -> None:
    book = run_book(market(3), wander(3), first=100)
    raw, shared = book.stage("raw"), book.stage("s1_allocate")
    equal = (book.fact("rung") == 3.0) & (book.fact("share.alpha") == 0.25)
    np.testing.assert_allclose(raw[equal], shared[equal], rtol=1e-12)
    for k, decision in enumerate(book.decisions):
        state = replayed(book, decision.t)
        z = state["s0.scale"][:, None] * state["s0.unit"]
        shares = [book.fact(f"share.{n}")[k] for n in ("alpha", "beta", "delta", "gamma")]
        np.testing.assert_allclose(raw[k], z.sum(axis=0) / 4.0, rtol=1e-12, atol=1e-15)
        np.testing.assert_allclose(shared[k], np.array(shares) @ z, rtol=1e-12, atol=1e-15)
        if k == 3:
            break


def replayed(book: Book, t: int) -> Mapping[str, np.ndarray]:
    """The integrator's state at bar t of a run that is done again up to there."""
    setup = build(book.setup.config, market(3), wander(3))
    for bar in range(t + 1):
        setup.system.observe(bar, Mark(250_000.0, 1.0) if bar >= setup.first - 1 else None)
    return setup.system.integrator.save()


@pytest.mark.parametrize("stage", SKIPPABLE)
def test_a_stage_that_is_passed_over_is_the_only_one_missing(stage: str) -> None:
    setup = build_book(market(1), wander(1), first=200)
    for t in range(200):
        mark = Mark(250_000.0, 0.93) if t == 199 else None
        setup.system.observe(t, Mark(250_000.0, 1.0) if t == 198 else mark)
    account = Account(250_000.0, 250_000.0, 0.0, np.zeros(setup.panel.n_symbols), np.zeros(setup.panel.n_symbols))
    with_it = setup.system.decide(account).target.trace
    without = setup.system.decide(account, skip=frozenset({stage})).target.trace
    stages = setup.system.integrator.stages
    if stage in stages and stage != "s7_turnover":
        at = stages.index(stage)
        np.testing.assert_array_equal(without[:, :at], with_it[:, :at])
        if stage == "s1_allocate":
            np.testing.assert_allclose(without[:, at], without[:, 0], rtol=1e-12)
        elif stage != "s2_net":
            np.testing.assert_array_equal(without[:, at], without[:, at - 1])


# ------------------------------------------------------------------------------------------------ caps and volatility
@lru_cache(maxsize=2)
def configured(name: str, folder: Path | None = None, end: str = "") -> Book:
    """A run of one of the project's own books, on the sample or on files."""
    sets = [f'data.path="{folder}"', "data.source=csv"] if folder else []
    config = load_config(CONFIG / f"{name}.toml", sets=[*sets, *([f"run.end={end}"] if end else [])])
    strategies = make_strategies(config)
    return finish(build(config, load_panel(config, needs_of(config, strategies)), strategies))


def test_the_projects_own_book_is_inside_its_caps_at_every_decision_and_its_trace_adds_up() -> None:
    book = configured("book", end="2011-12-31")
    assert_inside_caps(book)
    assert_traced(book)
    assert (book.fact("rung") == 0.0).mean() > 0.5


@given(st.integers(0, 2**32 - 1), st.sampled_from([30_000.0, 250_000.0, 5e6, 5e7]))
@settings(max_examples=12)
def test_every_target_of_any_random_book_is_inside_every_cap(seed: int, cash: float) -> None:
    clusters = {"one": ("AAA", "BBB", "CCC"), "two": ("EEE", "FFF")}
    stages = {"preset": "book", "caps": {"clusters": clusters, "net": 0.3}}
    book = run_book(market(seed), wander(seed), first=150, run={"name": "t", "cash": cash}, integrator=stages)
    assert_inside_caps(book)
    assert_traced(book)


@pytest.mark.realdata
@pytest.mark.slow
def test_on_real_prices_the_projects_own_book_is_inside_its_caps(real_daily: Path) -> None:
    book = configured("book", real_daily, "2015-12-31")
    assert len(book.decisions) > 1500
    assert_inside_caps(book)
    assert_traced(book)
    shares = np.array([book.fact(f"share.{s.name}") for s in book.setup.system.sleeves])
    np.testing.assert_allclose(shares.sum(axis=0), 1.0, atol=1e-12)
    assert shares.min() >= 0.0
    assert shares.max() <= 0.35 + 1e-12


def test_realised_volatility_is_near_its_target_where_nothing_binds() -> None:
    names = tuple(f"S{i:02d}" for i in range(12))
    panel = walk_panel(21, names, np.linspace(0.08, 0.3, 12), 1000, corr=0.2)
    sleeves = {f"s{k}": Steady(dict.fromkeys(names[k::4], 1.0 / 3.0)) for k in range(4)}
    loose = {"preset": "book", **UNBOUND, **UNGOVERNED, "vol_target": {"l_max": 9.0}}
    book = run_book(panel, sleeves, first=260, integrator=loose)
    free = book.fact("binding") == 0.0
    assert free.mean() > 0.95
    ret = book.equity["ret"].to_numpy()
    z = ret[1:] / (book.fact("sigma_p")[: len(ret) - 1] / np.sqrt(252.0))
    assert 0.8 < np.sqrt(np.mean(z * z)) < 1.2
    assert book.result.counts["unbound_vol_ratio"] == pytest.approx(np.sqrt(np.mean(z * z)), rel=0.05)


# -------------------------------------------------------------------------------------------------- order and size
def test_the_order_in_which_sleeves_are_configured_changes_nothing() -> None:
    sleeves = wander(4)
    turned = dict(reversed(list(sleeves.items())))
    assert picture(run_book(market(4), turned, first=120)) == picture(run_book(market(4), sleeves, first=120))


def test_sleeves_are_kept_in_the_order_of_their_names() -> None:
    setup = build_book(market(4), dict(reversed(list(wander(4).items()))))
    assert [sleeve.name for sleeve in setup.system.sleeves] == ["alpha", "beta", "delta", "gamma"]


def test_an_account_of_another_size_in_the_same_tier_holds_the_same_fractions() -> None:
    ladder = {"tiers": [{"min_equity": 0.0, "gross": 1.5, "name": 0.15}]}
    stages = {"preset": "book", "ladder": ladder, "caps": {"capacity": 1e9}}
    small, large = (
        run_book(market(5), wander(5), first=120, run={"name": "t", "cash": cash}, integrator=stages)
        for cash in (2e6, 2e9)
    )
    # shorts are whole shares, so the account's path differs by what a share is worth of two millions
    np.testing.assert_allclose(small.stage("s4_caps"), large.stage("s4_caps"), atol=1e-12)
    np.testing.assert_allclose(small.targets[0], large.targets[0], atol=1e-12)
    np.testing.assert_allclose(small.targets, large.targets, atol=2e-3)


def test_sleeves_that_hold_nothing_make_a_book_that_holds_nothing() -> None:
    idle = {name: Steady({"AAA": 0.0, "BBB": 0.0}) for name in "abc"}
    silent = {"x": Replay(("CCC",), np.full((1, 1), np.nan))}
    book = run_book(market(6), {**idle, **silent}, first=100)
    assert not book.targets.any()
    assert not book.setup.broker.fills.any()
    assert (book.equity["equity"] == 250_000.0).all()
    assert not book.fact("leverage").any()


def test_a_book_whose_sleeves_are_all_quarantined_sells_everything() -> None:
    panel = market(7)
    at = str(panel.clock.session[200])
    sleeve = {n: {"status": "quarantined", "since": at} for n in wander(7)}
    book = run_book(panel, wander(7), first=120, sleeve=sleeve)
    assert book.targets[book.bars < 200].any()
    assert not book.targets[book.bars >= 200].any()
    assert not book.result.weights.to_numpy()[-50:].any()


def test_a_restricted_symbol_that_nobody_trades_is_a_mistake() -> None:
    with pytest.raises(ConfigError, match="'AAB' is not in this run; did you mean 'AAA'"):
        build_book(market(7), wander(7), restricted={"AAB": {"rule": "close"}})


# ----------------------------------------------------------------------------------------------------------- purity
def state_of(setup: Setup) -> dict[str, bytes]:
    """Every byte that a later bar or output could depend on."""
    arrays = dict(setup.system.save()) | setup.broker.book.save()
    arrays |= {"rec": setup.broker.rec, "held": setup.broker.held, "fills": setup.broker.fills}
    return {key: np.ascontiguousarray(value).tobytes() for key, value in arrays.items()}


def seen(decision: Decision) -> list[bytes]:
    target = decision.target
    parts = [target.weights, target.goal, target.trade, target.trace, target.facts, *decision.plan.orders.rows]
    return [np.ascontiguousarray(part).tobytes() for part in parts]


def test_ten_decisions_of_a_book_change_no_byte_whoever_else_asks() -> None:
    rng = np.random.default_rng(8)
    gate = {"preset": "book", "turnover": {"edge_ratio": 1.0, "park_cash": True}}
    setup = build_book(
        market(8), wander(8), first=150, integrator=gate, costs={"preset": "us_etf"},
        restricted={"AAA": {"rule": "no_new"}},
    )  # fmt: skip
    system, broker, n = setup.system, setup.broker, setup.panel.n_symbols
    for t in range(190):
        code = broker.advance(t) if t >= setup.first else 0
        if t == setup.first - 1:
            broker.mark_start(t)
        system.observe(t, Mark(*broker.mark()) if t >= setup.first - 1 else None)
        if t < setup.first - 1:
            continue
        account = broker.account()
        before, first = state_of(setup), seen(system.decide(account))
        for k in range(10):
            value = rng.normal(0, 30_000, n)
            other = replace(account, value=value, shares=value / 90.0, margin_call=k % 3 == 0)
            system.decide(other, skip=frozenset(SKIPPABLE[k % len(SKIPPABLE) :][:2]))
            assert seen(system.decide(account)) == first
        assert state_of(setup) == before
        assert code != MARGIN_CALL
        broker.submit(system.decide(account).plan.orders)


def test_cash_equivalents_of_a_sleeve_are_cash_with_stage_0_passed_over_too() -> None:
    panel = make_panel(walks(5, (0.15, 0.10)), symbols=("AAA", "BIL"))
    setup = build_book(panel, {"half": Steady({"AAA": 0.5, "BIL": 0.5})}, integrator={"preset": "book", **UNBOUND})
    for t in range(panel.n_bars):
        setup.system.observe(t, None)
    flat = Account(250_000.0, 250_000.0, 0.0, np.zeros(2), np.zeros(2), margin_call=False)
    trace = setup.system.decide(flat, skip=frozenset({"s0_normalize"})).target.trace
    assert trace[:, 0].tolist() == [0.5, 0.0]  # the raw book: half of the sleeve at risk, the bills are no position


# ----------------------------------------------------------------------------------------------------- margin and data
def test_a_margin_call_scales_the_book_to_its_requirement() -> None:
    setup = build_book(market(9), wander(9), first=200, integrator={"preset": "book", **UNBOUND})
    for t in range(200):
        setup.system.observe(t, Mark(250_000.0, 1.0) if t == 199 else None)
    rates = settings_of(setup).rules.maintenance
    n = setup.panel.n_symbols
    account = Account(0.0, 250_000.0, 300_000.0, np.zeros(n), np.zeros(n), margin_call=True)
    free = setup.system.decide(replace(account, margin_call=False)).target
    called = setup.system.decide(account).target
    required = np.where(free.weights > 0, free.weights * rates[0], -free.weights * rates[1]).sum()
    assert called.forced
    np.testing.assert_allclose(called.weights, free.weights / max(required, 1.0), rtol=1e-12)


# -------------------------------------------------------------------------------------------------------------- uplift
def uplift(k: int, rho: float) -> float:
    """Sharpe ratio of k equally good sleeves of common correlation rho, in units of one's."""
    return float(np.sqrt(k / (1.0 + (k - 1) * rho)))


@pytest.mark.parametrize(("k", "cells"), [(3, (1.04, 0.88, 0.77)), (5, (1.34, 1.00, 0.83)), (8, (1.70, 1.10, 0.87))])
def test_the_corrected_table_of_diversification(k: int, cells: tuple[float, ...]) -> None:
    for rho, cell in zip((0.0, 0.2, 0.4), cells, strict=True):
        assert 0.6 * uplift(k, rho) == pytest.approx(cell, abs=0.005)


@pytest.mark.parametrize("k", [3, 5, 8])
@pytest.mark.parametrize("rho", [0.0, 0.2, 0.4])
def test_the_uplift_of_diversification_by_simulation(k: int, rho: float) -> None:
    rng = np.random.default_rng(k)
    years = 20_000
    z = np.sqrt(rho) * rng.standard_normal((years, 1)) + np.sqrt(1.0 - rho) * rng.standard_normal((years, k))
    annual = 0.6 + z  # unit volatility, Sharpe ratio 0.6
    book = annual.mean(axis=1)
    assert book.mean() / book.std() == pytest.approx(0.6 * uplift(k, rho), rel=0.05)


def test_however_many_sleeves_the_uplift_ends_at_one_over_the_root_of_their_correlation() -> None:
    assert uplift(10**9, 0.25) == pytest.approx(2.0, rel=1e-6)


def test_skill_compares_the_weights_of_one_close_with_the_returns_to_the_next() -> None:
    rng = np.random.default_rng(9)
    n_bars = 90
    panel = market(9, n_bars)
    path = rng.normal(0, 0.2, (n_bars, len(NAMES)))
    stages = {"preset": "book", "allocate": {"skill_warmup_sessions": 0}, "normalize": {"cash_equivalents": ["FFF"]}}
    book = run_book(panel, {"s": Replay(NAMES, path)}, first=60, integrator=stages)
    ret = book.setup.feed.ret[:, :5]  # parked cash is not what a sleeve is good at
    ics = [float(spearmanr(path[t - 1, :5], ret[t]).statistic) for t in range(1, n_bars)]
    means = np.array([np.mean(ics[k - 21 : k]) for k in range(21, len(ics) + 1)])
    for k, t in enumerate(book.bars):
        so_far = means[: t - 20]
        weights = 0.5 ** (np.arange(len(so_far))[::-1] / 63.0)
        expected = np.clip(0.5 + np.average(so_far, weights=weights) / 0.2, 0.0, 1.0)
        assert book.fact("skill.s")[k] == pytest.approx(expected, abs=1e-9)


def test_a_role_given_in_the_configuration_wins_over_the_strategys_own() -> None:
    sleeves = {"a": Steady({"AAA": 1.0}, role="defensive"), "b": Steady({"BBB": 1.0}, role="defensive")}
    setup = build_book(market(9), sleeves, sleeve={"b": {"role": "cyclical"}})
    assert settings_of(setup).watch.role.tolist() == [1.0, -1.0]


@pytest.mark.parametrize("kelly", [1.0, 0.5])
def test_what_may_not_grow_stays_and_does_not_melt_away(kelly: float) -> None:
    names = ("AAA", "BBB", "CCC", "DDD")
    panel = walk_panel(4, names, (0.12,) * 4, 400, corr=0.1)
    start = str(panel.clock.session[300])
    integrator = {"preset": "book", **UNGOVERNED, "turnover": {"kelly": kelly}, "caps": {"clusters": {}, "gross": 0.5}}
    book = run_book(
        panel, {"a": Steady(dict.fromkeys(names, 0.25))}, first=100, integrator=integrator,
        restricted={"AAA": {"rule": "no_new", "start": start}},
    )  # fmt: skip
    held = book.setup.broker.held[:, book.column("AAA")]
    assert held[299] > 0.02
    assert held[-1] > 0.7 * held[299]
    shares = book.setup.broker.fills
    late = shares[(shares[:, 0] > 301) & (shares[:, 1] == book.column("AAA"))]
    assert (late[:, 2] <= 0.0).all()
