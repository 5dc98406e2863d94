"""Which slots are overdue, which did not end, and which one is next."""

from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime, timedelta

from plimsoll.engine.live.execute import CANCEL_S
from plimsoll.engine.live.journal.journal import Journal
from plimsoll.engine.live.journal.rows import OrderRow
from plimsoll.engine.live.slots import Timing, hours_of, today, windows
from plimsoll.engine.market.calendar import is_session, next_session


def overdue(timing: Timing, journal: Journal, now: datetime, *, trades: bool) -> list[str]:
    """Return the slots of today whose time to begin is over and that never began, of a book that has begun.

    trades : on an account; a book that only emits has done all of a session once it has decided.
    """
    day = today(now)
    if not is_session(day) or (not journal.begun if trades else journal.last_plan() is None):
        return []
    if not trades and journal.plan(day) is not None:
        return []
    begun = {one.slot for one in journal.slots(day)}
    first = next((datetime.fromisoformat(one.at) for one in journal.events("adopt")), None)  # before it nobody traded
    late = [
        one.slot for one in windows(hours_of(day), timing)
        if now > one.late and one.slot not in begun and (first is None or first <= one.late)
    ]  # fmt: skip
    return late if trades else late[:1]


def not_ended(journal: Journal, unended: Iterable[OrderRow], now: datetime) -> list[str]:
    """Return the slots that are over and were not ended, or of which an order is not known to have ended.

    Whoever worked on them died, or could not have their orders cancelled.
    """
    day, over = today(now), now - timedelta(seconds=CANCEL_S)
    working = {(one.session, one.slot) for one in unended}
    told = (one for session in sorted({session for session, _ in working}) for one in journal.slots(session))
    rows = {(one.session, one.slot): one for one in told if (one.session, one.slot) in working}
    rows |= {(one.session, one.slot): one for one in journal.slots(undone=True)}
    late = sorted((session, slot) for (session, slot), one in rows.items() if one.ends < over)
    return [slot if session == day else f"{session} {slot}" for session, slot in late]


def next_slot(timing: Timing, now: datetime) -> str:
    """Return the next slot that can still begin, as text."""
    day = today(now)
    for _ in range(2):
        if is_session(day):
            for one in windows(hours_of(day), timing):
                if one.late >= now:
                    return f"{one.session} {one.slot}"
        day = next_session(day)
    with suppress(IndexError):
        return f"{day} {timing.slots[0]}"
    return ""
