"""Figures of a parameter sweep: the spread over settings, by key, around the best."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from plimsoll.engine.report.page.figure_parts import Figure, Trace, numbers
from plimsoll.engine.report.sweep.axes import FORMATS, NOTHING, steps_axis
from plimsoll.engine.report.sweep.effect import Effect
from plimsoll.engine.report.sweep.plateau import Plateau
from plimsoll.engine.report.sweep.table import Sweep
from plimsoll.engine.types import Floats


def map_figure(sweep: Sweep) -> Figure:
    """Return the place of the map; the page's script fills it and names its extremes."""
    keys = sweep.varying or list(sweep.keys)
    names = " and ".join(key.name for key in keys[:2]) if len(keys) < 3 else "two of the keys"
    kind = "Heat map" if len(keys) > 1 else "Chart"
    alt = f"{kind} of {sweep.metric.title} over {names}."
    empty = "" if len(sweep.rank) else NOTHING
    return Figure("map", f"{kind} over {names}", alt, height=520 if len(keys) > 1 else 340, empty=empty)


def spread_figure(sweep: Sweep, base: float) -> Figure:
    """Return the histogram of the ranking metric over settings, with the median, the best and the base marked."""
    metric, title = sweep.metric, f"{sweep.metric.title} of all settings"
    values = sweep.ranked[sweep.rank]
    if len(values) < 2 or float(np.ptp(values)) == 0.0:
        reason = "A distribution needs two settings with different values."
        return Figure("spread", title, reason, empty=reason, height=260)
    counts, edges = np.histogram(values, bins=min(60, max(8, round(2.0 * len(values) ** (1.0 / 3.0)))))
    bar: Trace = {
        "type": "bar",
        "name": "settings",
        "x": numbers((edges[1:] + edges[:-1]) / 2.0),
        "y": counts.tolist(),
        "width": float(edges[1] - edges[0]) * 0.94,
        "marker": {"color": "@before"},
    }
    marks = [("median", float(np.median(values)), "@ink"), ("best", float(values[0]), "@account")]
    marks += [("base", base, "@s1")] if np.isfinite(base) else []
    layout = {
        "xaxis": {"type": "linear", "tickformat": FORMATS[metric.kind], "hoverformat": FORMATS[metric.kind]},
        "yaxis": {"title": {"text": "settings"}, "tickformat": ",d", **({"dtick": 1} if counts.max() < 6 else {})},
        "shapes": [_mark(value, colour) for _, value, colour in marks],
        "annotations": [_flag(name, value, colour, k) for k, (name, value, colour) in enumerate(marks)],
        "showlegend": False,
        "margin": {"t": 26 + 14 * len(marks)},
    }
    told = ", ".join(f"{name} {metric.shown(value)}" for name, value, _ in marks)
    alt = f"Histogram of {metric.title} over {len(values):,} settings: {told}."
    return Figure("spread", title, alt, [bar], layout, height=320)


def effect_figure(found: Effect, sweep: Sweep, number: int) -> Figure:
    """Return the boxes of the ranking metric by value of one key: the whiskers reach the extremes."""
    key, metric = found.key, sweep.metric
    share = "" if not np.isfinite(found.share) else f"{found.share:z.0%} of the variance"
    title = f"{key.name}: {share}" if share else key.name
    if len(found.steps) == 0:
        return Figure(f"effect_{number}", title, NOTHING, empty=NOTHING, height=240)
    names = ("lowerfence", "q1", "median", "q3", "upperfence")
    box: Trace = {
        "type": "box",
        "name": "settings",
        "x": found.steps.tolist(),
        **{name: numbers(found.quantiles[:, k]) for k, name in enumerate(names)},
        "line": {"color": "@account", "width": 1.3},
        "fillcolor": "@box",
        "hoverinfo": "y",
    }
    middle: Trace = {
        "type": "scatter",
        "mode": "lines",
        "x": found.steps.tolist(),
        "y": numbers(found.quantiles[:, 2]),
        "line": {"color": "@s1", "width": 1.6},
        "hoverinfo": "skip",
    }
    layout = {
        "xaxis": steps_axis(key),
        "yaxis": {"tickformat": FORMATS[metric.kind], "hoverformat": FORMATS[metric.kind]},
        "showlegend": False,
        "hovermode": "closest",
    }
    medians = found.quantiles[:, 2]
    high, low = int(np.argmax(medians)), int(np.argmin(medians))
    alt = (
        f"Box plot of {metric.title} by {key.name}: the median is highest, {metric.shown(medians[high])}, "
        f"at {key.step_labels[found.steps[high]]} and lowest, {metric.shown(medians[low])}, "
        f"at {key.step_labels[found.steps[low]]}."
    )
    data = [box, middle] if key.ordered else [box]
    return Figure(f"effect_{number}", title, alt, data, layout, height=240)


