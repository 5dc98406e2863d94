"""Figures as plain dictionaries in Plotly's notation, with colours by role ("@account") and shared date axes.

Importing `plotly.graph_objects` costs half a second and adds nothing to what becomes JSON; so figures are written
down directly. A trace whose `x` is a text names one of the page's axes, which keeps each column of dates once.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

import numpy as np

from plimsoll.engine.report.page.palette import N_SERIES
from plimsoll.engine.types import Dates, Floats, Ints

Trace: TypeAlias = dict[str, Any]

# More points than a wide screen has pixels: slow to draw and nothing more to see.
MAX_POINTS: Final = 1500


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of the page: `alt` says in a sentence what it shows; `empty` why there is nothing to show."""

    key: str
    title: str
    alt: str
    data: list[Trace] = field(default_factory=list)
    layout: dict[str, Any] = field(default_factory=dict)
    note: str = ""
    empty: str = ""
    height: int = 300
    log_switch: bool = False


def numbers(values: Floats) -> list[float | None]:
    """Return values rounded to six significant digits, None where not finite."""
    return [float(f"{v:.6g}") if v - v == 0.0 else None for v in np.asarray(values, dtype=np.float64).tolist()]


def dates(days: Dates) -> list[str]:
    """Return ISO dates."""
    return [str(day) for day in np.datetime_as_string(days.astype("datetime64[D]"))]


def thin(n: int, limit: int = MAX_POINTS) -> Ints:
    """Return at most about `limit` evenly spaced positions of n, the last always among them."""
    step = max(1, -(-n // limit))
    return np.arange(n - 1, -1, -step, dtype=np.int64)[::-1]


def line(name: str, axis: str | list[str], values: Floats, colour: str, **more: Any) -> Trace:
    """Return a line trace; a series of one point is drawn as a marker."""
    style: Trace = {"color": colour, "width": 1.6, **more.pop("line", {})}
    trace: Trace = {
        "type": "scatter",
        "mode": "lines" if len(values) > 1 else "markers",
        "name": name,
        "x": axis,
        "y": numbers(values),
        "line": style,
        **more,
    }
    if len(values) == 1:
        trace["marker"] = {"color": colour, "size": 8}
    return trace


def bars(name: str, labels: Sequence[str], values: Floats, colour: str | list[str]) -> Trace:
    """Return a bar trace."""
    return {"type": "bar", "name": name, "x": list(labels), "y": numbers(values), "marker": {"color": colour}}


def stacked(name: str, axis: str, values: Floats, colour: str, group: str) -> Trace:
    """Return an area that stacks on the others of its `group`."""
    trace = line(name, axis, values, colour, line={"width": 0.6}, stackgroup=group, legendgroup=name)
    trace["fillcolor"] = colour
    return trace


def series_colour(position: int) -> str:
    """Return the role of the colour of the k-th series of a figure."""
    return f"@s{position % N_SERIES}"


def percent_axis(title: str = "") -> dict[str, Any]:
    """Return a layout whose y axis reads fractions as per cent."""
    return {"yaxis": {"tickformat": ",.3~%", "hoverformat": ",.2%", "title": {"text": title}}}


def number_axis(title: str = "", spec: str = ",.2f") -> dict[str, Any]:
    """Return a layout whose y axis reads plain numbers."""
    return {"yaxis": {"tickformat": "", "hoverformat": spec, "title": {"text": title}}}
