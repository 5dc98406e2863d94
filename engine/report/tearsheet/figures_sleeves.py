"""Figures of a run's sleeves: what each was worth by itself, and its share of the book."""

import numpy as np

from plimsoll.engine.report.metrics.exposure import sleeve_names
from plimsoll.engine.report.page.figure_parts import (
    SOME_POINTS,
    Figure,
    line,
    number_axis,
    percent_axis,
    series_colour,
    stacked,
    thin,
)
from plimsoll.engine.runtime.record import Record
from plimsoll.engine.types import Floats


def equity_of_sleeves(record: Record) -> Figure | None:
    """Return the sleeves' notional equity, gross of costs; None without sleeves."""
    data = []
    for rank, (name, values) in enumerate(_columns(record, "equity").items()):
        grown = values / values[0] if values[0] > 0.0 else values
        data.append(line(name, "sessions", grown, series_colour(rank), limit=SOME_POINTS))
    if not data:
        return None
    title = "Sleeves: notional equity, gross of costs"
    alt = f"{title}: {', '.join(sleeve_names(record))}."
    layout = number_axis("first close = 1")
    return Figure("sleeve_equity", title, alt, data, layout, log_switch=True, log_start=_positive(data))


def shares_of_sleeves(record: Record) -> Figure | None:
    """Return the sleeves' shares of the book; None where there is one only."""
    names, at = sleeve_names(record), thin(len(record.rows))
    data = [
        stacked(name, "thin", values[at], series_colour(rank), "sleeves")
        for rank, (name, values) in enumerate(_columns(record, "weight").items())
        if np.any(np.nan_to_num(values) != 0.0)
    ]
    if len(names) < 2 or not data:
        return None
    alt = f"Stacked area chart of the sleeves' shares of the book: {', '.join(names)}."
    return Figure("sleeve_weight", "Sleeve weights, of the book", alt, data, percent_axis("of the book"))


def _columns(record: Record, part: str) -> dict[str, Floats]:
    """Return (n,) one column of each sleeve at session closes, in their order; absent ones are left out."""
    if len(record.sleeves) != len(record.equity):
        return {}
    found = ((name, f"{name}.{part}") for name in sleeve_names(record))
    return {
        name: record.sleeves[column].to_numpy(dtype=np.float64)[record.rows]
        for name, column in found
        if column in record.sleeves.columns
    }


def _positive(data: list[dict[str, list[float | None]]]) -> bool:
    return all(value is None or value > 0.0 for one in data for value in one["y"])
