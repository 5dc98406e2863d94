"""The parallel coordinates of a sweep."""

from typing import Any, Final

import numpy as np

from plimsoll.engine.report.page.figure_parts import Figure, Trace, numbers, thin
from plimsoll.engine.report.sweep.axes import FORMATS, plot_text, ticks
from plimsoll.engine.report.sweep.levels import GridKey
from plimsoll.engine.report.sweep.table import Sweep
from plimsoll.engine.types import Floats, Ints

MAX_LINES: Final = 2500  # more cover one another
LINE_METRICS: Final = 5
# They order settings of one length as their Sharpe ratio does, whose axis is there.
LEFT_OUT: Final = frozenset({"probabilistic_sharpe", "deflated_sharpe"})
RIBBON: Final = 0.7  # of the room between two values
# Lines take the middle nine tenths of the metric as the range of their colours: an outlier must not grey the rest.
COLOUR_QUANTILES: Final = (0.05, 0.95)


def lines_figure(sweep: Sweep) -> Figure:
    """Return the parallel coordinates of keys and main metrics, a line a setting, coloured by the ranking metric."""
    title = "Every setting across keys and metrics"
    if len(sweep.rank) < 2:
        reason = "There are no two settings to compare."
        return Figure("lines", title, reason, empty=reason)
    rows = sweep.rank[thin(len(sweep.rank), MAX_LINES)]
    rows = np.unique(np.append(rows, sweep.rank[0]))
    ranked = sweep.ranked[rows]
    rows = rows[np.argsort(-ranked if sweep.metric.lower else ranked, kind="stable")]  # the best drawn last, on top
    metrics = [metric for metric in sweep.metrics if metric is sweep.metric or metric.key not in LEFT_OUT][
        :LINE_METRICS
    ]
    # Lines through the same value would cover one another: within its value a better setting runs higher.
    lift = RIBBON * (np.linspace(0.0, 1.0, len(rows)) - 0.5) if len(rows) > 1 else np.zeros(1)
    axes = [_key_line(key, rows, lift) for key in sweep.varying]
    axes += [_axis(metric.title, sweep.values[metric.key][rows], FORMATS[metric.kind]) for metric in metrics]
    low, high = np.quantile(sweep.ranked[rows], COLOUR_QUANTILES)
    scale = [[0.0, "@low"], [0.5, "@mid"], [1.0, "@high"]]
    trace: Trace = {
        "type": "parcoords",
        "dimensions": axes,
        "line": {
            "color": numbers(sweep.ranked[rows]),
            "colorscale": scale,
            "reversescale": sweep.metric.lower,
            "cmin": float(low),
            "cmax": float(high) if high > low else float(low) + 1.0,
        },
        "unselected": {"line": {"color": "@other", "opacity": 0.06}},
        "labelangle": -18,
        "labelside": "top",
    }
    note = "Within a value of a key, better settings run higher. "
    note += "Drag along an axis to keep only the settings within; drag a label to move its axis."
    if len(rows) < len(sweep.rank):
        note += f" {len(rows):,} of {len(sweep.rank):,} settings are drawn, evenly by rank; the best is among them."
    layout = {"margin": {"l": 60, "r": 60, "t": 74, "b": 22}}
    names = ", ".join([*(key.name for key in sweep.varying), *(metric.title for metric in metrics)])
    alt = f"Parallel coordinates of {len(rows):,} settings over {names}, coloured by {sweep.metric.title}."
    return Figure("lines", title, alt, [trace], layout, note=note, height=460)


def _key_line(key: GridKey, rows: Ints, lift: Floats) -> dict[str, Any]:
    if key.grouped and key.numbers is not None:
        values = np.array(key.numbers)[key.codes[rows]]
        return _axis(key.name, values, ".3~g")
    at, texts = ticks(key)
    return {
        "label": plot_text(key.name),
        "values": numbers(key.steps[rows] + lift),
        "range": [-0.5, len(key.step_labels) - 0.5],
        "tickvals": at,
        "ticktext": texts,
    }


def _axis(name: str, values: Floats, spec: str) -> dict[str, Any]:
    known = values[np.isfinite(values)]
    low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 0.0)
    pad = 0.02 * (high - low) if high > low else max(abs(low) * 0.5, 0.5)
    ends = [low if high > low and len(known) == len(values) else low - pad, high if high > low else high + pad]
    # A line cannot have a gap: where nothing is known it runs along the foot of the axis.
    filled = np.where(np.isfinite(values), values, low - pad)
    return {"label": plot_text(name), "values": numbers(filled), "range": ends, "tickformat": spec}
