"""Pairs: every answer against an independent book, a planted pair, noise, and pairs that are not whole."""

from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.panels import make_panel
from support.plain_market import assert_same_answers, market_of_files, market_of_panel
from support.plain_pairs import plain_pairs
from support.sampled import panel_of
from support.scripted import Ran, plain_config, run_config

from plimsoll.engine.errors import ConfigError, DataError
from plimsoll.engine.market.csv.source import load_csv
from plimsoll.engine.market.panel import Panel
from plimsoll.engine.runtime.resolve import make_strategy
from plimsoll.engine.types import Floats
from plimsoll.strategies.pairs import Pairs

NAME = "plimsoll.strategies.pairs:Pairs"
PAIRS = ["GLD/SLV", "GDX/GLD", "EWA/EWC", "XLE/USO", "SPY/QQQ"]
SYMBOLS = ["GLD", "SLV", "GDX", "EWA", "EWC", "XLE", "USO", "SPY", "QQQ"]
CASES = [
    pytest.param({}, id="monthly test"),
    pytest.param({"retest": "W-FRI"}, id="weekly test", marks=pytest.mark.slow),
    pytest.param({"noise": 1e-4, "delta": 1e-5}, id="fixed noise"),
]


def oracle_settings(params: dict[str, Any]) -> dict[str, Any]:
    names = {"retest": "schedule", "noise": "noise", "delta": "delta"}
    return {names[key]: value for key, value in params.items()}


@pytest.mark.parametrize("params", CASES[:2])
def test_answers_on_the_sample_equal_an_independent_book(params: dict[str, Any]) -> None:
    panel = panel_of(42)
    expected, _ = plain_pairs(market_of_panel(panel, SYMBOLS), PAIRS, **oracle_settings(params))
    assert_same_answers(run_config(panel, plain_config(NAME, params)), expected, 1e-8)


@pytest.mark.realdata
@pytest.mark.parametrize("params", CASES[::2])
def test_answers_on_real_prices_equal_an_independent_book(real_daily: Path, params: dict[str, Any]) -> None:
    expected, book = plain_pairs(market_of_files(real_daily, SYMBOLS, "2026-05-01"), PAIRS, **oracle_settings(params))
    panel = load_csv(real_daily, tuple(sorted(SYMBOLS)), end=date(2026, 5, 1))
    assert_same_answers(run_config(panel, plain_config(NAME, params)), expected, 1e-8)
    assert sum(len(pair.trades) for pair in book.values()) > 20


@pytest.mark.realdata
def test_the_published_noise_for_dollar_prices_hardly_ever_trades_on_log_prices(real_daily: Path) -> None:
    _, book = plain_pairs(market_of_files(real_daily, SYMBOLS, "2026-05-01"), PAIRS, noise=1e-3)
    assert sum(len(pair.trades) for pair in book.values()) < 5


def prices(seed: int, n: int, rho: float | None, beta: float = 0.8) -> Floats:
    """Two funds (n, 2): linked by a gap that keeps `rho` of itself a day, or independent where it is None."""
    rng = np.random.default_rng(seed)
    x = np.cumsum(rng.normal(0.0002, 0.01, n))
    if rho is None:
        y = np.cumsum(rng.normal(0.0002, 0.01, n))
    else:
        gap = np.zeros(n)
        for t in range(1, n):
            gap[t] = rho * gap[t - 1] + rng.normal(0.0, 0.008)
        y = beta * x + gap
    return 100.0 * np.exp(np.column_stack([y, x]))


def run(closes: Floats, symbols: tuple[str, ...] = ("YYY", "ZZZ"), **params: Any) -> Ran:
    return run_config(make_panel(closes, symbols=symbols), plain_config(NAME, {"pairs": ["YYY/ZZZ"], **params}))


def notes(ran: Ran) -> Any:
    return ran.result.diagnostics.pivot_table(index="session", columns="name", values="value")


def test_a_planted_pair_is_traded_and_makes_money() -> None:
    grown = []
    for seed in range(5):
        ran = run(prices(seed, 1500, rho=0.93))
        assert len(ran.result.targets) > 20
        assert notes(ran)["passed_pairs"].mean() > 0.3  # independent funds: 0.05
        grown.append(ran.equity["equity"].iloc[-1] / 100_000.0 - 1.0)
    assert min(grown) > 0.05  # in five years, before costs


def test_a_planted_pair_is_held_against_the_gap_and_neutral_to_the_common_move() -> None:
    closes = prices(1, 1500, rho=0.93, beta=0.8)
    targets = run(closes).result.targets
    held = targets[targets["YYY"] != 0.0]
    assert len(held) > 10
    ratio = -held["ZZZ"] / held["YYY"]
    assert ratio.median() == pytest.approx(0.8, abs=0.15)
    np.testing.assert_allclose(held.abs().sum(axis=1), 1.0, rtol=1e-12)
    gap = np.log(closes[:, 0] / 100.0) - 0.8 * np.log(closes[:, 1] / 100.0)
    at = [int(np.flatnonzero(make_panel(closes).clock.session == np.datetime64(day, "D"))[0]) for day in held.index]
    agrees = np.sign(gap[at]) == -np.sign(held["YYY"].to_numpy())
    assert agrees.mean() > 0.9


def test_independent_walks_are_rejected_nearly_always() -> None:
    share = [notes(run(prices(100 + seed, 700, rho=None)))["passed_pairs"].mean() for seed in range(60)]
    assert 0.0 < np.mean(share) < 0.08  # the test's size is 5%; the half-life bounds take a little off


