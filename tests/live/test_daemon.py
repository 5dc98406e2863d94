"""Unattended sessions: each slot once, inside its session, whatever the clock, the process and the venue do."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
from support.live_book import FIRST, LAST, SLOTS, Desk, make_desk, market
from support.live_venue import Killed

from plimsoll.brokers.exchange.settings import Behaviour, Handling
from plimsoll.engine.config.live import LiveSection
from plimsoll.engine.errors import OutputError, VenueError
from plimsoll.engine.execution.venue import Unknown
from plimsoll.engine.live.clock import POINTS
from plimsoll.engine.live.daemon import BUSY_POINTS, FETCH_S, RETRY_S, WATCH_MOST_S, Daemon
from plimsoll.engine.live.fence import only_daemon
from plimsoll.engine.live.journal.journal import Journal
from plimsoll.engine.live.outcome import Outcome
from plimsoll.engine.live.slots import NEW_YORK, hours_of, timing_of, today, windows
from plimsoll.engine.market.calendar import sessions
from plimsoll.engine.verbs.control import status
from plimsoll.engine.verbs.daemon import AccountWork
from plimsoll.engine.verbs.daemon import daemon as run_daemon
from plimsoll.engine.verbs.live_room import tenant_for

WEEK: list[date] = sessions(FIRST, LAST).astype(object).tolist()


@dataclass
class Heard:
    """Remembers what the daemon says."""

    told: list[tuple[str, str]] = field(default_factory=list)
    beats: list[str] = field(default_factory=list)

    def tell(self, kind: str, text: str, *, urgent: bool = False) -> None:
        assert isinstance(urgent, bool)
        self.told.append((kind, text))

    def beat(self, doing: str, next_due: datetime | None) -> None:
        assert next_due is None or next_due.tzinfo is not None
        self.beats.append(doing)

    def of(self, kind: str) -> list[str]:
        return [text for one, text in self.told if one == kind]


def make_daemon(desk: Desk, stop: Callable[[], bool] = lambda: False) -> tuple[Daemon, Heard]:
    """Start one on a desk."""
    heard = Heard()
    tenant = tenant_for(desk.values, (), desk.host)
    work = AccountWork(tenant, desk.venue, desk.clock, desk.host, data=desk.panel)
    return Daemon(desk.config.live or LiveSection(), work, desk.clock, heard, stop), heard


def until(desk: Desk, daemon: Daemon, end: datetime, step: float = 600.0) -> None:
    """Let it live until a moment; time between two steps passes by at most `step` seconds."""
    while desk.clock.now() < end:
        wait = daemon.step()
        desk.clock.sleep(min(max(wait, 1.0), step))


def evening(day: date) -> datetime:
    """Return half an hour after the close."""
    return hours_of(day).closes + timedelta(minutes=30)


def by_hand(tmp_path: Path) -> Desk:
    """Trade the week slot by slot."""
    desk = make_desk(tmp_path)
    for day in WEEK:
        for slot in SLOTS:
            desk.to(day, slot)
            desk.slot(slot)
    desk.to(WEEK[-1], "16:30")
    return desk


def test_a_week_unattended_is_the_week_by_hand(tmp_path: Path) -> None:
    desk = make_desk(tmp_path / "a")
    daemon, heard = make_daemon(desk)
    until(desk, daemon, evening(WEEK[-1]))
    assert desk.shares() == by_hand(tmp_path / "b").shares()
    slots = [text.split(" done")[0] for text in heard.of("slot")]
    assert slots == [f"{day} {slot}" for day in WEEK for slot in SLOTS if day != date(2024, 11, 29) or slot < "13:00"]


@pytest.mark.parametrize("seed", range(6))
def test_killed_at_random_moments_it_ends_where_it_would_have(tmp_path: Path, seed: int) -> None:
    dice = Random(seed)
    desk = make_desk(tmp_path / "a")
    killed = 0
    while desk.clock.now() < evening(WEEK[-1]):
        daemon, _ = make_daemon(desk)
        left = dice.randrange(5, 60)

        def mortal(name: str, inner: Callable[[str], None] = daemon._point) -> None:
            nonlocal left
            left -= name != "replaying"  # a hundred of those a decision: it would never come further
            if left == 0:
                raise Killed(name)
            inner(name)

        daemon._point = mortal  # type: ignore[method-assign]
        try:
            until(desk, daemon, evening(WEEK[-1]))
        except Killed:
            killed += 1
            desk.clock.sleep(dice.choice((1, 20, 200)))
    assert killed >= 3
    assert desk.shares() == by_hand(tmp_path / "b").shares()


@pytest.mark.parametrize("point", POINTS)
def test_told_to_end_it_ends_between_two_orders(tmp_path: Path, point: str) -> None:
    desk = make_desk(tmp_path)
    asked: list[str] = []
    daemon, heard = make_daemon(desk, lambda: bool(asked))
    inner = daemon._point

    def at(name: str) -> None:
        if name == point:
            asked.append(name)
        inner(name)

    daemon._point = at  # type: ignore[method-assign]
    desk.to(FIRST, "09:35")
    daemon.run() if point != "cancel asked" else asked.append("")
    assert asked
    if point != "cancel asked":
        assert heard.told[-1] == ("stop", "told to end")
        assert heard.beats[-1] == "stopped"
        assert not desk.exchange.working()
    assert set(POINTS) > BUSY_POINTS
    fresh, _ = make_daemon(desk)
    until(desk, fresh, evening(FIRST))
    assert len(desk.exchange.orders) == 3


def killed_in(desk: Desk, slot: str) -> None:
    """Let a daemon die in a slot once its orders are out; none of them ever fills."""
    desk.exchange.behaviour = Behaviour(handling=Handling(delay_s=1e6))
    desk.to(FIRST, "09:00" if slot == SLOTS[0] else "15:29")
    daemon, _ = make_daemon(desk)
    inner = daemon._point

    def mortal(name: str) -> None:
        if name == "all sent":
            raise Killed(name)
        inner(name)

    daemon._point = mortal  # type: ignore[method-assign]
    with pytest.raises(Killed):
        until(desk, daemon, evening(FIRST))
    assert desk.exchange.working()


@pytest.mark.parametrize(("slot", "ends"), [("09:35", "09:55"), ("15:30", "15:50")])
@pytest.mark.parametrize("minutes_left", [17, 7, 1, -1, -8])
def test_a_slot_that_was_begun_is_gone_on_with_and_nothing_of_it_works_after_its_end(
    tmp_path: Path, slot: str, ends: str, minutes_left: int
) -> None:
    desk = make_desk(tmp_path, live={"slot_minutes": 20.0, "grace_minutes": 10.0})
    killed_in(desk, slot)
    end = datetime.fromisoformat(f"{FIRST}T{ends}").replace(tzinfo=NEW_YORK)
    back = end - timedelta(minutes=minutes_left)
    desk.to(FIRST, f"{back:%H:%M}")
    sent = len(desk.exchange.orders)
    daemon, heard = make_daemon(desk)
    until(desk, daemon, max(end, back) + timedelta(minutes=1), step=30.0)
    over = [one.ended_at for one in desk.exchange.orders.values()]
    assert all(at is not None and max(end, back) <= at <= max(end, back) + timedelta(minutes=1) for at in over)
    assert desk.exchange.working() == []
    assert len(desk.exchange.orders) == sent
    assert not any(slot in text for text in heard.of("skipped"))
    told = status(desk.values, host=desk.host)
    assert (told["working"], [one["slot"] for one in told["slots_today"] if not one["done"]]) == ([], [])


def test_who_watches_leaves_a_slot_alone_while_it_lasts_and_ends_it_once_it_is_over(tmp_path: Path) -> None:
    desk = make_desk(tmp_path)
    killed_in(desk, "09:35")
    work = AccountWork(tenant_for(desk.values, (), desk.host), desk.venue, desk.clock, desk.host, data=desk.panel)
    desk.to(FIRST, "09:50")
    assert work.watch()
    assert len(desk.exchange.working()) == 3
    assert work.slots(FIRST) == {"09:35": False}
    desk.to(FIRST, "09:56")
    assert work.watch()  # what was cancelled may still fill
    assert desk.exchange.working() == []
    assert work.slots(FIRST) == {"09:35": True}
    assert not work.watch()


def test_an_order_that_surfaces_after_its_slot_is_cancelled_when_it_is_seen(tmp_path: Path) -> None:
    desk = make_desk(tmp_path)
    desk.exchange.behaviour = Behaviour(handling=Handling(delay_s=1e6))
    desk.to(FIRST, "15:29")
    real, back = desk.venue, datetime.fromisoformat(f"{FIRST}T15:52").replace(tzinfo=NEW_YORK)
    submit, lookup, orders, open_orders = real.submit, real.lookup, real.orders, real.open_orders

    def down() -> bool:
        return bool(desk.exchange.orders) and desk.clock.now() < back

    def lost(intent: Any) -> Any:
        submit(intent)
        return Unknown("reset")

    def failing(ask: Callable[..., Any]) -> Callable[..., Any]:
        def asked(*args: Any) -> Any:
            if down():
                raise VenueError("no answer", where="orders")
            return ask(*args)

        return asked

    real.submit = lost  # type: ignore[method-assign]
    real.lookup = lambda name: Unknown("503") if down() else lookup(name)  # type: ignore[method-assign]
    real.orders, real.open_orders = failing(orders), failing(open_orders)  # type: ignore[method-assign]
    daemon, _ = make_daemon(desk)
    until(desk, daemon, back, step=30.0)
    assert desk.exchange.working()
    until(desk, daemon, back + timedelta(seconds=WATCH_MOST_S + 30.0), step=30.0)
    assert desk.exchange.working() == []
    assert status(desk.values, host=desk.host)["working"] == []


def test_two_daemons_are_one_and_a_refusal(tmp_path: Path) -> None:
    with (
        only_daemon(tmp_path, "book 'week'"),
        pytest.raises(OutputError, match="a daemon runs for book 'week'"),
        only_daemon(tmp_path, "book 'week'"),
    ):
        raise AssertionError


def test_a_venue_that_is_down_is_asked_again_while_the_slot_lasts(tmp_path: Path) -> None:
    desk = make_desk(tmp_path)
    desk.to(FIRST, "09:00")
    daemon, heard = make_daemon(desk)
    real, asked = desk.venue.snapshot, 0

    def flaky() -> Any:
        nonlocal asked
        asked += 1
        if desk.clock.now() < evening(FIRST).replace(hour=14, minute=40):
            raise VenueError("no answer", where="account")
        return real()

    desk.venue.snapshot = flaky  # type: ignore[method-assign]
    until(desk, daemon, evening(FIRST))
    assert heard.of("refused")
    assert [text for text in heard.of("slot") if "09:35 done" in text]
    assert len(desk.exchange.orders) == 3
    assert asked < 200  # no busy loop: one look every five minutes, and the retries


def test_a_suspended_process_runs_no_slot_late(tmp_path: Path) -> None:
    desk = make_desk(tmp_path)
    daemon, heard = make_daemon(desk)
    until(desk, daemon, hours_of(FIRST).opens)
    desk.to(FIRST, "16:10")  # it slept through the session
    until(desk, daemon, evening(FIRST))
    assert not desk.exchange.orders
    assert len(heard.of("skipped")) == len(SLOTS)


@pytest.mark.parametrize("off", [timedelta(hours=1), timedelta(hours=-1), timedelta(days=1), timedelta(days=-1)])
def test_a_clock_that_jumps_sends_nothing_it_should_not(tmp_path: Path, off: timedelta) -> None:
    desk = make_desk(tmp_path)
    daemon, heard = make_daemon(desk)
    desk.to(FIRST, "09:30")
    desk.clock.off = off
    until(desk, daemon, desk.clock.now() + timedelta(hours=7))
    assert not desk.exchange.orders
    assert off < timedelta(0) or heard.of("refused") or heard.of("skipped")


def test_a_frozen_clock_does_not_spin(tmp_path: Path) -> None:
    desk = make_desk(tmp_path)
    daemon, heard = make_daemon(desk)
    desk.to(FIRST, "09:00")
    waits = [daemon.step() for _ in range(50)]
    assert min(waits[1:]) > 0.0  # the first look is for what an earlier process left
    assert not heard.of("slot")


class Counting:
    """Work that is done at once, and counted."""

    def __init__(self, clock: Any) -> None:
        self.clock = clock
        self.done: list[tuple[date, str, datetime]] = []

    def fetch(self) -> str:
        return ""

    def slot(self, slot: str, _point: Callable[[str], None]) -> Outcome:
        now = self.clock.now()
        self.done.append((today(now), slot, now))
        return Outcome("done", "", today(now), slot)

    def slots(self, _session: date) -> dict[str, bool]:
        return {}

    def decided(self, _session: date) -> bool:
        return True

    def watch(self) -> bool:
        return False

    def refresh(self, _point: Callable[[str], None]) -> None:
        return None

    def evening(self, _session: date) -> list[str]:
        return []

    def evening_done(self, _session: date) -> bool:
        return False


class Wall:
    """A clock that moves when somebody sleeps."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


