"""Stop a book, let it go on, say how it stands: none of these waits for anybody."""

import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from plimsoll.engine.config.live import LiveSection
from plimsoll.engine.errors import InputError, OutputError, VenueError
from plimsoll.engine.execution.venue import Unknown, Venue
from plimsoll.engine.live.halt_file import PATIENCE_S, read_halt, remove_halt, wait_for_silence, write_halt
from plimsoll.engine.live.journal.journal import Journal
from plimsoll.engine.live.journal.owner import check_owner
from plimsoll.engine.live.journal.rows import Grade, Halt
from plimsoll.engine.live.order_state import NEVER_SENT
from plimsoll.engine.live.outcome import order_text
from plimsoll.engine.live.room import Tenant, state_folder
from plimsoll.engine.live.slots import Timing, hours_of, timing_of, today, windows
from plimsoll.engine.live.standing import drift_of, heart, read_governor
from plimsoll.engine.market.calendar import is_session, next_session
from plimsoll.engine.runtime.load import Runnable, configured
from plimsoll.engine.runtime.venues import open_venue
from plimsoll.engine.verbs.host import PROGRAM, Host
from plimsoll.engine.verbs.live_room import reason_of, tenant_for


@dataclass(slots=True)
class Halted:
    """What a halt came to. sure : no order is on its way any more, and none will be.

    cancelled : orders of the book that were cancelled; suspended : the venue itself takes no orders; failed : what
    could not be done at the venue.
    """

    grade: Grade
    sure: bool
    silence: str
    cancelled: int = 0
    suspended: bool = False
    failed: list[str] = field(default_factory=list)

    def plain(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            "halted": self.grade,
            "sure": self.sure,
            "sender": self.silence,
            "cancelled": self.cancelled,
            "suspended_at_venue": self.suspended,
            "failed": self.failed,
        }


def halt(
    what: Runnable,
    reason: str,
    *,
    no_new_risk: bool = False,
    local: bool = False,
    sets: Iterable[str] = (),
    venue: Venue | None = None,
    patience_s: float = PATIENCE_S,
    host: Host = PROGRAM,
) -> Halted:
    """Stop sending: everything, or only what opens or adds.

    First here, durably, then at the venue as far as it answers. Works while the sender hangs (which is then ended),
    while the journal is locked and while the venue is down.

    Parameters
    ----------
    what, sets
        As for `backtest`.
    reason : str
        Why; it is written down.
    no_new_risk : bool
        Reductions go on.
    local : bool
        Leave the venue alone: neither cancel nor suspend there.
    patience_s : float
        Seconds until a sender that hangs in the middle of an order is ended.

    Raises
    ------
    InputError
        If the halt could not be written: then nothing is halted.
    """
    tenant, why = tenant_for(what, sets, host), reason_of(reason)
    grade: Grade = "new_risk" if no_new_risk else "all"
    write_halt(tenant.folder, grade, why, host.clock())
    silence = wait_for_silence(tenant.folder, time.sleep, patience_s=patience_s)
    done = Halted(grade, silence.sure, silence.told)
    if not local:
        _at_venue(tenant, done, host, venue)
    _note(tenant.folder, grade, why, host, done)
    return done


def _at_venue(tenant: Tenant, done: Halted, host: Host, venue: Venue | None) -> None:
    """Cancel the book's orders and, where everything is stopped, suspend the account; say what did not work."""
    try:
        asked = open_venue(tenant.broker, host.env, tenant.symbols) if venue is None else venue
    except InputError as error:
        done.failed.append(f"venue: {error}")
        return
    if done.grade == "all" and tenant.broker.manage == "account":
        try:
            done.suspended = asked.suspend(True)
        except InputError as error:
            done.failed.append(f"suspend: {error}")
    try:
        working = asked.open_orders()
    except InputError as error:
        done.failed.append(f"cancel: {error}")
        return
    whose = tenant.book().whose
    for order in working:
        if not whose.owns(order.client_id) or (done.grade == "new_risk" and order.side == "sell"):
            continue
        answer = asked.cancel(order)
        if isinstance(answer, Unknown):
            done.failed.append(f"cancel {order.client_id}: {answer.why}")
        else:
            done.cancelled += 1


def _note(folder: Path, grade: Grade, why: str, host: Host, done: Halted) -> None:
    """Write the halt into the journal too, if it can be had now; the file is what counts."""
    try:
        journal = Journal.open(folder, host.clock)
    except OutputError as error:
        done.failed.append(f"journal: {error}")
        return
    try:
        with journal.tx():
            journal.add_halt(grade, why)
    except OutputError as error:
        done.failed.append(f"journal: {error}")
    finally:
        journal.close()


