"""Between two slots: what became of the orders that are out, and an end to what is left of slots that are over."""

from plimsoll.engine.live.rebalance import Rebalancer
from plimsoll.engine.live.reconcile import reconcile


class Watcher(Rebalancer):
    """Sends nothing."""

    def watch(self) -> bool:
        """Reconcile; cancel what works of slots that are over, and close them; return whether anything may still work.

        Raises
        ------
        VenueError
            If the venue gives no answer.
        """
        journal, now = self._journal, self._clock.now()
        report = reconcile(journal, self._venue, self._clock, self._book.whose)
        undone = journal.slots(undone=True)
        lasting = {(one.session, one.slot) for one in undone if one.due <= now < one.ends}
        self._cancel_others(lasting)
        self._end_others(lasting, report)
        works = any(self._book.whose.owns(one.client_id) for one in report.working)
        return works or bool(report.unknown or undone)
