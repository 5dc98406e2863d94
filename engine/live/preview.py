"""What a slot would send now, worked out on a copy of the journal: nothing leaves, and nothing written there stays."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from plimsoll.engine.execution.legalise import Legalised
from plimsoll.engine.live.clock import LiveClock
from plimsoll.engine.live.journal.file import FILE
from plimsoll.engine.live.journal.journal import Journal
from plimsoll.engine.live.outcome import Outcome
from plimsoll.engine.live.proposal import Asked, Proposal
from plimsoll.engine.live.rebalance import Rebalancer
from plimsoll.engine.live.reconcile import Report, reconcile
from plimsoll.engine.live.slots import BEFORE_CLOSE, Window, hours_of, today
from plimsoll.engine.market.calendar import is_session, next_session


@dataclass(frozen=True, slots=True)
class Preview:
    """A session's decision and the orders on the way to it. refusal : why there would be none, "" if there would."""

    out: Outcome
    report: Report
    proposal: Proposal
    legal: Legalised
    refusal: str


class Previewer(Rebalancer):
    """Decides as a slot does; its journal must be a copy, see `copied`."""

    def preview(self) -> Preview:
        """Return what the next slot of the session would send, of today's or, once that is over, of the next one.

        Raises
        ------
        InputError
            If the venue gives no answer, or the system cannot be replayed.
        """
        journal, now = self._journal, self._clock.now()
        session = today(now)
        if not is_session(session) or now >= hours_of(session).closes - BEFORE_CLOSE:
            session = next_session(session)
        report = reconcile(journal, self._venue, self._clock, self._book.whose, credits_of=self._decider.credits)
        out, assets = Outcome("refused", "", session, ""), self._venue.assets(self._book.symbols)
        last, plan = journal.last_plan(decided=True), journal.in_force(journal.plan(session))
        asked = Asked(session, report.snapshot, assets, report.splits, None if last is None else last.decided)
        proposal = self._decider.propose(asked)
        refusal = "" if report.clean else f"journal and venue differ: {'; '.join(report.differences)}"
        if plan is None:
            refusal = refusal or self._refusal(proposal, session)
        if refusal:
            return Preview(out, report, proposal, Legalised((), ()), refusal)
        window = Window(session, "", now, now, now)
        plan = plan or self._decision(window, proposal, report, out.notes)
        return Preview(out, report, proposal, self._shape(out, plan, report.snapshot, assets), "")


@contextmanager
def copied(folder: Path, clock: LiveClock) -> Iterator[Journal]:
    """Open a copy of a state folder's journal, an empty one if there is none, that is gone when the block ends."""
    with TemporaryDirectory() as place:
        real = Journal.read_only(folder, clock.now)
        if real is not None:
            try:
                real.backup(Path(place) / FILE)
            finally:
                real.close()
        journal = Journal.open(Path(place), clock.now)
        try:
            yield journal
        finally:
            journal.close()
