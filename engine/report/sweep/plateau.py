"""Neighbours on the grid: whether a good setting stands on a plateau or is a lonely peak."""

from typing import Final, NamedTuple

import numpy as np

from plimsoll.engine.report.sweep.table import Sweep, goodness
from plimsoll.engine.types import Ints

# The best plateau is looked for among this many of the best settings.
CANDIDATES: Final = 200
# Fewer neighbours than this do not make a plateau.
ENOUGH: Final = 2


class Plateau(NamedTuple):
    """The ranking metric of one setting and of its neighbours; NaN where no neighbour has it.

    row : position in the table; known : neighbours with a metric; failed : neighbours that did not finish.
    level : median over the setting and its neighbours together.
    """

    row: int
    own: float
    median: float
    worst: float
    level: float
    known: int
    failed: int


def neighbours(sweep: Sweep, row: int) -> Ints:
    """Return the positions of the settings one step in one key away from `row`.

    A step is to the next smaller or larger number the sweep used, or to any other text or switch.
    """
    near = np.arange(len(sweep.settings))
    n_differ = np.zeros(len(near), dtype=np.int64)
    for key in sweep.keys:
        distance = np.abs(key.codes[near] - key.codes[row])
        n_differ = n_differ + (distance > 0)
        able = (n_differ <= 1) & (distance <= 1) if key.ordered else n_differ <= 1
        near, n_differ = near[able], n_differ[able]
    found: Ints = near[n_differ == 1]
    return found


def plateau(sweep: Sweep, row: int) -> Plateau:
    """Return how `row` compares with its neighbours."""
    around = neighbours(sweep, row)
    values = sweep.ranked[around]
    values = values[np.isfinite(values)]
    own = float(sweep.ranked[row])
    failed = int(np.count_nonzero(~sweep.ok[around]))
    if len(values) == 0:
        return Plateau(row, own, np.nan, np.nan, own, 0, failed)
    worst = float(values[np.argmin(goodness(values, sweep.metric))])
    level = float(np.median(np.append(values, own)))
    return Plateau(row, own, float(np.median(values)), worst, level, len(values), failed)


def plateaus(sweep: Sweep, count: int = CANDIDATES) -> list[Plateau]:
    """Return the plateaus of the `count` best settings, best setting first."""
    return [plateau(sweep, int(row)) for row in sweep.rank[:count]]


def best_plateau(sweep: Sweep, found: list[Plateau]) -> Plateau | None:
    """Return the setting with the best level among `found`, the better setting on a tie; None without neighbours."""
    able = [p for p in found if p.known >= ENOUGH]
    sign = -1.0 if sweep.metric.lower else 1.0
    return max(able, key=lambda p: sign * p.level, default=None)
