"""Daily bars as the data API serves them, no later than the present moment: unadjusted, or adjusted on request."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import numpy as np

from plimsoll.brokers.exchange.desk.message import stamp
from plimsoll.brokers.exchange.hours import Session, current_session, session_on
from plimsoll.brokers.exchange.hours import local as local_moment
from plimsoll.brokers.exchange.tape import DayBar, Tape, path_price
from plimsoll.engine.types import Bools, Floats

ADJUSTMENTS: Final = ("raw", "split", "dividend", "all")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Bars asked for: from `start` to `end`, both included, as seen at `now`."""

    start: datetime
    end: datetime
    now: datetime
    adjustment: str = "raw"


def daily_bars(tape: Tape, symbol: str, wanted: Wanted) -> list[dict[str, Any]]:
    """Return the bars of one symbol, oldest first; a bar is stamped with midnight in New York.

    Today's bar is there from the open on, with what has been seen of it: its high, low, close and volume still move.
    """
    column = tape.column(symbol)
    if column is None:
        return []
    panel, session = tape.panel, current_session(wanted.now)
    days = panel.clock.session
    last = int(np.searchsorted(days, np.datetime64(session.day), side="left"))
    rows = np.flatnonzero(~np.isnan(panel.close[:last, column]))
    prices, shares = _adjusted(tape, column, session, wanted)
    bars = []
    for t in rows.tolist():
        at = local_moment(tape.days[t], datetime.min.time())
        if wanted.start <= at <= wanted.end:
            scale, split = float(prices[t]), float(shares[t])
            fields = (float(field[t, column]) for field in (panel.open, panel.high, panel.low, panel.close))
            o, h, low, c = (round(field * scale, 6) for field in fields)
            volume = panel.volume[t, column]
            v = 0 if np.isnan(volume) else round(float(volume) * split)
            bars.append(_bar(at, o, h, low, c, v))
    forming = forming_bar(tape, symbol, wanted.now)
    if forming is not None and wanted.start <= local_moment(forming.day, datetime.min.time()) <= wanted.end:
        bars.append(bar_of(forming))
    return bars


def forming_bar(tape: Tape, symbol: str, now: datetime) -> DayBar | None:
    """Return what has been seen of today's bar; None unless the market is open and the symbol trades."""
    session = current_session(now)
    column = tape.column(symbol)
    whole = tape.bar(symbol, session.day) if session.has(now) else None
    if whole is None or column is None or session.day > tape.days[-1]:
        return None
    if tape.prices == "open":
        return DayBar(whole.day, whole.open, whole.open, whole.open, whole.open, 0)
    minute = int((now - session.open).total_seconds() // 60)
    seen = [path_price(whole, k, session.minutes) for k in range(minute + 1)]
    volume = whole.volume * (minute + 1) // session.minutes
    return DayBar(whole.day, whole.open, max(seen), min(seen), seen[-1], volume)


def last_bar(tape: Tape, symbol: str, before: Session) -> DayBar | None:
    """Return the last complete bar before a session."""
    last = tape.last_close(symbol, before, False)
    if last is None:
        return None
    t = int(np.searchsorted(tape.panel.clock.session, np.datetime64(last.at.date()), side="left"))
    return tape.bar(symbol, tape.days[t])


def bar_of(bar: DayBar) -> dict[str, Any]:
    """Write one bar, prices as numbers."""
    o, h, low, c = (float(price) for price in (bar.open, bar.high, bar.low, bar.close))
    return _bar(local_moment(bar.day, datetime.min.time()), o, h, low, c, bar.volume)


def _bar(at: datetime, o: float, h: float, low: float, c: float, volume: int) -> dict[str, Any]:
    """`n` is 0 and `vw` the typical price: a daily bar knows neither the number of trades nor their average."""
    moment = (stamp(at) or "").replace(".000000", "")
    return {"t": moment, "o": o, "h": h, "l": low, "c": c, "v": volume, "n": 0, "vw": round((h + low + c) / 3, 6)}


def _adjusted(tape: Tape, column: int, session: Session, wanted: Wanted) -> tuple[Floats, Floats]:
    """Return, per row of the panel, the factor of prices and of volume for what is in force at `wanted.now`.

    A split divides every earlier price by its ratio; a dividend D multiplies it by 1 - D / P, P the close before the
    ex-date in the shares D is paid on.
    """
    panel, ones = tape.panel, np.ones(tape.panel.n_bars)
    reached = panel.clock.session < np.datetime64(session.day)
    if wanted.now >= session_on(session.day).overnight:
        reached |= panel.clock.session == np.datetime64(session.day)
    split = np.where(reached, panel.split[:, column], 1.0)
    paid = np.where(reached, panel.dividend[:, column], 0.0)
    shares = _product_after(split) if wanted.adjustment in ("split", "all") else ones
    kept = ones.copy()
    if wanted.adjustment in ("dividend", "all"):
        priced: Bools = ~np.isnan(panel.close[:, column])
        before = np.nan
        for t in range(panel.n_bars):
            if paid[t] > 0 and not np.isnan(before):
                kept[t] = 1.0 - paid[t] * split[t] / before
            before = panel.close[t, column] if priced[t] else before / split[t]
        kept = _product_after(kept)
    return kept / shares, shares


def _product_after(factor: Floats) -> Floats:
    """Return for each row the product of all later factors."""
    back = np.cumprod(factor[::-1])[::-1]
    return np.append(back[1:], 1.0)
