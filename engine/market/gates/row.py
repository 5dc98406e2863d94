"""Gates about one row: a price that is none, prices that contradict each other, yesterday's row told again."""

from typing import Final

import numpy as np

from plimsoll.engine.market.gates.finding import GateFinding
from plimsoll.engine.market.history import PRICES, History
from plimsoll.engine.market.quality import CONTRADICTION
from plimsoll.engine.types import Bools, Floats

WILD: Final = 10.0
# The usual level of significance.
COINCIDENCE: Final = 0.05


def empty(history: History) -> Bools:
    """Return which rows (R,) hold nothing: no price, no action. They are holes, not faults."""
    unpriced = np.isnan(np.vstack([history.column(name) for name in PRICES])).all(axis=0)
    nothing: Bools = unpriced & (history.dividend == 0.0) & (history.split == 1.0) & (history.gain == 0.0)
    return nothing


def unpriced(history: History) -> tuple[Bools, list[GateFinding]]:
    """Return which rows (R,) have a price that is unknown, not finite or not above 0; of an index the close counts."""
    names = ("close",) if history.index else PRICES
    columns = {name: history.column(name) for name in names}
    wrong = ~np.all([np.isfinite(column) & (column > 0.0) for column in columns.values()], axis=0)
    found = []
    for at in np.flatnonzero(wrong):
        shown = ", ".join(f"{name} {column[at]:.10g}" for name, column in columns.items())
        found.append(_row("no_price", history, int(at), f"not a price: {shown}"))
    return wrong, found


def contradictory(history: History) -> tuple[Bools, list[GateFinding]]:
    """Return which rows (R,) have a high below, or a low above, another price of theirs."""
    if history.index:
        return np.zeros(len(history), dtype=np.bool_), []
    top = np.maximum(np.maximum(history.open, history.close), history.low)
    bottom = np.minimum(np.minimum(history.open, history.close), history.high)
    wrong = (history.high < top * (1.0 - CONTRADICTION)) | (history.low > bottom * (1.0 + CONTRADICTION))
    return wrong, [
        _row(
            "high_below_low",
            history,
            int(at),
            f"open {history.open[at]:g}, high {history.high[at]:g}, low {history.low[at]:g}, "
            f"close {history.close[at]:g} contradict each other",
        )
        for at in np.flatnonzero(wrong)
    ]


def wild(history: History) -> tuple[Bools, list[GateFinding]]:
    """Return which rows (R,) have a high ten times, or a low a tenth, of their open and close."""
    if history.index:
        return np.zeros(len(history), dtype=np.bool_), []
    top, bottom = np.maximum(history.open, history.close), np.minimum(history.open, history.close)
    wrong = (history.high > WILD * top) | (history.low < bottom / WILD)
    return wrong, [
        _row(
            "wild_range",
            history,
            int(at),
            f"high {history.high[at]:g}, low {history.low[at]:g} beside open {history.open[at]:g}, "
            f"close {history.close[at]:g}",
        )
        for at in np.flatnonzero(wrong)
    ]


def no_volume(history: History) -> tuple[Bools, list[GateFinding]]:
    """Return which rows (R,) have a volume that is negative or infinite."""
    wrong = (history.volume < 0.0) | np.isinf(history.volume)
    return wrong, [
        _row("volume_impossible", history, int(at), f"a volume of {history.volume[at]:g}")
        for at in np.flatnonzero(wrong)
    ]


def repeated(history: History) -> tuple[Bools, list[GateFinding]]:
    """Return which rows (R,) repeat the four prices and the volume of the row before, although shares traded.

    Not where chance does it. With volumes in steps of g shares, as in round lots, one of v shares is one of about v/g
    that might have been; so if prices repeat m times beside it, with other volumes, volume and prices repeat together
    m g/v times by chance. A bill fund's prices repeat every other week, and it may trade a few lots: where that number
    is above 5%, a repeat says nothing.
    """
    wrong = np.zeros(len(history), dtype=np.bool_)
    if history.index or len(history) < 2:
        return wrong, []
    rows = np.vstack([history.column(name) for name in PRICES])
    prices = (rows[:, 1:] == rows[:, :-1]).all(axis=0) & (history.volume[1:] > 0.0)
    shares = prices & (history.volume[1:] == history.volume[:-1])
    chance = np.count_nonzero(prices & ~shares) * _step(history.volume) / np.maximum(history.volume[1:], 1.0)
    wrong[1:] = shares & (chance < COINCIDENCE)
    return wrong, [
        _row("stale_repeat", history, int(at), "prices and volume are those of the session before, to the last digit")
        for at in np.flatnonzero(wrong)
    ]


def _step(volume: Floats) -> float:
    """Return the shares that every volume (R,) is a multiple of; 1 where they are fractions."""
    traded = volume[(volume > 0.0) & (volume < 2.0**53)]
    if not len(traded) or (traded != np.floor(traded)).any():
        return 1.0
    return float(np.gcd.reduce(traded.astype(np.int64)))


def _row(gate: str, history: History, at: int, text: str) -> GateFinding:
    return GateFinding(gate, "row", history.symbol, text, str(history.session[at]))
