"""The page of one symbol's prices: one self-contained HTML file, the same bytes for the same rows."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np

from plimsoll.engine.report.page.figure_parts import Figure, Trace, line, number_axis, numbers
from plimsoll.engine.report.page.frame import render_page
from plimsoll.engine.report.prices.sight import Sight
from plimsoll.engine.types import Dates, Ints

# Of each stretch of bars its first, lowest, highest and last are drawn: nothing that stands out is thinned away.
_STRETCHES: Final = 500
_ROWS: Final = 200


@dataclass(frozen=True, slots=True)
class EventTable:
    """One table of the page."""

    caption: str
    head: tuple[str, ...]
    rows: list[tuple[str, ...]]
    note: str = ""


def prices_html(sight: Sight) -> str:
    """Return the page of a symbol; it loads nothing from anywhere."""
    figures = [_price_figure(sight), _volume_figure(sight)]
    refused = [one for one in sight.findings if one.severity != "note"]
    banners = [(f"Gates keep something of it out: {len(refused)} findings, listed below.", "yellow")] if refused else []
    what = "sessions" if sight.interval == "1d" else f"bars of {sight.interval}"
    first, last = (str(sight.stamp[at])[:10] for at in (0, -1))
    context = {
        "heading": sight.symbol,
        "banners": banners,
        "span": f"{len(sight.stamp):,} {what}, {first} to {last} · {sight.where}",
        "figures": figures,
        "tables": [table for table in _tables(sight) if table.rows],
    }
    payload = {"axes": {}, "figures": {f.key: {"data": f.data, "layout": f.layout} for f in figures if not f.empty}}
    return render_page("prices/page.html.j2", context, payload)


def _price_figure(sight: Sight) -> Figure:
    at = _drawn(sight)
    times = _times(sight, at)
    data = [line("close", times, sight.close[at], "@account")]
    rows = {
        "dividend": (np.flatnonzero(sight.dividend > 0.0), "triangle-up", "@good"),
        "split": (np.flatnonzero(sight.split != 1.0), "diamond", "@bench"),
        "revised": (np.flatnonzero(np.isin(_days(sight), sight.revised)), "circle-open", "@before"),
        "finding": (np.flatnonzero(sight.flagged()), "x", "@bad"),
        "gap": (np.unique(np.searchsorted(_days(sight), sight.missing) - 1), "line-ns-open", "@other"),
    }
    data += [_marks(name, sight, *one) for name, one in rows.items() if len(one[0])]
    paid = len(rows["dividend"][0])
    alt = (
        f"Line chart: the close of {sight.symbol} goes from {sight.close[0]:.6g} to {sight.close[-1]:.6g}; marked are "
        f"{paid} dividends, {len(rows['split'][0])} splits, {len(sight.missing)} sessions without a row and "
        f"{len(sight.findings)} findings."
    )
    note = "As the rows are kept: neither dividends nor splits are taken out." if paid or len(rows["split"][0]) else ""
    return Figure("prices", "Close", alt, data, number_axis("price"), note=note, height=420, log_switch=True)


def _volume_figure(sight: Sight) -> Figure:
    known = np.isfinite(sight.volume)
    if not known.any():
        return Figure("volume", "Volume", "", empty="No volume is known.")
    at = _drawn(sight)
    alt = f"Line chart: the volume of {sight.symbol}, {np.nanmedian(sight.volume):.4g} shares in the median."
    data = [line("volume", _times(sight, at), sight.volume[at], "@bench", line={"width": 1.0})]
    return Figure("volume", "Volume", alt, data, number_axis("shares", ",.0f"), height=200, log_switch=True)


def _marks(name: str, sight: Sight, rows: Ints, symbol: str, colour: str) -> Trace:
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "x": _times(sight, rows),
        "y": numbers(sight.close[rows]),
        "marker": {"symbol": symbol, "color": colour, "size": 8},
    }


def _drawn(sight: Sight) -> Ints:
    """Return the rows to draw: all, or of each stretch the first, lowest, highest and last close and largest volume."""
    n_rows = len(sight.stamp)
    if n_rows <= 4 * _STRETCHES:
        return np.arange(n_rows)
    edges = np.linspace(0, n_rows, _STRETCHES + 1).astype(np.int64)
    picked = [np.empty(0, dtype=np.int64)]
    volume = np.nan_to_num(sight.volume)
    for start, stop in pairwise(edges):
        close = sight.close[start:stop]
        extremes = (0, np.argmin(close), np.argmax(close), np.argmax(volume[start:stop]), stop - start - 1)
        picked.append(start + np.array(extremes, dtype=np.int64))
    return np.unique(np.concatenate(picked))


def _tables(sight: Sight) -> list[EventTable]:
    paid, split = np.flatnonzero(sight.dividend > 0.0), np.flatnonzero(sight.split != 1.0)
    findings: list[tuple[str, ...]] = [
        (one.session.replace("T", " ") or "-", one.gate, one.severity, one.text) for one in sight.findings
    ]
    return [
        EventTable(
            "What the gates said", ("session", "gate", "severity", "finding"), findings[:_ROWS], _more(len(findings))
        ),
        EventTable(
            "Splits",
            ("session", "new shares for an old one"),
            [(_at(sight, row), f"{sight.split[row]:.6g}") for row in split[::-1]],
        ),
        EventTable(
            "Dividends, the last first",
            ("session", "per share"),
            [(_at(sight, row), f"{sight.dividend[row]:.6g}") for row in paid[::-1][:_ROWS]],
            _more(len(paid)),
        ),
        _days_table("Sessions without a row", sight.missing),
        _days_table("Sessions that were revised", sight.revised),
        EventTable("How the rows are read", ("",), [(text,) for text in sight.said]),
    ]


def _days_table(caption: str, days: Dates) -> EventTable:
    return EventTable(caption, ("session",), [(str(day),) for day in days[::-1][:_ROWS]], _more(len(days)))


def _more(count: int) -> str:
    return f"{count - _ROWS:,} more" if count > _ROWS else ""


def _at(sight: Sight, row: int) -> str:
    return str(sight.stamp[row])[: 10 if sight.interval == "1d" else 16].replace("T", " ")


def _days(sight: Sight) -> Dates:
    return sight.stamp.astype("datetime64[D]")


def _times(sight: Sight, rows: Ints) -> list[str]:
    return [_at(sight, int(row)) for row in rows]
