"""Gates that need a second series: another source, another symbol, what is stored."""

from dataclasses import replace
from datetime import date
from typing import Final

import numpy as np

from plimsoll.engine.market.gates.finding import GateFinding, Severity
from plimsoll.engine.market.history import History, joined
from plimsoll.engine.types import Bools, Floats

# Two sources may differ by this much, or by three half-spreads if that is more.
DISAGREE: Final = 0.01
HALF_SPREADS: Final = 3.0
# A tape with less than this share of the other's volume is one exchange's: its closes are not the closes.
ONE_EXCHANGE: Final = 0.2
# This many sessions with the same closes are no coincidence.
SAME: Final = 20
REWRITTEN: Final = 3


def disagreement(history: History, second: History, half_spread_bps: float) -> tuple[Bools, list[GateFinding]]:
    """Return which rows (R,) another source contradicts; a note where that source is one exchange's tape."""
    wrong = np.zeros(len(history), dtype=np.bool_)
    allowed = max(DISAGREE, HALF_SPREADS * half_spread_bps * 1e-4)
    _, ours, theirs = np.intersect1d(history.session, second.session, return_indices=True)
    found = []
    for at, other in zip(ours, theirs, strict=True):
        gap = abs(history.close[at] / second.close[other] - 1.0)
        if not gap > allowed:  # a NaN disagrees with nothing
            continue
        partial = second.volume[other] < ONE_EXCHANGE * history.volume[at]
        wrong[at] = not partial
        text = f"closes at {history.close[at]:g}, at {second.source[other]} at {second.close[other]:g}"
        text += ", the tape of one exchange" if partial else ""
        severity: Severity = "note" if partial else "row"
        day = str(history.session[at])
        found.append(GateFinding("sources_disagree", severity, history.symbol, text, day))
    return wrong, found


def filled(history: History, second: History, completed: date) -> tuple[History, list[GateFinding]]:
    """Return the rows with the decision bar, the last completed session's, from another source if there is none."""
    day = np.datetime64(completed)
    theirs = second.session == day
    if (history.session == day).any() or not theirs.any():
        return history, []
    row = second.take(theirs)
    text = f"no bar at {history.source[-1] if len(history) else 'the source'}, taken from {row.source[0]}"
    found = GateFinding("decision_bar_filled", "note", history.symbol, text, str(day))
    return joined(history, replace(row, symbol=history.symbol, kind=history.kind)), [found]


def rewritten(history: History, stored: History) -> list[GateFinding]:
    """Refuse a pull that tells more than three stored sessions anew, each by more than 1%."""
    _, ours, theirs = np.intersect1d(history.session, stored.session, return_indices=True)
    ratio = history.close[ours] / stored.close[theirs]
    off = np.flatnonzero(np.abs(ratio - 1.0) > DISAGREE)
    if len(off) <= REWRITTEN:
        return []
    text = (
        f"{len(off)} of {len(ours)} stored sessions are told anew, from {history.session[ours[off[0]]]} on by a factor "
        f"of {np.median(ratio[off]):.4g}: a split counted differently, or another company's bars"
    )
    return [GateFinding("history_rewritten", "symbol", history.symbol, text, str(history.session[ours[off[0]]]))]


def fingerprint(history: History) -> tuple[str, Floats] | None:
    """Return what two different symbols never share: the last 20 closes and their last session; None if fewer."""
    if len(history) < SAME or len(np.unique(history.close[-SAME:])) < SAME // 4:
        return None
    return str(history.session[-1]), history.close[-SAME:]


def identical(history: History, others: dict[str, tuple[str, Floats]]) -> list[GateFinding]:
    """Refuse a pull whose last 20 closes are those of another symbol, to the last digit."""
    mine = fingerprint(history)
    if mine is None:
        return []
    for symbol, (last, closes) in others.items():
        if symbol != history.symbol and last == mine[0] and np.array_equal(closes, mine[1]):
            text = f"its last {SAME} closes are those of {symbol}, to the last digit; one of the two is wrong"
            return [GateFinding("identical_symbols", "symbol", history.symbol, text)]
    return []
