"""Gates about all rows together: each sees its fault, and what is like it but right passes."""

from dataclasses import replace
from datetime import date

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from support.histories import changed, history

from plimsoll.engine.market.gates.action import volumes
from plimsoll.engine.market.gates.judge import GateInputs, judge
from plimsoll.engine.market.gates.row import repeated
from plimsoll.engine.market.gates.session import another_exchange
from plimsoll.engine.market.gates.step import coarse
from plimsoll.engine.market.history import History

PLAIN = GateInputs(date(2024, 3, 1))


def said(whole: History, inputs: GateInputs = PLAIN) -> list[tuple[str, str, str]]:
    return [(one.gate, one.severity, one.session) for one in judge(whole, inputs).findings]


def flattened(whole: History, rows: slice) -> History:
    columns = {name: whole.column(name).copy() for name in ("open", "high", "low")}
    for column in columns.values():
        column[rows] = whole.close[rows]
    return replace(whole, **columns)


def test_a_month_of_closes_alone_is_named_and_a_week_is_not() -> None:
    whole = history()
    assert said(flattened(whole, slice(5, 25))) == [("flat_prices", "note", str(whole.session[5]))]
    assert said(flattened(whole, slice(5, 24))) == []


@settings(max_examples=30, deadline=None)
@given(shares=st.integers(0, 8), different=st.integers(1, 4))
def test_a_session_needs_as_many_shares_as_it_has_prices(shares: int, different: int) -> None:
    """Open, high, low, close of k different values are k prints at least: the claim itself, for every pair."""
    prices = {1: (50.0, 50.0, 50.0, 50.0), 2: (50.0, 51.0, 50.0, 51.0), 3: (50.0, 51.0, 49.0, 50.0)}
    o, h, lo, c = prices.get(different, (50.0, 51.0, 49.0, 50.5))
    whole = replace(
        history(), open=np.full(42, 50.0), high=np.full(42, 50.5), low=np.full(42, 49.5), close=np.full(42, 50.25)
    )
    whole = changed(whole, "2024-02-01", open=o, high=h, low=lo, close=c, volume=float(shares))
    gates = [gate for gate, _, _ in said(whole)]
    assert ("volume_below_prices" in gates) == (different > 1 and shares < different)
    assert ("volume_zero" in gates) == (different == 1 and shares == 0)


def test_volumes_in_hundreds_that_stop_being_so_are_another_sources_and_the_other_way_round_a_split() -> None:
    whole = history()
    hundreds, odd = 100.0 * np.floor(whole.volume / 100.0), np.floor(whole.volume / 100.0) * 100.0 + 37.0
    rows = np.arange(42)
    spliced = replace(whole, volume=np.where(rows < 21, hundreds, odd))
    assert said(spliced) == [("source_change", "note", str(whole.session[21]))]
    assert said(replace(whole, volume=np.where(rows < 21, odd, hundreds))) == []


def test_a_leveraged_fund_off_its_underlying_is_named_and_its_own_storm_is_no_jump() -> None:
    base = history("QQQ")
    move = np.append(1.0, 1.0 - 3.0 * np.diff(base.close) / base.close[:-1])
    close = 50.0 * np.cumprod(move)
    wide = {"open": close, "high": close * 1.001, "low": close * 0.999, "close": close}
    fund = replace(history("SQQQ"), **wide)
    inputs = replace(PLAIN, underlying=base)
    assert said(fund, inputs) == []
    off = close.copy()
    off[20] *= 1.045  # beyond 1% of each of the four closes' worth
    strayed = replace(fund, open=off, high=off * 1.001, low=off * 0.999, close=off)
    assert [gate for gate, _, _ in said(strayed, inputs)] == ["leverage_gap"] * 2  # there and back
    crash = base.close.copy()
    crash[20:] *= 0.84
    down = replace(base, open=crash, high=crash + 0.25, low=crash - 0.25, close=crash)
    step = 1.0 - 3.0 * (crash[20] / crash[19] - 1.0)
    up = close.copy()
    up[20:] *= step / (close[20] / close[19])
    stormy = replace(fund, open=up, high=up * 1.001, low=up * 0.999, close=up)
    assert ("jump", "symbol", str(base.session[20])) in said(stormy)
    assert said(stormy, replace(PLAIN, underlying=down)) == []


