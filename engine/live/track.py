"""Every session of a book against its twin: from the journal and today's prices, in one replay."""

import json
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import numpy as np

from plimsoll.engine.config.live import LiveSection
from plimsoll.engine.errors import DataError
from plimsoll.engine.live.inputs import Inputs, decisions_of, inputs_at
from plimsoll.engine.live.journal.journal import Journal
from plimsoll.engine.live.journal.rows import ZERO
from plimsoll.engine.live.marks import marks_of
from plimsoll.engine.live.nightly import NightlyReport, look
from plimsoll.engine.live.prefix import Prefix
from plimsoll.engine.live.replay import Case, bar_of, stand, walk
from plimsoll.engine.live.simulate import simulate
from plimsoll.engine.live.twin import Cash, Gap, Sides, gap_of
from plimsoll.engine.market.panel import Panel
from plimsoll.engine.runtime.backtest import Progress

# Money that left after trades counts as their fees up to so much of what was traded, or so many dollars; more is a
# withdrawal: neither journal nor account snapshot says what it was for.
FEE_SHARE: Final = 0.005
FEE_DOLLARS: Final = 1.0
DIVIDEND_SHARE: Final = 0.01  # by which a dividend that was paid may differ from the one due
ROUNDED: Final = 0.05  # dollars by which a venue's rounding may be off, either way


@dataclass(frozen=True, slots=True)
class Twin:
    """A session against its twin, and all sessions until it.

    gap : the session. history : every session of this configuration through it, oldest first. band_bps : how far the
    session may be from its twin. check : what the nightly check finds. left_out : sessions decided under another
    configuration, which this one cannot replay.
    """

    book: str
    gap: Gap
    history: tuple[Gap, ...]
    band_bps: float
    check: NightlyReport
    left_out: int = 0

    @property
    def inside(self) -> bool:
        """Return whether the session is within the band."""
        return abs(self.gap.bps) <= self.band_bps

    @property
    def ok(self) -> bool:
        """Return whether nothing asks for a look."""
        return self.inside and self.check.ok

    @property
    def total_bps(self) -> float:
        """The sum of all sessions' differences."""
        return sum(one.bps for one in self.history)

    def plain(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            "book": self.book,
            **self.gap.plain(),
            "band_bps": self.band_bps,
            "inside": self.inside,
            "since_inception": {
                "first": self.history[0].session.isoformat(),
                "sessions": len(self.history),
                "bps": self.total_bps,
                "dollars": sum(one.dollars for one in self.history),
                "largest_bps": max((one.bps for one in self.history), key=abs),
                "left_out": self.left_out,
            },
            "history": [
                {"session": one.session.isoformat(), "dollars": one.dollars, "bps": one.bps} for one in self.history
            ],
            "nightly": self.check.plain(),
        }


def twin_of(
    case: Case, journal: Journal, session: date | None = None, *, check: NightlyReport | None = None,
    history: bool = True, progress: Progress | None = None,
) -> Twin:  # fmt: skip
    """Hold a session against its twin, the last one that the prices cover if none is given. Nothing is written.

    check : what the nightly check of that session found, if it was made already. history : the sessions before it too.

    Raises
    ------
    DataError
        If nothing was decided for the session, or there are no prices of it.
    """
    told, hashes = decisions_of(journal), journal.config_hashes()
    own = [day for day in told if hashes.get(day) == case.config.digest]
    last = _session(own, told, session, case)
    known = [day for day in own if day <= last]
    setup, gaps = case.setup(last), list[Gap]()
    seen, prices = CashSeen(journal, told, setup.panel), Prefix(setup.panel)

    def at(day: date, t: int) -> None:
        inputs, plan = inputs_at(journal, told[day]), journal.plan(day)
        assert plan is not None
        here = stand(case, journal, inputs.decided).setup if inputs.blind else setup
        decided, panel = inputs.decide(here), setup.panel
        cash = seen.of(inputs)
        prices.extend(panel, t)
        start = float(inputs.cash) - cash.before
        sides = Sides(
            inputs, plan, journal.orders(day), cash, decided,
            simulate(setup, decided, inputs.holdings, start, t), panel.symbols,
            revised=prices.whole() != inputs.data,
        )  # fmt: skip
        gaps.append(gap_of(sides))

    walk(setup, marks_of(journal, setup.panel), known if history else [last], at, progress)
    if not gaps or gaps[-1].session != last:
        raise DataError(f"the replay does not reach {last}", where=case.config.run.name, cause="its account is ruined")
    live = case.config.live or LiveSection()
    found = check or look(case, journal, last, progress=progress)
    left = len([day for day in told if day <= last]) - len(known)
    return Twin(case.config.run.name, gaps[-1], tuple(gaps), live.twin_band_bps, found, left)


