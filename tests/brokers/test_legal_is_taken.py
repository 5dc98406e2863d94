"""What the legaliser passes the exchange takes, whatever the book, the prices and the assets."""

from contextlib import suppress
from decimal import Decimal
from typing import Any

import numpy as np
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from support.panels import make_panel
from support.venue import make_exchange, moment, ticket

from plimsoll.brokers.exchange.clock import VirtualClock
from plimsoll.brokers.exchange.matching import Exchange
from plimsoll.brokers.exchange.refusal import Refusal
from plimsoll.brokers.exchange.settings import Traits
from plimsoll.brokers.exchange.venue import ExchangeVenue
from plimsoll.engine.execution.legalise import (
    ALPACA,
    FREES,
    NEEDS,
    Desk,
    Legalised,
    LegalOrder,
    Wish,
    afford,
    legalise,
)
from plimsoll.engine.execution.venue import Acked, Intent

SYMBOLS = ("S000", "S001", "S002", "S003")
yesterday = st.sampled_from(["0.37", "0.99", "1.02", "33.33", "250", "871.15"]).map(Decimal)
moves = st.sampled_from(["1", "0.8", "1.3", "0.97"])
traits = st.builds(Traits, fractionable=st.booleans(), shortable=st.booleans())
# dollars: up to twice the account, and about the smallest order there is
amounts = st.integers(-200_000, 200_000).map(Decimal) | st.decimals("0.98", "1.06", places=3)
wholes = st.sampled_from([0, 4, 9])


@st.composite
def markets(draw: st.DrawFn) -> Exchange:
    """An exchange on an evening, whose account bought and sold at random before prices moved."""
    first = np.array([float(draw(yesterday)) for _ in SYMBOLS])
    second = np.round(first * np.array([float(draw(moves)) for _ in SYMBOLS]), 2)
    flags = {symbol: draw(traits) for symbol in SYMBOLS}
    exchange = make_exchange(
        make_panel(
            np.vstack((first, first, second, second)), np.vstack((first, first, second, second)), symbols=SYMBOLS
        ),
        "2019-01-03T10:00",
        prices="open",
        traits=flags,
        multiplier=draw(st.sampled_from([1, 2])),
    )
    for symbol in SYMBOLS:
        qty = round(draw(amounts) / exchange.mark(symbol), draw(wholes))
        with suppress(Refusal):  # an account that then holds nothing of it
            exchange.submit(ticket(symbol, str(qty)))
    exchange.advance(moment("2019-01-04T17:00"))
    if draw(st.booleans()):
        exchange.halt(draw(st.sampled_from(SYMBOLS)), on=True)
    return exchange


def wish_of(row: int, symbol: str, dollars: Decimal, exchange: Exchange) -> list[Wish]:
    """An order for so many dollars, in two legs where it changes the side."""
    price, held = exchange.mark(symbol), exchange.ledger.qty(symbol)
    qty = dollars / price
    if held * qty < 0 and abs(qty) > abs(held):
        return [
            Wish(2 * row, symbol, -held, price, held, FREES),
            Wish(2 * row + 1, symbol, qty + held, price, Decimal(0), NEEDS),
        ]
    return [Wish(2 * row, symbol, qty, price, held, FREES if held * qty < 0 else NEEDS)]


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(markets(), st.lists(amounts, min_size=4, max_size=4), st.sampled_from([None, Decimal("0.03")]), st.data())
def test_the_exchange_never_refuses_what_the_legaliser_passed(
    exchange: Exchange, wanted: list[Decimal], collar: Decimal | None, data: Any
) -> None:
    clock = VirtualClock(moment("2019-01-07T09:30"))
    venue = ExchangeVenue(exchange, clock)
    account = venue.snapshot()
    desk = Desk(ALPACA[-1], venue.assets(SYMBOLS), collar, shorting=account.shorting, fractional=account.fractional)
    wishes = [wish for row, symbol in enumerate(SYMBOLS) for wish in wish_of(row, symbol, wanted[row], exchange)]
    legal = legalise(wishes, desk)
    send(venue, [one for one in legal.orders if one.wave == FREES])
    rest = Legalised(tuple(one for one in still(legal, venue) if one.wave == NEEDS), ())
    send(venue, afford(rest, venue.snapshot().buying_power, desk, at_limits=True).orders)
    event(f"{len(legal.orders)} orders, {len(exchange.activities)} activities")


def still(legal: Legalised, venue: ExchangeVenue) -> list[LegalOrder]:
    """Leave out what opens one side while the other one is still held, for its first leg was cut or refused."""
    held = {one.symbol: one.qty for one in venue.snapshot().positions}
    signs = {"buy": 1, "sell": -1}
    return [one for one in legal.orders if one.wave == FREES or held.get(one.symbol, 0) * signs[one.side] >= 0]


def send(venue: ExchangeVenue, orders: Any) -> None:
    """Send orders; each has to be taken."""
    for one in orders:
        answer = venue.submit(
            Intent(f"{one.row}-{one.symbol}", one.symbol, one.side, one.qty, one.kind, limit=one.limit)
        )
        assert isinstance(answer, Acked), (one, answer)


def test_the_exchange_does_refuse_what_the_legaliser_would_have_changed() -> None:
    exchange = make_exchange(make_panel(np.full((3, 1), 50.0)), "2019-01-03T10:00")
    venue = ExchangeVenue(exchange, VirtualClock(exchange.now))
    assert not isinstance(venue.submit(Intent("half-short", "S000", "sell", Decimal("0.5"))), Acked)
    assert not isinstance(venue.submit(Intent("too-much", "S000", "buy", Decimal(4001))), Acked)
