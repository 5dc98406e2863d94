"""Modelled history of leveraged funds: against the real funds, by hand, and what may never change."""

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.panels import make_panel

from plimsoll.engine.errors import DataError
from plimsoll.engine.market.csv.source import load_csv
from plimsoll.engine.market.extend import extend_leveraged, leveraged_returns
from plimsoll.engine.market.feed import Feed
from plimsoll.engine.market.panel import Panel
from plimsoll.engine.types import Floats

SYMBOLS = ("BIL", "QQQ", "SQQQ", "TQQQ")


def returns(panel: Panel, symbol: str) -> Floats:
    """Total returns from prices and dividends alone."""
    j = panel.column(symbol)
    close = pd.Series(panel.close[:, j])
    worth: Floats = ((close + panel.dividend[:, j]) * panel.split[:, j] / close.ffill().shift(1) - 1.0).to_numpy()
    return worth


def small(n: int = 12, first: int = 8, seed: int = 1, swing: float = 0.02) -> Panel:
    """QQQ over n bars with a dividend, TQQQ and SQQQ from `first` on."""
    rng = np.random.default_rng(seed)
    close = 100.0 * np.exp(np.cumsum(rng.normal(0.0, swing, (n, 4)), axis=0))
    close[:first, 2:] = np.nan
    dividend = np.zeros((n, 4))
    dividend[n // 3, 1] = 1.5
    dividend[first : first + 1, 2:] = 0.7
    opened = close * np.exp(rng.normal(0.0, 0.4 * swing, (n, 4)))
    return make_panel(close, opened, dividend=dividend, symbols=SYMBOLS)


@pytest.mark.realdata
def test_the_model_of_tqqq_tracks_the_real_fund_over_sixteen_years(real_daily: Path) -> None:
    panel = load_csv(real_daily, ("BIL", "QQQ", "TQQQ"), end=date(2026, 5, 1))
    real = returns(panel, "TQQQ")
    model = leveraged_returns(returns(panel, "QQQ"), returns(panel, "BIL"), 3.0, 0.0086)
    both = ~np.isnan(real) & ~np.isnan(model)
    real, model = real[both], model[both]
    assert len(real) == 4079
    assert np.corrcoef(real, model)[0, 1] > 0.998
    assert 0.98 < np.cov(real, model)[0, 1] / model.var(ddof=1) < 1.01
    assert abs(np.mean(real - model)) * 252 < 0.005  # 3 x QQQ without costs misses by 5% a year
    assert 0.85 < np.prod(1.0 + model) / np.prod(1.0 + real) < 1.15


@pytest.mark.realdata
def test_the_model_of_sqqq_tracks_the_real_fund_without_a_spread(real_daily: Path) -> None:
    panel = load_csv(real_daily, ("BIL", "QQQ", "SQQQ"), end=date(2026, 5, 1))
    real = returns(panel, "SQQQ")
    model = leveraged_returns(returns(panel, "QQQ"), returns(panel, "BIL"), -3.0, 0.0095)
    both = ~np.isnan(real) & ~np.isnan(model)
    assert np.corrcoef(real[both], model[both])[0, 1] > 0.998
    assert abs(np.mean(real[both] - model[both])) * 252 < 0.01


@pytest.mark.realdata
def test_an_extended_tqqq_lives_through_2008_and_nothing_real_is_touched(real_daily: Path) -> None:
    panel = load_csv(real_daily, ("BIL", "QQQ", "TQQQ"), start=date(2005, 1, 3), end=date(2011, 12, 30))
    longer = extend_leveraged(panel, ["TQQQ"], returns(panel, "BIL"))
    j = longer.column("TQQQ")
    index = pd.DatetimeIndex(longer.clock.session)
    close = pd.Series(longer.close[:, j], index)
    assert close.first_valid_index() == pd.Timestamp("2007-05-30")  # bills are not known before
    crash = close.loc["2007-10-31":"2009-03-09"]
    assert crash.min() / crash.iloc[0] - 1.0 < -0.90  # QQQ lost half
    born = int(np.flatnonzero(~np.isnan(panel.close[:, j]))[0])
    np.testing.assert_array_equal(longer.block[:, born:], panel.block[:, born:])
    others = [k for k in range(3) if k != j]
    np.testing.assert_array_equal(longer.block[:, :, others], panel.block[:, :, others])
    assert longer.data_hash != panel.data_hash
    warning = longer.warnings[-1]
    assert (warning.kind, warning.symbol, warning.session) == ("synthetic_extension", "TQQQ", "2007-05-30")
    assert "2010-02-11" in warning.text
    assert "2010-02-10" in warning.text


def test_returns_are_the_formula_written_out() -> None:
    q, r = np.array([np.nan, 0.01, -0.02]), np.array([0.0001, 0.0002, 0.0003])
    model = leveraged_returns(q, r, 3.0, 0.0086, spread=0.01)
    by_hand = [3 * x - 2 * y - 2 * 0.01 / 252 - 0.0086 / 252 for x, y in zip(q[1:], r[1:], strict=True)]
    np.testing.assert_allclose(model[1:], by_hand, rtol=1e-12)
    assert np.isnan(model[0])
    inverse = leveraged_returns(q, r, -3.0, 0.0095, spread=0.01)
    np.testing.assert_allclose(inverse[1:], -3 * q[1:] + 4 * r[1:] - 0.0095 / 252, rtol=1e-12)


def test_a_plain_fund_at_no_cost_returns_its_underlying() -> None:
    q = np.array([0.01, -0.02, 0.005])
    np.testing.assert_array_equal(leveraged_returns(q, np.full(3, 0.0001), 1.0, 0.0), q)


def test_a_bar_without_the_underlying_is_left_out_and_its_costs_are_borne_by_the_next_one() -> None:
    q, r = np.array([0.01, np.nan, 0.02]), np.array([0.0001, 0.0002, 0.0003])
    model = leveraged_returns(q, r, 3.0, 0.0252, spread=0.0)
    assert np.isnan(model[1])
    assert model[2] == pytest.approx(0.06 - 2 * 0.0005 - 2 * 0.0001, rel=1e-12)


@given(seed=st.integers(0, 2**32), first=st.integers(2, 30))
@settings(max_examples=25, deadline=None)
def test_every_modelled_return_is_the_model_and_prices_are_possible(seed: int, first: int) -> None:
    panel = small(n=32, first=first, seed=seed)
    bill = np.full(32, 0.0001)
    longer = extend_leveraged(panel, ["TQQQ", "SQQQ"], bill)
    for symbol, leverage, fee in (("TQQQ", 3.0, 0.0086), ("SQQQ", -3.0, 0.0095)):
        j = longer.column(symbol)
        model = leveraged_returns(returns(panel, "QQQ"), bill, leverage, fee)
        np.testing.assert_allclose(returns(longer, symbol)[1 : first + 1], model[1 : first + 1], rtol=1e-9, atol=1e-12)
        o, h, low, c = (x[:first, j] for x in (longer.open, longer.high, longer.low, longer.close))
        assert (low > 0.0).all()
        assert (h >= np.maximum(o, c) * (1 - 1e-12)).all()
        assert (low <= np.minimum(o, c) * (1 + 1e-12)).all()
        q = panel.column("QQQ")
        move = panel.close[:first, q] / panel.open[:first, q] - 1.0
        np.testing.assert_allclose(c / o - 1.0, leverage * move, rtol=1e-9, atol=1e-12)
        assert np.isnan(longer.volume[:first, j]).all()
        assert not longer.dividend[:first, j].any()
        assert (Feed(longer).status[:, j] == 1).all()
        np.testing.assert_array_equal(longer.block[:, first:, j], panel.block[:, first:, j])


def test_the_extension_stops_where_bills_are_not_known() -> None:
    panel = small()
    bill = np.full(12, 0.0001)
    bill[:5] = np.nan
    longer = extend_leveraged(panel, ["TQQQ"], bill)
    known = ~np.isnan(longer.close[:, longer.column("TQQQ")])
    assert known.tolist() == [False] * 4 + [True] * 8  # the return of bar 5 gives the close of bar 4


def test_the_extension_stops_at_a_day_that_would_have_wiped_the_fund_out() -> None:
    panel = small()
    panel.block[1, 4:8, 1] *= 0.5  # QQQ halves at bar 4
    longer = extend_leveraged(panel, ["TQQQ"], np.zeros(12))
    known = ~np.isnan(longer.close[:, longer.column("TQQQ")])
    assert not known[:4].any()


def test_the_extension_stops_at_a_session_whose_low_would_have_wiped_the_fund_out() -> None:
    panel = small()
    panel.low[3, panel.column("QQQ")] = 0.6 * panel.open[3, panel.column("QQQ")]
    longer = extend_leveraged(panel, ["TQQQ"], np.zeros(12))
    known = ~np.isnan(longer.close[:, longer.column("TQQQ")])
    assert known.tolist() == [False] * 4 + [True] * 8


def test_a_session_without_the_underlying_stays_a_hole() -> None:
    panel = small()
    panel.block[:3, 3, 1] = np.nan
    longer = extend_leveraged(panel, ["TQQQ"], np.zeros(12))
    known = ~np.isnan(longer.close[:, longer.column("TQQQ")])
    assert known.tolist() == [True] * 3 + [False] + [True] * 8


def test_a_fund_that_never_trades_or_whose_underlying_is_younger_is_named_and_left_alone() -> None:
    panel = small(first=12)
    longer = extend_leveraged(panel, ["TQQQ"], np.zeros(12))
    assert longer.block.tobytes() == panel.block.tobytes()
    assert "not extended: it has no real row" in longer.warnings[-1].text
    panel = small(first=0)
    assert "not extended: nothing is known" in extend_leveraged(panel, ["TQQQ"], np.zeros(12)).warnings[-1].text


def test_nothing_asked_for_changes_nothing() -> None:
    panel = small()
    assert extend_leveraged(panel, [], np.zeros(12)) is panel


@pytest.mark.parametrize(
    ("symbol", "message"),
    [
        ("QQQ", "QQQ cannot be extended: no underlying is known"),
        ("TQQ", "'TQQ' is not in the data; did you mean 'TQQQ'"),
    ],
)
def test_a_fund_that_cannot_be_modelled_is_refused(symbol: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        extend_leveraged(small(), [symbol], np.zeros(12))


def test_a_missing_underlying_is_named() -> None:
    close = np.full((5, 2), 100.0)
    with pytest.raises(DataError, match="TMF cannot be extended without its underlying TLT; load TLT too"):
        extend_leveraged(make_panel(close, symbols=("BIL", "TMF")), ["TMF"], np.zeros(5))


def test_bill_returns_of_another_length_are_refused() -> None:
    with pytest.raises(DataError, match="11 bill returns for 12 bars"):
        extend_leveraged(small(), ["TQQQ"], np.zeros(11))
