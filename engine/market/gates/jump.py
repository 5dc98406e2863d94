"""Gates about steps from one session to the next: splits that count twice or not at all, jumps, reversals."""

from fractions import Fraction
from typing import Final, NamedTuple

import numpy as np

from plimsoll.engine.market.gates.finding import Finding
from plimsoll.engine.market.history import History
from plimsoll.engine.types import Bools, Floats

JUMP: Final = 0.45
REVERSAL: Final = 0.30
BACK_WITHIN: Final = 3
# A move has come back when no more than this share of it, in logarithms, is left.
LEFT: Final = 0.25
# Splits nearer to 1 than this do not stand out of a day's market.
PLAIN_SPLIT: Final = 1.25


class Move(NamedTuple):
    """A step that nothing listed explains: the row it leads to, close after over close before, whether it came back."""

    row: int
    step: float
    came_back: bool


def steps(close: Floats, dividend: Floats, split: Floats) -> Floats:
    """Return (R,) what one unit became since the row before, actions counted; 1 in the first row."""
    grown = (close[1:] + dividend[1:]) * split[1:] / close[:-1]
    found: Floats = np.append(1.0, grown)
    return found


def unexplained_moves(close: Floats, dividend: Floats, split: Floats) -> list[Move]:
    """Return every step beyond 45%, and every one beyond 30% that comes back within three sessions.

    The way back is part of the move and not named again.

    close, dividend, split : (R,) as traded; what is listed in the last two is explained.
    """
    step = steps(close, dividend, split)
    logs = np.cumsum(np.log(step))
    found: list[Move] = []
    over = -1
    for row in map(int, np.flatnonzero(np.abs(step - 1.0) > REVERSAL)):
        if row <= over:
            continue
        later = np.abs(logs[row + 1 : row + 1 + BACK_WITHIN] - logs[row - 1]) < LEFT * abs(np.log(step[row]))
        if later.any() or abs(step[row] - 1.0) > JUMP:
            found.append(Move(row, float(step[row]), bool(later.any())))
        if later.any():
            over = row + 1 + int(np.argmax(later))
    return found


def resembles(step: float) -> str:
    """Return the split n:m (n, m <= 100) that a step without one is nearest to."""
    ratio = Fraction(1.0 / step if step < 1.0 else step).limit_denominator(100 if step < 50 else 1)
    whole = Fraction(round(ratio)) if abs(round(ratio) / ratio - 1) < 0.03 and ratio > 1 else ratio.limit_denominator(4)
    more, fewer = whole.numerator, whole.denominator
    return f"{more}:{fewer}" if step < 1.0 else f"{fewer}:{more}"


def splits(history: History) -> tuple[list[Finding], Bools]:
    """Return what is wrong with listed splits, and the rows (R,) this explains.

    The step over a split is near 1. Near its ratio, prices before were divided once more than shares were; near the
    inverse, they were not divided although the split is listed.
    """
    step = steps(history.close, np.zeros(len(history)), history.split)
    told = np.zeros(len(history), dtype=np.bool_)
    found = []
    for row in np.flatnonzero(history.split != 1.0):
        ratio = history.split[row]
        if row == 0 or max(ratio, 1.0 / ratio) < PLAIN_SPLIT or abs(np.log(step[row])) < 0.5 * abs(np.log(ratio)):
            continue
        told[row] = True
        twice = bool(np.log(step[row]) * np.log(ratio) > 0.0)
        gate = "split_applied_twice" if twice else "split_not_applied"
        text = (
            f"the {ratio:g}-for-1 split {'counts twice' if twice else 'is listed but not in the prices'}: "
            f"{history.close[row - 1]:g} before, {history.close[row]:g} after"
        )
        found.append(Finding(gate, "symbol", history.symbol, text, str(history.session[row])))
    return found, told


def jumps(history: History, explained: Bools) -> list[Finding]:
    """Return the moves that no listed split explains; an index may move as it likes."""
    if history.index or len(history) < 2:
        return []
    found = []
    for move in unexplained_moves(history.close, history.dividend, history.split):
        if explained[move.row]:
            continue
        text = (
            f"the close goes from {history.close[move.row - 1]:g} to {history.close[move.row]:g}"
            f"{' and back' if move.came_back else ''}, like a split of {resembles(move.step)}; none is listed"
        )
        gate = "reversal" if move.came_back else "jump"
        found.append(Finding(gate, "symbol", history.symbol, text, str(history.session[move.row])))
    return found