def resume(
    what: Runnable, reason: str, *, sets: Iterable[str] = (), venue: Venue | None = None, host: Host = PROGRAM
) -> list[str]:
    """Let a halted book send again, and return what had halted it; only a person does this, and says why.

    The venue's own switch is set back first: if that fails nothing is resumed.

    Raises
    ------
    InputError
        If no reason is given, the journal cannot be written, or the venue still takes no orders.
    """
    tenant, why = tenant_for(what, sets, host), reason_of(reason)
    journal = Journal.open(tenant.folder, host.clock)
    try:
        check_owner(journal, tenant.name, tenant.account)
        in_file = read_halt(tenant.folder)
        found = [one.reason for one in ([in_file] if in_file is not None else []) + journal.halts()]
        if found and tenant.broker.manage == "account":
            asked = open_venue(tenant.broker, host.env, tenant.symbols) if venue is None else venue
            if asked.suspend(False):
                raise VenueError("the account is still suspended there", where="resume", fix="look at the venue")
        with journal.tx():
            journal.clear_halts(why)
        remove_halt(tenant.folder)
    finally:
        journal.close()
    return list(dict.fromkeys(found))


def status(what: Runnable, *, sets: Iterable[str] = (), host: Host = PROGRAM) -> dict[str, Any]:
    """Return how a book stands by its own journal; the venue is not asked and nothing is locked or written.

    `healthy` is false where something is halted, unknown, a slot of today is overdue and was not done, or a process
    that should give signs of life gave none for 90 seconds and did not end by itself.

    Raises
    ------
    InputError
        If the configuration is not valid, or the journal cannot be read.
    """
    (config, _), now = configured(what, sets=sets, env=host.env), host.clock()
    folder, timing = state_folder(config, host.env, Path.home()), timing_of(config.live or LiveSection())
    in_file = read_halt(folder)
    beat, lives = heart(folder, now)
    told: dict[str, Any] = {
        "book": config.run.name,
        "account": None if config.broker is None else config.broker.account,
        "state": str(folder),
        "at": now.isoformat(),
        "next_slot": _next_slot(timing, now),
        "heartbeat": beat,
    }
    halts = [] if in_file is None else [in_file]
    journal = Journal.read_only(folder, host.clock)
    if journal is None:
        return told | {"begun": False, "healthy": lives and not halts, "halts": _plain_halts(halts)}
    try:
        check_owner(journal, config.run.name, told["account"])
        found = _of_journal(journal, timing, now, halts, trades=config.broker is not None)
        return told | found | {"healthy": lives and found["healthy"]}
    finally:
        journal.close()


def _of_journal(journal: Journal, timing: Timing, now: datetime, halts: list[Halt], *, trades: bool) -> dict[str, Any]:
    halts = [*halts, *journal.halts()]
    unended = [one for one in journal.orders(unended=True) if one.known.state not in NEVER_SENT]
    unknown = [one for one in unended if one.known.state in ("unknown", "sending")]
    day, last = today(now), journal.last_plan()
    slots = [{"slot": one.slot, "done": one.done, "note": one.note} for one in journal.slots(day)]
    missed = _overdue(timing, journal, now, trades=trades)
    return {
        "begun": journal.begun,
        "healthy": not (halts or unknown or missed),
        "halts": _plain_halts(halts),
        "slots_today": slots,
        "overdue": missed,
        "last_plan": None if last is None else {"session": str(last.session), "decided": str(last.decided)},
        "working": [order_text(one) for one in unended],
        "unknown": [one.client_id for one in unknown],
        "holdings": {symbol: f"{qty.normalize():f}" for symbol, qty in sorted(journal.holdings().items())},
        "cash": str(journal.cash()),
        "drift": drift_of(journal),
        "governor": read_governor(journal),
        "last_event": journal.last_stamp(),
    }


def _plain_halts(halts: list[Halt]) -> list[dict[str, str]]:
    """Return halts as text, each reason once: one that a person wrote stands in the file and in the journal."""
    by_reason = {(one.grade, one.reason): one for one in reversed(halts)}
    return [{"grade": one.grade, "reason": one.reason, "since": one.since} for one in reversed(by_reason.values())]


def _overdue(timing: Timing, journal: Journal, now: datetime, *, trades: bool) -> list[str]:
    """Return the slots of today whose time to begin is over and that never began, of a book that has begun.

    trades : on an account; a book that only emits has done all of a session once it has decided.
    """
    day = today(now)
    if not is_session(day) or (not journal.begun if trades else journal.last_plan() is None):
        return []
    if not trades and journal.plan(day) is not None:
        return []
    begun = {one.slot for one in journal.slots(day)}
    late = [one.slot for one in windows(hours_of(day), timing) if now > one.late and one.slot not in begun]
    return late if trades else late[:1]


def _next_slot(timing: Timing, now: datetime) -> str:
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