class Waiting(Counting):
    """Work that is refused until the prices are there: from a moment on, if they are fetched."""

    def __init__(self, clock: Any, there: datetime) -> None:
        super().__init__(clock)
        self.there = there
        self.asked: list[datetime] = []
        self.have = False

    def fetch(self) -> str:
        self.asked.append(self.clock.now())
        self.have = self.clock.now() >= self.there
        return "" if self.have else "not brought up to date: AAA"

    def slot(self, slot: str, point: Callable[[str], None]) -> Outcome:
        now = self.clock.now()
        return super().slot(slot, point) if self.have else Outcome("refused", "the data end", today(now), slot)

    def decided(self, _session: date) -> bool:
        return bool(self.done)


@pytest.mark.parametrize("minutes", [0, 1, 6, 90])
def test_prices_that_come_late_are_fetched_when_they_are_there(minutes: int) -> None:
    hours, live = hours_of(FIRST), LiveSection(grace_minutes=10.0)
    wall = Wall(hours.opens)
    work = Waiting(wall, hours.opens + timedelta(minutes=5 + minutes))
    daemon = Daemon(live, work, wall, Heard(), lambda: False)
    while wall.now() < hours.closes:
        wall.sleep(max(daemon.step(), 1.0))
    slots = [slot for _, slot, _ in work.done]
    assert slots == list(SLOTS if minutes < 10 else SLOTS[1:])
    at = work.done[0][2]
    if minutes < 10:
        assert at <= work.there + timedelta(seconds=FETCH_S + max(RETRY_S))
    gaps = [(after - before).total_seconds() for before, after in pairwise(work.asked)]
    assert all(gap >= FETCH_S for gap in gaps)


