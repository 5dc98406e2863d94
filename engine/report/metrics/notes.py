"""Strategies' own diagnostics in figures: a switch is counted, a number is averaged."""

from typing import TypeAlias

import numpy as np

from plimsoll.engine.report.metrics.returns import Figures
from plimsoll.engine.runtime.record import Record
from plimsoll.engine.types import Dates, Floats

Curves: TypeAlias = dict[tuple[str, str], tuple[Dates, Floats]]


def diagnostic_curves(record: Record) -> Curves:
    """Return (sleeve, name) -> (dates, last value of each session), in the order of first appearance."""
    table = record.diagnostics
    out: Curves = {}
    if len(table) == 0:
        return out
    for (sleeve, name), part in table.groupby(["sleeve", "name"], sort=False):
        stamps = np.asarray(part["session"].to_numpy(), dtype="datetime64[s]")
        values = part["value"].to_numpy(dtype=np.float64)
        last = np.append(stamps[1:].astype("datetime64[D]") != stamps[:-1].astype("datetime64[D]"), True)
        out[str(sleeve), str(name)] = (stamps[last].astype("datetime64[D]"), values[last])
    return out


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
