"""The numbers behind the figures, every session of them, to be kept from the page as CSV."""

import io
from typing import Final

import numpy as np
import pandas as pd

from plimsoll.engine.report.metrics.book import DUST
from plimsoll.engine.report.page.frame import packed_within
from plimsoll.engine.runtime.flat_table import flat
from plimsoll.engine.runtime.record import Record

# What the page may grow by; what does not fit is named with the file of the run folder that holds it.
BUDGET: Final = 590_000
MOST_CELLS: Final = 700_000
_MONEY: Final = (
    "equity", "cash", "traded", "costs", "commission", "spread", "impact", "fees", "interest", "financing", "borrow",
    "dividends", "price_pnl", "flow",
)  # fmt: skip


def page_files(record: Record) -> tuple[dict[str, str], list[tuple[str, str]], list[str]]:
    """Return packed files by name, (name, what it is) of each, and the names of files that did not fit.

    Dollars to the cent, rates and weights to nine digits after the point; the run folder has every bit.
    """
    if not len(record.sessions):
        return {}, [], []
    wanted = (
        ("account.csv", "equity, returns, exposure and costs", "equity", _account(record)),
        ("weights.csv", "weights held at the close", "weights", _weights(record)),
        ("fills.csv", "fills", "fills", record.fills),
        ("sleeves.csv", "sleeves' notional equity and share", "sleeves", _rounded(record.sleeves)),
    )
    files: dict[str, str] = {}
    told, left, room = [], [], BUDGET
    for name, words, table, frame in wanted:
        if frame is None or frame.size == 0:
            continue
        text = packed_within(_csv(frame), room) if frame.size <= MOST_CELLS else None
        if text is None:
            left.append(table)
            continue
        room -= len(text)
        files[name] = text
        told.append((name, f"{words}, {len(frame):,} rows of {frame.shape[1]:,}"))
    return files, told, left


def _csv(frame: pd.DataFrame) -> bytes:
    """Return a table as CSV: days as ISO dates, numbers in the shortest form that reads back as the same."""
    import pyarrow as pa
    from pyarrow import csv

    columns = {}
    for name, values in flat(frame).items():
        stamps = values.to_numpy().astype("datetime64[D]") if values.dtype.kind == "M" else None
        columns[str(name)] = pa.array(stamps) if stamps is not None else pa.Array.from_pandas(values)
    sink = io.BytesIO()
    csv.write_csv(pa.table(columns), sink, csv.WriteOptions(quoting_style="needed", quoting_header="needed"))
    return sink.getvalue()


def _account(record: Record) -> pd.DataFrame:
    """Return a row a session."""
    columns = {name: np.round(record.close_of(name), 2) for name in ("equity", "cash")}
    rates = {
        "ret": record.returns.to_numpy(),
        "ret_before_costs": record.returns_gross.to_numpy(),
        "drawdown": record.close_of("drawdown"),
        "gross": record.close_of("gross"),
        "net": record.close_of("net"),
    }
    if record.beside is not None and record.benchmark is not None:
        theirs = np.full(len(record.sessions), np.nan)
        theirs[record.beside.ends] = record.beside.theirs
        rates[f"ret_{record.benchmark.name}"] = theirs
    sums = {name: np.round(record.session_sum(record.column(name)), 2) for name in _MONEY if name not in columns}
    frame = pd.DataFrame({**columns, **{name: np.round(values, 9) for name, values in rates.items()}, **sums})
    frame.index = pd.DatetimeIndex(record.sessions.astype("datetime64[s]"), name="session")
    return frame


def _weights(record: Record) -> pd.DataFrame | None:
    held = record.held()
    if held.size > MOST_CELLS:
        return record.weights  # too many to be packed: only its size is asked for
    some = np.abs(held).max(axis=0, initial=0.0) > DUST
    if not some.any():
        return None
    index = pd.DatetimeIndex(record.sessions.astype("datetime64[s]"), name="session")
    return pd.DataFrame(np.round(held[:, some], 9), index=index, columns=record.weights.columns[some])


def _rounded(frame: pd.DataFrame) -> pd.DataFrame | None:
    if frame.size == 0 or frame.size > MOST_CELLS:
        return None if frame.size == 0 else frame
    done = frame.round(6)
    if done.index.name is None:
        done.index.name = "session"
    return done
