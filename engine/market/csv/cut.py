"""Copy a table of dated rows so that it ends early."""

import csv
import gzip
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from plimsoll.engine.market.csv.explain import EMPTY
from plimsoll.engine.market.csv.file import open_csv

_PRICES: Final = ("open", "high", "low", "close", "adj_close")


def write_cut(source: Path, target: Path, last: str, *, keep_first: bool = True) -> None:
    """Copy the header and the rows through `last` as they stand; of a table of prices at least the first row.

    A first row beyond the cut lies after the run's last session and is not read, but a file without rows is refused,
    and whether its first row holds an adjusted close alone says how the file is read.
    """
    file = open_csv(source)
    column = next(file.names.index(name) for name in ("date", "datetime") if name in file.names)
    header, *rows = file.data.decode("utf-8").split("\n")
    rows = [row for row in rows if row.strip()]
    kept = [row for row in rows if _day(row, column) <= last]
    if keep_first and not kept:
        kept = rows[: 1 + next((at for at, row in enumerate(rows) if _priced(row, file.names)), 0)]
    data = ("\n".join([header, *kept]) + "\n").encode()
    target.write_bytes(gzip.compress(data, mtime=0) if source.suffix == ".gz" else data)


def _priced(row: str, names: Sequence[str]) -> bool:
    """Say whether a row holds a price."""
    cells = next(csv.reader([row]))
    return any(name in _PRICES and cell.strip() not in EMPTY for name, cell in zip(names, cells, strict=False))


def _day(line: str, column: int) -> str:
    cell = line.split(",", column + 1)[column] if '"' not in line else next(csv.reader([line]))[column]
    return cell.strip()[:10]
