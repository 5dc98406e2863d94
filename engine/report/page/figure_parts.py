"""Figures as plain dictionaries in Plotly's notation, with colours by role ("@account") and shared date axes.

Importing `plotly.graph_objects` costs half a second and adds nothing to what becomes JSON; so figures are written
down directly. A trace whose `x` is a text names one of the page's axes, which keeps each column of dates once; where it
has `at` too, its points are at those positions of the axis, each told by its distance from the one before.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any, Final, TypeAlias

import numpy as np

from plimsoll.engine.report.page.palette import N_SERIES
from plimsoll.engine.types import Dates, Floats, Ints

Trace: TypeAlias = dict[str, Any]

# More points than a wide screen has pixels: slow to draw and nothing more to see. A small figure is a third as wide.
MAX_POINTS: Final = 1000
SOME_POINTS: Final = 560  # of each of many lines in one figure
FEW_POINTS: Final = 360
FEW_DIGITS: Final = 4
AREA_POINTS: Final = 700


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
    log_start: bool = False


def inert(text: str) -> str:
    """Return text that the drawing library shows as it is: it would read tags and links in it."""
    return escape(text, quote=False)


def numbers(values: Floats, digits: int = 6) -> list[float | int | None]:
    """Return values rounded to so many significant digits, None where not finite."""
    given = np.asarray(values, dtype=np.float64).tolist()
    text = (f"%.{digits}g " * len(given)) % tuple(given)  # one call formats all
    rounded = [float(part) for part in text.split()]
    return [int(v) if v.is_integer() else v if v - v == 0.0 else None for v in rounded]


def dates(days: Dates) -> list[str]:
    """Return ISO dates."""
    return [str(day) for day in np.datetime_as_string(days.astype("datetime64[D]"))]


def packed_dates(days: Sequence[str]) -> dict[str, Any]:
    """Return ISO dates, ascending, as the first and the days from each to the next."""
    stamps = np.array(days, dtype="datetime64[D]")
    return {"first": days[0], "gaps": np.diff(stamps).astype(np.int64).tolist()} if len(days) else {}


def thin(n: int, limit: int = AREA_POINTS) -> Ints:
    """Return at most about `limit` evenly spaced positions of n, the last always among them."""
    step = max(1, -(-n // limit))
    return np.arange(n - 1, -1, -step, dtype=np.int64)[::-1]


def extremes(values: Floats, limit: int = MAX_POINTS) -> Ints:
    """Return at most `limit` positions of `values` that show all that a line through every one of them would show.

    The series is cut into stretches of equal length; of each, its lowest and its highest value are kept, in their
    order, and the ends: no peak and no trough is lost, unlike with every k-th value. All are kept where they are few.
    NaN is kept where a stretch holds nothing else.
    """
    n = len(values)
    if n <= limit:
        return np.arange(n, dtype=np.int64)
    bounds = np.linspace(0, n, max(1, (limit - 2) // 2) + 1).astype(np.int64)[:-1]
    low = _first_where(values, np.minimum.reduceat(np.where(np.isnan(values), np.inf, values), bounds), bounds)
    high = _first_where(values, np.maximum.reduceat(np.where(np.isnan(values), -np.inf, values), bounds), bounds)
    kept: Ints = np.unique(np.concatenate(([0, n - 1], low, high)))
    return kept


def _first_where(values: Floats, wanted: Floats, bounds: Ints) -> Ints:
    """Return of each stretch from `bounds` the first position that holds what is wanted, its first if none does."""
    lengths = np.diff(np.append(bounds, len(values)))
    hits = np.flatnonzero(values == np.repeat(wanted, lengths))
    at = np.minimum(np.searchsorted(hits, bounds), max(len(hits) - 1, 0))
    found: Ints = hits[at] if len(hits) else bounds
    return np.where((found >= bounds) & (found < bounds + lengths), found, bounds)


def line(
    name: str,
    axis: str | list[str],
    values: Floats,
    colour: str,
    *,
    limit: int = MAX_POINTS,
    digits: int = 6,
    where: Ints | None = None,
    **more: Any,
) -> Trace:
    """Return a line trace of at most `limit` points, see `extremes`; a series of one point is drawn as a marker.

    where : the positions of the values on a shared axis; all of it if None. digits : significant ones.
    """
    at = extremes(values, limit)
    placed: Trace = {}
    if isinstance(axis, str) and (where is not None or len(at) < len(values)):
        placed = {"at": np.diff(at if where is None else where[at], prepend=0).tolist()}
    elif len(at) < len(values):
        axis = [axis[k] for k in at.tolist()]
    values = values[at]
    style: Trace = {"color": colour, "width": 1.6, **more.pop("line", {})}
    trace: Trace = {
        "type": "scatter",
        "mode": "lines" if len(values) > 1 else "markers",
        "name": inert(name),
        "x": axis,
        "y": numbers(values, digits),
        "line": style,
        **placed,
        **more,
    }
    if len(values) == 1:
        trace["marker"] = {"color": colour, "size": 8}
    return trace


def bars(name: str, labels: Sequence[str], values: Floats, colour: str | list[str]) -> Trace:
    """Return a bar trace."""
    return {
        "type": "bar",
        "name": inert(name),
        "x": [inert(label) for label in labels],
        "y": numbers(values),
        "marker": {"color": colour},
    }


def stacked(name: str, axis: str, values: Floats, colour: str, group: str) -> Trace:
    """Return an area that stacks on the others of its `group`."""
    style = {"width": 0.6}  # a stack adds up position by position: all of its traces keep theirs
    trace = line(name, axis, values, colour, limit=len(values), line=style, stackgroup=group, legendgroup=inert(name))
    trace["fillcolor"] = colour
    return trace


def series_colour(position: int) -> str:
    """Return the role of the colour of the k-th series of a figure."""
    return f"@s{position % N_SERIES}"


def percent_axis(title: str = "") -> dict[str, Any]:
    """Return a layout whose y axis reads fractions as per cent."""
    return {"yaxis": {"tickformat": ",.3~%", "hoverformat": ",.2%", "title": {"text": inert(title)}}}


def number_axis(title: str = "", spec: str = ",.2f") -> dict[str, Any]:
    """Return a layout whose y axis reads plain numbers."""
    return {"yaxis": {"tickformat": "", "hoverformat": spec, "title": {"text": inert(title)}}}
