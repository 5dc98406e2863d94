"""A week of a book on an exchange in this process, for whoever looks at it afterwards."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
from support.live_book import FIRST, LAST, Desk

from plimsoll.engine.live.journal.journal import Journal
from plimsoll.engine.live.replay import Case
from plimsoll.engine.market.calendar import sessions
from plimsoll.engine.market.panel import Panel

WEEK: list[date] = sessions(FIRST, LAST).astype(object).tolist()


def trade(
    desk: Desk, days: list[date] = WEEK, *, slots: tuple[str, ...] = ("09:35",),
    after: Callable[[date], None] = lambda _: None,
) -> list[float]:  # fmt: skip
    """Run the slots of the sessions; return what the exchange says the account is worth at each close.

    after : called after the first slot of each session.
    """
    worth = []
    for day in days:
        for k, slot in enumerate(slots):
            desk.to(day, slot)
            desk.slot(slot)
            if k == 0:
                after(day)
        desk.to(day, "16:30")
        worth.append(float(desk.venue.snapshot().equity))
    return worth


@contextmanager
def journal_of(desk: Desk) -> Iterator[Journal]:
    """Open the desk's journal."""
    journal = Journal.open(Path(desk.values["live"]["state"]), desk.clock.now)
    try:
        yield journal
    finally:
        journal.close()


def case_of(desk: Desk, panel: Panel | None = None) -> Case:
    """Return the desk's configuration on its prices, or on others."""
    return Case(desk.config, {}, desk.panel if panel is None else panel)


def revised(panel: Panel, symbol: str, day: date, by: float = 1.01) -> Panel:
    """Return the prices with one close changed, and the low and high with it."""
    t, i = int(np.searchsorted(panel.clock.session, np.datetime64(day))), panel.column(symbol)
    block, high, low = panel.block.copy(), panel.high.copy(), panel.low.copy()
    block[1, t, i] = round(block[1, t, i] * by, 2)
    high[t, i], low[t, i] = max(high[t, i], block[1, t, i]), min(low[t, i], block[1, t, i])
    return replace(panel, block=block, high=high, low=low)
