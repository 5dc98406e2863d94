"""Which purchase a sale closes: first in, first out, or at average cost."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple, TypeAlias

import numpy as np

from plimsoll.engine.types import Floats

Method: TypeAlias = Literal["fifo", "average"]
METHODS: Final[tuple[Method, ...]] = ("fifo", "average")
# Quantities are decimals of at most nine places: less than half of the last one is rounding error.
DUST: Final = 5e-10


class Fill(NamedTuple):
    """One fill of a symbol: row in the table of fills, signed units, dollars of the shares (> 0), trading costs.

    dividends, financing : dollars that a unit held since the start of the run has received and paid up to here.
    dust : how many units are rounding error.
    """

    row: int
    units: float
    value: float
    costs: float
    dividends: float
    financing: float
    dust: float


class Match(NamedTuple):
    """A part of a position with one beginning and one end.

    entry, exit : rows in the table of fills; exit -1 = still held. units : signed, as held. entry_value, exit_value :
    dollars > 0. costs : of both ends. dividends, financing : in between. position : counts from flat to flat.
    """

    entry: int
    exit: int
    units: float
    entry_value: float
    exit_value: float
    costs: float
    dividends: float
    financing: float
    position: int


@dataclass(slots=True)
class _Lot:
    """What is left of a purchase (or of a short sale), and what it had received and paid when it began."""

    entry: int
    units: float
    value: float
    costs: float
    dividends: float
    financing: float


def matches(fills: Sequence[Fill], end: Fill, method: Method) -> list[Match]:
    """Return the round trips of one symbol, in the order of their ends; what is held at last is open.

    fills : in order. end : of the run, with what a unit is worth as its `value`, dividends and financing up to there.

    Dollars are split, not recomputed: a lot or a fill that is used up hands over all that is left of it, so that the
    sums over matches are the sums over fills whatever the rounding. First in, first out: a sale closes the oldest
    purchases first. Average cost: it closes a share of all of them; the entry is then the one from flat.
    """
    lots: deque[_Lot] = deque()
    found: list[Match] = []
    position = -1
    for fill in fills:
        rest = _as_lot(fill)
        while rest is not None and lots and lots[0].units * rest.units < 0.0:
            lot = lots[0]
            both = min(abs(lot.units), abs(rest.units))
            closed, left = _take(lot, both, fill.dust)
            used, rest = _take(rest, both, fill.dust)
            found.append(_match(closed, used, fill, position))
            if left is None:
                lots.popleft()
            else:
                lots[0] = left
        if rest is None:
            continue
        if not lots:
            position += 1
            lots.append(rest)
        elif method == "average":
            _add(lots[0], rest)
        else:
            lots.append(rest)
    for lot in lots:
        worth = _Lot(-1, -lot.units, abs(lot.units) * end.value, 0.0, 0.0, 0.0)
        found.append(_match(lot, worth, end, position))
    return found


def _as_lot(fill: Fill) -> _Lot | None:
    """Return a fill as a lot that begins with it; None for one of nothing."""
    if fill.units == 0.0:
        return None
    units = fill.units
    return _Lot(fill.row, units, fill.value, fill.costs, units * fill.dividends, units * fill.financing)


def _take(lot: _Lot, units: float, dust: float) -> tuple[_Lot, _Lot | None]:
    """Split a lot into so many units and what is left; nothing is left where only rounding error would be."""
    whole = abs(lot.units)
    if whole - units <= dust + 1e-13 * whole:
        return lot, None
    part = units / whole
    taken = _Lot(
        lot.entry, lot.units * part, lot.value * part, lot.costs * part, lot.dividends * part, lot.financing * part
    )
    left = _Lot(
        lot.entry, lot.units - taken.units, lot.value - taken.value, lot.costs - taken.costs,
        lot.dividends - taken.dividends, lot.financing - taken.financing,
    )  # fmt: skip
    return taken, left


def _add(pool: _Lot, more: _Lot) -> None:
    pool.units += more.units
    pool.value += more.value
    pool.costs += more.costs
    pool.dividends += more.dividends
    pool.financing += more.financing


def _match(lot: _Lot, used: _Lot, fill: Fill, position: int) -> Match:
    return Match(
        lot.entry, used.entry, lot.units, lot.value, used.value, lot.costs + used.costs,
        lot.units * fill.dividends - lot.dividends, lot.units * fill.financing - lot.financing, position,
    )  # fmt: skip


def accrued(per_unit: Floats) -> Floats:
    """Return (T, N) what a unit held since before the first bar has received up to each bar."""
    total: Floats = np.cumsum(per_unit, axis=0)
    return total
