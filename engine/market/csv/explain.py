"""Why a CSV file cannot be read: the true cause, in one line, with the line it stands on."""

import csv
import io
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np

from plimsoll.engine.errors import DataError

# What vendors write for "not known".
EMPTY: Final = ("", "NaN", "nan", "null", "NULL", "NA", "N/A")

_NUMBER: Final = r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?"
_TIME: Final = r"\d{1,2}:\d\d(:\d\d)?"
_DATE: Final = r"\d{4}-\d\d-\d\d|\d{1,2}[/.]\d{1,2}[/.]\d{2,4}"
_DATUM: Final = re.compile(rf"{_NUMBER}|({_DATE})([ T]{_TIME}.*)?|{_TIME}")
_ZONED: Final = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d(:\d\d(\.\d+)?)?\s?(Z|UTC|[+-]\d\d(:?\d\d)?)")
_FRACTION: Final = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d[.,]\d+")
_COMPACT: Final = re.compile(r"\d{8}([ T]?\d\d:?\d\d(:?\d\d)?)?")
_GOOD: Final = re.compile(r"\d{4}-\d\d-\d\d([ T]\d\d:\d\d(:\d\d)?)?")
_HOW: Final = "write YYYY-MM-DD, for intraday bars YYYY-MM-DD HH:MM:SS"


def header_of(path: Path, data: bytes) -> tuple[str, ...]:
    """Return the names on the first line.

    Raises
    ------
    DataError
        If there is no such line, it is blank, holds data, or its names are not separated by commas.
    """
    where = str(path)
    if not data.strip():
        raise DataError("the file is empty", where=where, fix="it needs a header line and a line per bar")
    first = data.split(b"\n", 1)[0].decode("utf-8").strip()
    if not first:
        raise DataError("the first line is blank", where=where, fix="remove it: the header is the first line")
    try:
        header = tuple(next(csv.reader([first])))
    except csv.Error as error:
        raise DataError(f"line 1: {error}", where=where, cause="a quotation mark that is never closed?") from None
    for mark, name in ((";", "semicolons"), ("\t", "tabs"), ("|", "bars")):
        if len(header) == 1 and mark in first:
            raise DataError(f"the columns are separated by {name}", where=where, fix="separate them by commas")
    filled = [cell.strip() for cell in header if cell.strip()]
    if 2 * sum(_DATUM.fullmatch(cell) is not None for cell in filled) > len(filled):
        fix = "put the names of the columns above it, such as date,open,high,low,close,adj_close,volume"
        raise DataError(f"no header line: the first line, {first[:60]!r}, is data", where=where, fix=fix)
    return header


def explain(path: Path, data: bytes, names: Sequence[str], stamp: str, wanted: Sequence[str]) -> None:
    """Find the first cell that cannot be read, and raise a DataError about it; return if every cell can."""
    where = str(path)
    reader = csv.reader(io.StringIO(data.decode("utf-8"), newline=""))
    try:
        next(reader)
        for row in reader:
            if row:
                _explain_row(where, f"line {reader.line_num}", row, names, stamp, wanted)
    except csv.Error as error:
        cause = "a quotation mark that is never closed?"
        raise DataError(f"line {reader.line_num}: {error}", where=where, cause=cause) from None


def _explain_row(
    where: str, line: str, row: Sequence[str], names: Sequence[str], stamp: str, wanted: Sequence[str]
) -> None:
    if len(row) != len(names):
        cause = "a cut-off line, or a comma inside a number"
        raise DataError(f"{line} has {len(row)} cells, the header {len(names)}", where=where, cause=cause)
    cells = dict(zip(names, row, strict=True))
    _explain_stamp(where, line, stamp, cells[stamp].strip())
    for name in wanted:
        _explain_number(where, f"{line} ({cells[stamp]})", name, cells[name].strip())


def _explain_stamp(where: str, line: str, column: str, text: str) -> None:
    if text in EMPTY:
        raise DataError(f"{line}: {column} is empty", where=where, fix="remove the line, or date it")
    said = f"{line}: {column} {text[:40]!r}"
    if _ZONED.fullmatch(text):
        raise DataError(
            f"{said} carries a time zone", where=where, fix="write exchange local dates and times without a zone"
        )
    if _FRACTION.fullmatch(text):
        raise DataError(f"{said} carries a fraction of a second", where=where, fix="write YYYY-MM-DD HH:MM:SS")
    if _COMPACT.fullmatch(text):
        raise DataError(f"{said} is written without hyphens", where=where, fix=_HOW)
    try:
        if not _GOOD.fullmatch(text):
            raise ValueError
        np.datetime64(text, "s")
    except ValueError:
        raise DataError(f"{said} is not a date", where=where, fix=_HOW) from None


def _explain_number(where: str, line: str, column: str, text: str) -> None:
    if text in EMPTY:
        return
    if not re.fullmatch(_NUMBER, text) or text.startswith("+"):
        fix = "write digits with a point, no thousands separators, currency signs or plus; leave unknown cells empty"
        raise DataError(f"{line}: {column} {text[:40]!r} is not a number", where=where, fix=fix)
