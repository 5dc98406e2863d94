"""CSV files for tests: plain ones, plausible ones, and what panels read from them have in common."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from plimsoll.engine.market.calendar import sessions
from plimsoll.engine.market.panel import Panel

DAYS = sessions(date(2024, 1, 2), date(2024, 6, 28))
HEADER = "date,open,high,low,close,adj_close,volume"
GOOD = ["2024-01-02,10,11,9,10.5,10.5,1000", "2024-01-03,10.5,12,10,11,11,2000", "2024-01-04,11,11.5,10,10,10,1500"]

Table = Mapping[str, Any]


def write(folder: Path, name: str, table: Table) -> None:
    """Write columns as a CSV with shortest exact decimals, NaN as an empty cell."""
    cells = [[_text(value) for value in column] for column in table.values()]
    lines = [",".join(table), *(",".join(row) for row in zip(*cells, strict=True))]
    (folder / f"{name}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _text(value: Any) -> str:
    if isinstance(value, np.datetime64):
        return str(value).replace("T", " ")
    return "" if np.isnan(value) else repr(float(value))


def put(folder: Path, *lines: str, name: str = "ABC.csv", header: str = HEADER) -> Path:
    (folder / name).write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    return folder


def made(seed: int, stamps: Any, *, dividends: str = "adj_close", decimals: int = 6) -> dict[str, Any]:
    """Make a plausible table: rows missing, volumes unknown, dividends listed or left to be derived."""
    rng = np.random.default_rng(seed)
    n = len(stamps)
    close = np.round(60.0 * np.exp(np.cumsum(rng.normal(0.0, 0.01, n))), 4)
    spread = close * rng.uniform(0.0, 0.01, (3, n))
    paid = np.where(rng.random(n) < 0.08, np.round(rng.uniform(0.05, 0.6, n), 4), 0.0)
    factor = np.ones(n)
    for t in range(1, n):
        factor[:t] *= 1.0 - paid[t] / close[t - 1]
    table = {
        "date": stamps,
        "open": close - spread[0],
        "high": close + spread[1],
        "low": close - spread[0] - spread[2],
        "close": close,
        "adj_close": np.round(close * factor, decimals),
        "volume": np.where(rng.random(n) < 0.1, np.nan, np.round(rng.uniform(0.0, 1e7, n))),
    }
    if dividends == "column":
        table["dividend"] = paid
        table["split"] = np.where(rng.random(n) < 0.02, 2.0, 1.0)
    return table


def same_bytes(one: Panel, two: Panel, n: int) -> None:
    """Assert that the first n bars of two panels are equal, bit by bit."""
    for name in ("block", "high", "low", "indicator"):
        a, b = getattr(one, name), getattr(two, name)
        axis = 1 if name == "block" else 0
        assert a.take(range(n), axis=axis).tobytes() == b.take(range(n), axis=axis).tobytes(), name
    for name in one.clock.__slots__:
        a, b = getattr(one.clock, name), getattr(two.clock, name)
        assert np.array_equal(a[:n], b[:n]) if isinstance(a, np.ndarray) else a == b, name
