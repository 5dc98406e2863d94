"""The socket: loopback only, known hosts only, a clean start and a clean end."""

from collections.abc import Callable

import pytest
import requests
from support.venue import HEADERS, Venue, make_desk

from plimsoll.brokers.exchange.desk.desk import Keys
from plimsoll.brokers.exchange.server import ExchangeServer, check_address
from plimsoll.engine.errors import ConfigError
from plimsoll.engine.market.panel import Panel

Start = Callable[..., Venue]
OPEN = "2019-01-03T10:00"


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.7", "8.8.8.8", "example.org", "", "127.0.0.1 "])
def test_no_other_address_is_served(market: Panel, host: str) -> None:
    with pytest.raises(ConfigError, match="this machine only"):
        ExchangeServer(make_desk(market, OPEN), host)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "::1", "localhost"])
def test_every_loopback_address_is_fine(host: str) -> None:
    assert check_address(host) == host


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example"])
def test_a_name_that_was_rebound_to_this_machine_is_not_served(exchange: Start, market: Panel, host: str) -> None:
    venue = exchange(market, at=OPEN)
    reply = requests.get(f"{venue.url}/v2/account", headers={**HEADERS, "Host": host}, timeout=5)
    assert reply.status_code == 421
    assert len(venue.transcript) == 0
    assert requests.get(f"{venue.url}/v2/account", headers={**HEADERS, "Host": "localhost"}, timeout=5).ok


def test_a_taken_port_is_told(exchange: Start, market: Panel) -> None:
    port = int(exchange(market, at=OPEN).url.rsplit(":", 1)[1])
    with pytest.raises(ConfigError, match="cannot listen"), ExchangeServer(make_desk(market, OPEN), port=port):
        pass


@pytest.mark.parametrize("key", ["PKABCDEFGHIJ12345678", "AKABCDEFGHIJ12345678", "PK" + "A" * 24])
def test_a_key_of_a_real_account_is_refused(key: str) -> None:
    with pytest.raises(ConfigError, match="real account") as caught:
        Keys(key, "secret")
    assert key not in str(caught.value)
    assert Keys("EX0123", "secret").key_id == "EX0123"


def test_each_server_has_a_port_of_its_own_and_the_same_prices(exchange: Start, market: Panel) -> None:
    one, other = exchange(market, at=OPEN), exchange(market, at=OPEN)
    assert one.url != other.url
    one.to("close")
    clocks = [requests.get(f"{v.url}/v2/clock", headers=HEADERS, timeout=5).json()["is_open"] for v in (one, other)]
    assert clocks == [False, True]


def test_a_body_that_is_too_large_is_refused_and_the_server_lives(exchange: Start, market: Panel) -> None:
    venue = exchange(market, at=OPEN)
    assert (
        requests.post(f"{venue.url}/v2/orders", data=b"x" * 3_000_000, headers=HEADERS, timeout=10).status_code == 413
    )
    assert requests.get(f"{venue.url}/v2/clock", headers=HEADERS, timeout=5).ok
