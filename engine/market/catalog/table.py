"""The format of a symbol's file: its columns, its key-value metadata, its checksums.

A Parquet file of row groups: the version in force of every session, by session; then, if there are any, the versions
these took the place of, by when something took their place, a thousand or more to a group. What is in force is read by
itself, and as of a moment with it only the groups that hold something whose place was taken later. Who takes the file
as a table sees no price of a version that is not in force: `where past is null` is what is.

    symbol    dictionary<string>     as this package spells it: a reader that joins files needs it in every row
    session   date32                 exchange date
    open high low close  float64     dollars as traded, null = not known
    volume    float64                shares as traded, null = not known
    dividend  float64                cash per share of that session on its ex-date, gains included, 0 = none
    split     float64                new shares per old share in force at that open, 1 = none
    gain      float64                what of the cash its source calls a capital gain, 0 = none
    source    dictionary<string>     who told the row
    known_at  timestamp[us, UTC]     when this version of the row was stored
    past      fixed binary[88]       of a version that is no longer in force, as little-endian 64-bit words: its session
                                     (days since 1970), its known_at and when its place was taken (microseconds since
                                     1970), its eight numbers, open to gain (floats), which its columns above leave
                                     null; null in a row that is in force

Of the versions of a session the one with the youngest `known_at` is in force; no two have the same. The metadata key
`plimsoll` holds JSON: format, symbol, kind, notes (what the gates had to say about the last pull), stood (since when
somebody stands for a session's move), known (when the first and the last version was stored), the sha256 of every
column of what is in force, and past: of each further group the same, its rows, and until when any of them was in force.
A sum is over the values as little-endian 64-bit words (NaN for null) or as UTF-8 joined by line feeds, and all is under
one seal: a bit that flips anywhere in the file is an error or means nothing, never a price.
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
from plimsoll.engine.market.catalog.versions import ALWAYS, Known, Superseded, Versions, in_force_at, untold
from plimsoll.engine.market.gates.finding import GateFinding
from plimsoll.engine.market.history import VALUES, History
from plimsoll.engine.types import Dates, Ints

FORMAT: Final = 2
_KEY: Final = b"plimsoll"
_DAMAGED: Final = "restore the file from a copy, or move it away and pull the symbol again"
_PRICED: Final = ("session", *VALUES)
_ALL: Final = ("symbol", *_PRICED, "source", "known_at")
# All that a moment asks of a superseded row in one column, in a codec that is quick to undo: one is read, not ten.
_PACKED: Final = "past"
_UNITS: Final = ("D", "us", "us")  # of the three stamps that come first
_WORDS: Final = len(_UNITS) + len(VALUES)
# What JSON holds in the place of a moment that there is none of.
_NEVER: Final = ""

# Superseded versions in a group: few enough that a moment reads little that it has no use for; and groups at most.
_GROUP_ROWS: Final = 1024
_GROUPS: Final = 64

_Columns: TypeAlias = dict[str, NDArray[Any]]


class _Wanted(NamedTuple):
    """What of a file is read: which columns, and of versions of before those replaced after `past`, None = none."""

    names: tuple[str, ...]
    past: np.datetime64 | None


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
        "past": [],
    }
    older, past = versions.superseded()
    words = _packed(past)
    size = max(_GROUP_ROWS, -(-len(older) // _GROUPS))
    for rows in (slice(start, start + size) for start in range(0, len(older), size)):
        columns = _columns(older.take(rows), past.known_at[rows])
        columns = {name: column for name, column in columns.items() if name not in VALUES}
        groups.append(columns | {_PACKED: words[rows]})
        until = str(past.until[rows][-1])
        told["past"].append({"rows": len(columns["session"]), "until": until, "sha256": _sums(groups[-1])})
    told["seal"] = _seal(told)
    tables = [_table(columns, json.dumps(told).encode()) for columns in groups]
    codecs = dict.fromkeys(_ALL, "zstd") | {_PACKED: "lz4"}
    coded = ["symbol", "source", "known_at"]
    out = io.BytesIO()
    with pq.ParquetWriter(
        out, tables[0].schema, compression=codecs, use_dictionary=coded, write_page_checksum=True
    ) as writer:
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
    told, now, past = _read(path, lambda _: _Wanted(_ALL, _stamp(ALWAYS)))
    if past:
        values = _unpacked(past[_PACKED]).values
        past |= {name: values[:, k] for k, name in enumerate(VALUES)}
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
            return _Wanted(_PRICED, None)
        return _Wanted((*_PRICED, "known_at"), moment)

    told, now, past = _read(path, wanted)
    if told["format"] == 1:
        return _known_of(decode(path), moment)
    history, stood = _history(told, now), _stood(told)
    first, last = (_stamp(text) for text in told["known"])
    if moment is None or "known_at" not in now:
        return Known(history, frozenset(stood), first, last)
    replaced = _unpacked(past[_PACKED] if past else np.empty((0, _WORDS), dtype=np.int64))
    return _selected(history, now["known_at"], replaced, stood, first, moment)


def first_known(path: Path) -> np.datetime64:
    """Return when the first version in a file was stored (UTC), NaT if there is none; no row is looked at.

    Raises
    ------
    DataError
        As `decode`.
    """
    told, now, _ = _read(path, lambda told: _Wanted(("known_at",) if told["format"] == 1 else (), None))
    if told["format"] == 1:
        return now["known_at"].min() if len(now["known_at"]) else np.datetime64("NaT")
    return _stamp(told["known"][0])


def _known_of(versions: Versions, moment: np.datetime64 | None) -> Known:
    mask, known_at = versions.in_force, versions.known_at
    first, last = (known_at.min(), known_at.max()) if len(known_at) else (np.datetime64("NaT"), np.datetime64("NaT"))
    if moment is None:
        return Known(versions.current(), frozenset(versions.stood), first, last)
    now = versions.history.take(mask)
    return _selected(now, known_at[mask], versions.superseded()[1], dict(versions.stood), first, moment)


def _selected(
    now: History, known_at: Dates, past: Superseded, stood: dict[str, str], first: np.datetime64, moment: np.datetime64
) -> Known:
    history, stamps = in_force_at(now, known_at, past, moment)
    by_then = frozenset(day for day, since in stood.items() if _stamp(since) <= moment)
    return Known(history, by_then, first, stamps.max() if len(stamps) else np.datetime64("NaT"))


def _read(path: Path, choose: Callable[[dict[str, Any]], _Wanted]) -> tuple[dict[str, Any], _Columns, _Columns]:
    """Return the metadata of a file, what is in force, and of what it replaced the groups wanted, empty if none is."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path, page_checksum_verification=True, pre_buffer=False) as file:
            told = _told(file.schema_arrow.metadata, path)
            names, past = choose(told)
            now = _group(file, [0] if file.num_row_groups else [], names)  # no rows, no group
            sound = _sound(now, told["sha256"], slice(None))
            groups = _groups_since(told, past)
            old = _group(file, list(groups), _names_of_past(names) if groups else ())
            start = 0
            for group in groups.values():
                sound &= _sound(old, group["sha256"], slice(start, start + group["rows"]))
                start += group["rows"]
            if _PACKED in old and "session" in old:
                told_twice = _unpacked(old[_PACKED])
                sound &= np.array_equal(told_twice.session, old["session"])
                sound &= np.array_equal(told_twice.known_at, old["known_at"])
    except FileNotFoundError:
        raise
    except (pa.ArrowException, OSError, KeyError, IndexError, TypeError, ValueError, OverflowError) as error:
        raise DataError("is damaged", where=str(path), cause=_first_line(error), fix=_DAMAGED) from error
    if not sound:
        raise DataError("is damaged", where=str(path), cause="its checksum does not fit", fix=_DAMAGED)
    return told, now, old