def test_a_day_whose_prices_come_late_is_decided_by_the_next_slot(tmp_path: Path) -> None:
    panel, folder = market(), tmp_path / "csv"
    folder.mkdir()

    def through(day: date) -> None:
        n = int(np.searchsorted(panel.clock.session, np.datetime64(day)))
        for i, symbol in enumerate(panel.symbols):
            rows = ["date,open,high,low,close,volume,dividend,split"]
            for t in range(n):
                o, c = panel.open[t, i], panel.close[t, i]
                tail = f"{max(o, c)},{min(o, c)},{c},1000000,{panel.dividend[t, i]},{panel.split[t, i]}"
                rows.append(f"{panel.clock.session[t]},{o},{tail}")
            (folder / f"{symbol}.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")

    desk = make_desk(tmp_path / "a", panel, data={"source": "csv", "path": str(folder)})
    heard = Heard()
    work = AccountWork(tenant_for(desk.values, (), desk.host), desk.venue, desk.clock, desk.host)
    daemon = Daemon(desk.config.live or LiveSection(), work, desk.clock, heard, lambda: False)
    through(date(2024, 11, 22))
    until(desk, daemon, hours_of(FIRST).opens + timedelta(minutes=30))
    assert any("the data end on 2024-11-21" in text for text in heard.of("refused"))
    through(FIRST)
    until(desk, daemon, hours_of(FIRST).closes)
    assert [text.split(" done")[0] for text in heard.of("slot")] == [f"{FIRST} {slot}" for slot in SLOTS[1:]]
    assert desk.exchange.orders


