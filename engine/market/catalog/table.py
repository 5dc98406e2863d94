"""The format of a symbol's file: its columns, its key-value metadata, its checksums.

A Parquet file of two row groups: the version in force of every session, by session; then, if there are any, the
versions these took the place of, by session and by when each became known. What is in force is read by itself.

    symbol    dictionary<string>     as this package spells it: a reader that joins files needs it in every row
    session   date32                 exchange date
    open high low close  float64     dollars as traded, null = not known
    volume    float64                shares as traded, null = not known
    dividend  float64                cash per share of that session on its ex-date, gains included, 0 = none
    split     float64                new shares per old share in force at that open, 1 = none
    gain      float64                what of the cash its source calls a capital gain, 0 = none
    source    dictionary<string>     who told the row
    known_at  timestamp[us, UTC]     when this version of the row was stored

Of the versions of a session the one with the youngest `known_at` is in force; no two have the same. The metadata key
`plimsoll` holds JSON: format, symbol, kind, notes (what the gates had to say about the last pull), stood (since when
somebody stands for a session's move), known (when the first and the last version was stored) and, for each row group,
its rows and sha256 by column, over its values as little-endian 64-bit words (NaN for null) or as UTF-8 joined by line
feeds, all of it under one seal: a bit that flips anywhere in the file is an error or means nothing, never a price.
Format 1 had one group, every version by session and by when it became known; it is read, and written anew as this.
"""

import hashlib
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from plimsoll.engine.errors import DataError
from plimsoll.engine.market.catalog.versions import ALWAYS, Known, Versions, in_force_at
from plimsoll.engine.market.gates.finding import GateFinding
from plimsoll.engine.market.history import VALUES, History
from plimsoll.engine.types import Dates

FORMAT: Final = 2
_KEY: Final = b"plimsoll"
_DAMAGED: Final = "restore the file from a copy, or move it away and pull the symbol again"
_PRICED: Final = ("session", *VALUES)
_ALL: Final = ("symbol", *_PRICED, "source", "known_at")
# What JSON holds in the place of a moment that there is none of.
_NEVER: Final = ""

_Columns: TypeAlias = dict[str, NDArray[Any]]


class _Wanted(NamedTuple):
    """What of a file is read: which columns, and whether of the versions of before, too."""

    names: tuple[str, ...]
    past: bool


def encode(versions: Versions) -> tuple[bytes, str]:
    """Return the bytes of a symbol's file, and the digest that names their content."""
    import pyarrow.parquet as pq

    history, known_at, mask = versions.history, versions.known_at.astype("datetime64[us]"), versions.in_force
    groups = [_columns(history.take(mask), known_at[mask])]
    told: dict[str, Any] = {
        "format": FORMAT,
        "symbol": history.symbol,
        "kind": history.kind,
        "notes": [note.plain() for note in versions.notes],
        "stood": dict(versions.stood),
        "known": [str(known_at.min()), str(known_at.max())] if len(known_at) else [_NEVER, _NEVER],
        "sha256": _sums(groups[0]),
    }
    if not mask.all():
        groups.append(_columns(history.take(~mask), known_at[~mask]))
        told["past"] = _sums(groups[1])
    told["seal"] = _seal(told)
    tables = [_table(columns, json.dumps(told).encode()) for columns in groups]
    out = io.BytesIO()
    with pq.ParquetWriter(
        out, tables[0].schema, compression="zstd", use_dictionary=["symbol", "source", "known_at"],
        write_page_checksum=True,
    ) as writer:  # fmt: skip
        for table in tables:
            writer.write_table(table, row_group_size=max(1, len(table)))
    return out.getvalue(), str(told["seal"])


def decode(path: Path) -> Versions:
    """Read every version of a symbol from its file and check all of it.

    Raises
    ------
    DataError
        If it cannot be read, is damaged, is no file of a catalog, or is of a newer format.
    """
    told, now, past = _read(path, lambda _: _Wanted(_ALL, True))
    columns = {name: np.concatenate([past[name], now[name]]) for name in _ALL} if past else now
    order = np.argsort(columns["session"], kind="stable")
    columns = {name: column[order] for name, column in columns.items()}
    notes = tuple(GateFinding.of(note) for note in told["notes"])
    return Versions(_history(told, columns), columns["known_at"], notes, told["seal"], _stood(told))


def decode_known(path: Path, moment: np.datetime64 | None = None) -> Known:
    """Read what was known of a symbol at a moment (UTC; None = now): what that needs, and what is read is checked.

    Raises
    ------
    DataError
        As `decode`.
    """

    def wanted(told: dict[str, Any]) -> _Wanted:
        if told["format"] > 1 and (moment is None or not moment < _stamp(told["known"][1])):
            return _Wanted(_PRICED, False)
        return _Wanted((*_PRICED, "known_at"), moment is not None)

    told, now, past = _read(path, wanted)
    if told["format"] == 1:
        return _known_of(decode(path), moment)
    history, stood = _history(told, now), _stood(told)
    first, last = (_stamp(text) for text in told["known"])
    if "known_at" not in now:
        return Known(history, frozenset(stood), first, last)
    old = past or {name: column[:0] for name, column in now.items()}
    return _selected((history, now["known_at"]), (_history(told, old), old["known_at"]), stood, first, moment)


