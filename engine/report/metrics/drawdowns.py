"""The spells a series spent below a former peak, worst first."""

from dataclasses import dataclass

import numpy as np

from plimsoll.engine.report.metrics.returns import SHALLOWEST, growth
from plimsoll.engine.types import Floats


@dataclass(frozen=True, slots=True)
class Drawdown:
    """One spell, told in positions of the equity index: 0 is the start, k the close of the k-th session.

    peak, trough : where it began and where it was deepest.
    recovery : the first close at or above the peak again; None while it is still open.
    end : `recovery`, or the last close of an open one.
    depth : fraction below the peak at the trough, < 0.
    """

    peak: int
    trough: int
    recovery: int | None
    end: int
    depth: float

    @property
    def duration(self) -> int:
        """Sessions from the peak to the new peak, or to the end of the series while open."""
        return self.end - self.peak

    @property
    def to_trough(self) -> int:
        """Sessions from the peak to the trough."""
        return self.trough - self.peak

    @property
    def to_recovery(self) -> int | None:
        """Sessions from the trough to the new peak; None while open."""
        return None if self.recovery is None else self.recovery - self.trough


def drawdowns(returns: Floats) -> list[Drawdown]:
    """Return every drawdown of `returns` (n,), deepest first, the earlier first among equals."""
    index = growth(returns)
    below = index / np.maximum.accumulate(index) - 1.0
    under = below < -SHALLOWEST
    edges = np.diff(under.astype(np.int8), prepend=0, append=0)
    firsts, lasts = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1) - 1
    found = []
    for first, last in zip(firsts.tolist(), lasts.tolist(), strict=True):
        trough = first + int(np.argmin(below[first : last + 1]))
        recovery = last + 1 if last + 1 < len(index) else None
        end = last if recovery is None else recovery
        found.append(Drawdown(first - 1, trough, recovery, end, float(below[trough])))
    return sorted(found, key=lambda spell: (spell.depth, spell.peak))
