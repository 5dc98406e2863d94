"""Tables on disk: always CSV, above a million cells Parquet beside it; the same bytes for the same numbers."""

import io
from collections.abc import Mapping
from typing import TYPE_CHECKING, BinaryIO, Final

import numpy as np
import pandas as pd

from plimsoll.engine.runtime.flat_table import flat
from plimsoll.engine.types import Dates

if TYPE_CHECKING:
    import pyarrow as pa

# A million cells is about 10 MB of CSV: what a spreadsheet still opens.
MAX_CSV_CELLS: Final = 1_000_000


def table_files(name: str, frame: pd.DataFrame, *, only_parquet: bool = False) -> dict[str, bytes]:
    """Return the files of a table by name, which never change with its size.

    `NAME.csv`, and above a million cells `NAME.parquet` beside it, the same numbers for who finds the text slow;
    `only_parquet` : that one alone. See `table_bytes`.
    """
    shown = flat(frame)
    large = shown.shape[0] * shown.shape[1] > MAX_CSV_CELLS
    suffixes = [".parquet"] if only_parquet else [".csv", *([".parquet"] if large else [])]
    sinks = {suffix: io.BytesIO() for suffix in suffixes}
    write_table(shown, sinks)
    return {f"{name}{suffix}": sink.getvalue() for suffix, sink in sinks.items()}


def table_bytes(frame: pd.DataFrame, *, always_parquet: bool = False) -> tuple[str, bytes]:
    """Return the file suffix and the content of `frame`; a named index becomes the first column, row numbers do not.

    Floats are written in the shortest form that reads back as the same number, dates as ISO 8601 (with the time
    only where some time is not midnight), NaN and missing values as empty cells.
    """
    suffix = ".parquet" if always_parquet else ".csv"
    return suffix, file_bytes(frame, suffix)


def file_bytes(frame: pd.DataFrame, suffix: str) -> bytes:
    """Return the content of `frame` as a file of the kind its suffix says, `.csv` or `.parquet`, of any size."""
    sink = io.BytesIO()
    write_table(frame, {suffix: sink})
    return sink.getvalue()


def write_table(frame: pd.DataFrame, sinks: Mapping[str, BinaryIO]) -> None:
    """Write `frame` into each of the sinks, empty and seekable, as a file of the kind its suffix says.

    As `file_bytes`, but no file is held in memory.
    """
    table = _arrow(flat(frame))
    for suffix, sink in sinks.items():
        (_parquet if suffix == ".parquet" else _csv)(table, sink)


def iso_text(stamps: Dates) -> list[str]:
    """Return dates as ISO text: `2020-01-31`, or `2020-01-31T09:30:00` for all if any is not midnight."""
    text = np.datetime_as_string(stamps.astype("datetime64[D]" if is_whole(stamps) else "datetime64[s]"))
    return [str(item) for item in text]


def is_whole(stamps: Dates) -> bool:
    """Whether every known stamp is a midnight."""
    known = stamps[~np.isnat(stamps)]
    return np.array_equal(known.astype("datetime64[D]").astype(known.dtype), known)


def _arrow(frame: pd.DataFrame) -> "pa.Table":
    import pyarrow as pa

    columns = {}
    for position, name in enumerate(frame.columns):
        values = frame.iloc[:, position]
        if isinstance(values.dtype, np.dtype) and values.dtype.kind == "M":
            columns[str(name)] = _dates(values.to_numpy())
        elif values.dtype == object:
            columns[str(name)] = _mixed(values)
        else:
            columns[str(name)] = pa.Array.from_pandas(values)
    return pa.table(columns)


def _dates(stamps: Dates) -> "pa.Array":
    """Days as dates, anything finer as seconds, so that both file formats keep their type."""
    import pyarrow as pa

    unit = "datetime64[D]" if is_whole(stamps) else "datetime64[s]"
    return pa.array(stamps.astype(unit), from_pandas=True)


def _mixed(values: pd.Series) -> "pa.Array":
    import pyarrow as pa

    try:
        return pa.array(values, from_pandas=True)
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        return pa.array([None if pd.isna(value) else str(value) for value in values], type=pa.string())


def _csv(table: "pa.Table", sink: BinaryIO) -> None:
    import pyarrow as pa
    from pyarrow import csv

    for position, field in enumerate(table.schema):
        if pa.types.is_timestamp(field.type):
            text = pa.array(iso_text(table.column(position).to_numpy()))
            table = table.set_column(position, field.name, text)
        elif pa.types.is_null(field.type):
            table = table.set_column(position, field.name, table.column(position).cast(pa.string()))
    try:
        csv.write_csv(table, sink, csv.WriteOptions(quoting_style="none", quoting_header="none"))
    except pa.ArrowInvalid:  # a text holds a comma, a quote or a line break
        sink.seek(0)
        sink.truncate()
        csv.write_csv(table, sink, csv.WriteOptions(quoting_style="needed", quoting_header="needed"))


def _parquet(table: "pa.Table", sink: BinaryIO) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    # A dictionary of numbers is as long as the column: it takes time and makes the file larger.
    repeated = [field.name for field in table.schema if not pa.types.is_floating(field.type)]
    parquet.write_table(table.replace_schema_metadata(None), sink, compression="zstd", use_dictionary=repeated)
