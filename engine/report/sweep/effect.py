"""Which key of a sweep matters: the spread of the metric by value of each key."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from plimsoll.engine.report.sweep.levels import GridKey
from plimsoll.engine.report.sweep.table import Sweep
from plimsoll.engine.types import Floats, Ints

QUANTILES: Final = (0.0, 0.25, 0.5, 0.75, 1.0)


@dataclass(frozen=True, slots=True)
class Effect:
    """The metric over the steps of one key.

    share : of the metric's variance across settings that the key explains alone, 0..1; NaN where not defined.
    steps (m,) : the steps that hold a known value; counts (m,) how many; quantiles (m, 5) least to greatest.
    """

    key: GridKey
    share: float
    steps: Ints
    counts: Ints
    quantiles: Floats


def effects(sweep: Sweep) -> list[Effect]:
    """Return the effect of each varying key, the strongest first."""
    found = [effect(key, sweep.ranked) for key in sweep.varying]
    return sorted(found, key=lambda e: -e.share if np.isfinite(e.share) else 1.0)


def effect(key: GridKey, values: Floats) -> Effect:
    """Return the spread of `values` (n,), NaN = unknown, by step of `key`."""
    known = np.isfinite(values)
    order = np.argsort(key.steps[known], kind="stable")
    steps, first = np.unique(key.steps[known][order], return_index=True)
    groups = np.split(values[known][order], first[1:]) if len(steps) else []
    table = np.array([np.quantile(group, QUANTILES) for group in groups]).reshape(len(groups), len(QUANTILES))
    counts = np.array([len(group) for group in groups], dtype=np.int64)
    return Effect(key, explained(groups), steps.astype(np.int64), counts, table)


def explained(groups: list[Floats]) -> float:
    """Return the share of variance between groups, corrected for their number (epsilon squared), never below 0.

        1 - (SS_within / (n - m)) / (SS_total / (n - 1))

    NaN with fewer than two groups, with as many groups as values, or without any variance.
    Source: Kelley (1935), "An unbiased correlation ratio measure", PNAS 21.
    """
    everything = np.concatenate(groups) if groups else np.empty(0)
    n, m = len(everything), len(groups)
    total = float(np.sum((everything - everything.mean()) ** 2)) if n else 0.0
    if m < 2 or n <= m or total <= 1e-24 * max(1.0, float(np.sum(everything**2))):
        return float("nan")
    within = sum(float(np.sum((group - group.mean()) ** 2)) for group in groups)
    return max(0.0, 1.0 - (within / (n - m)) / (total / (n - 1)))
