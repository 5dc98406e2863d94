"""Figures of the return series: growth, drawdown, years, distribution, rolling statistics."""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from plimsoll.engine.report.metrics.labels import shown
from plimsoll.engine.report.metrics.returns import growth, start_of, underwater
from plimsoll.engine.report.metrics.rolling import rolling_beta, rolling_sharpe, rolling_sortino, rolling_vol_ann
from plimsoll.engine.report.page.figure_parts import Figure, Trace, bars, dates, line, number_axis, percent_axis
from plimsoll.engine.report.tearsheet.axes import WINDOW
from plimsoll.engine.runtime.record import Record
from plimsoll.engine.types import Floats

_THIN: Final[dict[str, Any]] = {"line": {"width": 1.0}}
MANY_YEARS: Final = 12  # more labels than this would be written aslant


def growth_figure(record: Record, metrics: Mapping[str, Any]) -> Figure:
    """Return the growth of 1, net and before costs, against the benchmark from where that begins."""
    net = growth(record.returns.to_numpy())
    gross = growth(record.returns_gross.to_numpy())
    data = []
    alt = f"Line chart: 1 invested became {net[-1]:z.2f} net of costs and {gross[-1]:z.2f} before costs"
    if record.beside is not None:
        theirs = growth(record.beside.theirs)
        symbol = metrics["benchmark"]["symbol"]
        first = record.sessions[record.beside.starts[:1]]
        begin = [*dates(np.array([start_of(first)])), *_ends(record)] if len(first) else []
        axis = "start" if _covers(record) else begin
        data.append(line(symbol, axis, theirs, "@bench", line={"width": 1.3}))
        alt += f"; {symbol} became {theirs[-1]:z.2f}"
    data.append(line("before costs", "start", gross, "@before", line={"width": 1.3, "dash": "dot"}))
    data.append(line("net", "start", net, "@account", line={"width": 2.0}))
    layout = number_axis("growth of 1")
    positive = all(value is None or value > 0.0 for one in data for value in one["y"])  # a ruin has no logarithm
    return Figure("growth", "Equity", alt + ".", data, layout, height=380, log_switch=True, log_start=positive)


def _covers(record: Record) -> bool:
    """Whether the benchmark has a row on every session, so that its lines share the account's dates."""
    return record.beside is not None and len(record.beside.ends) == len(record.sessions)


def _ends(record: Record) -> list[str]:
    """Return the sessions that the benchmark has a return to."""
    return [] if record.beside is None else dates(record.sessions[record.beside.ends])


def drawdown_figure(record: Record, metrics: Mapping[str, Any]) -> Figure:
    """Return the fraction below the former peak, account and benchmark."""
    below = underwater(record.returns.to_numpy())
    data = []
    if record.beside is not None:
        name = metrics["benchmark"]["symbol"]
        axis = "sessions" if _covers(record) else _ends(record)
        data.append(line(name, axis, underwater(record.beside.theirs), "@bench", line={"width": 1.0}))
    data.append(line("net", "sessions", below, "@bad", fill="tozeroy", fillcolor="@bad_soft", line={"width": 1.3}))
    alt = f"Area chart of drawdowns: the deepest is {shown(metrics['max_drawdown'], 'percent')}."
    return Figure("drawdown", "Drawdown", alt, data, percent_axis(), height=240)


def years_figure(metrics: Mapping[str, Any]) -> Figure:
    """Return the return of each calendar year beside the benchmark's."""
    rows = metrics["by_year"]
    labels = [str(row["year"]) for row in rows]
    data = [bars("net", labels, np.array([row["total_return"] for row in rows], dtype=np.float64), "@account")]
    if metrics["benchmark"] is not None:
        theirs = np.array([row["benchmark"] for row in rows], dtype=np.float64)
        data.append(bars(metrics["benchmark"]["symbol"], labels, theirs, "@bench"))
    parts = ", ".join(f"{row['year']} {shown(row['total_return'], 'percent')}" for row in rows)
    axis = {"type": "category"} if len(labels) <= MANY_YEARS else {"type": "linear", "tickformat": "d"}
    layout = {**percent_axis(), "barmode": "group", "xaxis": axis}
    return Figure("years", "Calendar years", f"Bar chart of yearly returns: {parts}.", data, layout)


