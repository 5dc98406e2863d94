"""One slot of one session, once: recover, reconcile, decide, write down, send, reconcile again.

It may end at any moment, by any means, and be started again: the way back is the way it always starts.
"""

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

from plimsoll.engine.config.live import LiveSection
from plimsoll.engine.errors import VenueError
from plimsoll.engine.execution.legal_batch import exact, money
from plimsoll.engine.execution.legalise import FREES, Desk, Legalised, Wish, afford, legalise, rules_on
from plimsoll.engine.execution.venue import Asset, Snapshot, Venue, VenueClock, VenueOrder
from plimsoll.engine.live.caps import Caps
from plimsoll.engine.live.clock import LiveClock, Point, nowhere
from plimsoll.engine.live.execute import Counter, Executor, steps_of
from plimsoll.engine.live.halt_file import read_halt
from plimsoll.engine.live.ids import OrderId, account_code, book_code
from plimsoll.engine.live.inputs import INPUTS
from plimsoll.engine.live.journal.file import FILE
from plimsoll.engine.live.journal.journal import Journal
from plimsoll.engine.live.journal.rows import ZERO, Goal, OrderRow, PlanRow, SlotRow
from plimsoll.engine.live.order_state import NEVER_SENT, Known
from plimsoll.engine.live.outcome import Outcome, ended
from plimsoll.engine.live.prices import PriceRules, decision_prices
from plimsoll.engine.live.proposal import Asked, Decider, Proposal
from plimsoll.engine.live.reconcile import Report, Whose, reconcile
from plimsoll.engine.live.send import FENCES, NO_HALTS, Sender
from plimsoll.engine.live.slots import AFTER_OPEN, BEFORE_CLOSE, Hours, Window, hours_of, timing_of, today, window_of
from plimsoll.engine.live.standing import Governor, splits_after, write_governor
from plimsoll.engine.live.way import carried, goals_of, left_of, legs_of, spelled
from plimsoll.engine.market.calendar import is_session, next_session

SKEW_WARN_S: Final = 2.0
VIX_CLOSE: Final = "vix_close"
SKEW_S: Final = 30.0
BACKUP: Final = f"{FILE}.backup"


@dataclass(frozen=True, slots=True)
class Book:
    """The book that is traded. venue : the name of its rules; margin : purchases may use what the venue lends.

    carry : what a session left over is due in the next one.
    """

    whose: Whose
    symbols: tuple[str, ...]
    live: LiveSection
    venue: str = "alpaca"
    margin: bool = False
    carry: bool = True


