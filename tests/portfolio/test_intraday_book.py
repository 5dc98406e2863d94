"""Books on intraday bars: what is told in sessions counts sessions, and the regime correlates session returns."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from support.book_run import UNBOUND, UNGOVERNED, Book, Steady, run_book
from support.panels import make_panel

from plimsoll.engine.kernels.estimate import rank_ic
from plimsoll.engine.market.calendar import build_clock
from plimsoll.engine.market.panel import Panel
from plimsoll.engine.portfolio.stages import s6_regime as s6

HALVES = build_clock(date(2019, 1, 2), date(2020, 3, 31), "195min")
LOOSE = {"preset": "book", **UNBOUND, **UNGOVERNED}


def opposed(seed: int = 2) -> Panel:
    """A rising, calm market whose bonds go against its stocks over a session and with them over its last bar."""
    rng = np.random.default_rng(seed)
    last = HALVES.last_bar
    n_sessions = int(last.sum())
    afternoon = rng.normal(0.0, 0.002, n_sessions)
    session = rng.normal(0.0, 0.01, n_sessions)
    spy, tlt = np.empty(len(last)), np.empty(len(last))
    alone = np.concatenate(([True], last[:-1])) & last  # a session of one bar is not all afternoon
    spy[last] = tlt[last] = afternoon
    morning = ~last
    of = HALVES.session_index[morning]
    spy[morning] = (1.0 + session[of]) / (1.0 + afternoon[of]) - 1.0
    tlt[morning] = (1.0 - session[of]) / (1.0 + afternoon[of]) - 1.0
    spy[alone] = tlt[alone] = 0.0
    spy += 0.002
    closes = 100.0 * np.cumprod(1.0 + np.column_stack((spy, tlt)), axis=0)
    panel = make_panel(closes, closes.copy(), symbols=("SPY", "TLT"), clock=HALVES, interval="195min")
    return replace(panel, indicators=("VIX",), indicator=np.full((len(last), 1), 15.0))


def book_of(panel: Panel, **stages: object) -> Book:
    sleeves = {"growth": Steady({"SPY": 1.0}), "rest": Steady({"TLT": 1.0})}
    return run_book(panel, sleeves, data={"interval": "195min"}, integrator={**LOOSE, **stages})


def test_the_regime_of_an_intraday_book_correlates_sessions_not_their_last_bars() -> None:
    panel = opposed()
    spy, tlt = (panel.close[:, k] for k in (0, 1))
    closes = np.flatnonzero(HALVES.last_bar)
    sessions = [x[closes][1:] / x[closes][:-1] - 1.0 for x in (spy, tlt)]
    bars = [(x[1:] / x[:-1] - 1.0)[closes[1:] - 1] for x in (spy, tlt)]
    assert np.corrcoef(*sessions)[0, 1] < -0.9
    assert np.corrcoef(*bars)[0, 1] > 0.9
    book = book_of(panel)
    # a calm market above its mean with rho = -1: x = (0 - 1 - 1) / 3; by the last bars it was (0 - 1 + 1) / 3
    assert s6.REGIMES[int(book.fact("regime")[-1])] == "risk_on"


@pytest.mark.parametrize("bars", [1, 2, 5])
def test_returns_of_a_session_compound_however_many_bars_it_has(bars: int) -> None:
    rng = np.random.default_rng(bars)
    p = s6.Params(0.10, 0.12, 0.09, 0.08, 0.08, 0.12, 5, 0.98)
    split, whole = s6.init(0.10), s6.init(0.10)
    for _ in range(30):
        parts = rng.normal(0.0, 0.01, (bars, 2))
        for stock, bond in parts:
            s6.gather(stock, bond, split)
        one = np.prod(1.0 + parts, axis=0) - 1.0
        s6.gather(one[0], one[1], whole)
        for state in (split, whole):
            s6.observe(15.0, 100.0, p, state)
    np.testing.assert_allclose(split.memory, whole.memory, rtol=1e-9)
    assert split.memory[s6.SB] != 0.0


def test_a_bar_without_a_row_leaves_the_session_its_other_bars_and_none_at_all_leaves_no_observation() -> None:
    p = s6.Params(0.10, 0.12, 0.09, 0.08, 0.08, 0.12, 5, 1.0)
    state = s6.init(0.10)
    s6.gather(0.02, np.nan, state)
    s6.gather(np.nan, -0.01, state)
    s6.observe(15.0, 100.0, p, state)
    assert state.memory[s6.SB] == pytest.approx(0.02 * -0.01)
    s6.gather(0.05, np.nan, state)
    s6.observe(15.0, 100.0, p, state)
    assert state.memory[s6.SB] == pytest.approx(0.02 * -0.01)


def test_a_symbol_of_an_intraday_book_is_traded_after_min_obs_sessions_not_bars() -> None:
    stages = {"net": {"min_obs": 20}, "normalize": {"min_obs": 1}, "allocate": {"min_obs": 2}}
    book = book_of(opposed(), **stages)
    traded = np.abs(book.stage("s2_net")).sum(axis=1) > 0.0
    first = book.bars[np.argmax(traded)]
    assert HALVES.session_index[first] == 20  # the first bar of all has no return: 40 are there at bar 40


def test_a_sleeve_of_an_intraday_book_is_scaled_after_min_obs_sessions() -> None:
    book = book_of(opposed(), normalize={"min_obs": 30}, net={"min_obs": 1}, allocate={"min_obs": 2})
    scaled = np.abs(book.stage("raw")).sum(axis=1) > 0.0
    # the first bar of all has no return, the first weight none either: 60 observations are there within session 30
    assert HALVES.session_index[book.bars[np.argmax(scaled)]] == 30


def test_skill_looks_back_over_21_sessions_of_bars() -> None:
    assert book_of(opposed()).setup.system.integrator.memory.ic.ring.shape == (2, 21 * 2)
    rng = np.random.default_rng(0)
    state, work, skill = rank_ic.init(1, 42), np.zeros((2, 6)), np.empty(1)
    for seen in range(1, 50):
        member = np.ones((1, 6), dtype=np.bool_)
        rank_ic.step(state, rng.normal(size=(1, 6)), member, rng.normal(size=6), 0.99, work, skill)
        assert np.isnan(skill[0]) == (seen < 42)


def test_every_count_of_sessions_is_told_to_the_kernels_in_bars() -> None:
    stages = {"allocate": {"skill_warmup_sessions": 40, "min_obs": 60}, "normalize": {"min_obs": 20}}
    settings = book_of(opposed(), **stages).setup.system.integrator.settings
    told = (settings.watch.skill_warmup, settings.watch.allocate.min_obs, settings.watch.allocate.young_obs)
    assert told == (80.0, 120.0, 40.0)
    assert (settings.watch.allocate.min_overlap, settings.rules.vol_target.min_overlap) == (40, 40)


def test_the_loss_of_a_day_is_that_of_a_session_however_its_bars_fell_and_the_way_back_is_in_sessions() -> None:
    calm = opposed()
    bars = HALVES.session_index
    at = {150: (-0.045, -0.045), 220: (-0.09, 0.10)}  # a loss in two halves, and one that the afternoon makes good
    close = calm.close.copy()
    for session, moves in at.items():
        for bar, move in zip(np.flatnonzero(bars == session), moves, strict=True):
            close[bar:, 0] *= 1.0 + move
    panel = replace(make_panel(close, symbols=("SPY", "TLT"), clock=HALVES, interval="195min"),
                    indicators=calm.indicators, indicator=calm.indicator)  # fmt: skip
    governor = UNGOVERNED["governor"] | {"m_min": 0.2, "day_loss": 0.03, "day_reentry_sessions": 10}
    book = book_of(panel, governor=governor)
    equity = book.equity["equity"].to_numpy()
    last = HALVES.last_bar[len(HALVES.last_bar) - len(equity) :]
    of_session = equity[last][1:] / equity[last][:-1] - 1.0
    decided = dict(zip(HALVES.session_index[book.bars].tolist(), book.fact("multiplier"), strict=True))
    first = int(HALVES.session_index[-len(equity)])
    flat = [session for session, m in decided.items() if m == 0.0]
    assert flat == [150]
    assert [first + 1 + int(k) for k in np.flatnonzero(of_session <= -0.03)] == flat
    fell = np.flatnonzero(HALVES.session_index == 220)[0] - (len(HALVES.last_bar) - len(equity))
    assert equity[fell] / equity[fell - 1] - 1.0 <= -0.03  # the first half alone would have been enough
    np.testing.assert_allclose([decided[151 + k] for k in range(11)], [min(0.2 + 0.08 * k, 1.0) for k in range(11)])
