"""One order out of the door: looked at for the last time, written down, sent, and what came back written down.

The look at halts, window and caps is inside the transaction that writes SENDING, as the fence is, and the sending lock
is held until the answer is known: who has written a halt and then had the lock knows that nothing more goes out.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from plimsoll.engine.execution.venue import Acked, Answer, Missing, Rejected, Unknown, Venue
from plimsoll.engine.live.caps import Caps
from plimsoll.engine.live.clock import LiveClock, Point
from plimsoll.engine.live.halt_file import Seen, read_halt, sending
from plimsoll.engine.live.journal.journal import Journal
from plimsoll.engine.live.journal.rows import OrderRow
from plimsoll.engine.live.slots import Window

# How long after an answer that was none an order is looked for, seconds; a venue may know it later than it took it.
LOOKS_S: Final = (0.2, 0.5, 1.0, 2.0, 5.0)
RESENDS: Final = 3
FENCES: Final = ("account", "book")
NO_HALTS: Final = Seen()
_STOPS: Final = ("suspended", "unauthorized")


class Sender:
    """Sends the orders of one slot. guard : why a symbol's price no longer allows to send again, "" if it does.

    passed : halts that do not bind it, because a person asked for these orders knowing them.
    """

    def __init__(
        self, journal: Journal, venue: Venue, clock: LiveClock, folder: Path, window: Window, caps: Caps,
        point: Point, passed: Seen = NO_HALTS,
    ) -> None:  # fmt: skip
        self._journal = journal
        self._venue = venue
        self._clock = clock
        self._folder = folder
        self._window = window
        self._caps = caps
        self._point = point
        self._passed = passed

    def stopped(self) -> bool:
        """Return whether no order at all may go out: then there is nothing to wait for."""
        in_file = read_halt(self._folder, self._passed.files)
        halts = [one for one in self._journal.halts() if one not in self._passed.journal]
        return any(one.grade == "all" for one in [*halts, *([] if in_file is None else [in_file])])

    def send(self, order: OrderRow, guard: Callable[[str], str]) -> OrderRow:
        """Send a planned order, or one of which nobody knows whether the venue has it, until that is known.

        It is sent again only under the same id, only while its slot lasts, and only after it was looked for.
        """
        if order.known.state == "planned":
            order = self._once(order)
        for _ in range(RESENDS):
            if order.known.state != "unknown":
                return order
            order = self.look(order)
            if order.known.state != "unknown":
                return order
            why = guard(order.symbol)
            if why or not self._window.holds(self._clock.now()):
                return order
            again = self._once(order)
            if again is order:  # it was not sent
                return order
            order = again
        return order

    def look(self, order: OrderRow) -> OrderRow:
        """Look for an order by its id until the venue tells of it, or time is up."""
        for wait in LOOKS_S:
            self._clock.sleep(wait)
            found = self._venue.lookup(order.client_id)
            if not isinstance(found, (Missing, Unknown)):
                with self._journal.tx():
                    order = self._journal.take_in(order, found)
                self._point("outcome committed")
                return order
        return order

    def _once(self, order: OrderRow) -> OrderRow:
        journal, folder = self._journal, self._folder
        with sending(folder):
            self._point("sending locked")
            with journal.tx():
                why = self._refusal(order)
                if why:
                    if order.known.state != "planned":
                        return order  # it may be out already; it is only not sent again
                    return journal.set_state(order, "denied", why)
                order = journal.set_state(order, "sending")
            self._point("sending committed")
            why = self._last_look(order)
            if why:
                first = journal.attempts(order.client_id) == 1  # else an earlier attempt may have arrived
                with journal.tx():
                    return journal.set_state(order, "denied" if first else "unknown", why)
            answer = self._venue.submit(order.intent())
            self._point("answered")
            with journal.tx():
                order = self._record(order, answer)
        self._point("outcome committed")
        return order

    def _last_look(self, order: OrderRow) -> str:
        """Return why the order must not leave after all, "" if it may: time passes even between two lines."""
        halt = read_halt(self._folder, self._passed.files)
        if halt is not None and (halt.grade == "all" or not order.frees):
            return f"halted: {halt.reason}"
        return "" if self._window.holds(self._clock.now()) else "its slot is over"

    def _refusal(self, order: OrderRow) -> str:
        """Return why the order must not go out now, "" if it may. Within the transaction that sends."""
        journal = self._journal
        halts = [one for one in journal.halts() if one not in self._passed.journal]
        in_file = read_halt(self._folder, self._passed.files)
        halts += [] if in_file is None else [in_file]
        for halt in halts:
            if halt.grade == "all" or not order.frees:
                return f"halted: {halt.reason}"
        if not self._window.holds(self._clock.now()):
            return "its slot is over"
        return self._caps.refusal(order, journal.sent(order.session), journal.attempts(order.client_id))

    def _record(self, order: OrderRow, answer: Answer) -> OrderRow:
        journal = self._journal
        if isinstance(answer, Acked):
            return journal.take_in(order, answer.order)
        if isinstance(answer, Rejected) and answer.reason != "duplicate" and journal.attempts(order.client_id) == 1:
            if answer.reason in _STOPS:
                journal.add_halt("all", f"the venue takes no orders: {answer.message[:120]}")
            return journal.set_state(order, "rejected", f"{answer.reason}: {answer.message[:160]}")
        # a refusal of what was sent before says nothing of the first attempt: it is looked for
        why = answer.why if isinstance(answer, Unknown) else f"{answer.reason}: {answer.message}"
        return journal.set_state(order, "unknown", why[:160])
