"""The format of a symbol's file: its columns, its key-value metadata, its checksums.

A Parquet file, one row per session and version, ordered by session, then by when the version became known:

    symbol    dictionary<string>     as this package spells it: a reader that joins files needs it in every row
    session   date32                 exchange date
    open high low close  float64     dollars as traded, null = not known
    volume    float64                shares as traded, null = not known
    dividend  float64                cash per share of that session on its ex-date, gains included, 0 = none
    split     float64                new shares per old share in force at that open, 1 = none
    gain      float64                what of the cash its source calls a capital gain, 0 = none
    source    dictionary<string>     who told the row
    known_at  timestamp[us, UTC]     when this version of the row was stored

The last version of a session is the one in force. The metadata key `plimsoll` holds JSON: format, symbol, kind, notes
(what the gates had to say about the last pull) and sha256 by column, over its values as little-endian 64-bit words
(NaN for null) or as UTF-8 joined by line feeds, all of it under one seal: a bit that flips anywhere in the file is an
error or means nothing, never a price.
"""

import hashlib
import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from plimsoll.engine.errors import DataError
from plimsoll.engine.market.gates.finding import GateFinding
from plimsoll.engine.market.history import VALUES, History
from plimsoll.engine.types import Dates

FORMAT: Final = 1
_KEY: Final = b"plimsoll"
_NOT_NULL: Final = ("dividend", "split", "gain")
_DAMAGED: Final = "restore the file from a copy, or move it away and pull the symbol again"


@dataclass(frozen=True, slots=True, eq=False)
class Versions:
    """Every version of every session of a symbol.

    history : V rows, sessions not descending; of those with one session the last is in force.
    known_at : (V,) datetime64[us], UTC. notes : what the gates said about the last pull, nothing that was refused.
    digest : names this content.
    """

    history: History
    known_at: Dates
    notes: tuple[GateFinding, ...] = ()
    digest: str = ""

    def current(self) -> History:
        """Return the version in force of every session."""
        session = self.history.session
        return self.history if not len(session) else self.history.take(np.append(session[1:] != session[:-1], True))


def encode(versions: Versions) -> tuple[bytes, str]:
    """Return the bytes of a symbol's file, and the digest that names their content."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    history = versions.history
    texts = {"symbol": np.full(len(history), history.symbol), "source": history.source}
    columns: dict[str, Any] = {"symbol": texts["symbol"], "session": history.session}
    columns |= {name: history.column(name) for name in VALUES}
    columns |= {"source": texts["source"], "known_at": versions.known_at.astype("datetime64[us]")}
    sums = {name: _sum(column) for name, column in columns.items()}
    told = {
        "format": FORMAT,
        "symbol": history.symbol,
        "kind": history.kind,
        "notes": [note.plain() for note in versions.notes],
        "sha256": sums,
    }
    told["seal"] = _seal(told)
    text = pa.dictionary(pa.int32(), pa.string())
    arrays = {
        name: pa.array(column.astype(object), pa.string()).cast(text)
        if name in texts
        else pa.array(column, _type(name), mask=None if name in ("session", "known_at") else np.isnan(column))
        for name, column in columns.items()
    }
    fields = [pa.field(name, array.type, nullable=name in (*VALUES[:5],)) for name, array in arrays.items()]
    table = pa.Table.from_arrays(list(arrays.values()), schema=pa.schema(fields, {_KEY: json.dumps(told).encode()}))
    out = io.BytesIO()
    pq.write_table(
        table, out, compression="zstd", use_dictionary=["symbol", "source"], write_page_checksum=True,
        row_group_size=1 << 20,
    )  # fmt: skip
    return out.getvalue(), str(told["seal"])


def decode(path: Path, *, full: bool = True) -> Versions:
    """Read a symbol's file and check it. full : also when each row became known, and from whom; else NaT and "".

    Raises
    ------
    DataError
        If it cannot be read, is damaged, is no file of a catalog, or is of a newer format.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    names = ["session", *VALUES, *(("symbol", "source", "known_at") if full else ())]
    try:
        with pq.ParquetFile(path, page_checksum_verification=True, pre_buffer=False) as file:
            told = _told(file.schema_arrow.metadata, path)
            table = file.read(columns=names, use_threads=False)
        columns = {name: _numpy(table.column(name)) for name in names}
        sound = all(_sum(columns[name]) == told["sha256"][name] for name in names)
    except FileNotFoundError:
        raise
    except (pa.ArrowException, OSError, KeyError, TypeError, ValueError, OverflowError) as error:
        raise DataError("is damaged", where=str(path), cause=_first_line(error), fix=_DAMAGED) from error
    if not sound:
        raise DataError("is damaged", where=str(path), cause="its checksum does not fit", fix=_DAMAGED)
    n_rows = len(columns["session"])
    history = History(
        symbol=told["symbol"],
        kind=told["kind"],
        session=columns["session"],
        source=columns["source"] if full else np.full(n_rows, ""),
        **{name: columns[name] for name in VALUES},
    )
    known_at = columns["known_at"] if full else np.full(n_rows, "NaT", dtype="datetime64[us]")
    notes = tuple(GateFinding.of(note) for note in told["notes"])
    return Versions(history, known_at, notes, told["seal"])


def _told(metadata: dict[bytes, bytes] | None, path: Path) -> dict[str, Any]:
    if not metadata or _KEY not in metadata:
        raise DataError("is no file of a catalog", where=str(path), fix="move it away")
    told: dict[str, Any] = json.loads(metadata[_KEY])
    if _seal(told) != told["seal"]:
        raise ValueError("its metadata are not what was sealed")
    if told["format"] > FORMAT:
        what = f"is of format {told['format']}, this plimsoll knows {FORMAT}"
        raise DataError(what, where=str(path), cause="a newer plimsoll wrote it", fix="upgrade")
    return told


def _type(name: str) -> Any:
    import pyarrow as pa

    return {"session": pa.date32(), "known_at": pa.timestamp("us", tz="UTC")}.get(name, pa.float64())


def _numpy(column: Any) -> NDArray[Any]:
    import pyarrow as pa

    kind = column.type
    if pa.types.is_date32(kind):
        days: NDArray[Any] = column.cast(pa.int32()).to_numpy().astype("datetime64[D]")
        return days
    if pa.types.is_timestamp(kind):
        stamps: NDArray[Any] = column.cast(pa.int64()).to_numpy().astype("datetime64[us]")
        return stamps
    if pa.types.is_floating(kind):
        values: NDArray[Any] = column.to_numpy()
        return values
    return np.array(column.to_pylist(), dtype=np.str_)


def _sum(column: NDArray[Any]) -> str:
    if column.dtype.kind == "U":
        return hashlib.sha256("\n".join(column.tolist()).encode()).hexdigest()
    if column.dtype.kind == "M":
        return hashlib.sha256(np.ascontiguousarray(column.astype("<i8")).data).hexdigest()
    plain = np.where(np.isnan(column), np.nan, column) if np.isnan(column).any() else column  # one pattern of NaN
    return hashlib.sha256(np.ascontiguousarray(plain, dtype="<f8").data).hexdigest()


def _seal(told: dict[str, Any]) -> str:
    plain = json.dumps({key: value for key, value in told.items() if key != "seal"}, sort_keys=True)
    return hashlib.sha256(plain.encode()).hexdigest()


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:120]
