"""The chain of events: each row's hash covers the one before, so that an altered or removed row is seen.

What it does not see is a tail cut off at the end, and a whole journal put in place of another one.
"""

import hashlib
import json
import sqlite3
from collections.abc import Mapping
from typing import Any, Final

from plimsoll.engine.errors import OutputError

START: Final = "0" * 64


def link(last: str, seq: int, at: str, kind: str, body: str) -> str:
    """Return the hash of an event after the one whose hash is `last`."""
    return hashlib.sha256("\x1f".join((last, str(seq), at, kind, body)).encode()).hexdigest()


def append(db: sqlite3.Connection, at: str, kind: str, body: Mapping[str, Any]) -> None:
    """Add an event; belongs into the transaction of what it tells."""
    row = db.execute("SELECT seq, sha FROM event ORDER BY seq DESC LIMIT 1").fetchone()
    seq, last = (1, START) if row is None else (int(row[0]) + 1, str(row[1]))
    text = json.dumps(body, sort_keys=True)
    db.execute("INSERT INTO event VALUES (?, ?, ?, ?, ?)", (seq, at, kind, text, link(last, seq, at, kind, text)))


def check(db: sqlite3.Connection, where: str) -> int:
    """Return the number of events.

    Raises
    ------
    OutputError
        If a row was changed, or one is missing.
    """
    last, expected = START, 1
    for seq, at, kind, body, sha in db.execute("SELECT seq, at, kind, body, sha FROM event ORDER BY seq"):
        if seq != expected or link(last, seq, at, kind, body) != sha:
            raise OutputError(
                f"event {expected} is not the one that was written",
                where=where,
                cause="the journal was altered or is damaged",
                fix="put a backup in its place and run `plimsoll reconcile`, or begin anew with `plimsoll adopt`",
            )
        last, expected = sha, expected + 1
    return expected - 1
