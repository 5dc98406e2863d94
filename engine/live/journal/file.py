"""The journal's file: transactions, single values, fences, halts and the chain of events.

Everything that goes together is one transaction, and what is about to happen is committed before it happens. Source:
SQLite's documentation of WAL and `synchronous = FULL`.
"""

import os
import sqlite3
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, Self

from plimsoll.engine.errors import EngineError, OutputError
from plimsoll.engine.live.journal import chain, fold
from plimsoll.engine.live.journal.backup import Copied, copy_to
from plimsoll.engine.live.journal.rows import Event, Grade, Halt
from plimsoll.engine.live.journal.schema import migrate

FILE: Final = "journal.sqlite"
BUSY_MS: Final = 5000


class JournalFile:
    """An open journal. One process writes at a time; readers are welcome.

    now : the clock whose time stamps every row. fresh : there was nothing in it.
    """

    def __init__(
        self, db: sqlite3.Connection, path: Path, now: Callable[[], datetime], *, fresh: bool,
        copied: Copied | None = None,
    ) -> None:  # fmt: skip
        self._db = db
        self._copied = copied or Copied()
        self._now = now
        self.path = path
        self.fresh = fresh
        self._held: dict[str, int] = {}

    # ---- opening and closing

    @classmethod
    def open(cls, folder: Path, now: Callable[[], datetime], verified: chain.Verified | None = None) -> Self:
        """Open the journal in a state folder, or begin one there; check that it is whole.

        verified : how far a process that opens it again and again has followed it; the rest is checked at its start.

        Raises
        ------
        OutputError
            If it cannot be read or written, is damaged, was altered, or is of a newer program.
        """
        path = folder / FILE
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            if not path.exists():
                os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
            db = sqlite3.connect(path, isolation_level=None, timeout=BUSY_MS / 1000, check_same_thread=False)
            for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
                db.execute(f"PRAGMA {pragma}").fetchone()
            again = verified is not None and verified.seq > 0
            found = "ok" if again else db.execute("PRAGMA integrity_check(1)").fetchone()[0]
            if found != "ok":
                raise OutputError(f"damaged: {found}", where=str(path), fix=chain.MEND)
            fresh = migrate(db, str(path))
            chain.check(db, str(path), verified or chain.Verified())
            if not again:
                fold.check(db, str(path))
        except (OSError, sqlite3.Error) as error:
            raise _unusable(path, error) from error
        return cls(db, path, now, fresh=fresh, copied=None if verified is None else verified.copied)

    @classmethod
    def read_only(cls, folder: Path, now: Callable[[], datetime]) -> Self | None:
        """Open a journal to look at it; None if there is none."""
        path = folder / FILE
        try:
            if not path.exists():
                return None
            db = sqlite3.connect(f"file:{path}?mode=ro", uri=True, isolation_level=None, timeout=BUSY_MS / 1000)
            if int(db.execute("PRAGMA user_version").fetchone()[0]) == 0:
                return None
        except (OSError, sqlite3.Error) as error:
            raise _unusable(path, error) from error
        return cls(db, path, now, fresh=False)

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def backup(self, to: Path) -> None:
        """Copy the journal as it is now; a process that did so before copies what is new."""
        copy_to(self._db, to, self._copied)

    @contextmanager
    def tx(self) -> Iterator[None]:
        """Do everything in the block, durably, or nothing.

        Raises
        ------
        OutputError
            If the disk is full, the file is locked, nothing can be written, or another process has taken over;
            nothing was changed then.
        """
        try:
            self._db.execute("BEGIN IMMEDIATE")
        except sqlite3.Error as error:
            raise _unusable(self.path, error) from error
        try:
            self._check_fences()
            yield
            self._db.execute("COMMIT")
        except sqlite3.Error as error:
            self._undo()
            raise _unusable(self.path, error) from error
        except BaseException:
            self._undo()
            raise

    def _check_fences(self) -> None:
        for name, epoch in self._held.items():
            if self.epoch(name) != epoch:
                raise OutputError(f"another process has taken over the {name}", where=str(self.path), fix="let it work")

    def _undo(self) -> None:
        if self._db.in_transaction:
            self._db.execute("ROLLBACK")

    def event(self, kind: str, **body: Any) -> None:
        """Add to the chain of events, within a transaction."""
        self._must_be_inside()
        chain.append(self._db, self.stamp(), kind, body)

    def events(self, kind: str | None = None, *, after: int = 0) -> list[Event]:
        """Return the events after the one of a number, oldest first, of one kind or all."""
        where, args = ("seq > ?", (after,)) if kind is None else ("kind = ? AND seq > ?", (kind, after))
        return [Event(*row) for row in self._db.execute(f"SELECT * FROM event WHERE {where} ORDER BY seq", args)]

    def event_at(self, seq: int) -> Event:
        """Return the event of a number."""
        return Event(*self._db.execute("SELECT * FROM event WHERE seq = ?", (seq,)).fetchone())

    def told(self, kind: str, key: str) -> list[tuple[int, str]]:
        """Return the number of each event of a kind, oldest first, and one value of its body."""
        what = "SELECT seq, json_extract(body, ?) FROM event WHERE kind = ? ORDER BY seq"
        return [(int(seq), str(value)) for seq, value in self._db.execute(what, (f"$.{key}", kind))]

    def last_stamp(self) -> str:
        """Return when the last event was written, "" before the first."""
        row = self._db.execute("SELECT at FROM event ORDER BY seq DESC LIMIT 1").fetchone()
        return "" if row is None else str(row[0])

    def stamp(self) -> str:
        """Return the time as text."""
        return self._now().astimezone(UTC).isoformat()

    def _must_be_inside(self) -> None:
        if not self._db.in_transaction:
            raise EngineError("a change of the journal outside a transaction")

    # ---- single values

    def meta(self, key: str) -> str | None:
        """Return a single value."""
        row = self._db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return None if row is None else str(row[0])

    def set_meta(self, key: str, value: str) -> None:
        """Set a single value."""
        self._must_be_inside()
        upsert = "INSERT INTO meta VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value"
        self._db.execute(upsert, (key, value))

    def day_equity(self, session: date) -> Decimal | None:
        """Return what the account was worth when a session was first looked at, flows since then counted in."""
        day, _, equity = (self.meta("day_equity") or "").partition(" ")
        return Decimal(equity) if day == session.isoformat() else None

    def set_day_equity(self, session: date, equity: Decimal) -> None:
        """Remember what the account is worth at the first look at a session."""
        self.set_meta("day_equity", f"{session.isoformat()} {equity}")

    def move_day_equity(self, session: date, flow: Decimal) -> None:
        """Count money that came or went: it is no gain and no loss."""
        there = self.day_equity(session)
        if there is not None:
            self.set_day_equity(session, there + flow)

    def raise_fence(self, name: str) -> int:
        """Take over from whoever wrote before: from now on every transaction of theirs is refused."""
        self._held.pop(name, None)
        with self.tx():
            upsert = "INSERT INTO fence VALUES (?, 1) ON CONFLICT (name) DO UPDATE SET epoch = epoch + 1"
            self._db.execute(upsert, (name,))
            epoch = self.epoch(name)
        self._held[name] = epoch
        return epoch

    def epoch(self, name: str) -> int:
        """Return the epoch in force."""
        row = self._db.execute("SELECT epoch FROM fence WHERE name = ?", (name,)).fetchone()
        return 0 if row is None else int(row[0])

    # ---- halts

    def halts(self) -> list[Halt]:
        """Return what stands in the way of sending."""
        rows = self._db.execute("SELECT grade, reason, since FROM halt WHERE cleared IS NULL ORDER BY id")
        return [Halt(*row) for row in rows]

    def add_halt(self, grade: Grade, reason: str) -> None:
        """Stop sending; a reason that is there already is not added twice."""
        self._must_be_inside()
        if any(one.grade == grade and one.reason == reason for one in self.halts()):
            return
        self._db.execute("INSERT INTO halt (grade, reason, since) VALUES (?, ?, ?)", (grade, reason, self.stamp()))
        self.event("halt", grade=grade, reason=reason)

    def clear_halts(self, why: str, *, starting: str = "", seen: Collection[Halt] | None = None) -> int:
        """Go on, as far as the reasons begin with `starting` and were `seen`; return how many halts there were."""
        self._must_be_inside()
        found = [one for one in self.halts() if one.reason.startswith(starting) and (seen is None or one in seen)]
        for one in found:
            self._db.execute(
                "UPDATE halt SET cleared = ?, cleared_why = ? WHERE cleared IS NULL AND reason = ? AND grade = ?",
                (self.stamp(), why, one.reason, one.grade),
            )
        self.event("resume", reason=why, halts=[one.reason for one in found])
        return len(found)


def _unusable(path: Path, error: Exception) -> OutputError:
    text = str(error)
    fix = {
        "database is locked": "another program holds it: let it end",
        "database or disk is full": "free some space",
    }.get(text, f"mend the folder, or {chain.MEND}")
    return OutputError(f"cannot be used: {getattr(error, 'strerror', None) or text}", where=str(path), fix=fix)