def distribution_figure(record: Record, metrics: Mapping[str, Any]) -> Figure:
    """Return the histogram of session returns with the value at risk marked."""
    returns = record.returns.to_numpy()
    if len(returns) < 2 or float(np.ptp(returns)) == 0.0:
        reason = "A distribution needs two different returns."
        return Figure("distribution", "Session returns", reason, empty=reason)
    limit = float(np.max(np.abs(np.quantile(returns, [0.002, 0.998])))) or float(np.max(np.abs(returns)))
    edges = np.linspace(-limit, limit, 52)
    counts, _ = np.histogram(np.clip(returns, -limit, limit), bins=edges)
    middle = (edges[1:] + edges[:-1]) / 2.0
    data = [
        {
            "type": "bar",
            "name": "sessions",
            "x": [float(f"{value:z.6g}") for value in middle.tolist()],
            "y": counts.tolist(),
            "width": float(f"{edges[1] - edges[0]:z.6g}"),
            "marker": {"color": ["@bad" if value < 0.0 else "@account" for value in middle.tolist()]},
        }
    ]
    cut = metrics["value_at_risk"]
    mark = {"type": "line", "x0": cut, "x1": cut, "y0": 0, "y1": 1, "yref": "paper"}
    layout = {
        **number_axis("sessions", ",d"),
        "xaxis": {"type": "linear", "tickformat": ",.3~%", "hoverformat": ",.2%"},
        "shapes": [{**mark, "line": {"color": "@ink", "width": 1, "dash": "dash"}}],
        "bargap": 0.05,
        "showlegend": False,
    }
    alt = f"Histogram of session returns; the worst 5% begin at {shown(cut, 'percent')}."
    note = f"Dashed: value at risk 5%, {shown(cut, 'percent')}. The outermost bars hold everything beyond them."
    return Figure("distribution", "Session returns", alt, data, layout, note=note)


def rolling_figures(record: Record, metrics: Mapping[str, Any]) -> list[Figure]:
    """Return rolling Sharpe and Sortino ratio, volatility and beta over 126 sessions."""
    returns = record.returns.to_numpy()
    if len(returns) < WINDOW:
        return []
    beside = record.beside
    bench = None if beside is None or len(beside.theirs) < WINDOW else beside.theirs
    symbol = "" if bench is None else str(metrics["benchmark"]["symbol"])
    axis = "rolling" if _covers(record) else _ends(record)[WINDOW - 1 :]
    sharpe, vol = rolling_sharpe(returns, WINDOW), rolling_vol_ann(returns, WINDOW)
    theirs_sharpe = [] if bench is None else [line(symbol, axis, rolling_sharpe(bench, WINDOW), "@bench", **_THIN)]
    sortino = rolling_sortino(returns, WINDOW)
    theirs_sortino = [] if bench is None else [line(symbol, axis, rolling_sortino(bench, WINDOW), "@bench", **_THIN)]
    theirs_vol = [] if bench is None else [line(symbol, axis, rolling_vol_ann(bench, WINDOW), "@bench", **_THIN)]
    figures = [
        _rolling("rolling_sharpe", "Sharpe", number_axis(), sharpe, theirs_sharpe),
        _rolling("rolling_sortino", "Sortino", number_axis(), sortino, theirs_sortino),
        _rolling("rolling_vol", "Ann. volatility", percent_axis(), vol, theirs_vol),
    ]
    if bench is not None and beside is not None:
        values = rolling_beta(beside.over(returns), bench, WINDOW)
        alt = f"Line chart of the beta to {symbol} over {WINDOW} sessions, now {_last(values)}."
        data = [line("beta", axis, values, "@account")]
        figures.append(Figure("rolling_beta", f"Beta to {symbol}", alt, data, number_axis(), height=220))
    return figures


def _rolling(key: str, title: str, layout: dict[str, Any], ours: Floats, theirs: list[Trace]) -> Figure:
    data = [*theirs, line("net", "rolling", ours, "@account")]
    alt = f"Line chart of {title} over {WINDOW} sessions, now {_last(ours)}."
    return Figure(key, title, alt, data, layout, height=220)


def _last(values: Floats) -> str:
    return f"{values[-1]:z.2f}" if np.isfinite(values[-1]) else "not defined"