def _session(own: Sequence[date], told: Collection[date], session: date | None, case: Case) -> date:
    """Return the session that is asked for, else the last one with prices."""
    if session is not None and session not in own:
        cause = "it was decided under another configuration" if session in told else "nothing was decided for it"
        raise DataError(f"{session} cannot be replayed", where=case.config.run.name, cause=cause)
    if not own:
        raise DataError("nothing was decided yet", where=case.config.run.name, fix="`plimsoll rebalance` decides")
    if session is not None:
        return session
    for day in reversed(own[-2:]):  # the session may be going on
        try:
            case.setup(day)
        except DataError:
            continue
        return day
    return own[-1]


class CashSeen:
    """What the journal saw of sessions beside executions. told : by session, the event of its decision's inputs.

    A dividend belongs to the session that it was seen in: seen in the morning, before the prices of its ex-date are
    there, it stands in the journal as cash. Other money that moved until the next decision belongs to the one before.
    """

    def __init__(self, journal: Journal, told: Mapping[date, int], panel: Panel) -> None:
        self._journal, self._panel, self._told = journal, panel, told
        self._decisions = sorted((seq, day) for day, seq in told.items())
        self._dividends: dict[date, list[tuple[int, float]]] = {}  # by session: numbers of events, dollars
        self._other: list[tuple[int, float]] = []
        for event in sorted(journal.events("dividends") + journal.events("cash"), key=lambda one: one.seq):
            body = json.loads(event.body)
            amount, day = float(body["amount"]), date.fromisoformat(body["session"])
            if event.kind == "dividends" or self._is_due(amount, day):
                self._dividends.setdefault(day, []).append((event.seq, amount))
            else:
                self._other.append((event.seq, amount))

    def _is_due(self, amount: float, day: date) -> bool:
        """Return whether money that came is the dividend that a session's holdings are due."""
        if day not in self._told:
            return False
        due = due_of(inputs_at(self._journal, self._told[day]), self._panel)
        return due != 0.0 and abs(amount - due) <= max(ROUNDED, DIVIDEND_SHARE * abs(due))

    def of(self, inputs: Inputs) -> Cash:
        """Return what belongs to the session of a decision."""
        traded = sum(float(one.value) for one in self._journal.orders(inputs.session))
        most = max(FEE_DOLLARS, FEE_SHARE * traded) if traded else 0.0
        own = self._dividends.get(inputs.session, [])
        early = sum(amount for seq, amount in own if seq < inputs.at)
        late = sum(amount for seq, amount in own if seq > inputs.at)
        fees = flow = 0.0
        place = bisect_left(self._decisions, (inputs.at, inputs.session))
        until = self._decisions[place + 1][0] if place + 1 < len(self._decisions) else None
        for seq, amount in self._other[bisect_right(self._other, (inputs.at, np.inf)) :]:
            if until is not None and seq >= until:
                break
            is_fee = -most <= amount <= ROUNDED
            fees -= amount if is_fee else 0.0
            flow += 0.0 if is_fee else amount
        if early and place:
            early -= _earlier(inputs, self._panel, bar_of(self._panel, self._decisions[place - 1][1]))
        return Cash(early, late, fees, flow)


def due_of(inputs: Inputs, panel: Panel) -> float:
    """Return the dividends in dollars of a session on what is held before its first order, 0 if it has no prices."""
    t = int(np.searchsorted(panel.clock.session, np.datetime64(inputs.session)))
    if t == panel.n_bars:
        return 0.0
    held = [float(inputs.holdings.get(symbol, ZERO)) for symbol in panel.symbols]
    return float(np.dot(held, panel.dividend[t]))


def _earlier(inputs: Inputs, panel: Panel, seen: int) -> float:
    """Return the dividends of the bars between the last session that was seen and this one, on what is held."""
    total, t = 0.0, bar_of(panel, inputs.session)
    for i, symbol in enumerate(panel.symbols):
        held = float(inputs.holdings.get(symbol, ZERO))
        for b in range(seen + 1, t) if held else ():
            total += held / float(np.prod(panel.split[b + 1 : t + 1, i])) * panel.dividend[b, i]
    return total
