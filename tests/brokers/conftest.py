"""A running exchange for every test of a broker, and a small market that they share."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import numpy as np
import pytest
from support.panels import make_panel
from support.venue import Venue, make_desk

from plimsoll.brokers.exchange.server import ExchangeServer
from plimsoll.engine.market.panel import Panel


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


@pytest.fixture(scope="session")
def market() -> Panel:
    """Two symbols over ten sessions from Wednesday 2019-01-02: A opens at 100, 101, ... and closes one up; B is flat
    at 50. On session 5 (2019-01-09) A splits 2 for 1, on session 6 A pays 0.50 a share."""
    opens = np.column_stack((100.0 + np.arange(10), np.full(10, 50.0)))
    closes = opens + np.array([1.0, 0.0])
    split, dividend = np.ones((10, 2)), np.zeros((10, 2))
    split[5, 0], dividend[6, 0] = 2.0, 0.5
    opens[5:, 0] /= 2
    closes[5:, 0] /= 2
    return make_panel(closes, opens, split=split, dividend=dividend, symbols=("A", "B"))