def _groups_since(told: dict[str, Any], moment: np.datetime64 | None) -> dict[int, dict[str, Any]]:
    """Return what is told of each row group that holds a version whose place was taken after a moment, None = none."""
    if moment is None or told["format"] == 1:
        return {}
    return {k: group for k, group in enumerate(told["past"], 1) if _stamp(group["until"]) > moment}


def _names_of_past(names: tuple[str, ...]) -> tuple[str, ...]:
    """Return the columns that hold what is wanted of superseded versions: of one that everything is, all."""
    return (*(name for name in _ALL if name not in VALUES), _PACKED) if names == _ALL else (_PACKED,)


def _packed(past: Superseded) -> Ints:
    """Return (P, 11) words of superseded versions, NaN of one pattern."""
    stamps = [part.astype(f"datetime64[{unit}]").astype("<i8") for part, unit in zip(past[:3], _UNITS, strict=True)]
    values = np.where(np.isnan(past.values), np.nan, past.values).astype("<f8")
    return np.concatenate([np.stack(stamps, axis=1), values.view("<i8")], axis=1)


def _unpacked(words: Ints) -> Superseded:
    """Return what `_packed` packed."""
    session, known_at, until = (words[:, k].view(f"<M8[{unit}]") for k, unit in enumerate(_UNITS))
    return Superseded(session, known_at, until, words[:, len(_UNITS) :].view("<f8"))


