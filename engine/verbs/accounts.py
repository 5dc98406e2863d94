"""Hold a book's journal against its account: look, accept, or get out."""

from collections.abc import Iterable
from decimal import Decimal

from plimsoll.engine.errors import ConfigError, DataError
from plimsoll.engine.execution.venue import Venue
from plimsoll.engine.live.clock import LiveClock, Point, nowhere
from plimsoll.engine.live.flatten import Flattener
from plimsoll.engine.live.outcome import Outcome
from plimsoll.engine.live.reconcile import Report
from plimsoll.engine.live.reconcile import adopt as accept
from plimsoll.engine.live.reconcile import reconcile as compare
from plimsoll.engine.live.room import has_journal
from plimsoll.engine.research.audit.certificate import code_hash_of
from plimsoll.engine.runtime.load import Runnable
from plimsoll.engine.runtime.prepare import make_strategies
from plimsoll.engine.verbs.host import PROGRAM, Host
from plimsoll.engine.verbs.live_room import ELSEWHERE, reason_of, room_for, tenant_for


def reconcile(
    what: Runnable,
    *,
    sets: Iterable[str] = (),
    venue: Venue | None = None,
    clock: LiveClock | None = None,
    host: Host = PROGRAM,
) -> Report:
    """Hold the journal against the account and return what was found; nothing is sent.

    Orders whose fate was unknown are looked up; splits, dividends and cash that came or went are taken in. Anything
    else that differs halts new risk.

    Raises
    ------
    InputError
        If the input is wrong, the book is in use, or the venue gives no answer.
    """
    tenant = tenant_for(what, sets, host)
    with room_for(tenant, host, venue, clock) as room:
        return compare(room.journal, room.venue, room.clock, room.book.whose, credits_of=room.decider().credits)


def adopt(
    what: Runnable,
    reason: str,
    *,
    code: bool = False,
    sets: Iterable[str] = (),
    venue: Venue | None = None,
    clock: LiveClock | None = None,
    host: Host = PROGRAM,
) -> dict[str, Decimal]:
    """Accept what the account holds of the book as its holdings, write it down, and return it.

    For an account that held something before its first journal, after trades by hand, after a reset. Halts for a
    difference are over then.

    Parameters
    ----------
    code : bool
        Accept the strategies' source as it is now instead; holdings stay as they were.

    Raises
    ------
    InputError
        If the input is wrong, the book is in use, the venue gives no answer, or orders of the book still work.
    """
    tenant, why = tenant_for(what, sets, host), reason_of(reason)
    with room_for(tenant, host, venue, clock) as room:
        journal = room.journal
        if code:
            now = code_hash_of(make_strategies(tenant.config, tenant.strategies).values())
            with journal.tx():
                journal.set_meta("config_hash", tenant.config.digest)
                journal.set_meta("code_hash", now)
                journal.event("adopt code", code=now, why=why)
            return journal.holdings()
        report = compare(journal, room.venue, room.clock, room.book.whose)
        working = [one for one in report.working if room.book.whose.owns(one.client_id)]
        if working or report.unknown:
            fix = "wait until they have ended, or `plimsoll halt` cancels them"
            raise ConfigError(
                f"{len(working) + len(report.unknown)} orders of the book may work", where="adopt", fix=fix
            )
        return accept(journal, report, room.book.whose, why)


def flatten(
    what: Runnable,
    reason: str,
    *,
    sets: Iterable[str] = (),
    venue: Venue | None = None,
    clock: LiveClock | None = None,
    point: Point = nowhere,
    host: Host = PROGRAM,
) -> Outcome:
    """Block new risk, cancel the book's orders, sell what it holds, suspend the account, and stay halted.

    Raises
    ------
    InputError
        If the input is wrong, the book is in use or has no journal here, or the venue gives no answer.
    """
    tenant, why = tenant_for(what, sets, host), reason_of(reason)
    if not has_journal(tenant.folder):  # whoever does trade it would go on, and might sell the same shares
        fix = f"{ELSEWHERE}; a book that has no journal yet is taken over by `plimsoll adopt`"
        raise DataError("there is no journal", where=str(tenant.folder), fix=fix)
    with room_for(tenant, host, venue, clock) as room:
        worker = Flattener(room.book, room.venue, room.journal, room.clock, tenant.folder, room.decider(), point)
        return worker.flatten(why)
