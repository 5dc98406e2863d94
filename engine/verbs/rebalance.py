"""One slot of a book, once: to its account, or to a file."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

from plimsoll.engine.config.live import LiveSection
from plimsoll.engine.config.schema import Config
from plimsoll.engine.errors import OutputError
from plimsoll.engine.execution.legal_batch import exact
from plimsoll.engine.execution.venue import Venue
from plimsoll.engine.live.clock import LiveClock, Point, nowhere
from plimsoll.engine.live.day_plan import DayPlan, order_row, refused
from plimsoll.engine.live.decide import SystemDecider
from plimsoll.engine.live.emit import EMITTED, Emission, last_emission, name_of, orders_csv, write_orders
from plimsoll.engine.live.emit import alone as writing
from plimsoll.engine.live.fence import alone
from plimsoll.engine.live.journal.journal import Journal
from plimsoll.engine.live.journal.owner import check_owner, own
from plimsoll.engine.live.journal.rows import PlanRow, SlotRow
from plimsoll.engine.live.outcome import Outcome, ended
from plimsoll.engine.live.positions import of_snapshot
from plimsoll.engine.live.preview import Previewer, copied
from plimsoll.engine.live.rebalance import Rebalancer
from plimsoll.engine.live.room import state_folder
from plimsoll.engine.live.slots import check_slot, hours_of
from plimsoll.engine.market.calendar import next_session
from plimsoll.engine.market.panel import Panel
from plimsoll.engine.market.pull.completed import last_completed
from plimsoll.engine.research.audit.certificate import code_hash_of
from plimsoll.engine.runtime.backtest import Progress
from plimsoll.engine.runtime.load import Runnable, configured, refuse_past
from plimsoll.engine.runtime.prepare import make_strategies
from plimsoll.engine.runtime.venues import open_venue
from plimsoll.engine.verbs.gate import pass_gate
from plimsoll.engine.verbs.host import PROGRAM, Host
from plimsoll.engine.verbs.live_room import clock_for, room_for, tenant_for
from plimsoll.engine.verbs.plan import plan_to_emit


def rebalance(
    what: Runnable,
    slot: str,
    *,
    data: Panel | None = None,
    sets: Iterable[str] = (),
    venue: Venue | None = None,
    clock: LiveClock | None = None,
    progress: Progress | None = None,
    point: Point = nowhere,
    host: Host = PROGRAM,
) -> Outcome:
    """Do one slot of today's session on the configured account, and return what became of it.

    The first slot of a session decides, at the close before; the later ones finish what it left. A slot that is done is
    not done again, a late one is not run. Ended at any moment and started again, it goes on where it was.

    Parameters
    ----------
    what, data, sets
        As for `backtest`; the configuration needs `[broker] account`.
    slot : str
        One of `live.slots`, HH:MM New York time.
    venue, clock : optional
        Instead of the configured account and the machine's clock.
    point : callable
        Called with the name of every place at which the process might die.

    Raises
    ------
    InputError
        If the input is wrong, the state folder or the account is in use, or the venue gives no answer.
    """
    tenant = tenant_for(what, sets, host)
    check_slot(slot, tenant.live.slots)
    pass_gate(tenant.config, tenant.strategies, data)
    with room_for(tenant, host, venue, clock) as room:
        decider = room.decider(data=data, progress=progress)
        worker = Rebalancer(room.book, room.venue, room.journal, room.clock, tenant.folder, decider, point)
        return worker.run(slot)


def preview(
    what: Runnable, *, data: Panel | None = None, sets: Iterable[str] = (), venue: Venue | None = None,
    clock: LiveClock | None = None, progress: Progress | None = None, host: Host = PROGRAM,
) -> DayPlan:  # fmt: skip
    """Return what the session's next slot would send for the account as it is; nothing is sent or written.

    The parameters are those of `rebalance`, and so is what is raised.
    """
    tenant = tenant_for(what, sets, host)
    pass_gate(tenant.config, tenant.strategies, data)
    chosen = open_venue(tenant.broker, host.env, tenant.symbols) if venue is None else venue
    time_of = clock or clock_for(tenant, chosen, host)
    with copied(tenant.folder, time_of) as journal:
        check_owner(journal, tenant.name, tenant.account)
        decider = SystemDecider(tenant.config, tenant.strategies, chosen, journal, data=data, progress=progress)
        found = Previewer(tenant.book(), chosen, journal, time_of, tenant.folder, decider).preview()
    made, snapshot = decider.plan, found.report.snapshot
    if made is None:  # refused before anything was decided
        made = DayPlan(
            name=tenant.name, decided=found.proposal.decided, executes=found.out.session, due=False, adopted=False,
            forced=False, equity=float(snapshot.equity), cash=float(snapshot.cash), orders=(), changes=(), explained={},
            unpriced=(), beside=found.report.beside, blind=(), source=of_snapshot(snapshot).source, notes=(),
        )  # fmt: skip
    if found.refusal:
        return refused(made, found.refusal)
    notes = (*made.notes, *found.report.recognised, *found.out.notes)
    return replace(made, orders=found.legal.orders, changes=found.legal.changes, notes=notes)


def emit(
    what: Runnable,
    slot: str,
    out: Path | str,
    positions: Path | str,
    *,
    sets: Iterable[str] = (),
    progress: Progress | None = None,
    host: Host = PROGRAM,
) -> tuple[Outcome, Path | None]:
    """Write the orders of the next session into a folder, once: for a person or another program to execute.

    Needs no broker: what is held comes from a file that somebody keeps. The decision is in the journal; asked again for
    the same session, it decides nothing and names the file.

    Raises
    ------
    InputError
        If anything about the input is wrong, or other orders are in the file already.
    """
    config, strategies = configured(what, sets=sets, env=host.env)
    refuse_past(config)
    check_slot(slot, (config.live or LiveSection()).slots)
    folder, place = state_folder(config, host.env, Path.home()), Path(out)
    session = next_session(last_completed(host.clock()))
    there = _emitted(folder, config.run.name, session, slot, place, host)
    if there is not None:
        return there
    made = plan_to_emit(config, Path(positions), _last(folder, host), progress=progress, host=host)
    outcome = Outcome("refused", made.refusal, made.executes, slot)
    if made.refusal:
        return outcome, None
    file = place / name_of(made, slot)
    with alone(folder, f"book {config.run.name!r}"), writing(file):
        journal = Journal.open(folder, host.clock)
        try:
            own(journal, config.run.name)
            if journal.plan(made.executes) is not None:
                raise OutputError("another process has decided in the meantime", where=str(folder))
            write_orders(file, orders_csv(made), force=False)
            code = code_hash_of(make_strategies(config, strategies).values())
            _note(journal, config, made, slot, file, code)
        finally:
            journal.close()
    return ended(outcome, "done", f"{len(made.orders)} orders"), file


def _last(folder: Path, host: Host) -> Emission | None:
    journal = Journal.read_only(folder, host.clock)
    if journal is None:
        return None
    try:
        return last_emission(journal)
    finally:
        journal.close()


def _emitted(
    folder: Path, book: str, session: date, slot: str, place: Path, host: Host
) -> tuple[Outcome, Path | None] | None:
    """Return the outcome where the session was decided already, and the file if it is still there."""
    journal = Journal.read_only(folder, host.clock)
    if journal is None:
        return None
    try:
        check_owner(journal, book)
        if journal.plan(session) is None:
            return None
        note = next((one.note for one in journal.slots(session)), "")
    finally:
        journal.close()
    file = place / note.rpartition(" ")[2]
    return ended(Outcome("already", "", session, slot), "already", note), file if file.is_file() else None


def _note(journal: Journal, config: Config, made: DayPlan, slot: str, file: Path, code: str) -> None:
    hours = hours_of(made.executes)
    now = datetime.fromisoformat(journal.stamp())
    row = SlotRow(made.executes, slot, hours.opens, hours.closes, done=False)
    with journal.tx():
        journal.add_plan(
            PlanRow(made.executes, made.decided, now, not made.due, exact(made.equity), config.digest, code)
        )
        journal.add_slot(row)
        held = {symbol: str(qty) for symbol, qty in made.held.items()}
        orders = [order_row(one) for one in made.orders]
        journal.event(EMITTED, session=made.executes.isoformat(), orders=orders, held=held)
        journal.end_slot(row, f"{len(made.orders)} orders emitted to {file.name}")