def plateau_figure(sweep: Sweep, top: Sequence[Plateau]) -> Figure:
    """Return each top setting's own value above or below those of its neighbours on the grid."""
    metric, title = sweep.metric, "The top settings, best first, and their neighbours"
    if not any(p.known for p in top):
        reason = "No top setting has a neighbour: on the grid, one step in one key away."
        return Figure("plateau", title, reason, empty=reason, height=320)
    x = list(range(len(top)))
    own, median, worst = (np.array([getattr(p, name) for p in top]) for name in ("own", "median", "worst"))
    nothing = np.full(len(top), np.nan)
    stems: Trace = {
        "type": "scatter",
        "mode": "lines",
        "x": [k for k in x for _ in range(3)],
        "y": numbers(np.column_stack((own, worst, nothing)).ravel()),
        "line": {"color": "@other", "width": 1.2},
        "hoverinfo": "skip",
        "showlegend": False,
    }
    data = [
        stems,
        _dots("worst neighbour", worst, {"color": "@bad", "symbol": "line-ew-open", "size": 10, "line": {"width": 2}}),
        _dots("median neighbour", median, {"color": "@s1", "symbol": "diamond", "size": 8}),
        _dots("the setting itself", own, {"color": "@account", "size": 9}),
    ]
    names = [f"#{sweep.settings[p.row]}" for p in top]
    layout = {
        "xaxis": {"type": "linear", "tickvals": x, "ticktext": names, "zeroline": False},
        "yaxis": {"tickformat": FORMATS[metric.kind], "hoverformat": FORMATS[metric.kind]},
        "margin": {"b": 46},
    }
    first = top[0]
    alt = (
        f"Dot plot of {metric.title} of the top {len(top)} settings and their neighbours: the best has "
        f"{metric.shown(first.own)}, its median neighbour {metric.shown(first.median)}, its worst "
        f"{metric.shown(first.worst)}."
    )
    note = "A neighbour is one step in one key away. A dot far from its diamond is a lonely peak: expect the diamond."
    return Figure("plateau", title, alt, data, layout, note=note, height=320)


def _dots(name: str, values: Floats, marker: dict[str, Any]) -> Trace:
    x = list(range(len(values)))
    return {"type": "scatter", "mode": "markers", "name": name, "x": x, "y": numbers(values), "marker": marker}


def _mark(value: float, colour: str) -> dict[str, Any]:
    line = {"color": colour, "width": 1.4, "dash": "dash"}
    return {"type": "line", "xref": "x", "yref": "paper", "x0": value, "x1": value, "y0": 0, "y1": 1, "line": line}


def _flag(name: str, value: float, colour: str, position: int) -> dict[str, Any]:
    return {
        "text": name,
        "x": value,
        "y": 1.0,
        "yref": "paper",
        "yanchor": "bottom",
        "yshift": 14 * position,
        "showarrow": False,
        "font": {"color": colour, "size": 11},
    }