class Rebalancer:
    """Everything that one slot needs. folder : the state folder, which this process holds alone."""

    def __init__(
        self, book: Book, venue: Venue, journal: Journal, clock: LiveClock, folder: Path, decider: Decider,
        point: Point = nowhere,
    ) -> None:  # fmt: skip
        self._book = book
        self._venue = venue
        self._journal = journal
        self._clock = clock
        self._folder = folder
        self._decider = decider
        self._point = point
        self._passed = NO_HALTS

    def run(self, slot: str) -> Outcome:
        """Do the slot of today's session, or what is left of it.

        Raises
        ------
        VenueError
            If the venue gives no answer before anything was sent in this run; started again it goes on from there.
        """
        self._point("opened")
        journal, live = self._journal, self._book.live
        day = today(self._clock.now())
        out = Outcome("refused", "", day, slot)
        if not is_session(day):
            return ended(out, "skipped", f"{day} is not a session")
        hours = hours_of(day)
        for name in FENCES:
            journal.raise_fence(name)
        self._point("fenced")
        told = self._venue.clock()
        why = self._skewed(told, out)
        if why:
            with journal.tx():
                journal.add_halt("new_risk", why)
            return ended(out, "refused", why)
        why = self._other_hours(hours, told)
        if why:
            if live.closure == "halt":
                with journal.tx():
                    journal.add_halt("new_risk", why)
            return ended(out, "refused", why)
        window = window_of(hours, timing_of(live), slot)
        lasting = self._lasting(window)
        self._cancel_others(lasting)
        out.report = reconcile(journal, self._venue, self._clock, self._book.whose, credits_of=self._decider.credits)
        self._point("reconciled")
        out.notes += out.report.recognised
        out.notes += self._end_others(lasting, out.report)
        if not out.report.clean:
            return ended(out, "refused", f"journal and venue differ: {'; '.join(out.report.differences)}")
        return self._slot(out, hours, window, out.report)

    def _slot(self, out: Outcome, hours: Hours, window: Window | None, report: Report) -> Outcome:
        journal = self._journal
        rows = [one for one in journal.slots(hours.session) if one.slot == out.slot]
        row = rows[0] if rows else None
        if row is not None and row.done:
            out.orders = journal.orders(hours.session, out.slot)
            return ended(out, "already", row.note)
        why = self._wrong_time(window, out.slot, begun=row is not None)
        if window is None or why:
            return ended(out, "skipped" if window is None else "late", why)
        halt = self._halted()
        if halt:
            return ended(out, "halted", halt)
        self._watch_losses(report.snapshot, hours.session)
        assets = self._venue.assets(self._book.symbols)
        row = row or self._plan(out, window, report, assets)
        return out if row is None else self._execute(out, hours, window, row, report.snapshot, assets)

    def _wrong_time(self, window: Window | None, slot: str, *, begun: bool) -> str:
        """Return why a slot cannot run now, "" if it can."""
        now = self._clock.now()
        if window is None:
            return f"the session closes too early for {slot}"
        if now < window.due:
            return f"it is due at {window.due:%H:%M} UTC"
        late = not begun and now > window.late
        return f"it was due at {window.due:%H:%M} UTC: a late slot is never run" if late else ""

    # ---- before

    def _skewed(self, told: VenueClock, out: Outcome) -> str:
        """Return why the machine's clock cannot be believed, "" if it can."""
        skew = abs((told.now - self._clock.now()).total_seconds())
        if skew > SKEW_S:
            return f"this machine's clock is {skew:.0f} s from the venue's"
        if skew > SKEW_WARN_S:
            out.notes.append(f"this machine's clock is {skew:.1f} s from the venue's")
        return ""

    def _other_hours(self, hours: Hours, told: VenueClock) -> str:
        """Return how the venue's session differs from the calendar's, "" if it does not: an unscheduled closure."""
        sessions = self._venue.calendar(hours.session, hours.session)
        theirs = next((one for one in sessions if one.session == hours.session), None)
        if theirs is None:
            return f"the venue knows no session on {hours.session}"
        if (theirs.opens, theirs.closes) != (hours.opens, hours.closes):
            return f"the venue's hours on {hours.session} are {theirs.opens:%H:%M}-{theirs.closes:%H:%M} UTC"
        within = hours.opens + AFTER_OPEN <= told.now < hours.closes - BEFORE_CLOSE
        return "the venue's market is closed" if within and not told.is_open else ""

    def _halted(self) -> str:
        """Return why no order at all may go out, "" if one may."""
        in_file = read_halt(self._folder)
        halts = [*self._journal.halts(), *([] if in_file is None else [in_file])]
        return next((one.reason or "no reason given" for one in halts if one.grade == "all"), "")

    def _lasting(self, window: Window | None) -> frozenset[tuple[date, str]]:
        """Return the slot whose orders may go on working: the one of a window, unless it is done or over."""
        if window is None or not window.holds(self._clock.now()):
            return frozenset()
        done = any(one.done for one in self._journal.slots(window.session) if one.slot == window.slot)
        return frozenset() if done else frozenset(((window.session, window.slot),))

    def _cancel_others(self, lasting: Collection[tuple[date, str]]) -> None:
        """Cancel what still works of other slots: it must not execute at a time it was not meant for."""
        journal = self._journal
        for order in journal.orders(unended=True):
            if order.known.state in NEVER_SENT or (order.session, order.slot) in lasting:
                continue
            found = self._venue.lookup(order.client_id)
            if isinstance(found, VenueOrder):
                with journal.tx():
                    row = journal.take_in(order, found)
                if not row.known.ended:
                    self._venue.cancel(found)
                    self._point("cancel asked")

    def _end_others(self, lasting: Collection[tuple[date, str]], report: Report) -> list[str]:
        """Close the other slots that were begun and never ended."""
        notes = []
        for row in self._journal.slots(undone=True):
            if (row.session, row.slot) in lasting:
                continue
            old = Window(row.session, row.slot, row.due, row.due, row.ends)
            self._executor(old, report.snapshot, {}, {}).close(row)
            notes.append(f"slot {row.session} {row.slot} had not ended: nothing more is sent in it")
        return notes

    def _watch_losses(self, snapshot: Snapshot, session: date) -> None:
        """Stop new risk where the account lost too much since the session's first look."""
        journal, before = self._journal, self._journal.day_equity(session)
        if before is None:
            with journal.tx():
                journal.set_day_equity(session, snapshot.equity)
        elif Caps(self._book.live.caps, snapshot.equity).is_lost(before, snapshot.equity):
            with journal.tx():
                journal.add_halt("new_risk", f"the account fell from {before} to {snapshot.equity} on {session}")

    # ---- the plan

    def _plan(self, out: Outcome, window: Window, report: Report, assets: Mapping[str, Asset]) -> SlotRow | None:
        """Write the slot, its orders and, where it is the session's first, the decision: in one transaction."""
        journal = self._journal
        plan = journal.in_force(journal.plan(window.session))
        fresh: Proposal | None = None
        if plan is None:
            last = journal.last_plan(decided=True)
            asked = Asked(
                window.session, report.snapshot, assets, report.splits, None if last is None else last.decided
            )
            proposal = self._decider.propose(asked)
            self._point("decided")
            refusal = self._refusal(proposal, window.session)
            if refusal:
                out.ending, out.why = "refused", refusal
                return None
            plan, fresh = self._decision(window, proposal, report, out.notes), proposal
        orders = self._shape(out, plan, report.snapshot, assets)
        row = SlotRow(window.session, window.slot, window.due, window.ends, done=False)
        rows = self._rows(row, steps_of(orders.orders, plan.goals), report.snapshot.account)
        with journal.tx():
            if fresh is not None:
                self._write(plan, fresh)
            journal.add_slot(row)
            for one in rows:
                journal.add_order(one)
        self._point("planned")
        out.changes = orders.changes
        return row

    def _write(self, plan: PlanRow, proposal: Proposal) -> None:
        """Write a decision and all it was made of, within the transaction of its orders."""
        journal, session = self._journal, plan.session.isoformat()
        journal.add_plan(plan)
        if proposal.inputs:
            journal.event(INPUTS, session=session, **proposal.inputs)
        journal.set_meta("config_hash", plan.config_hash)
        journal.set_meta("code_hash", plan.code_hash)
        if proposal.vix is not None:
            journal.set_meta(VIX_CLOSE, f"{session} {proposal.vix}")
        if proposal.governor is not None:
            drawdown, tier = proposal.governor
            write_governor(journal, Governor(session, drawdown, tier))

    def _refusal(self, proposal: Proposal, session: date) -> str:
        """Return why a session must not be decided like this, "" if it may."""
        return proposal.refusal or self._other_code() or _wrong_session(proposal, session)

    def _other_code(self) -> str:
        """Return why the code that decides is not the one that was accepted, "" if it is."""
        journal, decider = self._journal, self._decider
        same = journal.meta("config_hash") == decider.config_hash
        accepted = journal.meta("code_hash")
        if same and accepted is not None and accepted != decider.code_hash:
            return (
                "the strategies' source changed under the same configuration: look at it, then `plimsoll adopt --code`"
            )
        return ""

    def _decision(self, window: Window, proposal: Proposal, report: Report, notes: list[str]) -> PlanRow:
        """Return what the session is to reach: a decision of its own, or what the last one left over."""
        goals: dict[str, Goal] = {}
        if proposal.due:
            goals = goals_of(proposal)
        elif self._book.carry:
            journal = self._journal
            last, held = journal.in_force(journal.last_plan()), journal.holdings()
            splits = {} if last is None else splits_after(journal, last.session)
            goals = carried(last, proposal, splits, held, notes)
        return PlanRow(
            window.session, proposal.decided, self._clock.now(), not proposal.due, report.snapshot.equity,
            self._decider.config_hash, self._decider.code_hash, goals,
        )  # fmt: skip

    def _shape(self, out: Outcome, plan: PlanRow, snapshot: Snapshot, assets: Mapping[str, Asset]) -> Legalised:
        """Return what of the way to the goals the venue takes now: at fresh prices, never past a goal."""
        held = {one.symbol: one.qty for one in snapshot.positions}
        symbols = list(plan.goals)
        closes = {one.symbol: float(one.close) for one in plan.goals.values()}
        quotes = self._venue.quotes(symbols) if symbols else {}
        now = self._venue.clock().now  # the stamps are the venue's, so is the time
        prices = decision_prices(symbols, quotes, closes, now, self._counter(assets, snapshot).prices)
        stuck = {one.symbol for one in self._journal.orders(unended=True) if one.known.may_work}
        wishes: list[Wish] = []
        for goal in plan.goals.values():
            way = left_of(goal, held.get(goal.symbol, ZERO))
            if way == 0:
                continue
            if goal.symbol in stuck:
                out.notes.append(f"{goal.symbol}: another order of it may work")
                continue
            if prices[goal.symbol].kind == "none":
                out.notes.append(f"{goal.symbol} is not traded: {prices[goal.symbol].why}")
                continue
            wishes += legs_of(
                goal.symbol, way, held.get(goal.symbol, ZERO), exact(prices[goal.symbol].price), len(wishes)
            )
        desk = self._counter(assets, snapshot).desk
        legal = legalise(wishes, desk)
        if not self._book.margin:
            legal = afford(legal, money(legal, snapshot.cash, snapshot.equity, desk), desk)
        return afford(legal, money(legal, snapshot.buying_power, snapshot.equity, desk), desk, at_limits=True)

    def _rows(self, slot: SlotRow, steps: Sequence[tuple[int, Any]], account: str) -> list[OrderRow]:
        code, name = account_code(account), book_code(self._book.whose.name)
        rows, legs = [], dict[tuple[str, str], int]()
        for step, one in steps:
            leg = legs[one.symbol, one.side] = legs.get((one.symbol, one.side), 0) + 1
            client_id = OrderId(
                code, name, slot.session, slot.slot.replace(":", ""), spelled(one.symbol), one.side, leg, 0
            )
            rows.append(
                OrderRow(str(client_id), slot.session, slot.slot, step, one.wave == FREES, one, Known("planned"))
            )
        return rows

    # ---- and out

    def _execute(
        self, out: Outcome, hours: Hours, window: Window, row: SlotRow, snapshot: Snapshot,
        assets: Mapping[str, Asset],
    ) -> Outcome:  # fmt: skip
        journal = self._journal
        plan = journal.in_force(journal.plan(window.session))
        goals = {} if plan is None else plan.goals
        self._executor(window, snapshot, assets, goals).run(window, hours, row, goals)
        journal.backup(self._folder / BACKUP)
        try:
            out.report = reconcile(
                journal, self._venue, self._clock, self._book.whose, credits_of=self._decider.credits
            )
        except VenueError as error:
            out.notes.append(f"not reconciled afterwards: {error}")
        self._point("reconciled after")
        out.orders = journal.orders(window.session, window.slot)
        out.sent = sum(one.known.state not in NEVER_SENT for one in out.orders)
        halt = self._halted()
        if halt:
            return ended(out, "halted", halt)
        if out.report is not None and not out.report.clean:
            return ended(out, "refused", f"journal and venue differ: {'; '.join(out.report.differences)}")
        note = next((one.note for one in journal.slots(window.session) if one.slot == window.slot), "")
        return ended(out, "done", note)

    def _executor(
        self, window: Window, snapshot: Snapshot, assets: Mapping[str, Asset],
        goals: Mapping[str, Goal],
    ) -> Executor:  # fmt: skip
        adv = {one.symbol: one.adv for one in goals.values() if one.adv is not None}
        caps = Caps(self._book.live.caps, snapshot.equity, adv)
        sender = Sender(
            self._journal, self._venue, self._clock, self._folder, window, caps, self._point, self._passed
        )  # fmt: skip
        counter = self._counter(assets, snapshot)
        return Executor(self._journal, self._venue, self._clock, sender, counter, self._point, self._look)

    def _look(self) -> None:
        """Hold the journal against the account while orders work; a difference stops new risk, no answer is no news."""
        with suppress(VenueError):
            reconcile(self._journal, self._venue, self._clock, self._book.whose, credits_of=self._decider.credits)

    def _counter(self, assets: Mapping[str, Asset], snapshot: Snapshot) -> Counter:
        live = self._book.live
        rules_now = rules_on(self._book.venue, today(self._clock.now()))
        desk = Desk(
            rules_now, assets, exact(live.collar), shorting=snapshot.shorting,
            fractional=snapshot.fractional, buffer=exact(live.cash_buffer),
            available={one.symbol: one.available for one in snapshot.positions},
        )  # fmt: skip
        rules = PriceRules(live.max_quote_age_seconds, live.max_spread_bps, live.max_gap)
        return Counter(desk, rules, exact(live.collar), self._book.margin, timedelta(seconds=live.wave_seconds))


def _wrong_session(proposal: Proposal, session: date) -> str:
    """Return why a decision is not for this session, "" if it is: an old close is never executed late."""
    due = next_session(proposal.decided)
    return "" if due == session else f"decided at the close of {proposal.decided}, which is for {due}"
