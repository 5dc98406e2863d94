"""Out of everything: no new risk, cancel what works, sell what the book holds, then suspend the account.

A person asks for it. It may reduce where everything was halted: the halts that were there before stay, and bind
everybody else; one that comes while it sells stops it, too. It leaves everything halted behind it.
"""

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Final

from plimsoll.engine.errors import VenueError
from plimsoll.engine.execution.venue import VenueOrder
from plimsoll.engine.live.downward import Downward
from plimsoll.engine.live.halt_file import Seen, read_halts, write_halt
from plimsoll.engine.live.outcome import Outcome, ended
from plimsoll.engine.live.reconcile import reconcile
from plimsoll.engine.live.send import FENCES
from plimsoll.engine.live.slots import hours_of, today
from plimsoll.engine.market.calendar import is_session

PREFIX: Final = "99"
PATIENCE_S: Final = 60.0
POLL_S: Final = 2.0


class Flattener(Downward):
    """Sells everything of the book."""

    def flatten(self, why: str) -> Outcome:
        """Cancel, sell, suspend; what could not be done is in the outcome, and is never reported as done.

        Raises
        ------
        VenueError
            If the venue gives no answer before it comes to selling: new risk stays blocked, and what was halted
            halted. If it gives none then, everything is halted.
        """
        journal, now = self._journal, self._clock.now()
        day = today(now)
        out = Outcome("refused", "", day, "flatten")
        self._passed = Seen(read_halts(self._folder), tuple(journal.halts()))
        for fence in FENCES:
            journal.raise_fence(fence)
        with journal.tx():
            journal.event("flatten", reason=why)
            journal.add_halt("new_risk", f"flatten: {why}")
        working = self._cancel_all(out)
        out.report = reconcile(journal, self._venue, self._clock, self._book.whose)
        out.notes += [*out.report.recognised, *out.report.differences]
        out.notes += self._end_others((), out.report)
        left = self._held(out.report.snapshot)
        if left and not (is_session(day) and self._venue.clock().is_open):
            return ended(out, "refused", "the market is closed: what is held cannot be sold now; no new risk is taken")
        self._halt(why)
        try:
            if left:
                left = self._sell(out, day, left)
        finally:
            suspended = self._suspend(out)
        if left:
            told = ", ".join(f"{qty.normalize():f} {symbol}" for symbol, qty in sorted(left.items()))
            return ended(out, "refused", f"still held: {told}")
        if working and self._working():
            return ended(out, "refused", "nothing is held, but orders still work: they may fill")
        return ended(
            out, "done" if suspended else "refused", "nothing is held" + ("" if suspended else ", NOT suspended")
        )

    def _halt(self, why: str) -> None:
        """Halt everything before the first sale, so that it is halted however this ends; only these sales go on."""
        name = write_halt(self._folder, "all", f"flatten: {why}", self._clock.now())
        mine = {key: halt for key, halt in read_halts(self._folder).items() if key == name}
        self._passed = Seen({**self._passed.files, **mine}, self._passed.journal)

    def _sell(self, out: Outcome, day: date, held: Mapping[str, Decimal]) -> dict[str, Decimal]:
        """Sell what is held, on an account that takes orders again for so long; return what is left."""
        if self._book.whose.manage == "account":
            try:
                if self._venue.suspend(False):
                    out.notes.append("the account is still suspended")
            except VenueError as error:  # if it was not suspended this changes nothing, else the sales are refused
                out.notes.append(f"the account could not be made to take orders: {error}")
        snapshot = self._venue.snapshot()
        self._work_down(out, hours_of(day), snapshot, dict.fromkeys(held, Decimal(0)), PREFIX)
        return self._held(self._venue.snapshot())

    def _cancel_all(self, out: Outcome) -> bool:
        """Cancel every working order of the book and wait until none works; return whether some still do."""
        until = self._clock.now() + timedelta(seconds=PATIENCE_S)
        while True:
            working = self._working()
            if not working:
                return False
            if self._clock.now() > until:
                out.notes.append(f"{len(working)} orders still work")
                return True
            for one in working:
                self._venue.cancel(one)
            self._clock.sleep(POLL_S)

    def _working(self) -> list[VenueOrder]:
        return [one for one in self._venue.open_orders() if self._book.whose.owns(one.client_id)]

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
