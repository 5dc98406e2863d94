"""Figures of several runs over the same sessions: overlays, differences, tracking."""

import math
from typing import Any, Final

import numpy as np

from plimsoll.engine.report.compare.comparison import Comparison
from plimsoll.engine.report.metrics.returns import SESSIONS_PER_YEAR, growth, underwater
from plimsoll.engine.report.metrics.rolling import rolling_vol_ann
from plimsoll.engine.report.page.figure_parts import Figure, bars, line, number_axis, percent_axis, series_colour
from plimsoll.engine.types import Floats

WINDOW: Final = 252
_WIDE: Final[dict[str, Any]] = {"width": 2.2}


def comparison_figures(found: Comparison) -> list[Figure]:
    """Return the figures in the order of the page."""
    figures = [_growth(found), _drawdown(found), _ahead(found), _years(found)]
    return [*figures, *_rolling(found)]


def _colour(found: Comparison, label: str) -> str:
    labels = list(found.lined.series)
    return series_colour(labels.index(label)) if label in found.lined.runs else "@bench"


def _growth(found: Comparison) -> Figure:
    series = {label: growth(returns) for label, returns in found.lined.series.items()}
    data = [
        line(label, "start", values, _colour(found, label), line=_WIDE if label == found.lined.base else {})
        for label, values in series.items()
    ]
    ends = ", ".join(f"{label} {values[-1]:z.2f}" for label, values in series.items())
    positive = all(float(np.min(values)) > 0.0 for values in series.values())
    alt = f"Line chart: 1 invested became {ends}."
    layout = number_axis("growth of 1")
    return Figure("growth", "Equity", alt, data, layout, height=380, log_switch=True, log_start=positive)


def _drawdown(found: Comparison) -> Figure:
    data = [
        line(label, "sessions", underwater(returns), _colour(found, label), line={"width": 1.2})
        for label, returns in found.lined.series.items()
    ]
    return Figure("drawdown", "Drawdown", "Line chart of the losses from the highest point so far.", data,
                  percent_axis(), height=260)  # fmt: skip


def _ahead(found: Comparison) -> Figure:
    base = growth(found.lined.series[found.lined.base])
    data, ends = [], []
    for label, returns in found.lined.series.items():
        if label != found.lined.base:
            ahead = base / growth(returns) - 1.0
            data.append(line(f"over {label}", "start", ahead, _colour(found, label)))
            ends.append(f"{ahead[-1]:+z.1%} over {label}")
    title = f"{found.lined.base} relative to the others"
    alt = f"Line chart of the growth of {found.lined.base} over that of each other, less 1: {', '.join(ends)}."
    return Figure("ahead", title, alt, data, percent_axis("ahead"), height=260)


def _years(found: Comparison) -> Figure:
    labels = [str(year) for year in found.years.index]
    data = [
        bars(label, labels, found.years[label].to_numpy(np.float64), _colour(found, label))
        for label in found.lined.series
    ]
    layout = {**percent_axis(), "barmode": "group", "xaxis": {"type": "category"}}
    return Figure("years", "Calendar years", "Bar chart of the return of each calendar year.", data, layout)


def _rolling(found: Comparison) -> list[Figure]:
    base = found.lined.series[found.lined.base]
    if len(base) < WINDOW:
        return []
    tracking, means = [], []
    for label, returns in found.lined.series.items():
        if label == found.lined.base:
            continue
        active, colour = base - returns, _colour(found, label)
        tracking.append(line(f"against {label}", "rolling", rolling_vol_ann(active, WINDOW), colour))
        means.append(line(f"less {label}", "rolling", _rolling_mean(active), colour))
    return [
        Figure("tracking", f"Tracking error over {WINDOW} sessions", "Line chart of the volatility of the difference.",
               tracking, percent_axis("a year"), height=240),
        Figure("rolling_difference", f"Difference of returns over {WINDOW} sessions, a year",
               "Line chart of the mean difference of session returns, a year.", means, percent_axis("a year"),
               height=240),
    ]  # fmt: skip


def _rolling_mean(values: Floats) -> Floats:
    sums = np.concatenate(([0.0], np.cumsum(values)))
    means: Floats = (sums[WINDOW:] - sums[:-WINDOW]) / WINDOW * SESSIONS_PER_YEAR
    return means if math.isfinite(float(means[-1])) else np.full(len(means), np.nan)
