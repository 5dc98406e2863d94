"""Small figures of the strategies' own diagnostics."""

from typing import Final

import numpy as np

from plimsoll.engine.report.metrics.notes import diagnostic_curves, is_switch
from plimsoll.engine.report.page.figure_parts import Figure, dates, line, number_axis, thin
from plimsoll.engine.runtime.record import Record
from plimsoll.engine.types import Bools, Dates, Floats, Ints

MAX_POINTS: Final = 4000


def diagnostic_figures(record: Record) -> list[tuple[str, list[Figure]]]:
    """Return (sleeve, its figures): a 0/1 switch as filled steps, anything else as a line."""
    groups: dict[str, list[Figure]] = {}
    for number, ((sleeve, name), (days, values)) in enumerate(diagnostic_curves(record).items()):
        groups.setdefault(sleeve, []).append(_figure(f"diagnostic_{number}", (sleeve, name), days, values, record))
    return list(groups.items())


def _figure(key: str, names: tuple[str, str], days: Dates, values: Floats, record: Record) -> Figure:
    sleeve, name = names
    known = values[np.isfinite(values)]
    if len(known) == 0:
        reason = "It was declared but never had a value."
        return Figure(key, name, reason, empty=reason, height=170)
    switch = is_switch(values)
    full = np.array_equal(days, record.sessions)
    at = _changes(values) if switch else thin(len(values), MAX_POINTS)
    axis: str | list[str] = "sessions" if full and len(at) == len(days) else dates(days[at])
    shape = {"fill": "tozeroy", "line": {"shape": "hv", "width": 1.0}} if switch else {"line": {"width": 1.2}}
    trace = line(name, axis, values[at], "@s1" if switch else "@account", **shape)
    ratio = f"on in {np.mean(known):.1%} of sessions" if switch else f"mean {np.mean(known):.4g}, last {known[-1]:.4g}"
    layout = {**number_axis("", ".6~g"), "showlegend": False}
    if switch:
        layout["yaxis"] = {**layout["yaxis"], "range": [0, 1.05], "tickvals": [0, 1], "ticktext": ["off", "on"]}
    alt = f"Diagnostic {name} of {sleeve}: {ratio}."
    return Figure(key, name, alt, [trace], layout, note=ratio, height=170)


def _changes(values: Floats) -> Ints:
    """Return the positions that a step line needs: the first, the last and every change."""
    moved: Bools = np.concatenate(([True], values[1:] != values[:-1]))
    moved[-1] = True
    return np.flatnonzero(moved)
