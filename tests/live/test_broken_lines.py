"""The checks of the adapter reject lines that are wrong on purpose: redirects taken for answers, or followed, and one
404 of anything in between taken for an order that is not there."""

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import date
from typing import Any

import numpy as np
import pytest
import requests
from support.houses import intent, over_http
from support.panels import make_panel
from support.venue import Venue, make_desk

from plimsoll.brokers.alpaca import venue as adapter
from plimsoll.brokers.alpaca.reply import Reply
from plimsoll.brokers.alpaca.wire import Wire
from plimsoll.brokers.exchange.server import ExchangeServer
from plimsoll.engine.errors import VenueError
from plimsoll.engine.execution.venue import Missing, Unknown

Patch = pytest.MonkeyPatch
Start = Callable[[], Venue]


@pytest.fixture
def start() -> Iterator[Start]:
    panel = make_panel(np.full((5, 2), 50.0), symbols=("A", "B"), start=date(2019, 1, 2))
    with ExitStack() as stack:
        yield lambda: Venue(stack.enter_context(ExchangeServer(make_desk(panel, "2019-01-03T10:00"))))


def redirects(start: Start) -> list[str]:
    """A redirect is neither an answer nor a way."""
    elsewhere, running = start(), start()
    venue, found = over_http(running), []
    running.fault(do="redirect", location=f"{elsewhere.url}/v2/orders", method="POST")
    if not isinstance(venue.submit(intent("one", "B", 1)), Unknown):
        found.append("an order was taken as accepted by a redirect")
    running.fault(do="redirect", location=f"{elsewhere.url}/v2/account", path="/v2/account")
    try:
        venue.snapshot()
        found.append("an account was read from a redirect")
    except VenueError:
        pass
    return found + ["somebody else was asked"] * bool(elsewhere.transcript.requests())


def missing_orders(start: Start) -> list[str]:
    """Only the venue's own words say that an order is not there."""
    running = start()
    venue, found = over_http(running), []
    venue.submit(intent("one", "B", 1))
    for payload in ({"message": "endpoint not found"}, {}, {"message": ""}):
        running.fault(do="status", status=404, payload=payload, method="GET")
        if isinstance(venue.lookup("one"), Missing):
            found.append(f"taken for absent after {payload}")
    return found


def redirect_is_success(patch: Patch) -> None:
    patch.setattr(Reply, "ok", property(lambda self: 200 <= self.status < 400))


def redirects_followed(patch: Patch) -> None:
    right = Wire.__init__

    def follow(self: Wire, client: Any, *given: Any) -> None:
        right(self, client, *given)
        session: requests.Session = client._session
        session.max_redirects = 5
        once = session.request
        client._session.request = lambda method, url, **more: once(method, url, **{**more, "allow_redirects": True})

    patch.setattr(Wire, "__init__", follow)


def any_404_is_absent(patch: Patch) -> None:
    patch.setattr(adapter, "NO_ORDER", re.compile(""))


CHECKS = (redirects, missing_orders)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_the_right_line_passes(start: Start, check: Callable[[Start], list[str]]) -> None:
    assert check(start) == []


@pytest.mark.parametrize(
    ("change", "check", "says"),
    [
        (redirect_is_success, redirects, "accepted by a redirect"),
        (redirects_followed, redirects, "somebody else was asked"),
        (any_404_is_absent, missing_orders, "taken for absent"),
    ],
    ids=["a redirect is a success", "redirects are followed", "any 404 is an order that is not there"],
)
def test_a_wrong_line_is_found_out(
    start: Start, monkeypatch: Patch, change: Callable[[Patch], None], check: Callable[[Start], list[str]], says: str
) -> None:
    change(monkeypatch)
    assert any(says in one for one in check(start))
