"""Read one CSV file of numbers by time stamp, or say in one line which row and column cannot be read."""

import gzip
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

import numpy as np

from plimsoll.engine.errors import DataError
from plimsoll.engine.market.csv.explain import EMPTY, explain, header_of
from plimsoll.engine.types import Dates, Floats

# The reader takes the file in one block, whose size it counts in 32 bits.
_LARGEST_BLOCK: Final = 2**31 - 1
_OTHERS: Final = "a layout of others is made into this one by: plimsoll data import FILE --out DIR"


@dataclass(frozen=True, slots=True, eq=False)
class CsvFile:
    r"""A file in memory: bytes, lines ended by \n, its header as written, and the header's names made comparable."""

    path: Path
    data: bytes
    header: tuple[str, ...]
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class CsvTable:
    """The columns of one file; R rows in file order.

    stamp : (R,) datetime64[s]. columns : name -> (R,) float64, NaN where the cell is empty.
    unused : header names that nobody asked for, as written.
    """

    stamp: Dates
    columns: dict[str, Floats]
    unused: tuple[str, ...]


def open_csv(path: Path) -> CsvFile:
    r"""Read a CSV file, gzipped if its name ends in .gz; lines may end in \n, \r\n or \r.

    Header names lose case, their spaces become underscores.

    Raises
    ------
    DataError
        If the file cannot be read, is empty, has no header, or is not UTF-8.
    """
    data = _read_bytes(path).replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    header = header_of(path, data)
    return CsvFile(path, data, header, tuple(name.strip().lower().replace(" ", "_") for name in header))


def read_table(file: CsvFile, stamp: str, required: Sequence[str], optional: Sequence[str] = ()) -> CsvTable:
    """Read the time stamps and the named numeric columns. An empty cell is NaN.

    Raises
    ------
    DataError
        If a required column is missing, an optional one is spelt slightly wrong, there are no rows, or a cell is
        neither empty nor a number, or no ISO date without time zone (then its line is given).
    """
    _check_header(file, (stamp, *required), optional)
    wanted = [name for name in (*required, *optional) if name in file.names]
    parsed = _parse(file, stamp, wanted)
    known = {stamp, *required, *optional}
    return CsvTable(
        stamp=parsed.column(stamp).to_numpy().astype("datetime64[s]"),
        columns={name: np.array(parsed.column(name).to_numpy(), dtype=np.float64) for name in wanted},
        unused=tuple(shown for shown, name in zip(file.header, file.names, strict=True) if name not in known),
    )


def _read_bytes(path: Path) -> bytes:
    try:
        data = path.read_bytes()
        if path.suffix == ".gz":
            data = gzip.decompress(data)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise DataError("not a complete gzip file", where=str(path), fix="fetch the file again") from error
    except OSError as error:
        raise DataError(f"cannot be read: {error.strerror}", where=str(path)) from error
    if not data.isascii():
        try:
            data.decode("utf-8")
        except UnicodeDecodeError as error:
            line = data.count(b"\n", 0, error.start) + 1
            what = f"line {line}: byte 0x{data[error.start]:02x} is not UTF-8"
            raise DataError(what, where=str(path), fix="save the file as UTF-8") from error
    return data.removeprefix(b"\xef\xbb\xbf")


def _check_header(file: CsvFile, required: Sequence[str], optional: Sequence[str]) -> None:
    where, names = str(file.path), file.names
    for name in names:
        if name and names.count(name) > 1:
            raise DataError(f"column {name!r} comes twice", where=where, fix="keep one of the two")
    spare = [name for name in names if name not in required and name not in optional]
    missing = [name for name in required if name not in names]
    if missing:
        near = get_close_matches(missing[0], spare, n=1) if len(missing) == 1 else []  # one misspelt, or another layout
        fix = f"did you mean {near[0]!r}? rename it" if near else f"the header is {','.join(file.header)}, {_OTHERS}"
        raise DataError(f"no column {missing[0]!r}", where=where, fix=fix)
    for name in spare:  # a misspelt optional column would otherwise be lost without a word
        for one in optional:
            if one not in names and (get_close_matches(name, [one], cutoff=0.75) or name.endswith((one, one + "s"))):
                raise DataError(f"unknown column {name!r}", where=where, fix=f"did you mean {one!r}? rename it")


def _parse(file: CsvFile, stamp: str, wanted: list[str]) -> Any:
    import pyarrow as pa
    import pyarrow.csv as pa_csv

    try:
        parsed = pa_csv.read_csv(
            pa.BufferReader(file.data),
            read_options=pa_csv.ReadOptions(
                use_threads=False,
                block_size=min(len(file.data), _LARGEST_BLOCK),
                skip_rows=1,
                column_names=[name or f"({at})" for at, name in enumerate(file.names)],
            ),
            convert_options=pa_csv.ConvertOptions(
                column_types={stamp: pa.timestamp("s"), **dict.fromkeys(wanted, pa.float64())},
                include_columns=[stamp, *wanted],
                null_values=list(EMPTY),
            ),
        )
    except pa.ArrowException as error:
        if not file.data.partition(b"\n")[2].strip():
            raise _no_rows(file) from error
        explain(file.path, file.data, file.names, stamp, wanted)
        raise DataError(f"cannot be read as CSV: {error}", where=str(file.path)) from error
    if parsed.num_rows == 0:
        raise _no_rows(file)
    if parsed.column(stamp).null_count:
        explain(file.path, file.data, file.names, stamp, wanted)
        raise DataError(f"a {stamp} is empty", where=str(file.path), fix="remove the line, or date it")
    return parsed


def _no_rows(file: CsvFile) -> DataError:
    return DataError("the file has a header but no rows", where=str(file.path), fix="it needs a line per bar")
