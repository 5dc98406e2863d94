"""What was imported as `<SYMBOL>.csv` files: all of them or none."""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

import numpy as np

from plimsoll.engine.errors import OutputError
from plimsoll.engine.market.bars import RawBars
from plimsoll.engine.market.catalog.disk import Disk
from plimsoll.engine.market.imports.sift import Sifted

_OHLC: Final = ("open", "high", "low", "close")


def file_name(sifted: Sifted) -> str:
    """Return the name under which the reader of folders finds the rows: SPY.csv, SPY_5min.csv."""
    draft = sifted.draft
    return f"{draft.symbol}.csv" if draft.interval == "1d" else f"{draft.symbol}_{draft.interval}.csv"


def csv_bytes(sifted: Sifted) -> bytes:
    """Return the file's bytes: the rows of a file in our own layout word for word, any other's written anew.

    Numbers are written with the fewest digits that are read back as the same.
    """
    passed = sifted.draft.passed
    if passed is None:
        return rewritten(sifted.raw)
    data, line = passed.sheet.data, passed.line[sifted.kept]
    if sifted.kept.all() and np.array_equal(line, np.arange(len(line))):
        return data
    head, *rows = data.split(b"\n")
    rows = [row for row in rows if row.strip()]
    return b"\n".join([head, *(rows[at] for at in line.tolist())]) + b"\n"


def rewritten(raw: RawBars) -> bytes:
    """Return a file's bytes in our own layout; a column that nothing is known of is left out."""
    import pyarrow as pa
    import pyarrow.csv as pa_csv

    daily = raw.interval == "1d"
    columns = {name: getattr(raw, name) for name in _OHLC if not np.isnan(getattr(raw, name)).all()}
    columns["adj_close"] = raw.adj_close
    columns["volume"] = raw.volume if _OHLC[0] in columns else None
    columns |= {"dividend": raw.dividend, "split": raw.split}
    stamp = raw.stamp.astype("datetime64[D]" if daily else "datetime64[s]")
    arrays = {"date" if daily else "datetime": pa.array(stamp)}
    for name, column in columns.items():
        if column is not None:
            arrays[name] = pa.array(column, pa.float64(), mask=np.isnan(column))
    sink = pa.BufferOutputStream()
    pa_csv.write_csv(pa.table(arrays), sink, pa_csv.WriteOptions(quoting_style="none", include_header=False))
    data: bytes = sink.getvalue().to_pybytes()
    return ",".join(arrays).encode() + b"\n" + data


def place(folder: Path, files: Mapping[str, bytes], disk: Disk, *, force: bool) -> None:
    """Write all files into a folder, or none; what is there is replaced with `force` alone.

    Raises
    ------
    OutputError
        If a file exists already, or something cannot be written; then the folder is as it was.
    """
    there = [name for name, data in files.items() if (folder / name).exists() and not _holds(folder / name, data)]
    if there and not force:
        shown = ", ".join(there[:3]) + (", ..." if len(there) > 3 else "")
        raise OutputError(f"{shown} there already", where=str(folder), fix="use another folder, or --force to replace")
    kept = {name: (folder / name).read_bytes() if (folder / name).exists() else None for name in files}
    done: list[str] = []
    try:
        for name, data in files.items():
            done.append(name)
            disk.put(folder / name, data)
    except BaseException:
        for name in done:
            before = kept[name]
            with suppress(OSError):
                if before is None:
                    (folder / name).unlink(missing_ok=True)
                else:
                    (folder / name).write_bytes(before)
        raise


def _holds(path: Path, data: bytes) -> bool:
    try:
        return path.read_bytes() == data
    except OSError:
        return False
