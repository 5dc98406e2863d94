"""Moves that nothing explains are named with what they resemble; confirmed ones are not, strict ones refused."""

from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from plimsoll.engine.errors import DataError
from plimsoll.engine.market.align import align
from plimsoll.engine.market.bars import Bars, RawBars
from plimsoll.engine.market.calendar import sessions
from plimsoll.engine.market.jumps import refuse_jumps, resembling, with_jumps
from plimsoll.engine.market.settle import settle

DAYS = sessions(date(2020, 8, 3), date(2020, 12, 31))


def bars(closes: list[float], symbol: str = "ABC", **changed: Any) -> Bars:
    """Return bars of four equal prices on consecutive sessions."""
    close = np.array(closes)
    n = len(close)
    made = Bars(symbol, DAYS[:n].astype("datetime64[s]"), close, close, close, close, np.full(n, 1e6), np.zeros(n),
                np.ones(n))  # fmt: skip
    return replace(made, **changed)


def said(*given: Bars, **confirmed: list[date]) -> list[tuple[str, str]]:
    """Return (session, text) of the warnings."""
    found = [one for each in with_jumps(given, "1d", confirmed) for one in each.warnings]
    assert {one.kind for one in found} <= {"price_jump"}
    return [(one.session, one.text) for one in found]


def one_line(*closes: float, **changed: Any) -> str:
    ((session, text),) = said(bars(list(closes), **changed))
    assert session in text
    return text


def test_an_unlisted_four_for_one_split_is_named() -> None:
    text = one_line(500.04, 499.23, 129.04, 134.18)
    assert text == f"ABC, {DAYS[2]}: the close goes from 499.23 to 129.04, like a 4:1 split; no split is listed"


def test_an_unlisted_one_for_eight_split_is_named() -> None:
    assert "like a 1:8 split; no split is listed" in one_line(2.19, 2.13, 17.66, 19.04)


@pytest.mark.parametrize(
    ("ratio", "like"),
    [(1 / 2, "2:1"), (1 / 3, "3:1"), (1 / 7, "7:1"), (1 / 50, "50:1"), (1 / 20, "20:1"), (2 / 5, "5:2"),
     (100.0, "1:100"), (8.0, "1:8"), (10.0, "1:10"), (1 / 3.87, "4:1"), (5 / 2, "2:5")],
)  # fmt: skip
def test_a_jump_is_named_by_the_simplest_ratio_it_resembles(ratio: float, like: str) -> None:
    assert f"like a {like} split" in one_line(100.0, 101.0, 101.0 * ratio, 101.0 * ratio, 100.0 * ratio)


@given(st.integers(1, 100), st.integers(1, 100), st.floats(0.99, 1.01))
def test_the_ratio_named_is_within_a_twentieth_and_no_simpler_one_is(n: int, m: int, noise: float) -> None:
    ratio = m / n * noise
    assume(1.3 < max(ratio, 1.0 / ratio) < 95.0)
    named = resembling(ratio)
    new, old = map(int, named.split(":"))
    assert abs(ratio * new / old - 1.0) <= 0.06
    for lesser in range(1, min(new, old)):
        near = [g for g in range(lesser + 1, 101) if abs(lesser * max(ratio, 1.0 / ratio) / g - 1.0) <= 0.05]
        assert near == []


def test_moves_short_of_forty_five_percent_that_stay_are_not_named() -> None:
    assert said(bars([100.0, 56.0, 57.0, 56.0, 55.0, 56.0])) == []
    assert said(bars([100.0, 144.0, 143.0, 145.0])) == []


@pytest.mark.parametrize(
    ("closes", "back"),
    [([100.0, 65.0, 99.0, 100.0], 2), ([100.0, 135.0, 136.0, 134.0, 104.0], 4), ([100.0, 10_000.0, 101.0], 2)],
)
def test_a_wrong_tick_is_named_once_with_the_day_it_came_back(closes: list[float], back: int) -> None:
    assert one_line(*closes).endswith(f"and is back at {closes[back]:g} on {DAYS[back]}: a wrong tick?")


