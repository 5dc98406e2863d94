"""Copy a table of dated rows so that it ends early."""

import csv
import gzip
from pathlib import Path

from plimsoll.engine.market.csv.file import open_csv


def write_cut(source: Path, target: Path, last: str, *, adjusted: bool = False, made_up: bool = True) -> None:
    """Copy the header and the rows through `last`; a table of prices that would be left empty gets a row beyond it.

    Such a row holds ones only; it is there because a file without rows is refused, and the run's last session leaves
    it out. `adjusted` keeps of the first row the adjusted close alone, which is how such a file is recognised.
    """
    file = open_csv(source)
    column = next(file.names.index(name) for name in ("date", "datetime") if name in file.names)
    header, *lines = file.data.decode("utf-8").splitlines()
    kept = [line for line in lines if line.strip() and _day(line, column) <= last]
    if not kept and made_up:
        cells = ["1"] * len(file.names)
        cells[column] = "9999-12-31" if file.names[column] == "date" else "9999-12-31 09:30:00"
        kept = [",".join(cells)]
    elif kept and adjusted:
        cells = next(csv.reader([kept[0]]))
        said = (file.names[column], "adj_close")
        kept[0] = ",".join(cell if name in said else "" for name, cell in zip(file.names, cells, strict=True))
    data = ("\n".join([header, *kept]) + "\n").encode()
    target.write_bytes(gzip.compress(data, mtime=0) if source.suffix == ".gz" else data)


def _day(line: str, column: int) -> str:
    cell = line.split(",", column + 1)[column] if '"' not in line else next(csv.reader([line]))[column]
    return cell.strip()[:10]
