"""The benchmark portfolios and the schedule against plain pandas."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from support.panels import make_panel, random_panel
from support.plain_targets import inverse_vol, total_returns
from support.scripted import Ran, plain_config, run_config

from plimsoll.engine.market.panel import Panel
from plimsoll.strategies.buy_and_hold import BuyAndHold
from plimsoll.strategies.equal_weight import EqualWeight

SYMBOLS = ("S000", "S001", "S002", "S003")


def run(name: str, panel: Panel, **params: Any) -> Ran:
    """Run one registered benchmark."""
    return run_config(panel, plain_config(name, params))


def answers(ran: Ran) -> dict[int, np.ndarray]:
    """Targets by bar, without the one the account adopted."""
    return {decision.t: decision.target.weights for decision in ran.track.decisions[1:]}


def due(panel: Panel, schedule: str) -> list[int]:
    """Bars of a schedule, from dates alone: the bar after lies in another month, or in another week."""
    days = pd.DatetimeIndex(panel.clock.session)
    after = days[1:].append(pd.DatetimeIndex([days[-1] + pd.offsets.BDay(1)]))
    if schedule == "M":
        mask = days.month != after.month
    elif schedule == "W-FRI":
        mask = days.isocalendar().week.to_numpy() != after.isocalendar().week.to_numpy()
    else:
        mask = np.arange(len(days)) % int(schedule) == 0
    return np.flatnonzero(mask).tolist()


@pytest.mark.parametrize("schedule", ["M", "W-FRI", "1", "5", "21"])
def test_the_schedule_falls_on_the_last_session_or_on_every_nth(schedule: str) -> None:
    panel = random_panel(3, holes=False, quiet=False, n_bars=120)
    ran = run("plimsoll.strategies.equal_weight:EqualWeight", panel, symbols=SYMBOLS, rebalance=schedule)
    assert list(answers(ran)) == [t for t in due(panel, schedule) if t >= ran.setup.first]


def test_every_session_is_a_schedule_too() -> None:
    panel = random_panel(3, holes=False, quiet=False, n_bars=20)
    assert list(
        answers(run("plimsoll.strategies.equal_weight:EqualWeight", panel, symbols=SYMBOLS, rebalance="D"))
    ) == list(range(1, 20))


@pytest.mark.parametrize("schedule", ["0", "m", "W", "monthly", "-5", ""])
def test_an_unknown_schedule_is_refused(schedule: str) -> None:
    with pytest.raises(ValidationError):
        EqualWeight.Params(rebalance=schedule)


@given(seed=st.integers(0, 2**32))
@settings(max_examples=25)
def test_equal_weight_is_one_over_what_is_listed(seed: int) -> None:
    panel = random_panel(seed)
    for t, w in answers(
        run("plimsoll.strategies.equal_weight:EqualWeight", panel, symbols=SYMBOLS, rebalance="3")
    ).items():
        listed = ~np.isnan(panel.close[t])
        np.testing.assert_allclose(w, listed / listed.sum(), rtol=1e-15)


@given(seed=st.integers(0, 2**32), lookback=st.integers(5, 40))
@settings(max_examples=25)
def test_inverse_vol_equals_plain_pandas(seed: int, lookback: int) -> None:
    panel = random_panel(seed, n_bars=100)
    close, dividend, split = (pd.DataFrame(getattr(panel, name)) for name in ("close", "dividend", "split"))
    returns = total_returns(close, dividend, split)
    ran = run(
        "plimsoll.strategies.inverse_vol:InverseVol", panel, symbols=SYMBOLS, lookback_bars=lookback, rebalance="4"
    )
    expected = {}
    for t in range(ran.setup.first, panel.n_bars):
        w = inverse_vol(returns.iloc[: t + 1].tail(lookback), close.iloc[t].notna(), lookback // 2)
        if t % 4 == 0 and not w.isna().all():
            expected[t] = w.fillna(0.0).to_numpy()
    ours = answers(ran)
    assert list(ours) == list(expected)
    for t, w in ours.items():
        np.testing.assert_allclose(w, expected[t], rtol=1e-10, atol=1e-15)
        assert w.sum() == pytest.approx(1.0, rel=1e-12)


def test_sixty_forty_keeps_its_split_and_waits_until_both_are_listed() -> None:
    close = np.random.default_rng(0).uniform(90.0, 110.0, (80, 2))
    close[:30, 1] = np.nan
    panel = make_panel(close, symbols=("IEF", "SPY"))
    ran = run("plimsoll.strategies.sixty_forty:SixtyForty", panel, stock_weight=0.7)
    ours = answers(ran)
    assert list(ours) == [t for t in due(panel, "M") if t >= 30]
    for w in ours.values():
        np.testing.assert_allclose(w, [0.3, 0.7], rtol=1e-15)


def test_buy_and_hold_waits_for_every_symbol_and_answers_once() -> None:
    close = np.random.default_rng(0).uniform(90.0, 110.0, (60, 2))
    close[:25, 1] = np.nan
    ran = run(
        "plimsoll.strategies.buy_and_hold:BuyAndHold", make_panel(close), symbols=("S000", "S001"), weights=(0.75, 0.25)
    )
    ours = answers(ran)
    assert list(ours) == [25]
    assert ours[25].tolist() == [0.75, 0.25]
    shares = ran.shares_after(26)
    np.testing.assert_array_equal(ran.shares_after(59), shares)


def test_buy_and_hold_refuses_weights_that_do_not_match_its_symbols() -> None:
    with pytest.raises(ValidationError, match="3 weights for 2 symbols"):
        BuyAndHold.Params(symbols=("A", "B"), weights=(0.2, 0.3, 0.5))


def test_buy_and_hold_equals_its_symbol_when_nothing_costs() -> None:
    close = 100.0 * np.exp(np.cumsum(np.random.default_rng(1).normal(0.0, 0.02, 60)))
    ran = run("plimsoll.strategies.buy_and_hold:BuyAndHold", make_panel(close), symbols=("S000",))
    assert ran.equity["equity"].to_numpy()[1:] == pytest.approx(100_000.0 * close[2:] / close[0], rel=1e-9)
