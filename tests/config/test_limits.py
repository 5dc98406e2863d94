"""Limits of a backtest's orders: they are a venue's, and lie at the collar."""

from decimal import Decimal

import pytest
from support.scripted import plain_config

from plimsoll.engine.config.schema import load_config
from plimsoll.engine.errors import ConfigError
from plimsoll.engine.execution.legal_batch import desk_of


def test_limits_without_a_venue_are_refused() -> None:
    with pytest.raises(ConfigError, match="limits need a venue"):
        load_config(plain_config(execution={"limits": True}))


def test_limits_lie_at_the_collar() -> None:
    desk = desk_of(load_config(plain_config(execution={"limits": True, "venue": "alpaca"}, live={"collar": 0.02})))
    assert desk is not None
    assert desk.collar == Decimal("0.02")
    market = desk_of(load_config(plain_config(execution={"venue": "alpaca"})))
    assert market is not None
    assert market.collar is None
