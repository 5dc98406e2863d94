"""Gates about which sessions there are: extra ones, missing ones, the one that is still forming."""

from datetime import date
from typing import Final

import numpy as np

from plimsoll.engine.market.calendar import session_mask, sessions
from plimsoll.engine.market.gates.finding import GateFinding, Severity
from plimsoll.engine.market.history import History
from plimsoll.engine.types import Bools, Dates

# Fewer missing sessions than this share are a thin fund's; more are bars of another frequency or another exchange.
HOLES: Final = 0.2
FEW: Final = 5
HOLIDAYS: Final = 2


def unfinished(history: History, completed: date) -> Bools:
    """Return which rows (R,) are of a session that is not completed yet: never stored, never wrong."""
    late: Bools = history.session > np.datetime64(completed)
    return late


def extra(history: History) -> tuple[Bools, list[GateFinding]]:
    """Return which rows (R,) fall on no session of the exchange. Of an index they are left out with a note."""
    wrong = ~session_mask(history.session)
    severity: Severity = "note" if history.index else "row"
    return wrong, [
        GateFinding("extra_session", severity, history.symbol, f"{day} is no session of the exchange", str(day))
        for day in history.session[wrong]
    ]


def another_exchange(history: History) -> list[GateFinding]:
    """Refuse rows that trade on holidays, prices moving: one may be a slip, two are another market's calendar."""
    if history.index or len(history) < 2:
        return []
    moved = np.append(False, history.close[1:] != history.close[:-1])
    days = history.session.astype("datetime64[D]")
    traded = ~session_mask(days) & np.is_busday(days) & moved & (history.volume > 0.0)
    found = np.unique(days[traded])
    if len(found) < HOLIDAYS:
        return []
    text = f"it traded on {len(found)} holidays of the exchange, the first {found[0]}: prices of another market?"
    return [GateFinding("another_exchange", "symbol", history.symbol, text)]


def missing(history: History) -> list[GateFinding]:
    """Name the sessions between the first and the last row that have none; too many refuse the pull."""
    absent = holes(history)
    if not len(absent):
        return []
    span = len(history) + len(absent)
    shown = ", ".join(str(day) for day in absent[:3]) + (", ..." if len(absent) > 3 else "")
    text = f"{len(absent)} of {span} sessions have no row: {shown}"
    if len(absent) > max(FEW, HOLES * span) and not history.index:
        text += "; bars of another frequency or exchange?"
        return [GateFinding("missing_sessions", "symbol", history.symbol, text)]
    return [GateFinding("missing_sessions", "note", history.symbol, text, str(absent[0]))]


def holes(history: History) -> Dates:
    """Return the sessions between the first and the last row that have none."""
    if not len(history):
        return history.session
    first, last = (day.astype(object) for day in (history.session[0], history.session[-1]))
    days = sessions(first, last)
    absent: Dates = days[~np.isin(days, history.session)]
    return absent
