"""Between slots a day's loss may take risk off, by the state of the last close, and nothing else."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.live_book import FIRST, SLOTS, Desk, make_desk
from support.panels import make_panel
from support.scripted import plain_config

from plimsoll.engine.live.refresh import Refresher
from plimsoll.engine.market.calendar import sessions
from plimsoll.engine.verbs.live_room import room_for, tenant_for

SYMBOLS = ("AAA", "BBB", "CCC")


def book(folder: Path, drop: float, **live: Any) -> Desk:
    """Open a book of two always invested sleeves whose market falls by `drop` at the open of its second session."""
    days = sessions(date(2023, 6, 1), date(2024, 12, 3))
    dice = np.random.default_rng(2)
    shape = (len(days), len(SYMBOLS))
    level = np.array([90.0, 45.0, 160.0]) * np.exp(np.cumsum(dice.normal(0.0003, 0.008, shape), axis=0))
    at = int(np.searchsorted(days, np.datetime64("2024-11-26")))
    level[at:] *= 1.0 - drop
    panel = make_panel(np.round(level, 2), np.round(level, 2), symbols=SYMBOLS, start=days[0].astype(object))
    desk = make_desk(folder, panel, live={"max_gap": 0.9, "collar": 0.2, **live})
    sleeves = [
        {"name": f"s{n}", "strategy": "equal_weight", "params": {"symbols": list(two), "rebalance": "D"}}
        for n, two in enumerate((SYMBOLS[:2], SYMBOLS[1:]))
    ]
    others = {name: section for name, section in desk.values.items() if name != "sleeve"}
    values: dict[str, Any] = plain_config(**others)
    values["sleeve"] = sleeves
    values["integrator"] = {"preset": "book"}
    values["run"] = {**values["run"], "start": "2024-06-03"}
    return replace(desk, values=values)


def refreshed(desk: Desk) -> Any:
    """Look at the day's loss once."""
    with room_for(tenant_for(desk.values, (), desk.host), desk.host, desk.venue, desk.clock) as room:
        decider = room.decider(data=desk.panel)
        folder = Path(desk.values["live"]["state"])
        return Refresher(room.book, room.venue, room.journal, room.clock, folder, decider).refresh()


def invested(desk: Desk) -> Mapping[str, Decimal]:
    """Trade the first session, and open the second."""
    for slot in SLOTS:
        desk.to(FIRST, slot)
        assert desk.slot(slot).ok
    desk.to(date(2024, 11, 26), "09:35")
    assert desk.slot("09:35").ok
    held = desk.shares()
    assert held
    return held


def fall(desk: Desk, by: str) -> None:
    """Let the account be worth less than it was, by marks alone."""
    real = desk.venue.snapshot
    desk.venue.snapshot = lambda: replace(real(), equity=real().equity * (1 - Decimal(by)))  # type: ignore[method-assign]


def test_a_day_that_costs_little_is_left_alone(tmp_path: Path) -> None:
    desk = book(tmp_path, 0.0)
    held = invested(desk)
    desk.to(date(2024, 11, 26), "10:30")
    assert refreshed(desk) is None
    fall(desk, "0.015")
    assert refreshed(desk) is None
    assert desk.shares() == held


def test_a_loss_reduces_once_and_only_reduces(tmp_path: Path) -> None:
    desk = book(tmp_path, 0.0)
    held = invested(desk)
    desk.to(date(2024, 11, 26), "10:30")
    before = len(desk.exchange.orders)
    fall(desk, "0.06")
    outcome = refreshed(desk)
    assert outcome is not None
    assert outcome.ending == "done"
    after = desk.shares()
    assert all(Decimal(0) <= after.get(symbol, Decimal(0)) <= qty for symbol, qty in held.items())
    assert sum(after.values()) < sum(held.values())
    sent = list(desk.exchange.orders.values())[before:]
    assert {one.ticket.side for one in sent} == {"sell"}
    assert all("-9801-" in one.client_order_id for one in sent)
    assert refreshed(desk) is not None  # three times the bound: it may be asked three times
    assert refreshed(desk) is not None
    assert refreshed(desk) is None


@pytest.mark.parametrize(("flow", "market", "asks"), [
    (-6000, "0", False), (-6000, "0.06", True), (6000, "0", False), (6000, "0.06", True), (-60_000, "0.01", False),
])  # fmt: skip
def test_money_that_came_or_went_is_no_gain_and_no_loss(tmp_path: Path, flow: int, market: str, asks: bool) -> None:
    desk = book(tmp_path, 0.0)
    invested(desk)
    desk.to(date(2024, 11, 26), "10:30")
    desk.exchange.ledger.cash += Decimal(flow)
    fall(desk, market)
    outcome = refreshed(desk)
    assert (outcome is not None) is asks
    sent = [one for one in desk.exchange.orders.values() if "-9801-" in one.client_order_id]
    assert bool(sent) is asks


@pytest.mark.parametrize("at", ["17:00", "08:00"])
def test_outside_the_session_nothing_is_sent(tmp_path: Path, at: str) -> None:
    desk = book(tmp_path, 0.0)
    invested(desk)
    count = len(desk.exchange.orders)
    fall(desk, "0.2")
    desk.to(date(2024, 11, 26) if at == "17:00" else date(2024, 11, 27), at)
    assert refreshed(desk) is None
    assert len(desk.exchange.orders) == count


def test_it_can_be_switched_off(tmp_path: Path) -> None:
    desk = book(tmp_path, 0.0, refresh_loss=0.0)
    invested(desk)
    fall(desk, "0.5")
    assert refreshed(desk) is None


def test_a_jump_of_the_vix_asks_once(tmp_path: Path) -> None:
    desk = book(tmp_path, 0.0, refresh_loss=0.0)
    held = invested(desk)
    desk.to(date(2024, 11, 26), "10:30")
    with room_for(tenant_for(desk.values, (), desk.host), desk.host, desk.venue, desk.clock) as room, room.journal.tx():
        room.journal.set_meta("vix_close", "2024-11-26 16.0")
    real = desk.venue.quotes
    last = Decimal("20.0")

    def quotes(symbols: Any) -> Any:
        if tuple(symbols) == ("VIX",):
            return {"VIX": replace(next(iter(real(SYMBOLS).values())), symbol="VIX", last=last)}
        return real(symbols)

    desk.venue.quotes = quotes  # type: ignore[method-assign]
    assert refreshed(desk) is None  # a quarter more is no jump
    last = Decimal("21.0")
    outcome = refreshed(desk)
    assert outcome is not None
    assert "VIX 21.0 is +31%" in outcome.why
    after = desk.shares()
    assert all(Decimal(0) <= after.get(symbol, Decimal(0)) <= qty for symbol, qty in held.items())
    assert refreshed(desk) is None