def first_known(path: Path) -> np.datetime64:
    """Return when the first version in a file was stored (UTC), NaT if there is none; no row is looked at.

    Raises
    ------
    DataError
        As `decode`.
    """
    told, now, _ = _read(path, lambda told: _Wanted(("known_at",) if told["format"] == 1 else (), False))
    if told["format"] == 1:
        return now["known_at"].min() if len(now["known_at"]) else np.datetime64("NaT")
    return _stamp(told["known"][0])


def _known_of(versions: Versions, moment: np.datetime64 | None) -> Known:
    mask, known_at = versions.in_force, versions.known_at
    first, last = (known_at.min(), known_at.max()) if len(known_at) else (np.datetime64("NaT"), np.datetime64("NaT"))
    if moment is None:
        return Known(versions.current(), frozenset(versions.stood), first, last)
    now, past = ((versions.history.take(rows), known_at[rows]) for rows in (mask, ~mask))
    return _selected(now, past, dict(versions.stood), first, moment)


def _selected(
    now: tuple[History, Dates], past: tuple[History, Dates], stood: dict[str, str], first: np.datetime64, moment: Any
) -> Known:
    history, known_at = in_force_at(*now, *past, moment)
    by_then = frozenset(day for day, since in stood.items() if _stamp(since) <= moment)
    return Known(history, by_then, first, known_at.max() if len(known_at) else np.datetime64("NaT"))


def _read(path: Path, choose: Callable[[dict[str, Any]], _Wanted]) -> tuple[dict[str, Any], _Columns, _Columns]:
    """Return the metadata of a file, its first row group and its second, empty where it is not there or not wanted."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path, page_checksum_verification=True, pre_buffer=False) as file:
            told = _told(file.schema_arrow.metadata, path)
            names, past = choose(told)
            sums = [told["sha256"], *([told["past"]] if past and "past" in told else [])]
            groups = [_group(file, at, names) for at in range(len(sums))]
        sound = all(
            _sum(column) == wanted[name]
            for columns, wanted in zip(groups, sums, strict=True)
            for name, column in columns.items()
        )
    except FileNotFoundError:
        raise
    except (pa.ArrowException, OSError, KeyError, IndexError, TypeError, ValueError, OverflowError) as error:
        raise DataError("is damaged", where=str(path), cause=_first_line(error), fix=_DAMAGED) from error
    if not sound:
        raise DataError("is damaged", where=str(path), cause="its checksum does not fit", fix=_DAMAGED)
    return told, groups[0], groups[1] if len(groups) > 1 else {}


def _group(file: Any, at: int, names: tuple[str, ...]) -> _Columns:
    if not names:
        return {}
    wanted = [at] if file.num_row_groups else []  # no rows, no group
    table = file.read_row_groups(wanted, columns=list(names), use_threads=False)
    return {name: _numpy(table.column(name)) for name in names}


def _columns(history: History, known_at: Dates) -> _Columns:
    priced = {name: history.column(name) for name in VALUES}
    symbol = np.full(len(history), history.symbol)
    return {"symbol": symbol, "session": history.session, **priced, "source": history.source, "known_at": known_at}


def _table(columns: _Columns, metadata: bytes) -> Any:
    import pyarrow as pa

    text = pa.dictionary(pa.int32(), pa.string())
    arrays = {
        name: pa.array(column.astype(object), pa.string()).cast(text)
        if name in ("symbol", "source")
        else pa.array(column, _type(name), mask=None if name in ("session", "known_at") else np.isnan(column))
        for name, column in columns.items()
    }
    fields = [pa.field(name, array.type, nullable=name in VALUES[:5]) for name, array in arrays.items()]
    return pa.Table.from_arrays(list(arrays.values()), schema=pa.schema(fields, {_KEY: metadata}))


def _history(told: dict[str, Any], columns: _Columns) -> History:
    source = columns["source"] if "source" in columns else np.full(len(columns["session"]), "")
    return History(told["symbol"], told["kind"], columns["session"], source, **{name: columns[name] for name in VALUES})


def _stood(told: dict[str, Any]) -> dict[str, str]:
    """Return since when each session's move is stood for; format 1 knew only what the last pull had to say."""
    if told["format"] > 1:
        return dict(told["stood"])
    return {note["session"]: ALWAYS for note in told["notes"] if note["gate"] == "jump"}


def _stamp(text: str) -> np.datetime64:
    return np.datetime64(text or "NaT", "us")


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


def _sums(columns: _Columns) -> dict[str, str]:
    return {name: _sum(column) for name, column in columns.items()}


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
