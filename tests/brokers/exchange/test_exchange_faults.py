"""Faults to order, over real HTTP: what the client sees, what the exchange did, what the transcript says."""

import json
import threading
from collections.abc import Callable
from typing import Any

import pytest
import requests
from alpaca.common.exceptions import APIError
from alpaca.trading.client import TradingClient
from alpaca.trading.requests import MarketOrderRequest
from support.venue import HEADERS, KEYS, Venue

from plimsoll.brokers.alpaca.wire import TimedAdapter
from plimsoll.engine.market.panel import Panel

Start = Callable[..., Venue]
OPEN = "2019-01-03T10:00"


@pytest.fixture
def venue(exchange: Start, market: Panel) -> Venue:
    return exchange(market, at=OPEN)


def client_of(venue: Venue, *, timeout: float | None = None, **more: Any) -> TradingClient:
    client = TradingClient(venue.key_id, venue.secret, paper=True, url_override=venue.url, **more)
    client._session.trust_env = False
    client._retry = 0
    if timeout is not None:
        client._session.mount("http://", TimedAdapter((timeout, timeout)))
    return client


def buy(client_id: str = "intent") -> MarketOrderRequest:
    return MarketOrderRequest(symbol="B", qty=1, side="buy", time_in_force="day", client_order_id=client_id)


def n_orders(venue: Venue) -> int:
    return len(venue.run(lambda desk: list(desk.exchange.orders)))


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("status", [429, 500, 504])
def test_an_error_before_or_after_acceptance_looks_the_same_to_the_client(venue: Venue, status: int, when: str) -> None:
    venue.fault(do="status", status=status, method="POST", path="/v2/orders", when=when)
    with pytest.raises(APIError) as caught:
        client_of(venue).submit_order(buy())
    assert caught.value.status_code == status
    assert n_orders(venue) == (when == "after")
    (row,) = venue.transcript.requests("POST", "/v2/orders")
    assert (row["status"], row["reached"], row["fault"]) == (status, when == "after", f"status {when}")


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_cut_connection_may_leave_an_order_behind(venue: Venue, when: str) -> None:
    venue.fault(do="reset", method="POST", when=when)
    client = client_of(venue)
    with pytest.raises(requests.exceptions.ConnectionError):
        client.submit_order(buy())
    (row,) = venue.transcript.requests("POST")
    assert (row["ending"], row["reached"]) == ("reset", when == "after")
    assert n_orders(venue) == (when == "after")
    if when == "after":
        assert client.get_order_by_client_id("intent").status == "filled"


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_request_that_hangs_is_cut_when_the_exchange_closes(venue: Venue, when: str) -> None:
    venue.fault(do="hang", method="POST", when=when)
    with pytest.raises(requests.exceptions.ReadTimeout):
        client_of(venue, timeout=0.3).submit_order(buy())
    assert venue.transcript.requests("POST")[0]["ending"] == "hang"
    assert n_orders(venue) == (when == "after")
    assert client_of(venue).get_clock().is_open  # others are served meanwhile


def test_a_redirect_with_a_body_counts_as_success_for_the_client(venue: Venue) -> None:
    venue.fault(do="redirect", method="POST")
    assert client_of(venue).submit_order(buy()).client_order_id == "intent"
    assert venue.transcript.requests("POST")[0]["status"] == 302


def test_an_empty_200_is_an_order_the_client_cannot_see(venue: Venue) -> None:
    venue.fault(do="empty", method="POST")
    with pytest.raises(TypeError):
        client_of(venue).submit_order(buy())
    assert n_orders(venue) == 1


def test_an_html_page_hides_the_code(venue: Venue) -> None:
    venue.fault(do="html", status=504, method="POST")
    with pytest.raises(APIError) as caught:
        client_of(venue).submit_order(buy())
    with pytest.raises(json.JSONDecodeError):
        _ = caught.value.code


