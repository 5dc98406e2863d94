"""Dividends read off close and adjusted close."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plimsoll.engine.errors import DataError
from plimsoll.engine.market.bars import BarRows
from plimsoll.engine.market.dividends import derive_dividends, implied_dividends
from plimsoll.engine.types import Floats


def rows(n: int) -> BarRows:
    stamp = np.arange("2024-01-02", n, dtype="datetime64[D]") if n == 0 else np.datetime64("2024-01-02") + np.arange(n)
    return BarRows("ABC", "ABC.csv", "1d", stamp.astype("datetime64[s]"))


def adjust(close: Floats, dividend: Floats, split: Floats, decimals: int = 6) -> Floats:
    """Adjust backwards, as a vendor does, one ex-date at a time: an oracle that never divides adjusted closes."""
    factor = np.ones(len(close))
    for t in range(1, len(close)):
        factor[:t] *= (1.0 - dividend[t] * split[t] / close[t - 1]) / split[t]
    return np.round(close * factor, decimals)


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(2, 120))
def test_every_dividend_and_no_other_comes_back_from_a_vendors_adjustment(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    split = np.where(rng.random(n) < 0.03, rng.choice([2.0, 3.0, 0.5, 0.1], n), 1.0)
    split[0] = 1.0
    path = 80.0 * np.exp(np.cumsum(rng.normal(0.0, 0.02, n)))
    close = np.round(np.maximum(path / np.cumprod(split), 1.0), 2)
    dividend = np.where(rng.random(n) < 0.1, np.round(close * rng.uniform(2e-3, 0.05, n), 4), 0.0)
    dividend[0] = 0.0
    found = derive_dividends(rows(n), close, adjust(close, dividend, split), split)
    np.testing.assert_array_equal(np.flatnonzero(found), np.flatnonzero(dividend))
    np.testing.assert_allclose(found, dividend, rtol=0, atol=2e-5 * close.max())


def test_the_worked_example_of_one_dollar_on_one_hundred() -> None:
    # 100 closes, then 98 ex a dividend of 1: the vendor multiplies the past by 1 - 1/100
    found = derive_dividends(rows(3), np.array([100.0, 100.0, 98.0]), np.array([99.0, 99.0, 98.0]), np.ones(3))
    np.testing.assert_allclose(found, [0.0, 0.0, 1.0], atol=1e-12)


def test_a_dividend_on_a_split_day_is_per_new_share() -> None:
    # 2-for-1 into 49.5 with 0.5 per new share: P = 50, factor 1 - 0.5/50
    close, split = np.array([100.0, 49.5]), np.array([1.0, 2.0])
    found = derive_dividends(rows(2), close, np.array([49.5, 49.5]), split)
    np.testing.assert_allclose(found, [0.0, 0.5], atol=1e-12)


def test_an_adjusted_close_in_cents_gives_no_dividend_a_day_but_still_the_real_ones() -> None:
    rng = np.random.default_rng(7)
    n = 2000
    close = np.round(120.0 * np.exp(np.cumsum(rng.normal(0.0, 0.01, n))), 2)
    dividend = np.zeros(n)
    dividend[63::63] = np.round(close[63::63] * 0.006, 2)
    adjusted = adjust(close, dividend, np.ones(n), decimals=2)
    found = derive_dividends(rows(n), close, adjusted, np.ones(n))
    np.testing.assert_array_equal(np.flatnonzero(found), np.flatnonzero(dividend))


def test_steps_within_rounding_of_the_prices_are_noise() -> None:
    close = np.array([10.0, 10.0, 10.0])
    # rounding per row: half of 1e-4 and half of 1e-6 over 10 = 5.05e-6; two rows, half as much again: 1.515e-5
    for step, kept in ((1.4e-5, False), (1.7e-5, True)):
        adjusted = np.array([10.0 * (1 - step), 10.0 * (1 - step) + 1e-6, 10.0])
        assert (derive_dividends(rows(3), close, adjusted, np.ones(3))[2] > 0.0) == kept


def test_small_steps_below_five_dollars_are_seen_because_prices_have_six_decimals() -> None:
    step = 6e-6
    adjusted = np.array([4.0 * (1 - step), 4.0 * (1 - step), 4.0])
    assert derive_dividends(rows(3), np.full(3, 4.0), adjusted, np.ones(3))[2] == pytest.approx(4.0 * step, rel=0.1)
    # above five dollars the close may itself be off by half of 1e-4: the same step tells nothing
    adjusted = np.array([6.0 * (1 - step), 6.0 * (1 - step), 6.0])
    assert derive_dividends(rows(3), np.full(3, 6.0), adjusted, np.ones(3))[2] == 0.0


def test_a_clearly_negative_dividend_is_refused_with_symbol_and_session() -> None:
    close, adjusted = np.array([50.0, 50.0, 50.0]), np.array([49.0, 49.0, 48.0])  # 50 - 50 x 49 / 48
    with pytest.raises(DataError, match=r"ABC\.csv: ABC, 2024-01-04: .* imply a dividend of -1\.04167 .*reload both"):
        derive_dividends(rows(3), close, adjusted, np.ones(3))


def test_a_negative_step_within_two_basis_points_is_no_dividend_and_no_error() -> None:
    close = np.array([50.0, 50.0])
    assert derive_dividends(rows(2), close, np.array([49.0, 49.0 * (1 - 1.9e-4)]), np.ones(2)).tolist() == [0.0, 0.0]
    with pytest.raises(DataError, match="imply"):
        derive_dividends(rows(2), close, np.array([49.0, 49.0 * (1 - 2.2e-4)]), np.ones(2))


def test_an_unrecorded_reverse_split_is_refused_as_a_negative_dividend() -> None:
    with pytest.raises(DataError, match="a reverse split is not recorded"):
        derive_dividends(rows(2), np.array([5.0, 50.0]), np.array([50.0, 50.0]), np.ones(2))


@pytest.mark.parametrize("n", [0, 1])
def test_fewer_than_two_rows_imply_nothing(n: int) -> None:
    assert derive_dividends(rows(n), np.ones(n), np.ones(n), np.ones(n)).tolist() == [0.0] * n


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 60))
def test_a_row_depends_on_no_later_one(seed: int, cut: int) -> None:
    rng = np.random.default_rng(seed)
    close = np.round(50.0 * np.exp(np.cumsum(rng.normal(0.0, 0.02, 60))), 2)
    adjusted = adjust(close, np.where(rng.random(60) < 0.2, 0.3, 0.0), np.ones(60), decimals=6)
    coarse = np.arange(60) < rng.integers(0, 60)  # a column that prints more decimals later than earlier
    adjusted = np.where(coarse, np.round(adjusted, int(rng.integers(2, 6))), adjusted)
    one = np.ones(60)
    whole = implied_dividends(close, adjusted, one)
    part = implied_dividends(close[:cut], adjusted[:cut], one[:cut])
    for full, short in zip(whole, part, strict=True):
        assert full[: cut - 1].tobytes() == short.tobytes()