@pytest.mark.parametrize("half_day", ["skip", "early"])
def test_every_session_of_two_decades_has_each_slot_once_inside_it(half_day: str) -> None:
    days = sessions(date(2005, 1, 3), date(2027, 12, 31)).astype(object).tolist()
    live = LiveSection(half_day=half_day)  # type: ignore[arg-type]
    wall = Wall(hours_of(days[0]).opens - timedelta(hours=1))
    work = Counting(wall)
    daemon = Daemon(live, work, wall, Heard(), lambda: False)
    while wall.now() < hours_of(days[-1]).closes:
        wall.sleep(max(daemon.step(), 1.0))
    assert len({(day, slot) for day, slot, _ in work.done}) == len(work.done)
    by_day: dict[date, list[str]] = {}
    for day, slot, at in work.done:
        hours = hours_of(day)
        assert hours.opens + timedelta(minutes=5) <= at <= hours.closes - timedelta(minutes=10)
        by_day.setdefault(day, []).append(slot)
    assert sorted(by_day) == days
    short = [day for day in days if hours_of(day).closes - hours_of(day).opens < timedelta(hours=6)]
    assert len(short) >= 40
    wanted = ["09:35", "12:00", *(["15:30"] if half_day == "early" else [])]
    assert {tuple(by_day[day]) for day in short} == {tuple(wanted)}
    assert {tuple(by_day[day]) for day in set(days) - set(short)} == {SLOTS}
    timing = timing_of(live)
    assert all(one.due <= one.late <= one.ends for day in days for one in windows(hours_of(day), timing))


