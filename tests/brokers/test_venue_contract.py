"""One contract for every venue: over HTTP, at the counter without a network, on the core itself, from a transcript."""

from collections.abc import Callable

import pytest
from support.houses import Hands, House, over_desk, over_http
from support.venue import Venue as Running
from support.venue import make_desk, make_exchange
from support.venue_contract import CONTRACT, OPEN

from plimsoll.brokers.exchange.clock import VirtualClock
from plimsoll.brokers.exchange.venue import ExchangeVenue
from plimsoll.brokers.replay.recorder import Recorder
from plimsoll.brokers.replay.replay import Replay
from plimsoll.engine.market.panel import Panel

Check = Callable[[House], None]
Start = Callable[..., Running]
every_check = pytest.mark.parametrize("check", CONTRACT, ids=lambda check: check.__name__)


def plain_house(market: Panel) -> House:
    """The core of an exchange, nothing before it."""
    exchange = make_exchange(market, OPEN)
    clock = VirtualClock(exchange.now)
    return House(ExchangeVenue(exchange, clock), Hands(lambda what: what(exchange, clock)))


@every_check
def test_the_adapter_over_http_keeps_the_contract(exchange: Start, market: Panel, check: Check) -> None:
    running = exchange(market, at=OPEN)
    check(House(over_http(running), Hands(lambda what: running.run(lambda desk: what(desk.exchange, desk.clock)))))


@every_check
def test_the_adapter_at_the_counter_keeps_the_contract(market: Panel, check: Check) -> None:
    desk = make_desk(market, OPEN)
    check(House(over_desk(desk), Hands(lambda what: what(desk.exchange, desk.clock))))


@every_check
def test_the_exchange_itself_keeps_the_contract(market: Panel, check: Check) -> None:
    check(plain_house(market))


@every_check
def test_a_replay_of_what_was_recorded_keeps_the_contract(market: Panel, check: Check) -> None:
    house = plain_house(market)
    lines: list[str] = []
    check(House(Recorder(house.venue, lines.append), house.hands))
    replay = Replay(lines)
    check(House(replay, Hands(lambda _: None)))
    assert replay.left == 0
