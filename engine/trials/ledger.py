"""The trial ledger: every configuration that was ever evaluated, so that later statistics know how many there were.

A Sharpe ratio that is the best of many says little; the deflated Sharpe ratio and the probability of backtest
overfitting need the number of trials and the returns of each (Bailey & Lopez de Prado 2014). What was tried is
therefore recorded when it is tried, once, and never changed.
"""

import sys
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from plimsoll.engine.errors import DataError, OutputError
from plimsoll.engine.trials.file import ELSEWHERE, FILE_NAME, has_table, reading, writing
from plimsoll.engine.trials.row import (
    LADDER,
    TrialRow,
    day_bytes,
    days_from,
    ladder_rows,
    return_bytes,
    returns_from,
    row_of,
)
from plimsoll.engine.types import Dates, Floats, Ints

if TYPE_CHECKING:
    import sqlite3

    from plimsoll.engine.runtime.record import Record

VARIABLE: Final = "PLIMSOLL_TRIALS"
OFF: Final = "off"
_COLUMNS: Final = (
    *("family", "name", "kind", "config_hash", "data_hash", "returns_hash", "config_toml", "axis_hash"),
    *("first_session", "last_session", "n_sessions", "returns", "recorded_at", "version"),
)
# The id is given: what a guard sees of one that SQLite would choose is undefined.
_INSERT: Final = {
    table: f"INSERT INTO {table} (id, {', '.join(_COLUMNS)}) "
    f"VALUES ((SELECT coalesce(max(id), 0) + 1 FROM {table}), {', '.join(f':{name}' for name in _COLUMNS)})"
    for table in ("trial", "ladder")
}
_OF_FAMILY: Final = "WHERE :family IS NULL OR family = :family"


@dataclass(frozen=True, slots=True)
class Family:
    """How much was tried of one strategy family, and when (ISO 8601, UTC)."""

    name: str
    n_trials: int
    n_data_sets: int
    first_recorded: str
    last_recorded: str


class FamilyReturns(NamedTuple):
    """The returns of a family's trials on the union of their sessions.

    sessions (T,) datetime64[D]; matrix (T, M) simple returns, NaN where a trial has no session; ids (M,) of the trials.
    """

    sessions: Dates
    matrix: Floats
    ids: Ints


def side_by_side(rows: Sequence[TrialRow]) -> FamilyReturns:
    """Return the returns of recorded trials on the union of their sessions."""
    axes = {id(row.sessions): row.sessions for row in rows}  # trials on the same dates share one array
    sessions: Dates = np.unique(np.concatenate([np.empty(0, dtype="datetime64[D]"), *axes.values()]))
    matrix: Floats = np.full((len(sessions), len(rows)), np.nan)
    for column, row in enumerate(rows):
        matrix[np.searchsorted(sessions, row.sessions), column] = row.returns
    return FamilyReturns(sessions, matrix, np.array([row.id for row in rows], dtype=np.int64))


