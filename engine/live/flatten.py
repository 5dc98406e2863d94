"""Out of everything: no new risk, cancel what works, sell what the book holds, then suspend the account.

A person asks for it. It may reduce where everything was halted, and leaves everything halted behind it.
"""

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Final

from plimsoll.engine.errors import VenueError
from plimsoll.engine.execution.legalise import FREES, Wish, legalise
from plimsoll.engine.execution.venue import Snapshot
from plimsoll.engine.live.execute import STEP_FREES
from plimsoll.engine.live.halt_file import remove_halt, write_halt
from plimsoll.engine.live.journal.rows import Goal, PlanRow, SlotRow
from plimsoll.engine.live.outcome import Outcome, ended
from plimsoll.engine.live.rebalance import Rebalancer
from plimsoll.engine.live.reconcile import reconcile
from plimsoll.engine.live.send import FENCES
from plimsoll.engine.live.slots import Hours, Window, hours_of, today
from plimsoll.engine.market.calendar import is_session, previous_session

PATIENCE_S: Final = 60.0
POLL_S: Final = 2.0


class Flattener(Rebalancer):
    """Sells everything of the book."""

    def flatten(self, why: str) -> Outcome:
        """Cancel, sell, suspend; what could not be done is in the outcome, and is never reported as done.

        Raises
        ------
        VenueError
            If the venue gives no answer before anything was sold; new risk stays blocked.
        """
        journal, now = self._journal, self._clock.now()
        day = today(now)
        out = Outcome("refused", "", day, "flatten")
        for fence in FENCES:
            journal.raise_fence(fence)
        with journal.tx():
            journal.event("flatten", reason=why)
            journal.add_halt("new_risk", f"flatten: {why}")
            for halt in journal.halts():
                if halt.grade == "all":
                    journal.clear_halts(f"flatten: {why}", starting=halt.reason)
        remove_halt(self._folder)
        self._cancel_all(out)
        out.report = reconcile(journal, self._venue, self._clock, self._book.whose)
        out.notes += [*out.report.recognised, *out.report.differences]
        left = self._held(out.report.snapshot)
        if left and not (is_session(day) and self._venue.clock().is_open):
            return ended(out, "refused", "the market is closed: what is held cannot be sold now; no new risk is taken")
        if left:
            self._sell(out, hours_of(day), out.report.snapshot)
            left = self._held(self._venue.snapshot())
        suspended = self._suspend(out)
        write_halt(self._folder, "all", f"flattened: {why}", self._clock.now())
        if left:
            told = ", ".join(f"{qty.normalize():f} {symbol}" for symbol, qty in sorted(left.items()))
            return ended(out, "refused", f"still held: {told}")
        return ended(
            out, "done" if suspended else "refused", "nothing is held" + ("" if suspended else ", NOT suspended")
        )

    def _held(self, snapshot: Snapshot) -> dict[str, Decimal]:
        own = self._book.whose.symbols
        return {one.symbol: one.qty for one in snapshot.positions if one.symbol in own and one.qty}

    def _cancel_all(self, out: Outcome) -> None:
        """Cancel every working order of the book and wait until none works."""
        whose, until = self._book.whose, self._clock.now() + timedelta(seconds=PATIENCE_S)
        while True:
            working = [one for one in self._venue.open_orders() if whose.owns(one.client_id)]
            if not working:
                return
            if self._clock.now() > until:
                out.notes.append(f"{len(working)} orders still work")
                return
            for one in working:
                self._venue.cancel(one)
            self._clock.sleep(POLL_S)

    def _sell(self, out: Outcome, hours: Hours, snapshot: Snapshot) -> None:
        journal, now, day = self._journal, self._clock.now(), hours.session
        quotes = self._venue.quotes(self._book.symbols)
        assets = self._venue.assets(self._book.symbols)
        goals, wishes = dict[str, Goal](), list[Wish]()
        for symbol, qty in sorted(self._held(snapshot).items()):
            quote = quotes.get(symbol)
            position = next(one for one in snapshot.positions if one.symbol == symbol)
            price = quote.last if quote is not None and quote.last is not None else position.price
            if price is None or price <= 0:
                out.notes.append(f"{symbol} has no price: it is not sold")
                continue
            goals[symbol] = Goal(symbol, Decimal(0), qty, price, price)
            wishes.append(Wish(len(wishes), symbol, -qty, price, qty, FREES))
        legal = legalise(wishes, self._counter(assets, snapshot).desk)
        out.changes = legal.changes
        slot = SlotRow(day, self._name(day), now, self._ends(now, hours), done=False)
        window = Window(day, slot.slot, slot.due, slot.due, slot.ends)
        rows = self._rows(slot, [(STEP_FREES, one) for one in legal.orders], snapshot.account)
        with journal.tx():
            if journal.plan(day) is None:
                journal.add_plan(self._no_plan(day, snapshot))
            journal.add_slot(slot)
            for one in rows:
                journal.add_order(one)
        self._executor(window, snapshot, assets, goals).run(window, hours, slot, goals)
        out.orders = journal.orders(day, slot.slot)
        out.sent = len(out.orders)

    def _ends(self, now: datetime, hours: Hours) -> datetime:
        lasting = timedelta(minutes=self._book.live.slot_minutes)
        return min(now + lasting, hours.closes - timedelta(minutes=1))

    def _name(self, day: date) -> str:
        """Return a slot of its own: no time of day, so that its ids are nobody else's."""
        before = [one for one in self._journal.slots(day) if one.slot.startswith("99:")]
        return f"99:{len(before) + 1:02d}"

    def _no_plan(self, day: date, snapshot: Snapshot) -> PlanRow:
        return PlanRow(
            day, previous_session(day), self._clock.now(), True, snapshot.equity, self._decider.config_hash,
            self._decider.code_hash,
        )  # fmt: skip

    def _suspend(self, out: Outcome) -> bool:
        """Return whether the venue takes no more orders, where the account is this book's alone."""
        if self._book.whose.manage == "symbols":
            out.notes.append("the account is not suspended: it is not this book's alone (broker.manage)")
            return True
        try:
            return self._venue.suspend(True)
        except VenueError as error:
            out.notes.append(f"the account could not be suspended: {error}")
            return False