def test_a_distribution_above_a_tenth_of_the_price_is_named() -> None:
    whole = history()
    drop = np.where(np.arange(42) < 20, 1.0, 0.88)
    columns = {name: whole.column(name) * drop for name in ("open", "high", "low", "close")}
    paid = np.where(np.arange(42) == 20, 0.12 * whole.close[19], 0.0)
    assert said(replace(whole, **columns, dividend=paid)) == [("dividend_large", "note", str(whole.session[20]))]


def test_trading_on_two_holidays_is_another_market_and_on_one_a_slip() -> None:
    whole = history()
    days = whole.session.copy()
    days[9] = np.datetime64("2024-01-15")  # Martin Luther King's day
    assert another_exchange(replace(whole, session=np.sort(days))) == []
    days[32] = np.datetime64("2024-02-19")  # Presidents' day
    order = np.argsort(days)
    (found,) = another_exchange(replace(whole, session=days[order], close=whole.close[order]))
    assert (found.gate, found.severity) == ("another_exchange", "symbol")
    assert "2 holidays of the exchange, the first 2024-01-15" in found.text


def bills(volume: np.ndarray[tuple[int], np.dtype[np.float64]]) -> History:
    """A bill fund: its four prices are those of the day before on every other session."""
    cents = 100.0 + 0.01 * (np.arange(42) // 2)
    return replace(history(), open=cents, high=cents + 0.01, low=cents - 0.01, close=cents, volume=volume)


def test_a_repeated_row_says_something_only_where_chance_does_not_do_it() -> None:
    lots = 100.0 * (1.0 + np.arange(42) % 17)  # a few lots a day, in round lots
    lots[11] = lots[10] = 1500.0
    assert not repeated(bills(lots))[0].any()
    busy = 1e6 + 17.0 * np.arange(42)
    busy[11] = busy[10]
    assert np.flatnonzero(repeated(bills(busy))[0]).tolist() == [11]


def test_a_change_of_unit_moves_every_session_and_a_young_funds_rise_does_not() -> None:
    random = np.random.default_rng(5)
    before, after = random.lognormal(13.0, 0.3, 21), random.lognormal(13.0, 0.3, 21) / 100.0
    (found,) = volumes(replace(history(), volume=np.append(before, after)))
    assert found.gate == "volume_unit"
    quiet, busy = np.full(21, 700.0), np.full(21, 70_000.0)
    quiet[15], busy[4] = 98_000.0, 2_100.0  # a busy day before, a quiet one after
    assert volumes(replace(history(), volume=np.append(quiet, busy))) == []


def divided_later(whole: History, by: int, rows: slice) -> History:
    """The file of a vendor that divides by a later 1-for-`by` reverse split: prices times it, whole shares left."""
    columns = {name: whole.column(name).copy() for name in ("open", "high", "low", "close", "volume")}
    for name, column in columns.items():
        column[rows] = np.floor(column[rows] / by) if name == "volume" else np.round(column[rows] * by, 4)
    return replace(whole, **columns)


def test_a_share_that_was_a_round_lot_or_more_is_named_up_to_the_split_that_made_it_one() -> None:
    whole = history(last=date(2024, 6, 28))
    once = divided_later(whole, 125, slice(0, 90))
    (found,) = coarse(once)
    assert (found.gate, found.severity, found.session) == ("volume_coarse", "note", str(whole.session[0]))
    assert f"in steps of 1.25 at first and 1.25 up to {whole.session[89]}" in found.text
    assert "a share here is 125 or more of then" in found.text
    (found,) = coarse(divided_later(once, 40, slice(0, 45)))
    assert f"in steps of 50 at first and 1.25 up to {whole.session[89]}" in found.text


@settings(max_examples=30, deadline=None)
@given(by=st.integers(1, 99), seed=st.integers(0, 10**6))
def test_fewer_shares_than_a_round_lot_are_never_named(by: int, seed: int) -> None:
    assert coarse(divided_later(history(seed=seed), by, slice(0, 42))) == []


def test_a_price_that_stands_still_has_no_step() -> None:
    still = np.full(42, 150.0)
    assert coarse(replace(history(), open=still, high=still, low=still, close=still)) == []