@dataclass(frozen=True, slots=True)
class TrialLedger:
    """An append-only store of trials in one file; any number of processes may write at once.

    path : the file; made with the first trial. timeout_s : how long to wait for other writers.
    Every method raises OutputError if the file is not a ledger of a known version, is damaged, or cannot be used.
    """

    path: Path
    timeout_s: float = 10.0

    def record(self, rows: Iterable[TrialRow]) -> int:
        """Add trials, all or none, and return how many were new.

        A trial of the same family, configuration, data and returns is there already and is passed over; so is a rung of
        a ladder, which is kept apart and is no trial.

        Raises
        ------
        OutputError
            If the ledger cannot be written.
        """
        batch = list(rows)  # before the lock is taken: making rows may take long
        if not batch:
            return 0
        with writing(self.path, self.timeout_s) as connection:
            return sum(_add(connection, row) for row in batch)

    def record_many(self, rows: Iterable[TrialRow], portion: int = 512) -> int:
        """Add trials in portions, each all or none, and return how many were new; what was added twice counts once.

        Raises
        ------
        OutputError
            If the ledger cannot be written; whole portions may be in it by then.
        """
        waiting, new = iter(rows), 0
        while batch := list(islice(waiting, portion)):
            new += self.record(batch)
        return new

    def families(self) -> tuple[Family, ...]:
        """Return what is counted for each family, sorted by name."""
        query = (
            "SELECT family, count(*), count(DISTINCT data_hash), min(recorded_at), max(recorded_at) "
            "FROM trial GROUP BY family ORDER BY family"
        )
        with reading(self.path, self.timeout_s) as connection:
            found = [] if connection is None else connection.execute(query).fetchall()
        return tuple(Family(*values) for values in found)

    def rows(self, family: str | None = None) -> tuple[TrialRow, ...]:
        """Return the trials of a family, or all, in the order they were recorded."""
        return self._found("trial", family)

    def ladders(self, family: str | None = None) -> tuple[TrialRow, ...]:
        """Return the rungs of a family's ladders, or all, in the order they were recorded: these are no trials."""
        return self._found("ladder", family)

    def _found(self, table: str, family: str | None) -> tuple[TrialRow, ...]:
        names = ("id", *_COLUMNS)
        query = f"SELECT {', '.join(names)} FROM {table} {_OF_FAMILY} ORDER BY id"
        dates = f"SELECT hash, days FROM axis WHERE hash IN (SELECT axis_hash FROM {table} {_OF_FAMILY})"
        with reading(self.path, self.timeout_s) as connection:
            if connection is None or not has_table(connection, table):
                return ()
            wanted = {"family": family}
            axes: dict[str, bytes] = dict(connection.execute(dates, wanted).fetchall())
            found = connection.execute(query, wanted).fetchall()
        sessions = {key: days_from(content) for key, content in axes.items() if len(content) % 4 == 0}
        return tuple(self._row(dict(zip(names, values, strict=True)), sessions) for values in found)

    def returns(self, family: str) -> FamilyReturns:
        """Return the returns of a family's trials side by side."""
        return side_by_side(self.rows(family))

    def _row(self, stored: dict[str, Any], axes: Mapping[str, Dates]) -> TrialRow:
        """Return a trial as it was recorded; its hash tells whether it still is."""
        same = ("id", "family", "name", "kind", "config_hash", "data_hash", "recorded_at", "version")
        try:
            row = TrialRow(
                **{name: stored[name] for name in same},
                config_toml=zlib.decompress(stored["config_toml"]).decode(),
                sessions=axes[stored["axis_hash"]],
                returns=returns_from(stored["returns"]),
            )
            whole = row.returns_hash == stored["returns_hash"]
        except (zlib.error, ValueError, KeyError, DataError):
            whole = False
        if not whole:
            fix = f"restore the file from a copy, or {ELSEWHERE}"
            raise OutputError(f"trial {stored['id']} is damaged", where=str(self.path), fix=fix)
        return row


def _add(connection: "sqlite3.Connection", row: TrialRow) -> int:
    days = {"hash": row.axis_hash, "days": day_bytes(row.sessions)}
    connection.execute("INSERT INTO axis (hash, days) VALUES (:hash, :days)", days)
    same = ("family", "name", "kind", "config_hash", "data_hash", "returns_hash", "recorded_at", "version", "axis_hash")
    values: dict[str, Any] = {name: getattr(row, name) for name in same}
    values |= {
        "config_toml": zlib.compress(row.config_toml.encode()),
        "first_session": str(row.sessions[0]),
        "last_session": str(row.sessions[-1]),
        "n_sessions": len(row.sessions),
        "returns": return_bytes(row.returns),
    }
    return connection.execute(_INSERT["ladder" if row.kind == LADDER else "trial"], values).rowcount


def open_ledger(setting: str | Path | None, env: Mapping[str, str]) -> TrialLedger | None:
    """Return the ledger in force, or None where it is switched off. Nothing is read or written yet.

    setting : a folder or "off"; None (or empty) leaves it to `PLIMSOLL_TRIALS` in `env`, which means the same, and that
    to the user's data folder. A `Path` is a folder whatever its name.

    Raises
    ------
    OutputError
        If it is left to the user's data folder and there is no home folder.
    """
    given = env.get(VARIABLE) if setting is None or setting == "" else setting
    chosen = given or _data_folder(env)
    if isinstance(chosen, str) and chosen.strip().lower() == OFF:
        return None
    return TrialLedger(Path(chosen) / FILE_NAME)


def _data_folder(env: Mapping[str, str]) -> Path:
    """Return where the platform keeps what a user's programs have made."""
    try:
        if sys.platform == "darwin":
            base = Path.home() / "Library" / "Application Support"
        elif sys.platform == "win32":
            base = Path(env.get("LOCALAPPDATA") or Path.home())
        else:
            base = Path(env.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
    except RuntimeError as error:
        raise OutputError("no folder for the trial ledger", cause="no home folder is known", fix=ELSEWHERE) from error
    return base / "plimsoll" / "trials"


def record_backtest(
    run: "Record", setting: str | Path | None, *, env: Mapping[str, str], recorded_at: datetime
) -> None:
    """Record a finished backtest, and the rungs of its ladder, in the ledger in force, if one is.

    recorded_at : aware, UTC.

    Raises
    ------
    OutputError
        If the ledger cannot be written; the run itself is as good as before.
    """
    ledger = open_ledger(setting, env)
    if ledger is not None:
        moment = recorded_at.isoformat(timespec="seconds")
        ledger.record([row_of(run, "backtest", moment), *ladder_rows(run, moment)])
