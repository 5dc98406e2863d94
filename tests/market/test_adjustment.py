"""Prices beside listed actions: as traded, split-adjusted, or adjusted and refused."""

from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.adjusted import adjusted_close

from plimsoll.engine.errors import DataError
from plimsoll.engine.market.bars import Bars, RawBars
from plimsoll.engine.market.calendar import sessions
from plimsoll.engine.market.grid import on_cents
from plimsoll.engine.market.settle import settle
from plimsoll.engine.types import Floats

DAYS = sessions(date(2015, 1, 2), date(2018, 12, 31))
N = len(DAYS)
PAID = np.where(np.arange(N) % 63 == 40, 0.55, 0.0)  # 16 ex-dates
SPLIT = np.where(np.isin(np.arange(N), (300, 700)), 4.0, 1.0)
NONE = np.ones(N)


def traded(split: Floats = NONE, dividend: Floats = PAID, seed: int = 5) -> Floats:
    """Return closes in cents that fall by the dividend and the split at their dates."""
    rng = np.random.default_rng(seed)
    close = np.empty(N)
    close[0] = 400.0
    for t in range(1, N):
        close[t] = close[t - 1] / split[t] * (1.0 + 0.01 * rng.standard_normal()) - dividend[t]
    return np.round(close, 2)


def raw(close: Floats, **columns: Any) -> RawBars:
    known = {"dividend": PAID} | columns
    return RawBars("ABC", "ABC.csv", "1d", DAYS.astype("datetime64[s]"), known.pop("open", close), close, close, close,
                   np.full(N, 1e6), **known)  # fmt: skip


def single(values: Floats) -> Floats:
    """Return values as a vendor's single precision leaves them."""
    return values.astype(np.float32).astype(np.float64)


def kinds(bars: Bars) -> list[str]:
    return sorted({one.kind for one in bars.warnings} - {"stale_prices"})


def refused(given: RawBars) -> str:
    with pytest.raises(DataError) as caught:
        settle(given)
    return str(caught.value)


def growth(bars: Bars) -> float:
    return float(np.prod((bars.close[1:] + bars.dividend[1:]) * bars.split[1:] / bars.close[:-1]))


# ---- splits


def test_prices_that_fall_at_every_listed_split_are_as_traded() -> None:
    bars = settle(raw(single(traded(SPLIT)), split=SPLIT))
    np.testing.assert_array_equal(bars.split, SPLIT)
    assert kinds(bars) == []


def test_prices_continuous_over_every_listed_split_are_read_as_split_adjusted_in_one_line() -> None:
    close = single(traded(SPLIT) * np.cumprod(SPLIT) / 16.0)
    bars = settle(raw(close, split=SPLIT, dividend=PAID * np.cumprod(SPLIT) / 16.0))
    assert (bars.split == 1.0).all()
    (warning,) = bars.warnings
    assert warning.kind == "split_adjusted"
    assert warning.text == (
        f"ABC: read as adjusted for its 2 listed splits ({DAYS[300]}, {DAYS[700]}), prices do not jump there; "
        "dividends are taken to be in the same units"
    )


def test_prices_continuous_over_one_split_and_not_over_another_are_refused_by_name() -> None:
    mixed = traded(SPLIT) / np.where(np.arange(N) < 300, 4.0, 1.0)
    line = refused(raw(mixed, split=SPLIT))
    assert f"prices jump at the split of {DAYS[700]} and not at that of {DAYS[300]}" in line
    assert 'say [data.prices] ABC = "raw" or "split"' in line


def test_a_small_split_cannot_contradict_a_large_one() -> None:
    split = np.where(np.arange(N) == 300, 4.0, np.where(np.arange(N) == 700, 1.01, 1.0))
    close = traded(split)
    close[700:] = np.round(close[700:] * 1.01, 2)  # the market rose by what the small split took
    np.testing.assert_array_equal(settle(raw(single(close), split=split)).split, split)


@given(st.integers(2, N), st.booleans())
def test_how_splits_are_read_is_the_same_in_every_cut(n: int, contained: bool) -> None:
    close = traded(SPLIT) * (np.cumprod(SPLIT) / 16.0 if contained else 1.0)
    given_rows = raw(single(close), split=SPLIT, dividend=np.zeros(N))
    whole, part = settle(given_rows), settle(given_rows.keep(np.arange(N) < n))
    np.testing.assert_array_equal(part.split, whole.split[:n])
    np.testing.assert_array_equal(part.close, whole.close[:n])


@given(st.integers(2, N))
def test_split_adjusted_prices_are_refused_in_no_cut_though_the_splits_that_explain_them_come_later(n: int) -> None:
    contained = np.cumprod(SPLIT) / 16.0
    given_rows = raw(single(traded(SPLIT) * contained), split=SPLIT, dividend=PAID * contained)
    assert settle(given_rows.keep(np.arange(N) < n)).dividend.tolist() == (PAID * contained)[:n].tolist()


# ---- dividends


def test_an_adjusted_close_whose_steps_are_the_dividends_proves_prices_as_traded() -> None:
    close = np.round(traded() * 1.2345, 4)  # off the cents: the first test decides
    dividend = np.round(PAID * 1.2345, 4)
    bars = settle(raw(close, adj_close=np.round(adjusted_close(close, dividend, NONE), 6), dividend=dividend))
    assert kinds(bars) == []
    np.testing.assert_array_equal(bars.dividend, dividend)