def _group(file: Any, at: list[int], names: tuple[str, ...]) -> _Columns:
    """Return columns of row groups, one after the other."""
    if not names:
        return {}
    table = file.read_row_groups(at, columns=list(names), use_threads=False)
    return {name: _numpy(table.column(name)) for name in names}


def _sound(columns: _Columns, sums: dict[str, str], rows: slice) -> bool:
    """Return whether these rows of the columns are those that were summed."""
    return all(_sum(column[rows]) == sums[name] for name, column in columns.items())


def _columns(history: History, known_at: Dates) -> _Columns:
    priced = {name: history.column(name) for name in VALUES}
    symbol = np.full(len(history), history.symbol)
    return {"symbol": symbol, "session": history.session, **priced, "source": history.source, "known_at": known_at}


def _table(columns: _Columns, metadata: bytes) -> Any:
    import pyarrow as pa

    n_rows, arrays = len(columns["session"]), {}
    for name in (*_ALL, _PACKED):
        column = columns.get(name)
        if column is None:
            arrays[name] = pa.nulls(n_rows, _type(name))
        elif name in ("symbol", "source"):
            arrays[name] = pa.array(column.astype(object), pa.string()).cast(_type(name))
        elif name == _PACKED:
            whole = pa.py_buffer(np.ascontiguousarray(column))
            arrays[name] = pa.FixedSizeBinaryArray.from_buffers(_type(name), n_rows, [None, whole])
        else:
            unknown = None if name in ("session", "known_at") else np.isnan(column)
            arrays[name] = pa.array(column, _type(name), mask=unknown)
    fields = [pa.field(name, array.type, nullable=name in (*VALUES, _PACKED)) for name, array in arrays.items()]
    return pa.Table.from_arrays(list(arrays.values()), schema=pa.schema(fields, {_KEY: metadata}))


def _history(told: dict[str, Any], columns: _Columns) -> History:
    source = columns["source"] if "source" in columns else untold(len(columns["session"]))
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

    text = pa.dictionary(pa.int32(), pa.string())
    known = {"session": pa.date32(), "known_at": pa.timestamp("us", tz="UTC"), "symbol": text, "source": text}
    return pa.binary(8 * _WORDS) if name == _PACKED else known.get(name, pa.float64())


def _numpy(column: Any) -> NDArray[Any]:
    import pyarrow as pa

    kind = column.type
    if pa.types.is_date32(kind):
        days: NDArray[Any] = column.cast(pa.int32()).to_numpy().astype("datetime64[D]")
        return days
    if pa.types.is_timestamp(kind):
        stamps: NDArray[Any] = column.cast(pa.int64()).to_numpy().astype("datetime64[us]")
        return stamps
    if pa.types.is_fixed_size_binary(kind):
        whole = column.combine_chunks()
        if whole.null_count:
            raise ValueError("a superseded version has no numbers")
        words: NDArray[Any] = np.frombuffer(whole.buffers()[1], "<i8", _WORDS * len(whole), 8 * _WORDS * whole.offset)
        return words.reshape(-1, _WORDS)
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
    if column.dtype.kind == "i":
        return hashlib.sha256(np.ascontiguousarray(column).data).hexdigest()
    plain = np.where(np.isnan(column), np.nan, column) if np.isnan(column).any() else column  # one pattern of NaN
    return hashlib.sha256(np.ascontiguousarray(plain, dtype="<f8").data).hexdigest()


def _seal(told: dict[str, Any]) -> str:
    plain = json.dumps({key: value for key, value in told.items() if key != "seal"}, sort_keys=True)
    return hashlib.sha256(plain.encode()).hexdigest()


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:120]
