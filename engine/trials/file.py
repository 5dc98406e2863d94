"""The file behind the trial ledger: its tables, and how it is opened, checked and written.

SQLite with a rollback journal: a writer killed at any moment leaves a journal that the next one to open the file rolls
back, whoever that is. Readers therefore open for writing, too, where the file allows it.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from plimsoll.engine.errors import OutputError

FILE_NAME: Final = "trials.sqlite"
SCHEMA_VERSION: Final = 2
# Names the kind of file in SQLite's header; 0 is any database, or none yet.
APPLICATION_ID: Final = int.from_bytes(b"PLTL", "big")
ELSEWHERE: Final = "point --trials or PLIMSOLL_TRIALS to another folder, or set it to off"

_AXIS: Final = """
    CREATE TABLE axis (
        hash TEXT PRIMARY KEY,
        days BLOB NOT NULL -- since 1970-01-01, little-endian int32
    ) STRICT
    """
_ROWS: Final = """
    CREATE TABLE {table} (
        id INTEGER PRIMARY KEY,
        family TEXT NOT NULL,
        name TEXT NOT NULL,
        kind TEXT NOT NULL CHECK (kind IN ({kinds})),
        config_hash TEXT NOT NULL,
        data_hash TEXT NOT NULL,
        returns_hash TEXT NOT NULL,
        config_toml BLOB NOT NULL, -- UTF-8, zlib
        axis_hash TEXT NOT NULL REFERENCES axis (hash),
        first_session TEXT NOT NULL,
        last_session TEXT NOT NULL,
        n_sessions INTEGER NOT NULL CHECK (n_sessions > 0),
        returns BLOB NOT NULL CHECK (length(returns) = 8 * n_sessions), -- little-endian float64
        recorded_at TEXT NOT NULL, -- ISO 8601, UTC
        version TEXT NOT NULL,
        UNIQUE (family, config_hash, data_hash, returns_hash)
    ) STRICT
    """
# OR REPLACE deletes without firing a DELETE trigger: a row that is there must be passed over before it comes to that.
_KEEP: Final = (
    "CREATE TRIGGER {table}_{event} BEFORE {event} ON {table} "
    "BEGIN SELECT RAISE(ABORT, 'the trial ledger is append-only'); END"
)
_ONCE: Final = """
    CREATE TRIGGER {table}_insert BEFORE INSERT ON {table} WHEN EXISTS (SELECT 1 FROM {table} WHERE id = NEW.id)
        OR EXISTS (
            SELECT 1 FROM {table} WHERE (family, config_hash, data_hash, returns_hash)
                = (NEW.family, NEW.config_hash, NEW.data_hash, NEW.returns_hash)
        )
    BEGIN SELECT RAISE(IGNORE); END
    """


def _guarded(table: str, once: str) -> tuple[str, ...]:
    return (*(_KEEP.format(table=table, event=event) for event in ("update", "delete")), once.format(table=table))


# What each version added to the one before: trials, then ladders, whose rungs are no trials.
_STEPS: Final = (
    (
        _AXIS,
        _ROWS.format(table="trial", kinds="'backtest', 'sweep'"),
        *_guarded(
            "axis",
            "CREATE TRIGGER axis_insert BEFORE INSERT ON axis "
            "WHEN EXISTS (SELECT 1 FROM axis WHERE hash = NEW.hash) BEGIN SELECT RAISE(IGNORE); END",
        ),
        *_guarded("trial", _ONCE),
        f"PRAGMA application_id = {APPLICATION_ID}",
    ),
    (_ROWS.format(table="ladder", kinds="'ladder'"), *_guarded("ladder", _ONCE)),
)


@contextmanager
def reading(path: Path, timeout_s: float) -> Iterator[sqlite3.Connection | None]:
    """Yield a connection within one consistent read, or None where no ledger has been begun.

    Raises
    ------
    OutputError
        If the file is something else, is from a newer version, is damaged, or cannot be read.
    """
    if not _is_there(path):
        yield None
        return
    with _connected(path, "rw", timeout_s) as connection:
        connection.execute("PRAGMA query_only = ON")
        connection.execute("BEGIN")
        yield connection if _version_of(connection, path) else None


@contextmanager
def writing(path: Path, timeout_s: float) -> Iterator[sqlite3.Connection]:
    """Yield a connection within one transaction that is written on leaving, or not at all after an error.

    Folder, file and tables are made if missing, a file of an earlier version is added to. timeout_s : how long to wait
    for other writers.

    Raises
    ------
    OutputError
        If the file is something else, is from a newer version, is locked for too long, or cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"cannot be written: {error.strerror or error}", where=str(path), fix=ELSEWHERE) from error
    with _connected(path, "rwc", timeout_s) as connection:
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("BEGIN IMMEDIATE")
        version = _version_of(connection, path)
        for statement in (statement for step in _STEPS[version:] for statement in step):
            connection.execute(statement)
        if version < SCHEMA_VERSION:
            connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        yield connection
        connection.execute("COMMIT")


def has_table(connection: sqlite3.Connection, table: str) -> bool:
    """Return whether the ledger has a table: one of an earlier version that nobody has written to since may lack it."""
    query = "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = ?"
    return bool(connection.execute(query, (table,)).fetchone()[0])


def _is_there(path: Path) -> bool:
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise OutputError(f"cannot be read: {error.strerror or error}", where=str(path), fix=ELSEWHERE) from error
    return True


@contextmanager
def _connected(path: Path, mode: str, timeout_s: float) -> Iterator[sqlite3.Connection]:
    """Yield a connection in autocommit mode; closing it rolls an open transaction back."""
    address = f"{path.absolute().as_uri()}?mode={mode}"
    try:
        with closing(sqlite3.connect(address, uri=True, timeout=timeout_s, isolation_level=None)) as connection:
            yield connection
    except (sqlite3.Error, UnicodeDecodeError) as error:  # the latter where damage is told in damaged words
        raise _refusal(error, path, timeout_s) from error


def _version_of(connection: sqlite3.Connection, path: Path) -> int:
    """Return the schema's version, 0 for a file with nothing in it; refuse what is not ours."""
    application, version, objects = (
        int(connection.execute(query).fetchone()[0])
        for query in ("PRAGMA application_id", "PRAGMA user_version", "SELECT count(*) FROM sqlite_master")
    )
    if application == version == objects == 0:
        return 0
    if application != APPLICATION_ID:
        raise OutputError("is not a trial ledger", where=str(path), cause="another database", fix=ELSEWHERE)
    if version > SCHEMA_VERSION:
        raise OutputError(
            f"the ledger is of version {version}, this plimsoll knows {SCHEMA_VERSION}",
            where=str(path),
            cause="a newer plimsoll wrote it",
            fix=f"upgrade, or {ELSEWHERE}",
        )
    return version


def _refusal(error: Exception, path: Path, timeout_s: float) -> OutputError:
    undecodable = isinstance(error, UnicodeDecodeError)
    code = sqlite3.SQLITE_CORRUPT if undecodable else getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
    code &= 0xFF  # without the extended bits, which tell the file system's part of the story
    if code == sqlite3.SQLITE_BUSY:
        what, cause = f"is locked for more than {timeout_s:g} s", "another process is writing"
    elif code == sqlite3.SQLITE_NOTADB:
        what, cause = "is not a trial ledger", "another kind of file, or a damaged one"
    elif code == sqlite3.SQLITE_CORRUPT:
        what, cause = f"is damaged: {error}", ""
    else:
        what, cause = f"cannot be used: {error}", ""
    return OutputError(what, where=str(path), cause=cause, fix=ELSEWHERE)
