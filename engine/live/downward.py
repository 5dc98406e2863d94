"""Less of what is held, in slots of their own between the others: for whoever gets out, and for whoever must reduce."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal

from plimsoll.engine.execution.legalise import FREES, Wish, legalise
from plimsoll.engine.execution.venue import Snapshot
from plimsoll.engine.live.execute import STEP_FREES
from plimsoll.engine.live.journal.rows import Goal, PlanRow, SlotRow
from plimsoll.engine.live.order_state import NEVER_SENT
from plimsoll.engine.live.outcome import Outcome
from plimsoll.engine.live.rebalance import Rebalancer
from plimsoll.engine.live.slots import Hours, Window
from plimsoll.engine.market.calendar import previous_session


class Downward(Rebalancer):
    """Sends orders that reduce, and no others."""

    def _held(self, snapshot: Snapshot) -> dict[str, Decimal]:
        own = self._book.whose.symbols
        return {one.symbol: one.qty for one in snapshot.positions if one.symbol in own and one.qty}

    def _work_down(
        self, out: Outcome, hours: Hours, snapshot: Snapshot, wanted: Mapping[str, Decimal], prefix: str
    ) -> None:
        """Trade what is held of each symbol down to what is wanted of it, in a slot of its own.

        wanted : signed shares, between nothing and what is held. prefix : two digits that no hour has.
        """
        journal, now, day = self._journal, self._clock.now(), hours.session
        quotes = self._venue.quotes(self._book.symbols)
        assets = self._venue.assets(self._book.symbols)
        goals, wishes = dict[str, Goal](), list[Wish]()
        held = self._held(snapshot)
        for symbol, want in sorted(wanted.items()):
            qty = held.get(symbol, Decimal(0))
            if not qty or abs(want) >= abs(qty) or want * qty < 0:
                continue
            quote = quotes.get(symbol)
            position = next(one for one in snapshot.positions if one.symbol == symbol)
            price = quote.last if quote is not None and quote.last is not None else position.price
            if price is None or price <= 0:
                out.notes.append(f"{symbol} has no price: it is not sold")
                continue
            goals[symbol] = Goal(symbol, want, qty, price, price)
            wishes.append(Wish(len(wishes), symbol, want - qty, price, qty, FREES))
        legal = legalise(wishes, self._counter(assets, snapshot).desk)
        out.changes = legal.changes
        slot = SlotRow(day, self._name(day, prefix), now, self._ends(now, hours), done=False)
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
        out.sent = sum(one.known.state not in NEVER_SENT for one in out.orders)

    def _ends(self, now: datetime, hours: Hours) -> datetime:
        lasting = timedelta(minutes=self._book.live.slot_minutes)
        return min(now + lasting, hours.closes - timedelta(minutes=1))

    def _name(self, day: date, prefix: str) -> str:
        """Return a slot of its own: no time of day, so that its ids are nobody else's."""
        return f"{prefix}:{self._count(day, prefix) + 1:02d}"

    def _count(self, day: date, prefix: str) -> int:
        return sum(one.slot.startswith(f"{prefix}:") for one in self._journal.slots(day))

    def _no_plan(self, day: date, snapshot: Snapshot) -> PlanRow:
        return PlanRow(
            day, previous_session(day), self._clock.now(), True, snapshot.equity, self._decider.config_hash,
            self._decider.code_hash,
        )  # fmt: skip
