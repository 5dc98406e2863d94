"""A copy of the journal: whole at first, then what is new of it.

A process that lives long would else copy ten years after every slot. What changed is known from the chain of events:
rows of a session change with an event that names it or one of its orders, or they are of the last plan's session.
"""

import json
import os
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Final

BY_SESSION: Final = ("plan", "goal", "slot", "intent")
SMALL: Final = ("meta", "fence", "halt", "holding")  # copied as they are


@dataclass(slots=True)
class Copied:
    """What a copy of this process holds. seq : of its last event, 0 = there is none; session : of its last plan."""

    seq: int = 0
    session: str = ""


def copy_to(db: sqlite3.Connection, to: Path, done: Copied) -> None:
    """Bring a copy up to date, or make it; `done` is moved on.

    Raises
    ------
    sqlite3.Error, OSError
        If it cannot be written. A copy that was there is as it was, or as SQLite makes it so when it is opened.
    """
    if not (done.seq and to.exists() and _continued(db, to, done)):
        _whole(db, to)
    last = db.execute("SELECT max(seq) FROM event").fetchone()[0]
    session = db.execute("SELECT max(session) FROM plan").fetchone()[0]
    done.seq, done.session = int(last or 0), str(session or "")


def _whole(db: sqlite3.Connection, to: Path) -> None:
    fresh = to.with_name(f".{to.name}.unfinished")
    fresh.unlink(missing_ok=True)
    os.close(os.open(fresh, os.O_CREAT | os.O_RDWR, 0o600))
    copy = sqlite3.connect(fresh)
    try:
        db.backup(copy)
        copy.execute("PRAGMA journal_mode = DELETE").fetchone()  # one file is all there is of it
    finally:
        copy.close()
    fresh.replace(to)


def _continued(db: sqlite3.Connection, to: Path, done: Copied) -> bool:
    """Add what is new; False if the copy is not what this process left."""
    attached = False
    try:
        db.execute("ATTACH ? AS copy", (str(to),))
        attached = True
        db.execute("BEGIN IMMEDIATE")
        try:
            same = db.execute(
                "SELECT count(*) FROM copy.event b JOIN main.event e USING (seq, sha)"
                " WHERE seq = ? AND seq = (SELECT max(seq) FROM copy.event)", (done.seq,)
            ).fetchone()[0]  # fmt: skip
            if same:
                _add(db, done)
            db.execute("COMMIT")
        finally:
            if db.in_transaction:
                db.execute("ROLLBACK")
    except sqlite3.DatabaseError:  # whatever lies there is replaced by a whole copy
        return False
    finally:
        if attached:
            db.execute("DETACH copy")
    return bool(same)


def _add(db: sqlite3.Connection, done: Copied) -> None:
    since = _since(db, done)
    _take(db, "event", "seq > ?", done.seq)
    for table in BY_SESSION:
        _take(db, table, "session >= ?", since)
    _take(db, "attempt", "client_id IN (SELECT client_id FROM main.intent WHERE session >= ?)", since)
    for table in SMALL:
        db.execute(f"DELETE FROM copy.{table}")
        _take(db, table, "?", 1)


def _take(db: sqlite3.Connection, table: str, where: str, value: str | int) -> None:
    """Copy rows under their own numbers: orders are told in the order in which they were planned."""
    names = [row[1] for row in db.execute(f"PRAGMA main.table_info({table})")]
    columns = ", ".join(("rowid", *names))
    db.execute(
        f"INSERT OR REPLACE INTO copy.{table} ({columns}) SELECT {columns} FROM main.{table} WHERE {where}", (value,)
    )


def _since(db: sqlite3.Connection, done: Copied) -> str:
    """Return the first session of which a row may have changed."""
    found = {done.session}
    for (body,) in db.execute("SELECT body FROM main.event WHERE seq > ?", (done.seq,)).fetchall():
        told = json.loads(body)
        found |= {told["session"]} if isinstance(told.get("session"), str) else set()
        if isinstance(told.get("id"), str):
            row = db.execute("SELECT session FROM main.intent WHERE client_id = ?", (told["id"],)).fetchone()
            found |= set() if row is None else {str(row[0])}
    return min(found)