def test_fields_vanish_change_and_appear(venue: Venue) -> None:
    venue.fault(do="edit", path="/v2/account", remove=("equity",), change={"weather": "fair", "status": "NAPPING"})
    raw = client_of(venue, raw_data=True).get_account()
    assert ("equity" in raw, raw["weather"], raw["status"]) == (False, "fair", "NAPPING")
    venue.fault(do="edit", path="/v2/stocks/quotes/latest", change={"quotes/*/ap": 0, "quotes/A/bp": "NaN"})
    reply = requests.get(f"{venue.url}/v2/stocks/quotes/latest?symbols=A,B", headers=HEADERS, timeout=5).json()
    assert [reply["quotes"][s]["ap"] for s in "AB"] == [0, 0]
    assert reply["quotes"]["A"]["bp"] == "NaN"


def test_a_burst_lets_some_through_strikes_some_and_ends(venue: Venue) -> None:
    venue.control("faults", [{"do": "status", "status": 500, "path": "/v2/clock", "skip": 1, "times": 2}])
    seen = [requests.get(f"{venue.url}/v2/clock", headers=HEADERS, timeout=5).status_code for _ in range(5)]
    assert seen == [200, 500, 500, 200, 200]


def test_a_mistyped_fault_is_refused_in_one_line(venue: Venue) -> None:
    for body, told in (
        ({"do": "explode"}, "0.do"),
        ({"do": "reset", "tims": 3}, "0.tims"),
        ({"do": "reset", "path": "("}, "0.path"),
    ):
        reply = requests.post(f"{venue.url}/_control/faults", json=[body], headers=HEADERS, timeout=5)
        assert reply.status_code == 422
        assert reply.json()["message"].startswith(told)


def test_the_retrying_client_sends_a_second_order_where_it_gave_no_id(venue: Venue) -> None:
    venue.fault(do="status", status=504, method="POST", path="/v2/orders")
    client = client_of(venue)
    client._retry, client._retry_wait = 3, 0
    client.submit_order(MarketOrderRequest(symbol="B", qty=1, side="buy", time_in_force="day"))
    assert n_orders(venue) == 2
    venue.fault(do="status", status=504, method="POST", path="/v2/orders")
    with pytest.raises(APIError, match="client_order_id must be unique"):
        client.submit_order(buy())
    assert n_orders(venue) == 3


def test_every_request_of_many_threads_has_its_line_and_no_line_has_a_key(venue: Venue) -> None:
    venue.fault(do="status", status=500, path="/v2/orders", method="POST", times=None, skip=5)

    def send(name: int) -> None:
        client = client_of(venue)
        for k in range(5):
            try:
                client.submit_order(buy(f"{name}-{k}"))
            except APIError:
                client.get_clock()

    threads = [threading.Thread(target=send, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    rows = venue.transcript.requests("POST", "/v2/orders")
    sent = {json.loads(row["body"])["client_order_id"] for row in rows}
    assert sent == {f"{n}-{k}" for n in range(4) for k in range(5)}
    assert sum(row["status"] == 500 for row in rows) == len(venue.transcript.requests("GET", "/v2/clock")) == 15
    assert [row["seq"] for row in venue.transcript.rows()] == list(range(1, len(venue.transcript) + 1))
    assert len(venue.transcript.happenings("accepted")) == n_orders(venue) == 20
    text = requests.get(f"{venue.url}/_control/transcript", headers=HEADERS, timeout=5).text
    assert KEYS.secret not in text
    assert KEYS.key_id not in text
    assert text.count("\n") + 1 == len(venue.transcript)


def test_the_transcript_tells_every_fill_with_its_order(venue: Venue) -> None:
    venue.behave(handling={"delay_s": 2, "parts": ["0.5"]})
    client = client_of(venue)
    order = client.submit_order(MarketOrderRequest(symbol="B", qty=4, side="buy", time_in_force="day"))
    venue.forward(10)
    told = [(row["event"], row.get("qty"), row.get("left")) for row in venue.transcript.happenings()]
    assert told == [("accepted", None, None), ("fill", "2", "2"), ("fill", "2", "0"), ("filled", None, None)]
    assert {row["order_id"] for row in venue.transcript.happenings()} == {str(order.id)}
