"""A configured book on an exchange in this process, under a clock that costs no time: the verbs, end to end."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
from support.live_venue import SimClock
from support.panels import make_panel
from support.scripted import plain_config

from plimsoll.brokers.exchange.clock import VirtualClock
from plimsoll.brokers.exchange.hours import session_on
from plimsoll.brokers.exchange.matching import Exchange
from plimsoll.brokers.exchange.settings import Settings
from plimsoll.brokers.exchange.tape import Tape
from plimsoll.brokers.exchange.venue import ExchangeVenue
from plimsoll.engine.config.schema import Config, load_config
from plimsoll.engine.live.outcome import Outcome
from plimsoll.engine.live.slots import NEW_YORK
from plimsoll.engine.market.calendar import previous_session, sessions
from plimsoll.engine.market.panel import Panel
from plimsoll.engine.verbs.host import Host
from plimsoll.engine.verbs.rebalance import rebalance

FIRST = date(2024, 11, 25)
LAST = date(2024, 12, 3)
SYMBOLS = ("AAA", "BBB", "CCC")
SLOTS = ("09:35", "12:00", "14:00", "15:30")


def market(*, split_on: date = date(2024, 12, 2), paid_on: date = date(2024, 11, 29), warm: int = 30) -> Panel:
    """Three random walks over a week with a half day (2024-11-29), one 2-for-1 split and one dividend."""
    days = sessions(date(2024, 9, 3), LAST)
    dice = np.random.default_rng(5)
    shape = (len(days), len(SYMBOLS))
    level = np.array([90.0, 45.0, 160.0]) * np.exp(np.cumsum(dice.normal(0.0, 0.01, shape), axis=0))
    opened = level * np.exp(dice.normal(0.0, 0.004, shape))
    split, dividend = np.ones(shape), np.zeros(shape)
    split[np.searchsorted(days, np.datetime64(split_on)), 0] = 2.0
    dividend[np.searchsorted(days, np.datetime64(paid_on)), 1] = 0.5
    factor = np.cumprod(split, axis=0)
    assert len(days) > warm
    return make_panel(
        np.round(level / factor, 2), np.round(opened / factor, 2), dividend=dividend, split=split, symbols=SYMBOLS,
        start=days[0].astype(object),
    )  # fmt: skip


def values(state: Path, **sections: Mapping[str, Any]) -> dict[str, Any]:
    """Return a configuration that answers at random, a few times in the week."""
    params = {"symbols": list(SYMBOLS), "seed": 3, "most": 0.25, "often": 0.6}
    given: dict[str, Mapping[str, Any]] = {
        "run": {"name": "week", "start": "2024-10-01", "cash": 100_000.0},
        "execution": {"venue": "alpaca", "min_notional": 1.0, "max_participation": 0.0},
        "account": {"type": "reg_t"},
        "broker": {"account": "PA0000000000", "url": "http://127.0.0.1:1", "manage": "account"},
        "live": {"state": str(state), "collar": 0.1, "max_quote_age_seconds": 1e9, "max_spread_bps": 500.0},
    }
    for name, more in sections.items():
        given[name] = {**given.get(name, {}), **more}
    return plain_config("support.restless:Restless", params, **given)


@dataclass
class Desk:
    """A book, its exchange and its clock."""

    values: dict[str, Any]
    panel: Panel
    exchange: Exchange
    venue: ExchangeVenue
    clock: SimClock
    env: dict[str, str]

    @property
    def config(self) -> Config:
        """The configuration."""
        return load_config(self.values)

    @property
    def host(self) -> Host:
        """The process that the verbs run in."""
        return Host(self.env, clock=self.clock.now)

    def to(self, day: date, at: str) -> None:
        """Let time pass up to a New York time."""
        moment = datetime.fromisoformat(f"{day}T{at}").replace(tzinfo=NEW_YORK)
        self.clock.venue.move(max(moment, self.clock.venue.now()))
        self.exchange.advance(self.clock.venue.now())

    def slot(self, slot: str, **more: Any) -> Outcome:
        """Run a slot."""
        return rebalance(self.values, slot, data=self.panel, venue=self.venue, clock=self.clock, host=self.host, **more)

    def shares(self) -> dict[str, Decimal]:
        """Return what the account holds."""
        return {one.symbol: one.qty for one in self.venue.snapshot().positions}


def make_desk(
    folder: Path, panel: Panel | None = None, *, dividends: bool = True, **sections: Mapping[str, Any]
) -> Desk:
    """Open one, on the evening before the first session."""
    panel = market() if panel is None else panel
    start = session_on(previous_session(FIRST)).close + timedelta(hours=1)
    settings = Settings(
        cash=Decimal(100_000), half_spread_bps=Decimal(0), prices="open", multiplier=2, dividends=dividends
    )
    exchange = Exchange(Tape(panel, settings.prices, settings.half_spread_bps), start, settings)
    clock = VirtualClock(start)
    env = {"XDG_STATE_HOME": str(folder / "home"), "PLIMSOLL_TRIALS": "off"}
    return Desk(
        values(folder / "state", **sections), panel, exchange, ExchangeVenue(exchange, clock), SimClock(clock), env
    )
