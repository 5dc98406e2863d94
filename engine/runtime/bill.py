"""What cash earns: a number a year, or the return of a bill series over the span that it has."""

from typing import Final

import numpy as np

from plimsoll.engine.errors import DataError
from plimsoll.engine.market.panel import BarClock, Panel
from plimsoll.engine.types import Bools, Floats, Ints

# So many sessions a rate is taken to stand where its series says nothing: a holiday of the source, a late file.
HELD_SESSIONS: Final = 5


def bill_returns(ret: Floats, known: Bools, clock: BarClock, after: float | None) -> Floats:
    """Return (T,) the return on cash per bar from a bill series.

    ret (T,) its total return, NaN where it has none; known (T,) where it has a row. Before its first row cash earns
    nothing. In up to five sessions without a row it earns the last session's rate, later ones `after` a year, else
    nothing; the next row brings what is left of the series' own return over the gap. So what is earned at a session
    does not depend on whether the series goes on.
    """
    out: Floats = np.nan_to_num(ret, nan=0.0)
    firsts = first_bars(clock)
    has: Bools = np.logical_or.reduceat(known, firsts)
    begun = np.flatnonzero(has)
    if not len(begun) or has[begun[0] :].all():
        return out
    session: Floats = np.multiply.reduceat(1.0 + out, firsts) - 1.0
    rate, owed, gap = 0.0, 1.0, 0
    for s in range(int(begun[0]), len(firsts)):
        if has[s]:
            rate = float((1.0 + session[s]) ** (1.0 / (gap + 1)) - 1.0) if gap else float(session[s])
            if gap:
                bar = firsts[s] + int(np.argmax(known[firsts[s] :]))
                out[bar] = (1.0 + out[bar]) / owed - 1.0
            owed, gap = 1.0, 0
            continue
        gap += 1
        earned = rate if gap <= HELD_SESSIONS else (after or 0.0) / 252.0
        out[firsts[s]] = earned
        owed *= 1.0 + earned
    return out


def refuse_short_bill(panel: Panel, name: str, after: float | None) -> None:
    """Refuse a bill series that ends more than five sessions before the data do, unless `after` says what follows.

    Raises
    ------
    DataError
        As above.
    """
    rows = np.flatnonzero(~np.isnan(panel.close[:, panel.column(name)]))
    if not len(rows) or after is not None:
        return
    clock = panel.clock
    missing = int(clock.session_index[-1] - clock.session_index[rows[-1]])
    if missing > HELD_SESSIONS:
        last, end = clock.session[rows[-1]], clock.session[-1]
        raise DataError(
            f"the bill series {name} has its last row on {last}, {missing} sessions before the run's last, {end}",
            where="financing.cash_rate",
            cause="its file ends early; what cash earns after it is not known",
            fix="extend it, end the run earlier, or give a rate a year: financing.cash_rate_after = 0.04",
        )


def held_sessions(panel: Panel, name: str, run: slice) -> int:
    """Return how many sessions of a run earned the last rate of a bill series because it had no row."""
    firsts = first_bars(panel.clock)
    has: Bools = np.logical_or.reduceat(~np.isnan(panel.close[:, panel.column(name)]), firsts)
    inside: Bools = (firsts >= run.start) & (firsts < run.stop)
    held, gap, begun = 0, 0, False
    for s in range(len(firsts)):
        begun = begun or bool(has[s])
        gap = 0 if has[s] else gap + 1
        held += bool(begun and 0 < gap <= HELD_SESSIONS and inside[s])
    return held


def first_bars(clock: BarClock) -> Ints:
    """Return the first bar of every session that the clock has bars of."""
    index = clock.session_index
    firsts: Ints = np.flatnonzero(np.concatenate(([True], index[1:] != index[:-1]))).astype(np.int64)
    return firsts
