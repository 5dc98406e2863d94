"""The chain of events: each row's hash covers the one before, so that an altered or removed row is seen.

What it does not see is a tail cut off at the end, and a whole journal put in place of another one.
"""

import hashlib
import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NoReturn

from plimsoll.engine.errors import OutputError
from plimsoll.engine.live.journal.backup import Copied

START: Final = "0" * 64
# As long as the damaged file lies there every verb refuses it, and what is left of its log would go into the next one.
MEND: Final = (
    "move journal.sqlite, its -wal and -shm away; then put the backup in its place and run `plimsoll reconcile`, or "
    "begin anew with `plimsoll adopt`"
)


def link(last: str, seq: int, at: str, kind: str, body: str) -> str:
    """Return the hash of an event after the one whose hash is `last`."""
    return hashlib.sha256("\x1f".join((last, str(seq), at, kind, body)).encode()).hexdigest()


def append(db: sqlite3.Connection, at: str, kind: str, body: Mapping[str, Any]) -> None:
    """Add an event; belongs into the transaction of what it tells."""
    row = db.execute("SELECT seq, sha FROM event ORDER BY seq DESC LIMIT 1").fetchone()
    seq, last = (1, START) if row is None else (int(row[0]) + 1, str(row[1]))
    text = json.dumps(body, sort_keys=True)
    db.execute("INSERT INTO event VALUES (?, ?, ?, ?, ?)", (seq, at, kind, text, link(last, seq, at, kind, text)))


@dataclass(slots=True)
class Verified:
    """How far a chain was followed: the last event and its hash. A process that lives long follows each event once.

    copied : what it has copied of the journal.
    """

    seq: int = 0
    sha: str = START
    copied: Copied = field(default_factory=Copied)


def check(db: sqlite3.Connection, where: str, done: Verified) -> None:
    """Follow the chain from where `done` left it, and move that on.

    Raises
    ------
    OutputError
        If a row was changed, or one is missing.
    """
    if done.seq:
        row = db.execute("SELECT sha FROM event WHERE seq = ?", (done.seq,)).fetchone()
        if row is None or row[0] != done.sha:
            _refuse(done.seq, where)
    last, expected = done.sha, done.seq + 1
    rows = db.execute("SELECT seq, at, kind, body, sha FROM event WHERE seq > ? ORDER BY seq", (done.seq,))
    for seq, at, kind, body, sha in rows:
        if seq != expected or link(last, seq, at, kind, body) != sha:
            _refuse(expected, where)
        last, expected = sha, expected + 1
    done.seq, done.sha = expected - 1, last


def _refuse(event: int, where: str) -> NoReturn:
    raise OutputError(
        f"event {event} is not the one that was written", where=where,
        cause="the journal was altered or is damaged",
        fix=MEND,
    )  # fmt: skip
