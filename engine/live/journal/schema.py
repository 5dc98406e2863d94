"""The tables of the journal, and how an older file becomes a newer one.

Quantities and money are text made by `Decimal`, moments are ISO text in UTC: SQLite's own numbers would round them.
"""

import sqlite3
from typing import Final

from plimsoll.engine.errors import OutputError

_FIRST: Final = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE fence (name TEXT PRIMARY KEY, epoch INTEGER NOT NULL) STRICT;
CREATE TABLE halt (
    id INTEGER PRIMARY KEY, grade TEXT NOT NULL CHECK (grade IN ('all', 'new_risk')), reason TEXT NOT NULL,
    since TEXT NOT NULL, cleared TEXT, cleared_why TEXT
) STRICT;
CREATE TABLE plan (
    session TEXT PRIMARY KEY, decided TEXT NOT NULL UNIQUE, made TEXT NOT NULL, carried INTEGER NOT NULL,
    equity TEXT NOT NULL, config_hash TEXT NOT NULL, code_hash TEXT NOT NULL
) STRICT;
CREATE TABLE goal (
    session TEXT NOT NULL REFERENCES plan (session), symbol TEXT NOT NULL, qty TEXT NOT NULL, held TEXT NOT NULL,
    price TEXT NOT NULL, close TEXT NOT NULL, adv TEXT NOT NULL, pair INTEGER NOT NULL,
    PRIMARY KEY (session, symbol)
) STRICT;
CREATE TABLE slot (
    session TEXT NOT NULL REFERENCES plan (session), slot TEXT NOT NULL, due TEXT NOT NULL, ends TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('open', 'done')), made TEXT NOT NULL, note TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (session, slot)
) STRICT;
CREATE TABLE intent (
    client_id TEXT PRIMARY KEY, session TEXT NOT NULL, slot TEXT NOT NULL, symbol TEXT NOT NULL,
    side TEXT NOT NULL CHECK (side IN ('buy', 'sell')), qty TEXT NOT NULL, kind TEXT NOT NULL, limit_price TEXT,
    price TEXT NOT NULL, step INTEGER NOT NULL, frees INTEGER NOT NULL, row INTEGER NOT NULL,
    state TEXT NOT NULL, filled TEXT NOT NULL DEFAULT '0', value TEXT NOT NULL DEFAULT '0',
    venue_id TEXT NOT NULL DEFAULT '', why TEXT NOT NULL DEFAULT '', sent TEXT,
    FOREIGN KEY (session, slot) REFERENCES slot (session, slot)
) STRICT;
CREATE INDEX intent_session ON intent (session);
CREATE INDEX intent_state ON intent (state);
CREATE INDEX intent_venue ON intent (venue_id);
CREATE TABLE attempt (
    client_id TEXT NOT NULL REFERENCES intent (client_id), n INTEGER NOT NULL, sent TEXT NOT NULL,
    outcome TEXT NOT NULL DEFAULT '', PRIMARY KEY (client_id, n)
) STRICT;
CREATE TABLE holding (symbol TEXT PRIMARY KEY, qty TEXT NOT NULL, price TEXT NOT NULL DEFAULT '') STRICT;
CREATE TABLE event (
    seq INTEGER PRIMARY KEY, at TEXT NOT NULL, kind TEXT NOT NULL, body TEXT NOT NULL, sha TEXT NOT NULL
) STRICT;
CREATE INDEX event_kind ON event (kind);
"""

MIGRATIONS: Final[tuple[str, ...]] = (_FIRST,)  # one script for each version, in order; never edited, only added to


def migrate(db: sqlite3.Connection, where: str) -> bool:
    """Bring a journal to the newest version; return whether it was empty before.

    Raises
    ------
    OutputError
        If a newer program wrote it.
    """
    version = int(db.execute("PRAGMA user_version").fetchone()[0])
    if version > len(MIGRATIONS):
        raise OutputError(
            f"the journal has version {version}, this program knows {len(MIGRATIONS)}",
            where=where,
            cause="a newer version of plimsoll wrote it",
            fix="use that version",
        )
    for number, script in enumerate(MIGRATIONS[version:], start=version + 1):
        db.execute("BEGIN IMMEDIATE")
        for statement in script.split(";"):
            if statement.strip():
                db.execute(statement)
        db.execute(f"PRAGMA user_version = {number}")
        db.execute("COMMIT")
    return version == 0