@pytest.mark.parametrize(("rho", "bounds"), [(0.3, {}), (0.93, {"most_half_life": 3.0})], ids=["too fast", "too slow"])
def test_a_gap_that_closes_outside_the_bounds_is_not_traded(rho: float, bounds: dict[str, float]) -> None:
    ran = run(prices(1, 1200, rho=rho), **bounds)
    assert notes(ran)["passed_pairs"].max() == 0.0
    assert len(run(prices(1, 1200, rho=rho), least_half_life=0.1).result.targets) > 5


def test_a_position_ends_when_the_link_breaks() -> None:
    closes = prices(2, 900, rho=0.93)
    closes[600:, 0] *= np.exp(0.004 * np.arange(300))  # from here on the first fund runs away
    ran = run(closes)
    assert not ran.result.targets.iloc[-1].to_numpy().any()
    assert notes(ran)["passed_pairs"].iloc[-60:].max() == 0.0


def test_the_test_of_a_month_end_rules_from_the_next_session_on() -> None:
    ran = run(prices(3, 1500, rho=0.93))
    passed = notes(ran)["passed_pairs"]
    clock = ran.setup.panel.clock
    turns = passed.index[passed.diff().ne(0.0) & passed.diff().notna()]
    assert len(turns) > 3
    for day in turns:
        at = int(np.flatnonzero(clock.session == np.datetime64(day, "D"))[0])
        assert clock.month_last[at - 1]


def test_while_a_leg_has_no_row_nothing_is_answered_and_after_six_sessions_the_pair_is_closed() -> None:
    closes = prices(1, 1500, rho=0.93)
    whole = run(closes)
    targets = whole.result.targets
    entered = targets.index[(targets["YYY"] != 0.0).to_numpy()][5]
    t = int(np.flatnonzero(whole.setup.panel.clock.session == np.datetime64(entered, "D"))[0])
    closes[t + 1 :, 1] = np.nan
    cut = run(closes).result.targets
    after = cut.loc[cut.index > entered]
    sessions = whole.setup.panel.clock.session
    assert list(after.index) == [sessions[t + 6]]
    assert not after.to_numpy().any()


def test_while_a_leg_of_an_open_pair_has_no_row_the_answer_of_another_pair_waits() -> None:
    names, params = ("AAA", "BBB", "YYY", "ZZZ"), {"pairs": ["AAA/BBB", "YYY/ZZZ"]}
    closes = np.column_stack([prices(2, 1500, rho=0.93), prices(1, 1500, rho=0.93)])
    whole = run(closes, names, **params).result.targets
    moved = whole.diff().ne(0.0)
    waits = whole.index[(whole["AAA"] != 0.0) & ~moved["AAA"] & moved["YYY"]][-1]
    panel = make_panel(closes, symbols=names)
    t = int(np.flatnonzero(panel.clock.session == np.datetime64(waits, "D"))[0])
    closes[t : t + 2, 1] = np.nan
    late = run(closes, names, **params).result.targets
    sessions = panel.clock.session
    assert waits not in late.index
    assert np.datetime64(sessions[t + 1]) not in late.index
    np.testing.assert_allclose(late.loc[sessions[t + 2], ["YYY", "ZZZ"]], whole.loc[waits, ["YYY", "ZZZ"]], rtol=1e-9)


def test_a_pair_with_a_missing_fund_is_left_out_and_the_whole_one_traded() -> None:
    closes = prices(1, 900, rho=0.93)
    ran = run(closes, pairs=["YYY/ZZZ", "YYY/GONE"])
    alone = run(closes)
    assert ran.result.targets["GONE"].eq(0.0).all()
    shared = ran.result.targets[["YYY", "ZZZ"]] * 2.0
    np.testing.assert_allclose(shared, alone.result.targets.loc[shared.index], rtol=1e-12)


def test_without_a_whole_pair_the_sleeve_is_disabled_with_the_reason() -> None:
    panel = make_panel(prices(1, 400, rho=0.9)[:, :1], symbols=("GLD",))
    with pytest.raises(DataError, match="no pair of GLD/SLV, GDX/GLD, EWA/EWC, XLE/USO, SPY/QQQ is whole"):
        run_config(panel, plain_config(NAME))


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"pairs": ["GLD/GLD"]}, "with itself"),
        ({"pairs": ["GLDSLV"]}, "match pattern"),
        ({"pairs": ["GLD/SLV", "GLD/SLV"]}, "named twice"),
        ({"enter": 4.5}, "exit < enter < stop"),
        ({"most_beta": 0.1}, "lower bound"),
    ],
)
def test_contradictory_parameters_are_refused(params: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        make_strategy(Pairs, params, where="t")


def test_closed_panels_of_one_pair_do_not_disturb_another() -> None:
    one, two = prices(1, 900, rho=0.93), prices(2, 900, rho=0.93)
    names = ("AAA", "BBB", "YYY", "ZZZ")
    panel: Panel = make_panel(np.column_stack([two, one]), symbols=names)
    both = run_config(panel, plain_config(NAME, {"pairs": ["AAA/BBB", "YYY/ZZZ"]})).result.targets
    alone = run(one).result.targets / 2.0
    for day in alone.index[1:]:
        np.testing.assert_allclose(both.loc[day, ["YYY", "ZZZ"]].astype(float), alone.loc[day], rtol=1e-9, atol=1e-12)
