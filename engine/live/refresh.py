"""A risk event between two slots: less risk, at once, by the state of the last close, and nothing else.

The governor is asked again with what the day has cost so far; of what it answers only what reduces is sent. Nothing is
estimated anew. Each further loss of the same size asks once more.
"""

from typing import Final

from plimsoll.engine.live.downward import Downward
from plimsoll.engine.live.outcome import Outcome, ended
from plimsoll.engine.live.proposal import Asked
from plimsoll.engine.live.reconcile import reconcile
from plimsoll.engine.live.send import FENCES
from plimsoll.engine.live.slots import hours_of, today
from plimsoll.engine.market.calendar import is_session

PREFIX: Final = "98"


class Refresher(Downward):
    """Reduces after a loss."""

    def refresh(self) -> Outcome | None:
        """Reduce if the day has cost enough since the last time; None if it has not, or there is nothing to ask by.

        Raises
        ------
        InputError
            If the venue gives no answer, or the prices are not there to replay the system on.
        """
        journal, now, live = self._journal, self._clock.now(), self._book.live
        day = today(now)
        before = journal.day_equity(day)
        if live.refresh_loss == 0.0 or before is None or before <= 0 or not is_session(day):
            return None
        if journal.plan(day) is None or not self._venue.clock().is_open:
            return None
        snapshot = self._venue.snapshot()
        day_return = float(snapshot.equity / before) - 1.0
        asked_before = self._count(day, PREFIX)
        if day_return > -live.refresh_loss * (asked_before + 1):
            return None
        out = Outcome("refused", "", day, "refresh")
        for fence in FENCES:
            journal.raise_fence(fence)
        halt = self._halted()
        if halt:
            return ended(out, "halted", halt)
        out.report = reconcile(journal, self._venue, self._clock, self._book.whose)
        if not out.report.clean:
            return ended(out, "refused", "; ".join(out.report.differences))
        snapshot, last = out.report.snapshot, journal.last_plan(decided=True)
        assets = self._venue.assets(self._book.symbols)
        asked = Asked(day, snapshot, assets, out.report.splits, None if last is None else last.decided)
        wanted = self._decider.reductions(asked, day_return)
        self._work_down(out, hours_of(day), snapshot, wanted, PREFIX)
        return ended(out, "done", f"{day_return:.2%} since the session's first look: {out.sent} orders that reduce")