def test_cash_that_is_left_is_where_the_backtest_has_it(tmp_path: Path) -> None:
    desk = make_desk(tmp_path)
    daemon, _ = make_daemon(desk)
    until(desk, daemon, evening(WEEK[-1]))
    assert desk.exchange.ledger.cash > Decimal(0)


def test_the_evening_finds_what_was_revised_and_stops_new_risk(tmp_path: Path) -> None:
    desk = make_desk(tmp_path)
    daemon, heard = make_daemon(desk)
    until(desk, daemon, evening(WEEK[2]))
    assert heard.of("evening") == []
    close = desk.panel.close.copy()
    day = int(np.searchsorted(desk.panel.clock.session, np.datetime64(WEEK[2])))
    desk.panel.close[day, 2] = close[day, 2] * 1.01  # the vendor thinks again, before the close decides
    fresh, heard = make_daemon(desk)
    until(desk, fresh, evening(WEEK[3]) - timedelta(minutes=20))
    desk.panel.close[day, 2] = close[day, 2]  # and once more, after it has
    until(desk, fresh, evening(WEEK[3]))
    assert any("CCC on 2024-11-27" in text for text in heard.of("evening")), heard.told
    assert any(one["grade"] == "new_risk" for one in status(desk.values, host=desk.host)["halts"])


def test_a_configuration_that_changed_during_the_day_is_said_once_and_the_evening_goes_on(tmp_path: Path) -> None:
    desk = make_desk(tmp_path)
    daemon, _ = make_daemon(desk)
    until(desk, daemon, hours_of(FIRST).closes)
    desk.values["sleeve"][0]["params"]["seed"] = 8
    fresh, heard = make_daemon(desk)
    until(desk, fresh, evening(FIRST) + timedelta(hours=2))
    assert [text for text in heard.of("evening") if "configuration" in text]
    assert len(heard.of("evening")) <= 2
    assert fresh.memory.looked_back == FIRST


def test_a_shadow_decides_every_session_and_sends_nothing(tmp_path: Path) -> None:
    desk = make_desk(tmp_path / "a")
    other = {**desk.values, "run": {**desk.values["run"], "name": "other"}}
    over = evening(WEEK[2])

    def stop() -> bool:
        return desk.clock.now() > over

    on = {"venue": desk.venue, "clock": Hasty(desk), "host": desk.host}
    run_daemon(desk.values, Heard(), data=desk.panel, shadow=other, stop=stop, **on)
    journal = Journal.read_only(Path(desk.values["live"]["state"]), desk.clock.now)
    assert journal is not None
    told = [json.loads(one.body)["session"] for one in journal.events("shadow")]
    journal.close()
    assert told[-3:] == [day.isoformat() for day in WEEK[:3]]  # and the evening on which it began
    alone = make_desk(tmp_path / "b")
    for day in WEEK[:3]:
        alone.to(day, "09:35")
        alone.slot("09:35")
    assert desk.shares() == alone.shares()


class Hasty:
    """The clock of a desk for a daemon that sleeps a second at a time: ten minutes pass."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def now(self) -> datetime:
        return self._desk.clock.now()

    def sleep(self, seconds: float) -> None:
        self._desk.clock.sleep(max(seconds, 600.0))
