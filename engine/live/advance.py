"""A system that goes on from session to session in memory, instead of from the beginning of its history.

It stands where a replay from scratch would stand, to the bit, or it is replayed: where a price it has seen was revised,
where a bar lacks the account's own mark, where a sleeve was passed over. The nightly check replays it from scratch.
What a session costs does not grow with those before it: prices are compared, not hashed, moves not read again.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

import numpy as np

from plimsoll.engine.live.day_plan import Stood, blind_sleeves, stand_at_last_bar
from plimsoll.engine.live.marks import LiveMarks
from plimsoll.engine.live.prefix import Prefix, begins_with
from plimsoll.engine.portfolio.integrator import Mark
from plimsoll.engine.runtime.assemble import Setup
from plimsoll.engine.runtime.backtest import Progress

# The marks through a system's last bar, given those of the bars its prices begin with where they are as they were.
MarksFor = Callable[[Setup, LiveMarks | None], LiveMarks]


@dataclass(frozen=True, slots=True)
class Standing:
    """A system at the close of `decided`.

    marks : those that its governor saw; prices : digests of what it saw; scratch : it was replayed.
    """

    decided: date
    setup: Setup
    stood: Stood
    marks: LiveMarks
    prices: Prefix
    scratch: bool


class Stander:
    """Keeps the last standing. fresh : makes a system at the start of its history, with prices through a session."""

    def __init__(self, fresh: Callable[[date], Setup]) -> None:
        self._fresh = fresh
        self._kept: Standing | None = None

    def at(self, decided: date, marks_for: MarksFor, progress: Progress | None = None) -> Standing:
        """Return the system at a close: as it stands, one or more bars on, or from scratch.

        Raises
        ------
        InputError
            As loading the prices and replaying raise it.
        """
        kept = self._kept
        if kept is not None and kept.decided == decided:
            return kept
        setup = self._fresh(decided)
        panel = setup.panel
        before = kept if kept is not None and begins_with(panel, kept.setup.panel) else None
        marks = marks_for(setup, None if before is None else before.marks)
        prices = Prefix(panel) if before is None else before.prices.copy()
        prices.extend(panel, panel.n_bars)
        if before is not None and _goes_on(before, setup, marks):
            found = Standing(decided, setup, _advance(before, setup, marks), marks, prices, scratch=False)
        else:
            stood = stand_at_last_bar(setup, progress, mark_of=marks)
            found = Standing(decided, setup, stood, marks, prices, scratch=True)
        self._kept = found if setup.system.t == panel.n_bars - 1 else None
        return found


def _goes_on(kept: Standing, setup: Setup, marks: LiveMarks) -> bool:
    """Return whether a standing may be advanced to the last bar of a longer history of the same prices."""
    seen = kept.setup.panel.n_bars
    if kept.stood.blind or kept.setup.first != setup.first or seen == setup.panel.n_bars:
        return False
    marked = not setup.system.integrator.needs_mark or not np.isnan(marks.index[seen:]).any()
    same = np.array_equal(marks.index[:seen], kept.marks.index, equal_nan=True)
    return marked and same and seen > setup.first


def _advance(kept: Standing, setup: Setup, marks: LiveMarks) -> Stood:
    """Take over the state, and show the bars that are new."""
    system, seen, last = setup.system, kept.setup.panel.n_bars, setup.panel.n_bars - 1
    system.restore(kept.setup.system.save())
    marks.continue_from(kept.marks)
    due = list(kept.stood.due)
    blind: tuple[str, ...] = ()
    for t in range(seen, last + 1):
        if system.due():  # what the bar before called for; at the last one the account decides
            due.append(t - 1)
        blind = blind_sleeves(setup, t) if t == last else ()
        mark = marks(t, Mark(np.nan, np.nan)) if system.integrator.needs_mark else None
        system.observe(t, mark, blind=frozenset(blind))
    return Stood(blind, tuple(due))
