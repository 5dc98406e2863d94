"""A class of shares: the venue writes BRK.B, a book may write BRK-B, and neither is taken for another symbol."""

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.houses import Hands, House, intent, over_desk, over_http
from support.panels import make_panel
from support.venue import Venue as Running
from support.venue import make_desk, make_exchange, ticket
from support.venue_contract import BEGIN, OPEN, acked, found

from plimsoll.brokers.exchange.clock import VirtualClock
from plimsoll.brokers.exchange.venue import ExchangeVenue
from plimsoll.engine.errors import DataError
from plimsoll.engine.live.positions import part, read_positions
from plimsoll.engine.market.span import until
from plimsoll.engine.market.ticker import Spelling
from plimsoll.engine.verbs.host import Host
from plimsoll.engine.verbs.plan import plan

Start = Callable[..., Running]
MANY = ("BRK-B", *(f"S{k:03d}" for k in range(30)))


def _market(*symbols: str) -> Any:
    return make_panel(np.full((10, len(symbols)), 50.0), symbols=symbols)


@pytest.fixture(params=["http", "counter", "core"])
def house(request: pytest.FixtureRequest, exchange: Start) -> House:
    """Each venue on a market of BRK-B and A, for a book that writes them so."""
    symbols = ("A", "BRK-B")
    if request.param == "http":
        running = exchange(_market(*symbols), at=OPEN)
        hands = Hands(lambda what: running.run(lambda desk: what(desk.exchange, desk.clock)))
        return House(over_http(running, symbols=symbols), hands)
    if request.param == "counter":
        desk = make_desk(_market(*symbols), OPEN)
        return House(over_desk(desk, symbols), Hands(lambda what: what(desk.exchange, desk.clock)))
    core = make_exchange(_market(*symbols), OPEN)
    clock = VirtualClock(core.now)
    return House(ExchangeVenue(core, clock), Hands(lambda what: what(core, clock)))


def test_orders_are_sent_and_told_as_the_book_writes_them(house: House) -> None:
    assert acked(house.venue.submit(intent("one", "BRK-B", 2))).symbol == "BRK-B"
    assert found(house, "one").symbol == "BRK-B"
    acked(house.venue.submit(intent("two", "BRK-B", 1, "40")))
    assert [order.symbol for order in house.venue.open_orders()] == ["BRK-B"]
    assert [order.symbol for order in house.venue.orders(BEGIN)] == ["BRK-B", "BRK-B"]


def test_fills_and_positions_are_told_as_the_book_writes_them(house: House) -> None:
    acked(house.venue.submit(intent("one", "BRK-B", 2)))
    house.hands.strangers("BRK.B", 3)
    assert sorted((fill.symbol, fill.qty) for fill in house.venue.fills(BEGIN)) == [("BRK-B", 2), ("BRK-B", 3)]
    assert [(one.symbol, one.qty) for one in house.venue.snapshot().positions] == [("BRK-B", 5)]


@pytest.mark.parametrize("asked", ["BRK-B", "BRK.B"])
def test_assets_and_quotes_are_told_as_they_were_asked_for(house: House, asked: str) -> None:
    assert {symbol: one.symbol for symbol, one in house.venue.assets(("A", asked)).items()} == {"A": "A", asked: asked}
    quotes = house.venue.quotes((asked, "A"))
    assert {symbol: (one.symbol, one.bid) for symbol, one in quotes.items()} == {asked: (asked, 50), "A": ("A", 50)}


def test_a_long_list_of_assets_finds_the_class_too() -> None:
    venue = over_desk(make_desk(_market(*MANY), OPEN), MANY)
    assert tuple(venue.assets(MANY)) == MANY


def test_over_the_wire_goes_the_venues_own_spelling(exchange: Start) -> None:
    running = exchange(_market("BRK-B"), at=OPEN)
    venue = over_http(running, symbols=("BRK-B",))
    acked(venue.submit(intent("one", "BRK-B", 1)))
    venue.assets(("BRK-B",))
    venue.quotes(("BRK-B",))
    told = str(list(running.transcript.requests()))
    assert "BRK.B" in told
    assert "BRK-B" not in told


def test_what_is_not_the_books_stays_as_the_venue_writes_it(exchange: Start) -> None:
    running = exchange(_market("A", "BRK-B"), at=OPEN)
    venue = over_http(running, symbols=("A",))
    running.run(lambda desk: desk.exchange.submit(ticket("BRK.B", 3)))
    assert [one.symbol for one in venue.snapshot().positions] == ["BRK.B"]


def test_two_ways_to_write_one_symbol_in_one_book_are_refused() -> None:
    with pytest.raises(DataError, match=r"BRK\.B and BRK-B are one symbol to a broker; drop one"):
        Spelling(("BRK-B", "BRK.B"))


@pytest.mark.parametrize("written", ["BRK-B", "BRK.B", "BRK/B"])
def test_a_list_of_holdings_may_write_a_class_as_its_broker_does(tmp_path: Path, written: str) -> None:
    (tmp_path / "p.csv").write_text(f"symbol,qty\n{written},3\nBF.B,1\nCASH,10\n")
    parted = part(read_positions(tmp_path / "p.csv"), ("A", "BRK-B"))
    assert (parted.book, parted.beside) == ({"BRK-B": Decimal(3)}, {"BF.B": Decimal(1)})
    (tmp_path / "p.csv").write_text(f"symbol,qty\n{written},3\nBRK.B,1\nCASH,10\n")
    with pytest.raises(DataError, match=r"line 3: BRK\.B comes twice"):
        read_positions(tmp_path / "p.csv")


def test_a_plan_counts_what_the_account_holds_of_a_class(exchange: Start) -> None:
    panel = make_panel(np.full((30, 2), 50.0), symbols=("A", "BRK-B"))
    decided, today = (panel.clock.session[k].astype(object) for k in (-2, -1))
    running = exchange(panel, at=f"{today}T10:00")
    running.run(lambda desk: desk.exchange.submit(ticket("BRK.B", 100)))
    sleeve = {"name": "half", "strategy": "equal_weight", "params": {"symbols": ["A", "BRK-B"], "rebalance": "D"}}
    config = {
        "run": {"name": "paper"}, "sleeve": [sleeve], "costs": {"preset": "none"}, "account": {"type": "cash"},
        "broker": {"url": running.url},
    }  # fmt: skip
    host = Host({"APCA_API_KEY_ID": running.key_id, "APCA_API_SECRET_KEY": running.secret})
    made = plan(config, account="paper", data=until(panel, decided), end=decided, host=host, adopt=True)
    assert made.beside == {}
    bought = {order.symbol: float(order.qty) for order in made.orders}
    assert sorted(bought) == ["A", "BRK-B"]
    assert bought["BRK-B"] / bought["A"] == pytest.approx(900 / 1000)
