"""How long a file's bars are, where their stamps stand in them, and which of them are of regular hours."""

from dataclasses import replace
from typing import Final

import numpy as np

from plimsoll.engine.errors import DataError
from plimsoll.engine.market.calendar import FIRST_DAY_OF_HOURS, schedule
from plimsoll.engine.market.imports.draft import Draft
from plimsoll.engine.market.imports.flags import Flags, ask
from plimsoll.engine.types import Bools, Dates, Ints

MINUTES: Final = (1, 5, 15, 30, 60)


def bars_of(draft: Draft, daily: bool, flags: Flags) -> Draft:
    """Return a draft with its interval settled, bars stamped with their start, and regular hours only.

    The interval is the largest step that all stamps of a day are multiples of.

    Raises
    ------
    DataError
        If there is no such interval, or nobody knows whether a stamp is the start of its bar or the end.
    """
    if daily:
        return draft
    minutes = _minutes(draft)
    stamp, who = flags.stamp or draft.layout.stamp, "as --stamp says" if flags.stamp else "as the vendor documents"
    if not stamp:
        cause = f"{draft.layout.title}: neither the file nor the vendor says"
        what = f"is 09:30 the start or the end of a {minutes}-minute bar?"
        raise ask(what, draft.where, "--stamp start or --stamp end", cause=cause)
    said = f"{minutes}-minute bars, stamped with their {stamp}, {who}"
    draft = replace(draft, interval=f"{minutes}min").saying(said)
    if stamp == "end":
        draft = replace(draft, stamp=draft.stamp - np.timedelta64(60 * minutes, "s"))
    if flags.extended:
        return draft.saying("bars outside regular hours are kept; runs read regular hours only")
    inside = regular(draft.stamp)
    if draft.layout.key == "own" and not flags.zone and not inside.all():
        at = str(draft.stamp[np.flatnonzero(~inside)[0]]).replace("T", " ")
        what = f"{draft.symbol}, {at}: outside the session's hours"
        raise ask(what, draft.where, "--zone America/New_York if it is right", cause="another zone, or extended hours?")
    if not inside.any():
        raise DataError("no bar lies in regular hours", where=draft.where, cause="another time zone?", fix="say --zone")
    left = int((~inside).sum())
    return draft.take(inside).saying(
        f"{left:,} bars outside regular hours left out (--extended keeps them)" * bool(left)
    )


def regular(stamp: Dates) -> Bools:
    """Return which bar starts (R,) lie in a session's hours; on a day without session, between 9:30 and 16:00."""
    second = stamp.astype("datetime64[s]").astype(np.int64)
    day, bars = runs(stamp)
    plan = schedule()
    at = np.minimum(np.searchsorted(plan.session, day), len(plan.session) - 1)
    known = (plan.session[at] == day) & (day >= np.datetime64(FIRST_DAY_OF_HOURS))
    midnight = day.astype("datetime64[s]").astype(np.int64)
    opens = midnight + np.where(known, 60 * plan.open_minute[at], 9 * 3600 + 1800)
    closes = midnight + np.where(known, 60 * plan.close_minute[at], 16 * 3600)
    inside: Bools = (second >= np.repeat(opens, bars)) & (second < np.repeat(closes, bars))
    return inside


def runs(stamp: Dates) -> tuple[Dates, Ints]:
    """Return the days of stamps (R,) in a row, each once where they ascend, and how many stamps each run has."""
    days = stamp.astype("datetime64[D]")
    first = np.append(0, np.flatnonzero(days[1:] != days[:-1]) + 1) if len(days) else np.empty(0, dtype=np.int64)
    return days[first], np.diff(first, append=len(days))


def _minutes(draft: Draft) -> int:
    steps = np.diff(draft.stamp.astype(np.int64))
    steps[np.cumsum(runs(draft.stamp)[1])[:-1] - 1] = 0  # over night
    steps = steps[steps > 0]
    if not len(steps):
        fix = "give a file with two bars of one day"
        raise DataError("cannot tell how long its bars are", where=draft.where, fix=fix)
    step, middle = int(np.gcd.reduce(steps)), float(np.median(steps))
    if step == 1800 and middle == 3600.0:
        what = "bars of whole hours of the clock, the first of a session shorter"
        cause = "bars are counted from the open: 9:30, 10:30 ..."
        raise DataError(what, where=draft.where, cause=cause, fix="import bars of 30 minutes or less")
    if step // 60 not in MINUTES or step % 60:
        what = f"bars are {step / 60:g} minutes apart"
        raise DataError(
            what, where=draft.where, fix=f"it takes bars of {', '.join(map(str, MINUTES))} minutes, or days"
        )
    return step // 60
