"""Intraday rows of files as their vendors stamp and cut them: labelled by the end of the bar, beyond regular hours."""

import numpy as np

from plimsoll.engine.errors import DataError
from plimsoll.engine.market.bars import BarRows
from plimsoll.engine.market.calendar import FIRST_DAY_OF_HOURS, FULL_SESSION_MINUTES, minutes_of, schedule, session_mask
from plimsoll.engine.market.panel import DataWarning
from plimsoll.engine.types import Bools, Dates, Ints


def starts_of(rows: BarRows) -> Dates:
    """Return the start of each bar (R,) where the stamps are ends: label and closed side "right", as pandas calls it.

    A bar that ends at e covers (e - interval, e]; the last one of a session begins at the last point of the grid before
    the close, where the interval does not divide the session. A stamp beyond regular hours moves by the interval.

    Raises
    ------
    DataError
        If a stamp within a session is neither a point of the grid nor the close: then it ends no bar of this interval.
    """
    minutes = minutes_of(rows.interval) or FULL_SESSION_MINUTES
    step = 60 * minutes
    second, opens, closes, known = _within(rows)
    inside = known & (second > opens) & (second <= closes)
    wrong = inside & ((second - opens) % step != 0) & (second != closes)
    if wrong.any():
        at = int(np.flatnonzero(wrong)[0])
        what = f"{rows.symbol}, {rows.show(at)}: not the end of a {rows.interval} bar"
        raise DataError(what, where=rows.where, fix="check data.interval and data.label")
    begins = np.where(inside, opens + (second - opens - 1) // step * step, second - step)
    moved: Dates = rows.stamp + (begins - second).astype("timedelta64[s]")
    return moved


def regular_hours(rows: BarRows) -> tuple[Bools, tuple[DataWarning, ...]]:
    """Return which bars (R,), stamped with their start, begin within their session's hours, and a word on the others.

    Only sessions have hours: a row on a day without one stays, and is refused by whoever checks the rows.
    """
    second, opens, closes, known = _within(rows)
    kept: Bools = ~known | ((second >= opens) & (second < closes))
    n_dropped = int(np.count_nonzero(~kept))
    if not n_dropped:
        return kept, ()
    first = rows.show(int(np.flatnonzero(~kept)[0]))
    text = f"{rows.symbol}: {n_dropped:,} of {len(kept):,} rows beyond regular hours dropped, the first {first}"
    return kept, (DataWarning("extended_hours_dropped", rows.symbol, text, first),)


def _within(rows: BarRows) -> tuple[Ints, Ints, Ints, Bools]:
    """Return seconds after midnight of stamp, open and close (R,), and whether the stamp's day has known hours."""
    days = rows.stamp.astype("datetime64[D]")
    plan = schedule()
    at = np.minimum(np.searchsorted(plan.session, days), len(plan.session) - 1)
    second = (rows.stamp - days.astype("datetime64[s]")).astype(np.int64)
    known = session_mask(days) & (days >= np.datetime64(FIRST_DAY_OF_HOURS))
    return second, 60 * plan.open_minute[at], 60 * plan.close_minute[at], known
