"""A risk event between two slots, a loss or a jump of VIX: less risk, at once, by the state of the last close.

The governor is asked again with what the day has cost so far; of what it answers only what reduces is sent. Nothing is
estimated anew. Each further loss of the same size asks once more; a jump of VIX asks once.
"""

from typing import Final

from plimsoll.engine.errors import VenueError
from plimsoll.engine.live.decide import VIX
from plimsoll.engine.live.downward import Downward
from plimsoll.engine.live.outcome import Outcome, ended
from plimsoll.engine.live.proposal import Asked
from plimsoll.engine.live.rebalance import VIX_CLOSE
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
        off = live.refresh_loss == 0.0 and live.refresh_vix == 0.0
        if off or before is None or before <= 0 or not is_session(day):
            return None
        if journal.plan(day) is None or not self._venue.clock().is_open:
            return None
        for fence in FENCES:
            journal.raise_fence(fence)
        out = Outcome("refused", "", day, "refresh")
        out.report = reconcile(journal, self._venue, self._clock, self._book.whose)
        before = journal.day_equity(day) or before  # money that came or went is counted in now
        snapshot, asked_before = out.report.snapshot, self._count(day, PREFIX)
        day_return = float(snapshot.equity / before) - 1.0
        cost = live.refresh_loss > 0.0 and day_return <= -live.refresh_loss * (asked_before + 1)
        why = f"{day_return:.2%} since the session's first look" if cost else ""
        if not why and asked_before == 0:
            why = self._alarm(day.isoformat())
        if not why:
            return None
        halt = self._halted()
        if halt:
            return ended(out, "halted", halt)
        if not out.report.clean:
            return ended(out, "refused", "; ".join(out.report.differences))
        last = journal.last_plan(decided=True)
        assets = self._venue.assets(self._book.symbols)
        asked = Asked(day, snapshot, assets, out.report.splits, None if last is None else last.decided)
        wanted = self._decider.reductions(asked, day_return)
        self._work_down(out, hours_of(day), snapshot, wanted, PREFIX)
        return ended(out, "done", f"{why}: {out.sent} orders that reduce")

    def _alarm(self, session: str) -> str:
        """Return by how much VIX rose since the close that decided, "" if it did not or nobody quotes it."""
        day, _, close = (self._journal.meta(VIX_CLOSE) or "").partition(" ")
        most = self._book.live.refresh_vix
        if day != session or most == 0.0:
            return ""
        try:
            quote = self._venue.quotes((VIX,)).get(VIX)
        except VenueError:
            return ""  # most venues do not quote an index
        if quote is None or quote.last is None or not quote.last.is_finite():
            return ""
        rise = float(quote.last) / float(close) - 1.0
        return f"{VIX} {quote.last} is {rise:+.0%} from its last close" if rise >= most else ""
