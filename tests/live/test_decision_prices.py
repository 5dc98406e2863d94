"""What never becomes a price, and what does."""

import math
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from plimsoll.engine.execution.venue import Quote
from plimsoll.engine.live.prices import closes_only, decision_prices

NOW = datetime(2026, 11, 27, 14, 35, tzinfo=UTC)


def quote(bid: str | None = "99.99", ask: str | None = "100.01", last: str | None = "100.02", age: float = 1.0,
          trade_age: float = 1.0) -> Quote:  # fmt: skip
    bid_ask = (None if side is None else Decimal(side) for side in (bid, ask))
    traded = None if last is None else Decimal(last)
    return Quote("SPY", *bid_ask, NOW - timedelta(seconds=age), traded, NOW - timedelta(seconds=trade_age))


def of(asked: Quote | None, close: float = 100.0) -> tuple[float, str, str]:
    found = decision_prices(["SPY"], {} if asked is None else {"SPY": asked}, {"SPY": close}, NOW)["SPY"]
    return found.price, found.kind, found.why


def test_a_narrow_fresh_quote_is_taken_at_its_middle() -> None:
    assert of(quote()) == (100.0, "quote", "")


@pytest.mark.parametrize(
    "asked",
    [
        quote(bid="99", ask="101"),  # 200 bps
        quote(age=121.0),
        quote(bid=None),
        quote(ask=None),
        quote(bid="101", ask="99"),
        quote(age=-60.0),
    ],
    ids=["wide", "old", "no bid", "no ask", "crossed", "future"],
)
def test_the_last_trade_stands_in_for_a_quote_that_is_not_believed(asked: Quote) -> None:
    assert of(asked)[:2] == (100.02, "trade")


@pytest.mark.parametrize(
    ("asked", "close", "told"),
    [
        (None, 100.0, "no quote"),
        (quote(age=121.0, trade_age=3600.0), 100.0, "3600 s old"),
        (quote(bid=None, last=None), 100.0, "trade missing"),
        (quote("9999", "10001", "10000"), 100.0, "from the last close"),  # x100
        (quote("49.99", "50.01", "50"), 100.0, "-50.0%"),
        (quote(), float("nan"), "no close"),
        (quote(), 0.0, "no close"),
        (quote("NaN", "100", None), 100.0, "not a price"),
        (quote("0", "0.01", None), 100.0, "not a price"),
        (quote("101", "99", None), 100.0, "crossed"),
    ],
)
def test_a_symbol_without_a_price_to_believe_is_not_traded_and_says_why(
    asked: Quote | None, close: float, told: str
) -> None:
    price, kind, why = of(asked, close)
    assert (math.isnan(price), kind) == (True, "none")
    assert told in why


def test_yesterdays_bar_told_again_as_a_trade_is_no_price() -> None:
    stale = quote(bid=None, last="100.0", trade_age=17.5 * 3600)
    assert math.isnan(of(stale)[0])


def test_closes_stand_for_prices_where_nobody_is_asked() -> None:
    found = closes_only({"SPY": 100.0, "TLT": float("nan")})
    assert (found["SPY"].price, found["SPY"].kind) == (100.0, "close")
    assert (math.isnan(found["TLT"].price), found["TLT"].kind) == (True, "none")
