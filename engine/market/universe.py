"""What a panel shows of who is a member when, and the rows of former names under the last one.

At the close of a session a symbol counts as a member if it is one on that day and, at the session's last bar, on the
next session too: what is decided there is held then. So a last day is seen when it comes and not before, and so is a
first day: who joins on a day can be bought at the next open after a bar of that day.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Final

import numpy as np

from plimsoll.engine.errors import DataError
from plimsoll.engine.market.calendar import LAST_DAY, schedule
from plimsoll.engine.market.panel import BarClock, DataWarning, Panel
from plimsoll.engine.market.universe_file import Stint, Universe
from plimsoll.engine.types import Bools

# The kind of warning that tells a departure.
LEFT: Final = "left_universe"


def with_universe(panel: Panel, universe: Universe) -> Panel:
    """Return the panel with what the universe says of its symbols, former names joined to those they go on under.

    A symbol that is not in the file stays as it is: whoever loads the panel says which ones may.

    Raises
    ------
    DataError
        If a symbol has rows under its new name before the old one has ended, or the two are read in different ways.
    """
    for symbol in panel.symbols:
        for former in universe.names_of(symbol) if universe.heir_of(symbol) == symbol else ():
            panel = _joined(panel, symbol, former, universe.path)
    outside = np.zeros((panel.n_bars, panel.n_symbols), dtype=np.bool_)
    warnings: list[DataWarning] = []
    for i, symbol in enumerate(panel.symbols):
        if symbol in universe.symbols:
            stints = universe.of(symbol)
            outside[:, i] = ~_counts(panel.clock, stints)
            warnings += _departures(panel.clock, symbol, stints)
    return replace(panel, outside=outside, warnings=panel.warnings + tuple(warnings))


def _counts(clock: BarClock, stints: Sequence[Stint]) -> Bools:
    """Return (T,) whether a symbol counts as a member at each bar's close; see the module."""
    plan = schedule()
    member: Bools = np.zeros(len(plan.session), dtype=np.bool_)
    for stint in stints:
        last = np.datetime64(stint.last or LAST_DAY)
        member |= (plan.session >= np.datetime64(stint.first)) & (plan.session <= last)
    at = np.searchsorted(plan.session, clock.session)
    after = np.minimum(at + 1, len(member) - 1)
    counts: Bools = member[at] & (~clock.last_bar | member[after])
    return counts


def _joined(panel: Panel, symbol: str, former: Stint, path: Path) -> Panel:
    """Return the panel with the rows of a former name, through its last day, in the column of `symbol` alone."""
    old, new = panel.column(former.symbol), panel.column(symbol)
    before: Bools = panel.clock.session <= np.datetime64(former.last or LAST_DAY)
    early = np.flatnonzero(before & ~np.isnan(panel.close[:, new]))
    if len(early):
        what = f"{symbol} has rows from {panel.clock.session[early[0]]} on, while it was {former.symbol}"
        fix = f"leave {former.symbol} out and let {symbol} begin there: its file has the whole history"
        raise DataError(what, where=f"{path} line {former.line}", fix=fix)
    if (symbol in panel.adjusted_only) != (former.symbol in panel.adjusted_only):
        what = f"of {symbol} and {former.symbol}, which are one, one has adjusted prices alone"
        raise DataError(what, where=f"{path} line {former.line}", fix="give both as traded, or both adjusted")
    kept = [i for i in range(panel.n_symbols) if i != old]
    block, high, low = panel.block.copy(), panel.high.copy(), panel.low.copy()
    block[:, before, new] = block[:, before, old]
    high[before, new], low[before, new] = high[before, old], low[before, old]
    return replace(
        panel,
        symbols=tuple(panel.symbols[i] for i in kept),
        block=np.ascontiguousarray(block[:, :, kept]),
        high=np.ascontiguousarray(high[:, kept]),
        low=np.ascontiguousarray(low[:, kept]),
        adjusted_only=tuple(s for s in panel.adjusted_only if s != former.symbol),
        warnings=tuple(w for w in panel.warnings if (w.kind, w.symbol) != ("ends_early", former.symbol)),
    )


def _departures(clock: BarClock, symbol: str, stints: Sequence[Stint]) -> list[DataWarning]:
    """Return a word on every stint that ends within the panel and is not gone on with."""
    first, last = clock.session[0].astype(object), clock.session[-1].astype(object)
    return [
        _left(symbol, stint.last, stint.reason)
        for stint in sorted(stints, key=lambda one: one.first)
        if stint.last is not None and first <= stint.last <= last and not stint.heir
    ]


def _left(symbol: str, last: date, reason: str) -> DataWarning:
    """Return a word on a departure, dated by the last session on or before the last day."""
    session = schedule().session
    at = int(np.searchsorted(session, np.datetime64(last), side="right")) - 1
    return DataWarning(LEFT, symbol, f"{symbol} left the universe after {last}: {reason}", str(session[max(at, 0)]))
