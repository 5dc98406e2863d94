"""The run in a notebook: a small table with a sparkline, and the interactive figure."""

from collections.abc import Mapping
from html import escape
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from plimsoll.engine.report.metrics.labels import HEADLINE, SERIES, shown
from plimsoll.engine.report.metrics.notices import banners, span_text
from plimsoll.engine.report.metrics.returns import growth
from plimsoll.engine.report.page.figure_parts import Trace, thin
from plimsoll.engine.report.page.palette import LIGHT
from plimsoll.engine.report.tearsheet.axes import page_axes
from plimsoll.engine.report.tearsheet.figures_returns import drawdown_figure, growth_figure
from plimsoll.engine.runtime.record import Record
from plimsoll.engine.types import Floats

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

WIDTH: Final = 320
HEIGHT: Final = 96


def notebook_html(record: Record, metrics: Mapping[str, Any]) -> str:
    """Return an HTML fragment: title, notices, main figures, equity curve."""
    bench = metrics["benchmark"]
    head = "<th></th><th>net</th><th>before costs</th>" + (f"<th>{escape(bench['symbol'])}</th>" if bench else "")
    blocks = [metrics, metrics["gross_of_costs"], *([bench] if bench else [])]
    rows = "".join(
        f"<tr><th style='text-align:left;font-weight:normal'>{escape(label)}</th>"
        + "".join(f"<td style='text-align:right'>{escape(shown(block[key], kind))}</td>" for block in blocks)
        + "</tr>"
        for key, label, kind in SERIES
        if key in HEADLINE
    )
    notices = "".join(
        f"<div style='color:{'#b3261e' if tone == 'red' else '#9a6700'};font-weight:600'>{escape(text)}</div>"
        for text, tone in banners(record, metrics)
    )
    return (
        f"<div><div><b>{escape(record.name)}</b> · {escape(span_text(metrics['run']))}</div>{notices}"
        f"<div style='display:flex;flex-wrap:wrap;gap:24px;align-items:center'>"
        f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
        f"{sparkline(growth(record.returns.to_numpy()))}</div></div>"
    )


def sparkline(index: Floats, width: int = WIDTH, height: int = HEIGHT) -> str:
    """Return an equity index as a small inline SVG with a line at its start; flat where it never moves."""
    values = index[thin(len(index), width)]
    low, high = float(np.min(values)), float(np.max(values))
    span = high - low if high > low else 1.0
    x = np.linspace(2.0, width - 2.0, len(values)) if len(values) > 1 else np.array([width / 2.0])
    y = height - 4.0 - (values - low) / span * (height - 8.0)
    points = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x.tolist(), y.tolist(), strict=True))
    start = height - 4.0 - (float(index[0]) - low) / span * (height - 8.0)
    return (
        f"<svg width='{width}' height='{height}' viewBox='0 0 {width} {height}' role='img' "
        f"aria-label='equity from 1.00 to {float(index[-1]):.2f}'>"
        f"<line x1='0' x2='{width}' y1='{start:.1f}' y2='{start:.1f}' stroke='{LIGHT['other']}' "
        "stroke-dasharray='3 3'/>"
        f"<polyline fill='none' stroke='{LIGHT['account']}' stroke-width='1.6' points='{points}'/></svg>"
    )


def notebook_figure(record: Record, metrics: Mapping[str, Any]) -> "Figure":
    """Return growth of 1 over drawdown as a `plotly.graph_objects.Figure`."""
    from plotly.graph_objects import Figure

    axes = page_axes(record)
    top, below = growth_figure(record, metrics), drawdown_figure(record, metrics)
    traces = [_resolved(trace, axes) for trace in top.data]
    traces += [{**_resolved(trace, axes), "yaxis": "y2", "showlegend": False} for trace in below.data]
    layout = {
        "title": {"text": f"{record.name}: {span_text(metrics['run'])}"},
        "template": "plotly_white",
        "hovermode": "x unified",
        "legend": {"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0},
        "yaxis": {"domain": [0.34, 1.0], "title": {"text": "growth of 1"}},
        "yaxis2": {"domain": [0.0, 0.28], "title": {"text": "drawdown"}, "tickformat": ",.3~%"},
        "xaxis": {"anchor": "y2"},
        "height": 560,
    }
    return Figure(data=traces, layout=layout)


def _resolved(trace: Trace, axes: Mapping[str, list[str]]) -> Trace:
    """Return a trace with its axis written out and roles replaced by the colours of the light palette."""

    def colours(value: Any) -> Any:
        if isinstance(value, str) and value.startswith("@"):
            return LIGHT[value[1:]]
        return {key: colours(item) for key, item in value.items()} if isinstance(value, dict) else value

    done = {key: colours(value) for key, value in trace.items() if key != "at"}
    axis = axes[trace["x"]] if isinstance(trace["x"], str) else trace["x"]
    at = np.cumsum(trace["at"]).tolist() if "at" in trace else None
    return {**done, "x": axis if at is None else [axis[k] for k in at]}
