"""The steps of a halt: where the book is, written there, at the venue, in the journal. None of them stops the next."""

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from plimsoll.engine.errors import InputError, OutputError
from plimsoll.engine.execution.venue import Venue, VenueOrder
from plimsoll.engine.live.call_off import Reductions, call_off
from plimsoll.engine.live.fence import claimed
from plimsoll.engine.live.halt_file import wait_for_silence, write_halt
from plimsoll.engine.live.journal.journal import Journal
from plimsoll.engine.live.journal.rows import Grade
from plimsoll.engine.live.reconcile import Whose
from plimsoll.engine.live.room import Tenant, has_journal
from plimsoll.engine.runtime.venues import open_venue
from plimsoll.engine.verbs.host import Host


@dataclass(slots=True)
class Halted:
    """What a halt came to. sure : no order is on its way any more, and none will be.

    state : the folders in which it is written. cancelled : orders of the book that were cancelled, and work no more;
    suspended : the venue itself takes no orders; failed : what could not be done, here or at the venue.
    """

    grade: Grade
    sure: bool
    silence: str
    cancelled: int = 0
    suspended: bool = False
    failed: list[str] = field(default_factory=list)
    state: list[Path] = field(default_factory=list)

    def plain(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            "halted": self.grade if self.state else "no",
            "sure": self.sure,
            "sender": self.silence,
            "cancelled": self.cancelled,
            "suspended_at_venue": self.suspended,
            "failed": self.failed,
            "state": [str(one) for one in self.state],
        }


def home_of(tenant: Tenant, done: Halted) -> Path | None:
    """Return the folder in which the book has its state, as whoever trades it wrote down; None if nobody knows."""
    try:
        home = claimed(tenant.accounts, tenant.account, tenant.name)
    except OutputError as error:
        done.failed.append(f"claim: {error}")
        return None
    return tenant.folder if home is not None and home == tenant.folder.resolve() else home


def halt_in(folder: Path, why: str, host: Host, done: Halted, patience_s: float) -> None:
    """Write the halt in a folder, and wait until nobody sends there; in the journal, where no file can be written."""
    try:
        write_halt(folder, done.grade, why, host.clock())
    except OutputError as error:
        done.failed.append(f"halt: {error}")
        if not note_halt(folder, done.grade, why, host, done):
            done.sure, done.silence = False, "NOT HALTED: nothing could be written"
            return
    done.state.append(folder)
    silence = wait_for_silence(folder, time.sleep, patience_s=patience_s)
    if done.sure:
        done.sure, done.silence = silence.sure, silence.told


def at_venue(tenant: Tenant, folder: Path, done: Halted, host: Host, venue: Venue | None, patience_s: float) -> None:
    """Cancel the book's orders and, where everything is stopped, suspend the account; say what did not work."""
    try:
        asked = open_venue(tenant.broker, host.env, symbols_of(tenant)) if venue is None else venue
    except InputError as error:
        done.failed.append(f"venue: {error}")
        return
    if done.grade == "all" and tenant.broker.manage == "account":
        try:
            done.suspended = asked.suspend(True)
            if not done.suspended:
                done.failed.append("suspend: the venue says that it still takes orders")
        except InputError as error:
            done.failed.append(f"suspend: {error}")
    whose = Whose(tenant.name, tenant.account, frozenset(), tenant.broker.manage)
    reduces = Reductions(asked, folder, host.clock)

    def meant(order: VenueOrder) -> bool:
        return whose.owns(order.client_id) and (done.grade == "all" or not reduces(order))

    called = call_off(asked, meant, time.sleep, patience_s)
    done.cancelled = called.cancelled
    done.failed += called.failed


def symbols_of(tenant: Tenant) -> tuple[str, ...]:
    """Return the book's symbols, none where a strategy cannot be made: here they are needed for their spelling only."""
    try:
        return tenant.symbols
    except (Exception, SystemExit):  # noqa: BLE001  # somebody's source may do anything, and a halt must not end by it
        return ()


def note_halt(folder: Path, grade: Grade, why: str, host: Host, done: Halted) -> bool:
    """Write the halt into the journal too, if there is one and it can be had now; return whether it is there.

    A journal is not begun for this: where there is none, the file is all that counts.
    """
    try:
        if not has_journal(folder):
            return False
        journal = Journal.open(folder, host.clock)
    except OutputError as error:
        done.failed.append(f"journal: {error}")
        return False
    try:
        with journal.tx():
            journal.add_halt(grade, why)
        return True
    except OutputError as error:
        done.failed.append(f"journal: {error}")
        return False
    finally:
        journal.close()
