"""A running exchange for every test of a broker."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from support.venue import Venue, make_desk

from plimsoll.brokers.exchange.server import ExchangeServer


@pytest.fixture
def exchange() -> Iterator[Callable[..., Venue]]:
    """Builder of exchanges that listen until the test ends: `exchange(panel, at="2019-01-03T10:00", **settings)`.

    The clock is virtual and stands until it is moved; there is no spread, no rate limit and every fill is instant
    unless the settings or `Venue.behave` say otherwise.
    """
    with ExitStack() as stack:

        def start(panel: Any, *, at: str, **settings: Any) -> Venue:
            return Venue(stack.enter_context(ExchangeServer(make_desk(panel, at, **settings))))

        yield start
