"""Gates about what all rows together show: prices that are one price, shares that cannot be, closes told later."""

from typing import Final

import numpy as np

from plimsoll.engine.market.gates.finding import GateFinding
from plimsoll.engine.market.history import PRICES, History
from plimsoll.engine.types import Bools

# A month: a fund that trades once a day has flat sessions, not that many in a row while its price moves.
FLAT: Final = 20
# One volume in a hundred is a whole hundred by chance; of 20, two or fewer are, but for one time in a thousand.
BY_CHANCE: Final = 0.1
# An adjusted close within this of the close is the close: the tolerance of `engine.market.adjustment`.
SAME: Final = 1e-6


def flat(history: History) -> list[GateFinding]:
    """Note spans of 20 sessions or more whose open, high, low and close are one price each, and move: closes alone."""
    if history.kind == "adjusted":
        return []
    one = np.ones(len(history), dtype=np.bool_)
    for name in PRICES[:3]:
        one &= history.column(name) == history.close
    found = []
    for start, stop in _spans(one):
        moves = np.count_nonzero(np.diff(history.close[start:stop]))
        if stop - start >= FLAT and moves >= FLAT // 2:
            last = history.session[stop - 1]
            text = f"open, high and low are the close on {stop - start} sessions to {last}: closes alone"
            found.append(GateFinding("flat_prices", "note", history.symbol, text, str(history.session[start])))
    return found


def shares(history: History) -> list[GateFinding]:
    """Note sessions without a share traded, and those with fewer shares than prices.

    Every price of a session takes a share at least, so open, high, low and close that are k different prices take k
    shares: with fewer, volume was divided by later splits and rounded, or is of something else.
    """
    if history.index or np.isnan(history.volume).all():
        return []
    prices = np.sort(np.vstack([history.column(name) for name in PRICES]), axis=0)
    different = 1 + np.count_nonzero(np.diff(prices, axis=0), axis=0)
    lacking = (history.volume < different) & (different > 1)
    idle = (history.volume == 0.0) & ~lacking
    found = []
    if lacking.any():
        last = _last(lacking, history)
        text = f"{_of(lacking, history)} fewer shares than prices, the last {last}: volume is no measure"
        found.append(GateFinding("volume_below_prices", "note", history.symbol, text, _first(lacking, history)))
    if idle.any():
        text = f"{_of(idle, history)} no share traded, the last {_last(idle, history)}; nothing fills there"
        found.append(GateFinding("volume_zero", "note", history.symbol, text, _first(idle, history)))
    return found


def spliced(history: History) -> list[GateFinding]:
    """Note where volumes that were all whole hundreds no longer are: rows of one source, then of another.

    A source rounds every volume or none. Splits since then divide older volumes, so those may be no hundreds before
    newer ones that are, never the other way round.
    """
    volume = history.volume
    if history.index or len(volume) < 2 * FLAT or np.isnan(volume).all():
        return []
    round_, known = (volume > 0.0) & (volume % 100.0 == 0.0), volume > 0.0
    windows = np.lib.stride_tricks.sliding_window_view
    before = windows(round_, FLAT)[:-FLAT].all(axis=1)
    after = windows(round_, FLAT)[FLAT:].sum(axis=1) <= FLAT * BY_CHANCE
    after &= windows(known, FLAT)[FLAT:].all(axis=1)
    found = []
    for _, stop in _spans(before & after)[:1]:
        row = stop - 1 + FLAT
        text = "volumes are whole hundreds before it and any number from it on: another source's rows?"
        found.append(GateFinding("source_change", "note", history.symbol, text, str(history.session[row])))
    return found


def told_later(symbol: str, session: str, close: float, adjusted: float) -> list[GateFinding]:
    """Note an adjusted close that differs from the close on the last row that has both: it knows later events."""
    if not abs(adjusted / close - 1.0) > SAME:  # never of a NaN
        return []
    text = (
        f"adj_close {adjusted:.6g} beside close {close:.6g} on the last row with both: it counts dividends paid later"
    )
    return [GateFinding("adjusted_later", "note", symbol, text, session)]


def _spans(rows: Bools) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate(([False], rows, [False])).astype(np.int8)))
    return [(int(start), int(stop)) for start, stop in edges.reshape(-1, 2)]


def _of(rows: Bools, history: History) -> str:
    count = int(rows.sum())
    return f"{count} of {len(history)} sessions {'has' if count == 1 else 'have'}"


def _first(rows: Bools, history: History) -> str:
    return str(history.session[np.flatnonzero(rows)[0]])


def _last(rows: Bools, history: History) -> str:
    return str(history.session[np.flatnonzero(rows)[-1]])
