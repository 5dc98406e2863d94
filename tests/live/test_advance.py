"""A daemon's system goes on in memory, and stands where a replay from scratch would, to the bit."""

import json
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.live_book import LAST, Desk, make_desk
from support.panels import make_panel
from support.scripted import plain_config

from plimsoll.engine.live.advance import Standing
from plimsoll.engine.live.journal.journal import Journal
from plimsoll.engine.market.calendar import sessions
from plimsoll.engine.verbs.daemon import AccountWork
from plimsoll.engine.verbs.live_room import tenant_for

SYMBOLS = ("AAA", "BBB", "CCC")
DAYS: list[date] = sessions(date(2024, 11, 25), LAST).astype(object).tolist()


def book(folder: Path, sleeves: list[dict[str, Any]], preset: str) -> Desk:
    """Open a book on random walks."""
    days = sessions(date(2023, 6, 1), date(2024, 12, 3))
    dice = np.random.default_rng(4)
    level = np.array([90.0, 45.0, 160.0]) * np.exp(np.cumsum(dice.normal(0.0003, 0.008, (len(days), 3)), axis=0))
    panel = make_panel(np.round(level, 2), symbols=SYMBOLS, start=days[0].astype(object))
    desk = make_desk(folder, panel)
    others = {name: section for name, section in desk.values.items() if name != "sleeve"}
    values: dict[str, Any] = plain_config(**others)
    values |= {"sleeve": sleeves, "integrator": {"preset": preset}}
    values["run"] = {**values["run"], "start": "2024-07-01"}
    desk.values = values
    return desk


def sleeve(name: str, strategy: str, **params: Any) -> dict[str, Any]:
    """Return a sleeve."""
    return {"name": name, "strategy": strategy, "params": params}


TREND = sleeve("t", "trend", symbols=list(SYMBOLS))
EQUAL = sleeve("e", "equal_weight", symbols=list(SYMBOLS), rebalance="D")
RISK = sleeve("i", "inverse_vol", symbols=list(SYMBOLS), lookback_bars=40)


def decided(desk: Desk, *, keep: bool) -> tuple[list[Mapping[str, Any]], list[bool]]:
    """Trade a week; return the inputs of every decision, and whether each was replayed from scratch."""
    tenant = tenant_for(desk.values, (), desk.host)
    scratch: list[bool] = []
    work: AccountWork | None = None
    for day in DAYS:
        desk.to(day, "09:35")
        if work is None or not keep:
            work = AccountWork(tenant, desk.venue, desk.clock, desk.host, data=desk.panel)
        assert work.slot("09:35", lambda _: None).ok
        assert work._decider is not None
        kept: Standing | None = work._decider._stander._kept
        assert kept is not None
        scratch.append(kept.scratch)
        desk.to(day, "16:30")
    journal = Journal.read_only(Path(desk.values["live"]["state"]), desk.clock.now)
    assert journal is not None
    found = [json.loads(one.body) for one in journal.events("inputs")]
    journal.close()
    return found, scratch


@pytest.mark.parametrize(
    ("sleeves", "preset"),
    [([TREND], "direct"), ([EQUAL], "direct"), ([TREND, EQUAL, RISK], "book"), ([TREND, EQUAL], "legacy")],
    ids=["trend", "equal_weight", "book", "legacy"],
)
def test_going_on_is_replaying(tmp_path: Path, sleeves: list[dict[str, Any]], preset: str) -> None:
    went_on, scratch = decided(book(tmp_path / "a", sleeves, preset), keep=True)
    replayed, _ = decided(book(tmp_path / "b", sleeves, preset), keep=False)
    assert scratch == [True, *[False] * (len(DAYS) - 1)]
    assert went_on == replayed
    assert len(went_on) == len(DAYS)


def test_a_price_that_was_revised_is_replayed_from_scratch(tmp_path: Path) -> None:
    desk = book(tmp_path, [TREND, EQUAL], "book")
    tenant = tenant_for(desk.values, (), desk.host)
    work = AccountWork(tenant, desk.venue, desk.clock, desk.host, data=desk.panel)
    seen = []
    for day in DAYS[:3]:
        desk.to(day, "09:35")
        if day == DAYS[2]:
            desk.panel.close[100, 1] += 0.01
        assert work.slot("09:35", lambda _: None).ok
        assert work._decider is not None
        assert work._decider._stander._kept is not None
        seen.append(work._decider._stander._kept.scratch)
        desk.to(day, "16:30")
    assert seen == [True, False, True]
