"""The price of a chosen symbol with the fills on it."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from plimsoll.engine.report.page.figure_parts import Figure, Trace, inert, line, number_axis, numbers
from plimsoll.engine.runtime.record import Record
from plimsoll.engine.types import Bools, Floats, Ints

MOST_SYMBOLS: Final = 10
POINTS: Final = 360
MARKERS: Final = 120  # on either side; the largest are kept
KEY: Final = "orders"


@dataclass(frozen=True, slots=True)
class PriceFigure:
    """One figure with a face per symbol: `faces` are its traces, in the order of `symbols`."""

    figure: Figure
    symbols: tuple[str, ...]
    faces: tuple[list[Trace], ...]


def price_figure(record: Record) -> PriceFigure | None:
    """Return closes and fills of the symbols most was traded of; None where prices or fills are not at hand."""
    fills = record.fills
    if record.prices is None or not len(fills) or not len(record.sessions):
        return None
    worth = np.abs(fills["qty"].to_numpy(np.float64) * fills["price"].to_numpy(np.float64))
    by = fills.assign(worth=worth).groupby("symbol")["worth"].sum().sort_values(ascending=False, kind="stable")
    symbols = tuple(str(name) for name in by.index[:MOST_SYMBOLS])
    closes = record.prices.close_in_last_units()[record.rows]
    columns = {str(name): k for k, name in enumerate(record.weights.columns)}
    faces = tuple(_face(record, symbol, closes[:, columns[symbol]]) for symbol in symbols)
    more = len(by) - len(symbols)
    note = "Markers at the session's close, in the share units of the last session; quantity and price as filled."
    note += f" The {len(symbols)} symbols most was traded of; {more} more are in fills." if more > 0 else ""
    note += f" At most the {MARKERS} largest of either side are marked." if _many(record, symbols) else ""
    alt = f"Price of a chosen symbol with its fills; the choice: {', '.join(symbols)}."
    figure = Figure(KEY, "Fills on the price", alt, faces[0], number_axis("USD"), note, height=340)
    return PriceFigure(figure, symbols, faces)


def _many(record: Record, symbols: tuple[str, ...]) -> bool:
    table = record.fills[record.fills["symbol"].isin(symbols)]
    sides = table.groupby(["symbol", table["qty"] > 0.0]).size()
    return bool((sides > MARKERS).any())


def _face(record: Record, symbol: str, close: Floats) -> list[Trace]:
    mine = record.fills[record.fills["symbol"] == symbol]
    days = np.asarray(mine["session"].to_numpy(), dtype="datetime64[D]")
    at: Ints = np.searchsorted(record.sessions, days).astype(np.int64)
    qty, price = mine["qty"].to_numpy(np.float64), mine["price"].to_numpy(np.float64)
    traces = [line(symbol, "sessions", close, "@bench", limit=POINTS, digits=5, line={"width": 1.2})]
    for name, side, colour, shape in (
        ("bought", qty > 0.0, "@good", "triangle-up"),
        ("sold", qty < 0.0, "@bad", "triangle-down"),
    ):
        if side.any():
            traces.append(_markers(name, (at, qty, price, close), side, {"color": colour, "symbol": shape, "size": 8}))
    return traces


def _markers(name: str, of: tuple[Ints, Floats, Floats, Floats], side: Bools, marker: dict[str, Any]) -> Trace:
    at, qty, price, close = of
    chosen = np.flatnonzero(side & (at < len(close)))
    if len(chosen) > MARKERS:
        worth = np.abs(qty[chosen] * price[chosen])
        chosen = np.sort(chosen[np.argsort(-worth, kind="stable")[:MARKERS]])
    chosen = chosen[np.argsort(at[chosen], kind="stable")]
    where = at[chosen]
    return {
        "type": "scatter",
        "mode": "markers",
        "name": inert(name),
        "x": "sessions",
        "at": np.diff(where, prepend=0).tolist(),
        "y": numbers(close[where]),
        "customdata": [
            [abs(q), p] for q, p in zip(numbers(qty[chosen]), numbers(price[chosen]), strict=True) if q and p
        ],
        "hovertemplate": "%{customdata[0]:,.6~g} at %{customdata[1]:z,.2f}",
        "marker": marker,
    }
