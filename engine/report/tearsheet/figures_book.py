"""Figures of what was held, traded and paid."""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from plimsoll.engine.report.metrics.book import DUST
from plimsoll.engine.report.metrics.labels import COST_TITLES, shown
from plimsoll.engine.report.metrics.periods import by_month
from plimsoll.engine.report.metrics.returns import NAN
from plimsoll.engine.report.page.figure_parts import (
    Figure,
    Trace,
    bars,
    line,
    number_axis,
    percent_axis,
    series_colour,
    stacked,
    thin,
)
from plimsoll.engine.runtime.record import Record
from plimsoll.engine.types import Floats

TOP_SYMBOLS: Final = 11


def exposure_figure(record: Record, metrics: Mapping[str, Any]) -> Figure:
    """Return gross, net and cash as fractions of equity."""
    equity = record.close_of("equity")
    cash = np.divide(record.close_of("cash"), equity, out=np.full(len(equity), NAN), where=equity > 0.0)
    data = [
        line("cash", "sessions", cash, "@bench", line={"width": 1.0}),
        line("net", "sessions", record.close_of("net"), "@s1"),
        line("gross", "sessions", record.close_of("gross"), "@account"),
    ]
    gross = metrics["exposure"]["gross"]
    alt = (
        f"Line chart of exposure: gross is {shown(gross['mean'], 'percent')} of equity on average and "
        f"{shown(gross['max'], 'percent')} at most."
    )
    return Figure("exposure", "Exposure at the close", alt, data, percent_axis("of equity"), height=260)


def weights_figure(record: Record) -> Figure:
    """Return held weights stacked, longs upward and shorts downward, the smaller symbols summed up."""
    held = record.held()
    size = np.mean(np.abs(held), axis=0) if len(held) else np.zeros(held.shape[1])
    if not np.any(size > DUST):
        return Figure("weights", "Holdings", "Nothing was held.", empty="Nothing was held at any close.")
    order = [int(k) for k in np.argsort(-size, kind="stable") if size[k] > DUST]
    shown_symbols = order if len(order) <= TOP_SYMBOLS + 1 else order[:TOP_SYMBOLS]
    rest = order[len(shown_symbols) :]
    held = held[thin(len(held))]
    data: list[Trace] = []
    for rank, column in enumerate(shown_symbols):
        symbol = str(record.weights.columns[column])
        data += _long_and_short(symbol, held[:, [column]], series_colour(rank))
    if rest:
        data += _long_and_short(f"{len(rest)} others", held[:, rest], "@other")
    names = ", ".join(str(record.weights.columns[column]) for column in shown_symbols)
    alt = f"Stacked area chart of weights held at the close, largest first: {names}."
    return Figure("weights", "Holdings", alt, data, percent_axis("of equity"), height=360)


def _long_and_short(name: str, held: Floats, colour: str) -> list[Trace]:
    longs, shorts = np.sum(np.maximum(held, 0.0), axis=1), np.sum(np.minimum(held, 0.0), axis=1)
    traces = []
    if np.any(longs > DUST):
        traces.append(stacked(name, "thin", longs, colour, "long"))
    if np.any(shorts < -DUST):
        traces.append({**stacked(name, "thin", shorts, colour, "short"), "showlegend": not traces})
    return traces


def turnover_figure(record: Record, metrics: Mapping[str, Any]) -> Figure:
    """Return two-sided turnover per calendar month."""
    traded = record.column("traded")
    if not np.any(traded > 0.0):
        return Figure("turnover", "Turnover", "Nothing was traded.", empty="Nothing was traded.")
    base = record.base
    ratio = np.divide(traded, base, out=np.zeros(len(traded)), where=base > 0.0)
    per_session = record.session_sum(ratio)
    months = by_month(record.returns.to_numpy(), record.sessions)
    values = np.array([float(np.sum(per_session[month.rows])) for month in months])
    labels = [f"{month.label}-01" for month in months]
    yearly = shown(metrics["turnover"]["two_sided_per_year"], "ratio")
    alt = f"Bar chart of traded notional over equity per month; {yearly} times equity a year, two-sided."
    layout = {**percent_axis("of equity, two-sided"), "xaxis": {"type": "date", "hoverformat": "%b %Y"}}
    data = [bars("turnover", labels, values, "@account")]
    return Figure("turnover", "Turnover per month", alt, data, {**layout, "showlegend": False}, height=260)


def costs_figure(record: Record) -> Figure:
    """Return what was paid so far, by kind."""
    at = thin(len(record.rows))
    data, parts = [], []
    for rank, (kind, title) in enumerate(COST_TITLES.items()):
        paid = np.cumsum(record.session_sum(record.column(kind)))
        if len(paid) and paid[-1] != 0.0:
            data.append(stacked(title, "thin", paid[at], series_colour(rank), "paid"))
            parts.append(f"{title.lower()} {shown(float(paid[-1]), 'usd')}")
    if not data:
        return Figure("costs", "Costs so far", "Nothing was paid.", empty="No cost was charged.")
    alt = f"Stacked area chart of costs paid so far in USD: {', '.join(parts)}."
    return Figure("costs", "Costs so far", alt, data, number_axis("USD", ",.2f"), height=260)
