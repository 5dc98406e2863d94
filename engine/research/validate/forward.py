"""A walk forward in figures: per window and stitched."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from plimsoll.engine.report.metrics import returns as m
from plimsoll.engine.research.sweep.grid import Axis, Combination, plain_value
from plimsoll.engine.research.validate.path import Path
from plimsoll.engine.research.validate.walk import Walked
from plimsoll.engine.types import Dates, Floats


def forward_block(
    walk: Walked, days: Dates, bill: Floats, axes: Sequence[Axis], chosen: Sequence[Combination]
) -> dict[str, Any]:
    """Return a walk in plain values: `stitched`, a block per window, and how far the chosen parameters drifted.

    days (n,) the sessions; bill (n,) return of bills; chosen : the combination of each member of the family.
    """
    held = slice(walk.first, walk.last)
    keys = [axis.key for axis in axes]
    steps = []
    for step in walk.steps:
        at, window = slice(step.window.test_from, step.window.test_to), step.window
        part = slice(window.test_from - walk.first, window.held_to - walk.first)
        values = chosen[step.chosen]
        steps.append(
            {
                "train_from": str(days[window.train_from]),
                "train_to": str(days[window.train_to - 1]),
                "test_from": str(days[window.test_from]),
                "test_to": str(days[at.stop - 1]),
                "sessions": at.stop - at.start,
                "chosen": {key: plain_value(value) for key, value in zip(keys, values, strict=True)},
                "in_sample": step.in_sample,
                "out_of_sample": step.out_of_sample,
                "rank": step.rank,
                **_figures(walk.returns[part], bill[held][part], walk, part),
                "switched": step.switched,
                "switch_cost_bps": step.cost * 1e4,
            }
        )
    whole = slice(0, walk.last - walk.first)
    return {
        "walk": walk.walk,
        "from": str(days[walk.first]),
        "to": str(days[walk.last - 1]),
        "sessions": walk.last - walk.first,
        "stitched": _figures(walk.returns, bill[held], walk, whole),
        "switches": sum(step.switched > 0.0 for step in walk.steps),
        "switch_cost_bps": sum(step.cost for step in walk.steps) * 1e4,
        "drift": _drift(walk, axes, chosen),
        "windows": steps,
    }


def path_figures(path: Path, span: slice) -> dict[str, float]:
    """Return the figures of a configuration over the sessions that a walk was held on, to set beside it."""
    own = Walked("rolling", (), span.start, span.stop, path.returns[span], path.traded[span], path.effective[span],
                 path.target[span])  # fmt: skip
    return _figures(own.returns, path.bill[span], own, slice(0, span.stop - span.start))


def _figures(returns: Floats, bill: Floats, walk: Walked, part: slice) -> dict[str, float]:
    n = len(returns)
    found = {
        "sharpe_excess": m.sharpe(returns, bill),
        "vol_ann": m.vol_ann(returns),
        "vol_target": _mean(walk.target[part]),
        "return": m.total_return(returns),
        "cagr": m.cagr(returns),
        "max_drawdown": m.max_drawdown(returns),
        "turnover": float(np.sum(walk.traded[part])) * m.SESSIONS_PER_YEAR / n if n else m.NAN,
        "effective_n": _mean(walk.effective[part]),
    }
    return m.annualised(found, n)


def _drift(walk: Walked, axes: Sequence[Axis], chosen: Sequence[Combination]) -> dict[str, Any]:
    """Return for each key how many values were chosen, and between how many windows it changed."""
    found = {}
    for k, axis in enumerate(axes):
        values = [plain_value(chosen[step.chosen][k]) for step in walk.steps]
        changes = sum(a != b for a, b in pairwise(values))
        found[axis.key] = {"values": values, "changes": changes, "of": max(len(values) - 1, 0)}
    return found


def _mean(values: Floats) -> float:
    known = values[np.isfinite(values)]
    return float(np.mean(known)) if len(known) else m.NAN
