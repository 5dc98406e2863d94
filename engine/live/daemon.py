"""Every trading day, unattended: what is due next, and doing it once.

The daemon knows no order and no position. It knows the slots of a session, does each by the same function that a person
types, watches what still works, looks back after the close, and says every few seconds that it lives. It holds nothing
in memory that it needs: it may be killed at any moment, and starting is recovering.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final, Protocol

from plimsoll.engine.config.live import LiveSection
from plimsoll.engine.errors import InputError, PlimsollError
from plimsoll.engine.live.clock import LiveClock
from plimsoll.engine.live.outcome import Outcome
from plimsoll.engine.live.slots import Timing, Window, hours_of, timing_of, today, windows
from plimsoll.engine.market.calendar import is_session, next_session

TICK_S: Final = 1.0  # the longest sleep: a stop, a halt and the watchdog are never further away
WATCH_S: Final = 30.0  # between two looks at orders that still work
WATCH_MOST_S: Final = 300.0  # where the venue gives no answer
RETRY_S: Final = (5.0, 15.0, 60.0)  # after a failure within a slot; the last one again and again
FETCH_S: Final = 60.0  # between two fetches of prices for a decision that was not made
REFRESH_S: Final = 300.0  # between two looks at the day's loss
AT_THE_END: Final = timedelta(minutes=10)
EVENING_RETRY_S: Final = 600.0
SETTLED: Final = timedelta(minutes=20)  # after the close the day's prices are final
# Places at which a process that was told to end may do so: never between the last look at an order and its answer.
BUSY_POINTS: Final = frozenset(("sending locked", "sending committed", "answered"))


class StoppedError(PlimsollError):
    """The daemon was told to end, and does so between two orders."""


class Work(Protocol):
    """What a daemon does, each call a step that may fail with an InputError and be done again."""

    def fetch(self) -> str:
        """Bring the prices up to date; return what did not work, "" if all did."""
        ...

    def slot(self, slot: str, point: Callable[[str], None]) -> Outcome:
        """Do a slot of today's session."""
        ...

    def slots(self, session: date) -> Mapping[str, bool]:
        """Return the slots of a session that were begun, and whether each is done, by the journal."""
        ...

    def decided(self, session: date) -> bool:
        """Return whether the session has its decision."""
        ...

    def watch(self) -> bool:
        """Reconcile, and give up what is left of slots that are over; return whether anything may still work."""
        ...

    def refresh(self, point: Callable[[str], None]) -> Outcome | None:
        """Reduce if the day has cost enough; None if there is no reason to."""
        ...

    def evening(self, session: date) -> list[str]:
        """Look back on a session whose prices are final; return what is not as it should be."""
        ...

    def evening_done(self, session: date) -> bool:
        """Return whether that was done, by the journal."""
        ...


class Voice(Protocol):
    """Whom the daemon tells."""

    def tell(self, kind: str, text: str, *, urgent: bool = False) -> None:
        """Say what happened; never blocks, never fails."""
        ...

    def beat(self, doing: str, next_due: datetime | None) -> None:
        """Say that it lives."""
        ...


class Silent:
    """Tells nobody."""

    def tell(self, kind: str, text: str, *, urgent: bool = False) -> None:
        """Say nothing."""

    def beat(self, doing: str, next_due: datetime | None) -> None:
        """Say nothing."""


@dataclass(slots=True)
class _Failures:
    """How often a slot failed, and when it may be tried again."""

    count: int = 0
    again: datetime | None = None


@dataclass(slots=True)
class Memory:
    """What may be forgotten: it only saves asking the journal again."""

    finished: set[tuple[date, str]] = field(default_factory=set)
    failures: dict[tuple[date, str], _Failures] = field(default_factory=dict)
    fetched: datetime | None = None
    watched: datetime | None = None
    unseen: int = 0  # looks in a row that got no answer
    works: bool = True  # at the start nobody knows: it is looked at
    looked_back: date | None = None
    refreshed: datetime | None = None
    look_back_again: datetime | None = None


