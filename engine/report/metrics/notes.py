"""Strategies' own diagnostics in figures: a switch is counted, a number is averaged."""

import numpy as np

from plimsoll.engine.report.metrics.returns import Figures
from plimsoll.engine.runtime.curves import Curves
from plimsoll.engine.types import Floats


def is_switch(values: Floats) -> bool:
    """Whether the known values are nothing but 0 and 1."""
    known = values[np.isfinite(values)]
    return len(known) > 0 and bool(np.all((known == 0.0) | (known == 1.0)))


def diagnostics_block(curves: Curves) -> Figures:
    """Return sleeve -> figures: `<name>_days` and `<name>_ratio` of a 0/1 switch, `<name>_mean` and `_last` else."""
    out: Figures = {}
    for (sleeve, name), (_, values) in curves.items():
        entry = out.setdefault(sleeve, {})
        known = values[np.isfinite(values)]
        if len(known) == 0:
            continue
        if is_switch(values):
            entry[f"{name}_days"] = int(np.sum(known))
            entry[f"{name}_ratio"] = float(np.mean(known))
        else:
            entry[f"{name}_mean"] = float(np.mean(known))
            entry[f"{name}_last"] = float(known[-1])
    return out
