"""Gates about steps from one session to the next: splits that count twice or not at all, and jumps."""

from typing import Final

import numpy as np

from plimsoll.engine.market.bars import Bars
from plimsoll.engine.market.gates.finding import GateFinding
from plimsoll.engine.market.gates.pair import DISAGREE
from plimsoll.engine.market.history import History
from plimsoll.engine.market.instruments import instrument
from plimsoll.engine.market.jumps import KIND, with_jumps
from plimsoll.engine.types import Bools, Floats

# Splits nearer to 1 than this do not stand out of a day's market.
PLAIN_SPLIT: Final = 1.25


def splits(history: History) -> tuple[list[GateFinding], Bools]:
    """Return what is wrong with listed splits, and the rows (R,) this explains.

    The step over a split is near 1. Near its ratio, prices before were divided once more than shares were; near the
    inverse, they were not divided although the split is listed.
    """
    step = np.append(1.0, history.close[1:] * history.split[1:] / history.close[:-1])
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
        found.append(GateFinding(gate, "symbol", history.symbol, text, str(history.session[row])))
    return found, told


def jumps(history: History, explained: Bools, underlying: History | None = None) -> list[GateFinding]:
    """Return the moves that nothing listed explains (`with_jumps` has the rule); an index may move as it likes.

    underlying : of a leveraged fund, where it is known: its moves explain the fund's.
    """
    if history.index or len(history) < 2:
        return []
    (told,) = with_jumps([_bars(history)], "1d", None, [] if underlying is None else [_bars(underlying)])
    return [
        GateFinding("jump", "symbol", history.symbol, warning.text, warning.session)
        for warning in told.warnings
        if warning.kind == KIND and not explained[np.searchsorted(history.session, np.datetime64(warning.session))]
    ]


def leverage(history: History, underlying: History | None) -> list[GateFinding]:
    """Note the sessions whose return is not the underlying's times the leverage, to 1% of the price of each.

    Two sources may differ by `DISAGREE` on a close; a close of the fund and L of the underlying make (1 + |L|) of it.
    """
    fund = instrument(history.symbol)
    if underlying is None or fund.leverage == 1.0:
        return []
    _, ours, theirs = np.intersect1d(history.session, underlying.session, return_indices=True)
    gap = _returns(history.take(ours)) - fund.leverage * _returns(underlying.take(theirs))
    allowed = (1.0 + abs(fund.leverage)) * DISAGREE
    return [
        GateFinding(
            "leverage_gap",
            "note",
            history.symbol,
            f"its return is {100 * gap[row]:+.1f} points from {fund.leverage:g} times that of {fund.underlying}",
            str(history.session[ours[row + 1]]),
        )
        for row in np.flatnonzero(np.abs(gap) > allowed)
    ]


def _returns(history: History) -> Floats:
    growth: Floats = (history.close[1:] + history.dividend[1:]) * history.split[1:] / history.close[:-1] - 1.0
    return growth


def _bars(history: History) -> Bars:
    return Bars(
        symbol=history.symbol,
        stamp=history.session.astype("datetime64[s]"),
        open=history.open,
        high=history.high,
        low=history.low,
        close=history.close,
        volume=history.volume,
        dividend=history.dividend,
        split=history.split,
    )
