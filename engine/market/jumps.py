"""Moves that a split nobody listed, a wrong tick or a reused ticker would make: named, and refused where asked."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Final

import numpy as np

from plimsoll.engine.errors import DataError
from plimsoll.engine.market.bars import Bars, show_stamp
from plimsoll.engine.market.instruments import instrument
from plimsoll.engine.market.panel import DataWarning, Panel
from plimsoll.engine.types import Bools, Dates, Floats, Ints

KIND: Final = "price_jump"
# A move beyond this is named; beyond the second one if the price comes back near where it was.
JUMP: Final = 0.45
TICK: Final = 0.30
BACK_SESSIONS: Final = 3
BACK_WITHIN: Final = 0.10
# A leveraged fund's move is explained by its underlying's within this much.
EXPLAINED: Final = 0.10
# Ratios n:m that a move is compared with, the simplest within this, the session's own move included.
LARGEST: Final = 100
NEAR: Final = 0.05


def with_jumps(
    bars: Sequence[Bars],
    interval: str,
    confirmed: Mapping[str, Collection[date]] | None = None,
    explaining: Sequence[Bars] = (),
) -> list[Bars]:
    """Return the bars with a warning for every move that nothing explains and nobody confirmed.

    A move is from close to close over what is listed: (C_t + D_t) split_t / C_{t-1} - 1. Named are moves beyond 45%,
    moves beyond 30% after which the price is back within three sessions, and opens that far from the closes on both
    sides. A leveraged fund's move is explained by that of its underlying.

    confirmed : symbol -> sessions whose moves are real. explaining : underlyings that are not among `bars`.
    """
    known = {one.symbol: one for one in (*explaining, *bars)}
    agreed = confirmed or {}
    return [
        replace(one, warnings=(*one.warnings, *_jumps(one, known, interval, agreed.get(one.symbol, ()))))
        for one in bars
    ]


def refuse_jumps(panel: Panel) -> None:
    """Refuse a panel that holds a move nobody confirmed.

    Raises
    ------
    DataError
        Naming the first one and how to confirm it.
    """
    found = [one for one in panel.warnings if one.kind == KIND]
    if found:
        more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
        first = found[0]
        raise DataError(
            f"{first.text}{more}",
            where=panel.source,
            fix=f'correct the file, or confirm it: [data.confirmed] {first.symbol} = ["{first.session[:10]}"]',
        )


def resembling(ratio: float) -> str:
    """Return "n:m", new shares for old, of the simplest split that changes a price by `ratio`; "" if none does.

    The simplest has the smallest lesser term; of those, the nearest.
    """
    larger = max(ratio, 1.0 / ratio)
    for lesser in range(1, LARGEST + 1):
        greater = round(lesser * larger)
        if lesser < greater <= LARGEST and abs(lesser * larger / greater - 1.0) <= NEAR:
            return f"{greater}:{lesser}" if ratio < 1.0 else f"{lesser}:{greater}"
    return ""


def _jumps(one: Bars, known: Mapping[str, Bars], interval: str, confirmed: Collection[date]) -> tuple[DataWarning, ...]:
    if len(one) < 2:
        return ()
    session = one.stamp.astype("datetime64[D]")
    worth = _worth(one)
    move = worth[1:] / worth[:-1] - 1.0
    at = np.flatnonzero(np.abs(move) > TICK) + 1
    if len(at):
        at = at[~_explained(one, known, at, move[at - 1])]
    found, passed = [], 0
    for t in at.tolist():
        if t < passed:  # the way back of a wrong tick
            continue
        back = _back(worth, session, t)
        if abs(move[t - 1]) > JUMP or back:
            passed = back + 1 if back else 0
            if session[t].astype(object) not in confirmed:
                found.append(_warning(one, interval, t, back))
    opens = [t for t in _wrong_opens(one) if session[t].astype(object) not in confirmed]
    found += [_open_warning(one, interval, t) for t in opens]
    return tuple(sorted(found, key=lambda warning: warning.session))


def _worth(bars: Bars) -> Floats:
    """Return what one share of the first row has become (R,), dividends reinvested."""
    growth = (bars.close[1:] + bars.dividend[1:]) * bars.split[1:] / bars.close[:-1]
    return np.append(1.0, np.cumprod(growth))


def _back(worth: Floats, session: Dates, t: int) -> int:
    """Return the first row within three sessions after t that is near the row before t again; 0 if there is none."""
    for later in range(t + 1, len(worth)):
        if np.busday_count(session[t], session[later]) > BACK_SESSIONS:
            break
        if abs(worth[later] / worth[t - 1] - 1.0) <= BACK_WITHIN:
            return later
    return 0


def _explained(one: Bars, known: Mapping[str, Bars], at: Ints, move: Floats) -> Bools:
    fund = instrument(one.symbol)
    base = known.get(fund.underlying)
    if base is None or len(base) == 0:
        return np.zeros(len(at), dtype=np.bool_)
    worth = _worth(base)
    now, then = (np.searchsorted(base.stamp, one.stamp[rows], side="right") - 1 for rows in (at, at - 1))
    under = np.where(then >= 0, worth[now] / worth[np.maximum(then, 0)] - 1.0, np.nan)
    return np.abs(move - fund.leverage * under) <= EXPLAINED


def _wrong_opens(one: Bars) -> list[int]:
    before = one.close[:-1] / one.split[1:]
    first, last = one.open[1:], one.close[1:]
    paid = one.dividend[1:]
    wrong = (
        (np.abs((first + paid) / before - 1.0) > TICK)
        & (np.abs(last / first - 1.0) > TICK / (1.0 + TICK))
        & (np.abs((last + paid) / before - 1.0) <= BACK_WITHIN)
    )
    return [int(t) for t in np.flatnonzero(wrong) + 1]


def _warning(one: Bars, interval: str, t: int, back: int) -> DataWarning:
    when = show_stamp(one.stamp[t], interval)
    ratio = float((one.close[t] + one.dividend[t]) * one.split[t] / one.close[t - 1])
    text = f"{one.symbol}, {when}: the close goes from {one.close[t - 1]:g} to {one.close[t]:g}"
    if back:
        text += f" and is back at {one.close[back]:g} on {show_stamp(one.stamp[back], interval)}: a wrong tick?"
    elif like := resembling(ratio):
        text += f", like a {like} split"
    if one.split[t] != 1.0:
        text += f", with a split of {one.split[t]:g} listed that day"
    elif not back:
        text += "; no split is listed"
    return DataWarning(KIND, one.symbol, text, when)


def _open_warning(one: Bars, interval: str, t: int) -> DataWarning:
    when = show_stamp(one.stamp[t], interval)
    text = (
        f"{one.symbol}, {when}: the open is {one.open[t]:g} between closes of {one.close[t - 1]:g} and "
        f"{one.close[t]:g}: a wrong tick?"
    )
    return DataWarning(KIND, one.symbol, text, when)