def test_a_move_of_a_third_that_comes_back_after_four_sessions_is_not_named() -> None:
    assert said(bars([100.0, 135.0, 136.0, 134.0, 135.0, 104.0])) == []


def test_an_open_far_from_both_closes_is_named() -> None:
    wrong = np.array([100.0, 10.0, 101.0])
    assert one_line(100.0, 100.5, 101.0, open=wrong).endswith(
        "the open is 10 between closes of 100 and 100.5: a wrong tick?"
    )


def test_a_listed_split_and_a_listed_dividend_explain_a_move() -> None:
    assert said(bars([100.0, 25.0, 25.0], split=np.array([1.0, 4.0, 1.0]))) == []
    assert said(bars([100.0, 40.0, 40.0], dividend=np.array([0.0, 60.0, 0.0]))) == []


@pytest.mark.parametrize(("move", "named"), [(-0.60, 0), (-0.51, 0), (-0.72, 1)])
def test_a_leveraged_funds_move_is_explained_by_its_underlyings_within_ten_points(move: float, named: int) -> None:
    fund = bars([100.0, 100.0 * (1.0 + move), 100.0 * (1.0 + move)], "TQQQ")
    assert len(said(fund, bars([100.0, 80.0, 80.0], "QQQ"))) == named
    assert len(said(fund)) == 1  # nothing explains it where the underlying is not loaded


def test_an_inverse_fund_is_explained_too() -> None:
    fund = bars([100.0, 163.0, 163.0], "SQQQ")
    assert said(fund, bars([100.0, 80.0, 80.0], "QQQ")) == []


def test_a_confirmed_session_is_silent_and_another_is_not() -> None:
    given_bars = bars([100.0, 20.0, 20.0, 70.0])
    day = DAYS[1].astype(object)
    assert [session for session, _ in said(given_bars, ABC=[day])] == [str(DAYS[3])]
    assert [session for session, _ in said(given_bars, XYZ=[day])] == [str(DAYS[1]), str(DAYS[3])]


def test_strict_refuses_the_first_unconfirmed_jump_and_says_how_to_confirm_it() -> None:
    panel = align(with_jumps([bars([100.0, 20.0, 20.0, 70.0])], "1d"), source="csv data")
    with pytest.raises(DataError) as caught:
        refuse_jumps(panel)
    line = str(caught.value)
    assert line.startswith(f"csv data: ABC, {DAYS[1]}: the close goes from 100 to 20, like a 5:1 split")
    assert line.endswith(f'(and 1 more); correct the file, or confirm it: [data.confirmed] ABC = ["{DAYS[1]}"]')
    confirmed = {"ABC": [DAYS[1].astype(object), DAYS[3].astype(object)]}
    refuse_jumps(align(with_jumps([bars([100.0, 20.0, 20.0, 70.0])], "1d", confirmed), source="csv data"))


def test_a_jump_beside_prices_adjusted_for_their_listed_split_is_named_like_any_other() -> None:
    n = len(DAYS)
    split = np.where(np.arange(n) == 20, 4.0, 1.0)  # in the prices already
    close = np.where(np.arange(n) < 60, 100.0, 25.0) + 0.01 * (np.arange(n) % 7)  # one more, listed nowhere
    raw = RawBars("ABC", "ABC.csv", "1d", DAYS.astype("datetime64[s]"), close, close, close, close, np.full(n, 1e6),
                  dividend=np.zeros(n), split=split)  # fmt: skip
    settled = settle(raw)
    assert [one.kind for one in settled.warnings] == ["split_adjusted"]
    assert (settled.split == 1.0).all()
    ((session, text),) = said(replace(settled, warnings=()))
    assert session == str(DAYS[60])
    assert "like a 4:1 split" in text


def test_a_split_applied_to_prices_that_contain_it_is_named() -> None:
    text = one_line(100.0, 101.0, 100.0, split=np.array([1.0, 4.0, 1.0]))
    assert "like a 1:4 split, with a split of 4 listed that day" in text