def test_an_adjusted_close_equal_to_the_close_beside_dividends_is_refused() -> None:
    close = np.round(adjusted_close(traded(), PAID, NONE), 6)
    line = refused(raw(close, adj_close=close))
    assert (
        "16 dividends are listed beside prices that contain them already: adj_close equals close in every row" in line
    )
    assert 'give unadjusted prices, or say [data.prices] ABC = "adjusted"' in line


@pytest.mark.parametrize("split", [NONE, SPLIT], ids=["no split", "split-adjusted"])
def test_closes_on_whole_cents_are_as_traded(split: Floats) -> None:
    contained = np.cumprod(split) / np.prod(split)
    bars = settle(raw(single(traded(split) * contained), split=split, dividend=PAID * contained))
    assert "dividends_unproven" not in kinds(bars)


@pytest.mark.parametrize("split", [NONE, SPLIT], ids=["no split", "with splits"])
def test_closes_off_the_cents_are_adjusted_and_refused(split: Floats) -> None:
    close = single(adjusted_close(traded(split), PAID, split))
    line = refused(raw(close, split=split, dividend=PAID))
    assert "of closes lie on whole cents" in line


@pytest.mark.parametrize("unlisted", [4.0, 40.0])
def test_closes_on_the_grid_of_a_split_that_nobody_listed_are_no_evidence(unlisted: float) -> None:
    few = np.where(np.arange(N) == 400, PAID.max() / unlisted, 0.0)
    bars = settle(raw(single(traded(dividend=few * unlisted) / unlisted), dividend=few))
    assert kinds(bars) == ["dividends_unproven"]
    assert "cannot tell whether prices are adjusted for the 1 listed dividends; read as traded" in bars.warnings[0].text


def test_prices_printed_in_cents_tell_nothing_by_lying_on_them() -> None:
    close = traded()
    assert on_cents(close, NONE) == (None, False)
    assert on_cents(single(close), NONE) == (1.0, False)


def opens(close: Floats, fall: float) -> Floats:
    """Return opens equal to the close before, lower by `fall` dividends on ex-dates, give or take a fifth of one."""
    noise = 0.2 * np.random.default_rng(8).standard_normal(N)
    return np.append(close[0], close[:-1]) - PAID * (fall + noise)


def test_opens_that_do_not_fall_on_ex_dates_are_adjusted_and_refused() -> None:
    close = np.round(adjusted_close(traded(), PAID, NONE), 2)
    given_rows = raw(close, open=opens(close, 0.0))
    line = refused(replace(given_rows, high=np.maximum(given_rows.open, close), low=np.minimum(given_rows.open, close)))
    assert "on its 16 ex-dates the open is" in line
    assert "% from the close before, as if none paid" in line


def test_opens_that_fall_by_the_dividend_are_as_traded() -> None:
    close = traded()
    given_rows = raw(close, open=opens(close, 1.0))
    bars = settle(replace(given_rows, high=np.maximum(given_rows.open, close), low=np.minimum(given_rows.open, close)))
    assert kinds(bars) == []


def test_fewer_than_twelve_ex_dates_cannot_tell() -> None:
    close = traded()
    given_rows = raw(close, open=opens(close, 0.0), dividend=np.where(np.arange(N) < 700, PAID, 0.0))
    bars = settle(replace(given_rows, high=np.maximum(given_rows.open, close), low=np.minimum(given_rows.open, close)))
    assert kinds(bars) == ["dividends_unproven"]


# ---- what the user says


def test_said_to_be_adjusted_nothing_is_counted_again() -> None:
    close = single(adjusted_close(traded(SPLIT), PAID, SPLIT))
    bars = settle(raw(close, split=SPLIT), "adjusted")
    assert growth(bars) == pytest.approx(close[-1] / close[0], rel=1e-12)
    assert bars.adjusted_only
    assert kinds(bars) == ["adjusted_only"]


def test_said_to_be_adjusted_no_action_column_is_needed() -> None:
    close = single(adjusted_close(traded(), PAID, NONE))
    assert growth(settle(raw(close, dividend=None), "adjusted")) == pytest.approx(close[-1] / close[0], rel=1e-12)


def test_said_to_be_adjusted_beside_an_adjusted_close_that_differs_is_refused() -> None:
    close = traded()
    given_rows = raw(close, adj_close=adjusted_close(close, PAID, NONE))
    with pytest.raises(DataError, match=rf"ABC, {DAYS[40]}: \[data.prices\] says 'adjusted', but close and adj_close"):
        settle(given_rows, "adjusted")


def test_said_to_be_raw_everything_listed_is_counted() -> None:
    close = single(adjusted_close(traded(SPLIT), PAID, SPLIT))
    bars = settle(raw(close, split=SPLIT), "raw")
    np.testing.assert_array_equal(bars.split, SPLIT)
    np.testing.assert_array_equal(bars.dividend, PAID)


def test_said_to_be_split_adjusted_splits_are_information_only() -> None:
    bars = settle(raw(traded(), split=SPLIT), "split")
    assert (bars.split == 1.0).all()
    np.testing.assert_array_equal(bars.dividend, PAID)
    assert "as [data.prices] says" in bars.warnings[0].text