class Daemon:
    """Calls `Work` when it is due. stop : whether it was told to end; tick_s : the longest sleep, seconds."""

    def __init__(self, live: LiveSection, work: Work, clock: LiveClock, voice: Voice, stop: Callable[[], bool], *,
        tick_s: float = TICK_S,
    ) -> None:  # fmt: skip
        self._live = live
        self._timing: Timing = timing_of(live)
        self._work = work
        self._clock = clock
        self._voice = voice
        self._stop = stop
        self._tick_s = tick_s
        self.memory = Memory()
        self._began = clock.now()
        self._days: dict[date, list[Window]] = {}

    def run(self) -> None:
        """Go on until told to end."""
        self._voice.tell("start", f"slots {', '.join(self._timing.slots)}")
        while not self._stop():
            try:
                wait = self.step()
            except StoppedError:
                break
            self._clock.sleep(min(max(wait, 0.0), self._tick_s))
        self._voice.tell("stop", "told to end")
        self._voice.beat("stopped", None)

    def step(self) -> float:
        """Do what is due now, if anything is; return the seconds until something is."""
        now = self._clock.now()
        day = today(now)
        due = self._due(now, day)
        self._voice.beat(f"slot {due.session} {due.slot}" if due is not None else "waiting", self._next(now, day))
        if due is not None:
            self._slot(due)
            return 0.0
        if self._refresh_is_due(now, day):
            self._refresh(now)
            return 0.0
        if self.memory.works and self._watch_is_due(now):
            self._watch(now)
            return 0.0
        closed = self._closed(now, day)
        if closed is not None:
            self._evening(closed)
            return 0.0
        following = self._next(now, day)
        return self._tick_s if following is None else (following - now).total_seconds()

    # ---- what is due

    def _windows(self, day: date) -> list[Window]:
        if day not in self._days:
            self._days = {day: windows(hours_of(day), self._timing) if is_session(day) else []} | dict(
                list(self._days.items())[:2]
            )
        return self._days[day]

    def _due(self, now: datetime, day: date) -> Window | None:
        """Return the slot that is on now and not done; one that is over is passed by, and said so once.

        One that was begun is on until it ends, however late whoever goes on with it starts.
        """
        for window in self._windows(day):
            key = (window.session, window.slot)
            if key in self.memory.finished or now < window.due:
                continue
            slots = self._work.slots(window.session)
            if slots.get(window.slot):
                self.memory.finished.add(key)
                continue
            begun, failed = window.slot in slots, self.memory.failures.get(key)
            if now >= window.ends or (not begun and failed is None and now > window.late):
                self.memory.finished.add(key)
                if begun:
                    self.memory.works = True  # whatever of it works is cancelled by who watches
                    self._voice.tell("over", f"slot {window.session} {window.slot} had not ended: nothing more is sent")
                elif window.ends > self._began:
                    self._voice.tell("skipped", f"slot {window.session} {window.slot} is over: it is never run late")
                continue
            if failed is not None and failed.again is not None and now < failed.again:
                continue
            return window
        return None

    def _next(self, now: datetime, day: date) -> datetime | None:
        """Return when the next slot is due."""
        for _ in range(2):
            for window in self._windows(day):
                key = (window.session, window.slot)
                failed = self.memory.failures.get(key)
                if key not in self.memory.finished and failed is not None and failed.again is not None:
                    return failed.again
                if window.due > now:
                    return window.due
            day = next_session(day)
        return None

    # ---- doing it

    def _slot(self, window: Window) -> None:
        key = (window.session, window.slot)
        try:
            self._fetch(window.session)
            self.memory.works = True  # it may end in the middle
            outcome = self._work.slot(window.slot, self._point)
        except InputError as error:
            self._failed(key, str(error))
            return
        if outcome.ending == "refused":
            self._failed(key, outcome.why)
            return
        self.memory.finished.add(key)
        kind = {"halted": "halted", "late": "skipped"}.get(outcome.ending, "slot")
        text = f"{window.session} {window.slot} {outcome.ending}: {outcome.why}"
        self._voice.tell(kind, text, urgent=outcome.ending == "halted")
        for note in outcome.notes:
            self._voice.tell("note", f"{window.session} {window.slot}: {note}")

    def _fetch(self, session: date) -> None:
        """Bring the prices up to date until the session has its decision: what is missing now may be there soon."""
        now, last = self._clock.now(), self.memory.fetched
        soon = last is not None and abs((now - last).total_seconds()) < FETCH_S
        if not self._live.pull or soon or self._work.decided(session):
            return
        missing = self._work.fetch()
        self.memory.fetched = self._clock.now()
        if missing:
            self._voice.tell("data", missing)

    def _failed(self, key: tuple[date, str], why: str) -> None:
        """Try again soon, as long as the slot lasts: what stood in the way may be over by then."""
        failed = self.memory.failures.setdefault(key, _Failures())
        wait = RETRY_S[min(failed.count, len(RETRY_S) - 1)]
        failed.count += 1
        failed.again = self._clock.now() + timedelta(seconds=wait)
        self._voice.tell("refused", f"slot {key[0]} {key[1]}: {why}", urgent=True)

    def _point(self, name: str) -> None:
        """Say between any two steps that the process lives, and end there if it was told to."""
        if name in BUSY_POINTS:
            return
        self._voice.beat(name, None)
        if self._stop():
            raise StoppedError(f"stopped at: {name}")

    def _refresh_is_due(self, now: datetime, day: date) -> bool:
        """Return whether it is time to look at the day's loss: while the session lasts, every few minutes."""
        if (self._live.refresh_loss == 0.0 and self._live.refresh_vix == 0.0) or not is_session(day):
            return False
        hours, last = hours_of(day), self.memory.refreshed
        if not hours.opens <= now < hours.closes - AT_THE_END:
            return False
        return last is None or now >= last + timedelta(seconds=REFRESH_S)

    def _refresh(self, now: datetime) -> None:
        self.memory.refreshed = now
        try:
            outcome = self._work.refresh(self._point)
        except InputError as error:
            self._voice.tell("refresh", str(error), urgent=True)
            return
        if outcome is not None:
            self.memory.works = True
            self._voice.tell("refresh", f"{outcome.session} {outcome.ending}: {outcome.why}", urgent=True)

    def _watch_is_due(self, now: datetime) -> bool:
        wait = min(WATCH_S * 2.0**self.memory.unseen, WATCH_MOST_S)
        return self.memory.watched is None or now >= self.memory.watched + timedelta(seconds=wait)

    def _watch(self, now: datetime) -> None:
        self.memory.watched = now
        try:
            self.memory.works = self._work.watch()
            self.memory.unseen = 0
        except InputError as error:
            self.memory.unseen += 1
            self._voice.tell("watch", str(error))

    def _closed(self, now: datetime, day: date) -> date | None:
        """Return today's session once its prices are final and it was not looked back on."""
        if not is_session(day) or now < hours_of(day).closes + SETTLED or self.memory.looked_back == day:
            return None
        again = self.memory.look_back_again
        if again is not None and now < again:
            return None
        if self._work.evening_done(day):
            self.memory.looked_back = day
            return None
        return day

    def _evening(self, session: date) -> None:
        try:
            for problem in self._work.evening(session):
                self._voice.tell("evening", problem, urgent=True)
            self.memory.looked_back = session
        except InputError as error:
            self.memory.look_back_again = self._clock.now() + timedelta(seconds=EVENING_RETRY_S)
            self._voice.tell("evening", f"{session}: {error}", urgent=True)
