"""Years of daily operation of one book, in this process, under a clock that costs no time."""

import gc
import resource
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
from support.live_book import values as book_values
from support.live_venue import SimClock
from support.panels import make_panel
from support.scripted import plain_config

from plimsoll.brokers.exchange.clock import VirtualClock
from plimsoll.brokers.exchange.hours import session_on
from plimsoll.brokers.exchange.matching import Exchange
from plimsoll.brokers.exchange.settings import Settings
from plimsoll.brokers.exchange.tape import Tape
from plimsoll.brokers.exchange.venue import ExchangeVenue
from plimsoll.engine.live.replay import Case
from plimsoll.engine.live.slots import hours_of
from plimsoll.engine.market.calendar import previous_session, sessions
from plimsoll.engine.runtime.backtest import run_loop
from plimsoll.engine.verbs.daemon import AccountWork
from plimsoll.engine.verbs.host import Host
from plimsoll.engine.verbs.live_room import tenant_for

SYMBOLS = tuple(f"S{i:02d}" for i in range(10))
WARM = 300


@dataclass(frozen=True)
class Day:
    """A session: CPU seconds of its slots and of its evening, resident memory after it in MB, orders so far.

    replay_s : CPU seconds of a replay from scratch, where the evening made one; replayed : its sessions.
    """

    session: date
    slots_s: float
    evening_s: float
    memory_mb: float
    orders: int
    replay_s: float = 0.0
    replayed: int = 0


def sleeves() -> list[dict[str, Any]]:
    """Return eight sleeves."""
    kinds: list[tuple[str, dict[str, Any]]] = [
        ("equal_weight", {"rebalance": "W-FRI"}),
        ("equal_weight", {"rebalance": "M"}),
        ("inverse_vol", {"lookback_bars": 60}),
        ("inverse_vol", {"lookback_bars": 120}),
    ]
    found = []
    for number in range(8):
        strategy, params = kinds[number % 4]
        own = [SYMBOLS[(number + k) % len(SYMBOLS)] for k in range(4)]
        found.append({"name": f"s{number}", "strategy": strategy, "params": {"symbols": own, **params}})
    return found


def trade_years(folder: Path, count: int, *, look_back_every: int = 50) -> Iterator[Day]:
    """Trade `count` sessions and tell of each; the evening replays from scratch every so many sessions."""
    days = sessions(date(2008, 1, 2), date(2027, 12, 31))[: WARM + count + 2]
    dice = np.random.default_rng(8)
    steps = dice.normal(0.0003, 0.01, (len(days), len(SYMBOLS)))
    level = np.round(dice.uniform(30.0, 200.0, len(SYMBOLS)) * np.exp(np.cumsum(steps, axis=0)), 2)
    panel = make_panel(np.maximum(level, 1.0), symbols=SYMBOLS, start=days[0].astype(object))
    traded: list[date] = days[WARM : WARM + count].astype(object).tolist()
    start = session_on(previous_session(traded[0])).close + timedelta(hours=1)
    settings = Settings(cash=Decimal(1_000_000), half_spread_bps=Decimal(0), prices="open", multiplier=2)
    exchange = Exchange(Tape(panel, settings.prices, settings.half_spread_bps), start, settings)
    clock = VirtualClock(start)
    config: dict[str, Any] = plain_config(**{k: v for k, v in book_values(folder / "state").items() if k != "sleeve"})
    config |= {"sleeve": sleeves(), "integrator": {"preset": "book"}}
    config["run"] = {**config["run"], "start": str(days[WARM - 5]), "cash": 1_000_000.0}
    config["live"] = {**config["live"], "max_gap": 0.9, "slots": ["09:35", "12:00"]}
    host = Host({"XDG_STATE_HOME": str(folder / "home"), "PLIMSOLL_TRIALS": "off"}, clock=clock.now)
    tenant = tenant_for(config, (), host)
    case = Case(tenant.config, tenant.strategies, panel)
    work = AccountWork(tenant, ExchangeVenue(exchange, clock), SimClock(clock), host, data=panel)
    for number, day in enumerate(traded):
        began = time.process_time()
        for minutes, slot in ((5, "09:35"), (150, "12:00")):
            clock.move(hours_of(day).opens + timedelta(minutes=minutes))
            assert work.slot(slot, lambda _: None).ok, day
        slots_s = time.process_time() - began
        clock.move(hours_of(day).closes + timedelta(minutes=30))
        began = time.process_time()
        if number % look_back_every == look_back_every - 1:
            assert work.evening(day) == [], day
        evening_s = time.process_time() - began
        replay_s, replayed = _replayed(case, day) if evening_s > 0.01 else (0.0, 0)
        if number % 10 == 9:  # collecting what other tests and libraries hold costs more than a session does
            gc.collect()
        memory = _resident_mb()
        yield Day(day, slots_s, evening_s, memory, len(exchange.orders), replay_s, replayed)


def _replayed(case: Case, day: date) -> tuple[float, int]:
    """Replay from scratch to the close that decided for a session; return CPU seconds, and how many sessions.

    What comes before the first session, its warm-up and what is made once, is left out.
    """
    setup, began = case.setup(previous_session(day)), 0.0

    def note(t: int) -> None:
        nonlocal began
        if t == setup.first:
            began = time.process_time()

    run_loop(setup, before_bar=note, keep=0)
    return time.process_time() - began, setup.panel.n_bars - setup.first


def _resident_mb() -> float:
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="utf-8").split()[1])
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0
    return pages * resource.getpagesize() / 1e6
