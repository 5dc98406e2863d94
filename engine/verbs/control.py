"""Stop a book, let it go on, say how it stands: none of these waits for anybody longer than a few seconds."""

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

from plimsoll.engine.config.live import LiveSection
from plimsoll.engine.config.schema import Config
from plimsoll.engine.errors import DataError, OutputError, VenueError
from plimsoll.engine.execution.venue import Venue
from plimsoll.engine.live.fence import accounts_folder, check_claim, claimed
from plimsoll.engine.live.halt_file import PATIENCE_S, Seen, read_halts, remove_halt
from plimsoll.engine.live.journal.journal import Journal
from plimsoll.engine.live.journal.owner import check_owner
from plimsoll.engine.live.journal.rows import Grade, Halt
from plimsoll.engine.live.order_state import NEVER_SENT
from plimsoll.engine.live.outcome import order_text
from plimsoll.engine.live.overdue import next_slot, not_ended, overdue
from plimsoll.engine.live.room import has_journal, state_folder
from plimsoll.engine.live.slots import Timing, timing_of, today
from plimsoll.engine.live.standing import drift_of, heart, read_governor
from plimsoll.engine.runtime.load import Runnable, configured
from plimsoll.engine.runtime.venues import open_venue
from plimsoll.engine.verbs.halting import Halted, at_venue, halt_in, home_of, note_halt, symbols_of
from plimsoll.engine.verbs.host import PROGRAM, Host
from plimsoll.engine.verbs.live_room import ELSEWHERE, reason_of, tenant_for


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
    while the journal is locked, while the venue is down, and without the strategies' source. It is written in the
    configured folder, and in the one in which the book has its state if that is another. What could not be done is in
    what is returned, which is not `sure` then: not where nothing could be written either, nor where no process ever
    traded this book from here and the venue still takes orders.

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
        Seconds until a sender that hangs in the middle of an order is ended, and for which cancellations are awaited.

    Raises
    ------
    InputError
        If the configuration is not valid, or no reason is given: then nothing is halted.
    """
    tenant, why = tenant_for(what, sets, host), reason_of(reason)
    grade: Grade = "new_risk" if no_new_risk else "all"
    done = Halted(grade, True, "")
    home = home_of(tenant, done)
    places = list(dict.fromkeys([tenant.folder if home is None else home, tenant.folder]))
    for folder in places:
        halt_in(folder, why, host, done, patience_s)
    if not local:
        at_venue(tenant, places[0], done, host, venue, patience_s)
    for folder in done.state:
        note_halt(folder, grade, why, host, done)
    if home is None and done.suspended:
        done.silence += f"; no process traded this book from {tenant.folder}"
    elif home is None:
        done.sure = False
        done.failed.append(f"no process traded this book from {tenant.folder}: one that does elsewhere is not stopped")
    return done


def resume(
    what: Runnable, reason: str, *, sets: Iterable[str] = (), venue: Venue | None = None, host: Host = PROGRAM
) -> list[str]:
    """Let a halted book send again, and return what had halted it; only a person does this, and says why.

    The venue's own switch is set back first: if that fails nothing is resumed. A halt that comes in the meantime stays.

    Raises
    ------
    InputError
        If no reason is given, the book has its state in another folder or none here, the journal cannot be written,
        the venue still takes no orders, or somebody has halted it again.
    """
    tenant, why = tenant_for(what, sets, host), reason_of(reason)
    check_claim(tenant.accounts, tenant.account, tenant.name, tenant.folder)
    if not has_journal(tenant.folder) and not read_halts(tenant.folder):
        raise DataError("there is no journal and no halt", where=str(tenant.folder), fix=ELSEWHERE)
    journal = Journal.open(tenant.folder, host.clock)
    try:
        check_owner(journal, tenant.name, tenant.account)
        seen = Seen(read_halts(tenant.folder), tuple(journal.halts()))
        if seen.halts and tenant.broker.manage == "account":
            asked = open_venue(tenant.broker, host.env, symbols_of(tenant)) if venue is None else venue
            if asked.suspend(False):
                raise VenueError("the account is still suspended there", where="resume", fix="look at the venue")
        with journal.tx():
            journal.clear_halts(why, seen=seen.journal)
            remove_halt(tenant.folder, seen.files)
        left = Seen(read_halts(tenant.folder), tuple(journal.halts())).halts
        if left:
            if any(one.grade == "all" for one in left) and seen.halts and tenant.broker.manage == "account":
                asked.suspend(True)  # it may have been suspended before it was let go on here
            raise OutputError(f"halted again meanwhile: {left[0].reason}", where=str(tenant.folder), fix="resume again")
    finally:
        journal.close()
    return list(dict.fromkeys(one.reason for one in seen.halts))


def status(what: Runnable, *, sets: Iterable[str] = (), host: Host = PROGRAM) -> dict[str, Any]:
    """Return how a book stands by its own journal; the venue is not asked and nothing is locked or written.

    `healthy` is false where something is halted, unknown, a slot of today is overdue and was not done, one that began
    is over and was not ended, or a process that should give signs of life gave none for 90 seconds and did not end by
    itself; also where there is neither journal nor sign of life, or the book has its state in another folder.

    Raises
    ------
    InputError
        If the configuration is not valid, or the journal cannot be read.
    """
    (config, _), now = configured(what, sets=sets, env=host.env), host.clock()
    folder, timing = state_folder(config, host.env, Path.home()), timing_of(config.live or LiveSection())
    halts = Seen(read_halts(folder)).halts
    beat, lives = heart(folder, now)
    elsewhere = _elsewhere(config, folder, host)
    told: dict[str, Any] = {
        "book": config.run.name,
        "account": None if config.broker is None else config.broker.account,
        "state": str(folder),
        **({"elsewhere": elsewhere} if elsewhere else {}),
        "at": now.isoformat(),
        "next_slot": next_slot(timing, now),
        "heartbeat": beat,
    }
    journal = Journal.read_only(folder, host.clock)
    if journal is None:
        healthy = lives and beat != "none" and not halts and not elsewhere
        return told | {"begun": False, "healthy": healthy, "halts": _plain_halts(halts)}
    try:
        check_owner(journal, config.run.name, told["account"])
        found = _of_journal(journal, timing, now, halts, trades=journal.begun)
        return told | found | {"healthy": lives and found["healthy"] and not elsewhere}
    finally:
        journal.close()


def _elsewhere(config: Config, folder: Path, host: Host) -> str:
    """Return where else the book has its state, "" if that is here or nobody knows."""
    broker = config.broker
    if broker is None or broker.account is None:
        return ""
    try:
        home = claimed(accounts_folder(host.env, Path.home()), broker.account, config.run.name)
    except OutputError as error:
        return str(error)
    return "" if home is None or home == folder.resolve() else str(home)


def _of_journal(journal: Journal, timing: Timing, now: datetime, halts: list[Halt], *, trades: bool) -> dict[str, Any]:
    halts = [*halts, *journal.halts()]
    unended = [one for one in journal.orders(unended=True) if one.known.state not in NEVER_SENT]
    unknown = [one for one in unended if one.known.state in ("unknown", "sending")]
    day, last = today(now), journal.last_plan()
    slots = [{"slot": one.slot, "done": one.done, "note": one.note} for one in journal.slots(day)]
    missed = overdue(timing, journal, now, trades=trades) + not_ended(journal, unended, now)
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
