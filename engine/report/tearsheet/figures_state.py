"""Figures of how a book was steered: leverage, governor, regime, what took from the target, what sleeves gave."""

from typing import Any, Final

import numpy as np

from plimsoll.engine.portfolio.stages.s6_regime import REGIMES
from plimsoll.engine.report.metrics.diagnostic_words import BOOK
from plimsoll.engine.report.metrics.target import LEAST, TAKERS, taken_by_decision
from plimsoll.engine.report.page.figure_parts import (
    SOME_POINTS,
    Figure,
    dates,
    line,
    number_axis,
    percent_axis,
    series_colour,
)
from plimsoll.engine.report.tearsheet.axes import axis_of
from plimsoll.engine.report.tearsheet.contributors import by_sleeve
from plimsoll.engine.runtime.curves import Curves
from plimsoll.engine.runtime.record import Record
from plimsoll.engine.types import Dates, Floats, Ints

# Regimes from calm to storm, whatever their codes.
_ORDER: Final = ("risk_on", "neutral", "transition", "crisis")
_HALF: Final = 260
ASKED: Final = "factor of the volatility target"


def state_figures(record: Record, curves: Curves) -> list[Figure]:
    """Return the figures a book's page leads with; none for a run that is no book."""
    if (BOOK, "leverage") not in curves or not len(record.sessions):
        return []
    figures = [_leverage(record, curves), _governor(record, curves), _regime(curves), _taken(record)]
    return [figure for figure in figures if figure is not None]


def _leverage(record: Record, curves: Curves) -> Figure:
    days, asked = curves[BOOK, "leverage"]
    gross = record.close_of("gross")
    data = [
        line(ASKED, values=asked, colour="@other", line={"width": 1.0}, **axis_of(days, record)),
        line("gross held, times equity", "sessions", gross, "@account"),
    ]
    mean = float(np.mean(gross))
    alt = f"Line chart of leverage: gross held is {mean:z.2f} times equity on average."
    return Figure("leverage", "Leverage: asked and held", alt, data, number_axis("times"), height=_HALF)


def _governor(record: Record, curves: Curves) -> Figure | None:
    if (BOOK, "multiplier") not in curves:
        return None
    days, values = curves[BOOK, "multiplier"]
    held = float(np.mean(values < 1.0))
    alt = f"Line chart of the drawdown governor's multiplier, below 1 at {held:z.0%} of decisions."
    filled: dict[str, Any] = {"fill": "tozeroy", "fillcolor": "@bad_soft"}
    data = [line("multiplier", values=values, colour="@bad", **filled, **axis_of(days, record))]
    layout = {**number_axis("times the exposure"), "showlegend": False}
    layout["yaxis"] = {**layout["yaxis"], "range": [0.0, 1.05]}
    note = f"Below 1 at {held:z.0%} of decisions, {float(np.min(values)):z.2f} at least."
    return Figure("governor", "Drawdown governor, times", alt, data, layout, note=note, height=_HALF)


def _regime(curves: Curves) -> Figure | None:
    if (BOOK, "regime") not in curves:
        return None
    days, codes = curves[BOOK, "regime"]
    rank = np.array([_ORDER.index(name) for name in REGIMES], dtype=np.float64)[codes.astype(np.int64)]
    moved = np.flatnonzero(np.concatenate(([True], rank[1:] != rank[:-1])))
    at: Ints = np.unique(np.append(moved, len(rank) - 1))
    shares = [float(np.mean(rank == k)) for k in range(len(_ORDER))]
    words = [name.replace("_", " ") for name in _ORDER]
    told = ", ".join(f"{word} {share:z.0%}" for word, share in zip(words, shares, strict=True))
    data = [line("regime", dates(days[at]), rank[at], "@s1", limit=len(at), line={"shape": "hv", "width": 1.2})]
    layout = {**number_axis(), "showlegend": False}
    layout["yaxis"] = {**layout["yaxis"], "range": [-0.2, 3.2], "tickvals": [0, 1, 2, 3], "ticktext": words}
    return Figure("regime", "Regime", f"Step chart of the regime: {told}.", data, layout, note=told, height=_HALF)


def _taken(record: Record) -> Figure | None:
    """Return what each bound took of the exposure that the target calls for, the mean of each month."""
    found = taken_by_decision(record)
    if found is None:
        return None
    days, taken = found
    data, parts = [], []
    for rank, (name, words) in enumerate(TAKERS.items()):
        months, values = _by_month(days, taken[name])
        share = float(np.mean(taken[name]))
        if share >= LEAST:
            style: dict[str, Any] = {"line": {"width": 0.6}, "stackgroup": "taken", "limit": len(values)}
            data.append({**line(words, months, values, series_colour(rank), **style), "fillcolor": series_colour(rank)})
            parts.append(f"{words} {share:z.1%}")
    title = "What was taken from the volatility target"
    if not data:
        return Figure("taken", title, "Nothing took from it.", empty="Nothing took from it.", height=_HALF)
    alt = f"Stacked area chart of what bound the book, by month: {', '.join(parts)} on average."
    layout = percent_axis("of the exposure called for")
    return Figure("taken", title, alt, data, layout, note="Mean of each month.", height=_HALF)


def _by_month(days: Dates, values: Floats) -> tuple[list[str], Floats]:
    months, of = np.unique(days.astype("datetime64[M]"), return_inverse=True)
    means = np.bincount(of, weights=values) / np.bincount(of)
    return [f"{month}-01" for month in months], means


def given_figure(record: Record) -> Figure | None:
    """Return what each sleeve gave the book so far; None where there is one sleeve only."""
    given = by_sleeve(record)
    if len(given) < 2:
        return None
    ranked = sorted(given, key=lambda name: -given[name][-1])
    data = [line(name, "sessions", given[name], series_colour(k), limit=SOME_POINTS) for k, name in enumerate(ranked)]
    last = ", ".join(f"{name} {given[name][-1]:+z.1%}" for name in ranked)
    alt = f"Line chart of what each sleeve gave the book so far: {last}."
    note = (
        "Its share of the book times its own return, before the volatility target, caps and governor scale the whole."
    )
    return Figure("given", "What each sleeve gave, of equity", alt, data, percent_axis("of equity"), note, height=300)
