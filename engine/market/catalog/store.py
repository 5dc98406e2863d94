"""The store: what is in a catalog, and how it gets there whole or not at all."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final, TypeVar

import numpy as np

from plimsoll.engine.errors import DataError, did_you_mean
from plimsoll.engine.market.catalog.disk import Disk
from plimsoll.engine.market.catalog.log import NAME, Log
from plimsoll.engine.market.catalog.merge import Merged, merge
from plimsoll.engine.market.catalog.table import decode, decode_known, encode, first_known
from plimsoll.engine.market.catalog.versions import Known, Versions
from plimsoll.engine.market.gates.finding import GateFinding
from plimsoll.engine.market.history import VALUES, History, joined

VARIABLE: Final = "PLIMSOLL_CATALOG"
_SUFFIX: Final = ".parquet"

Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class Catalog:
    """A folder of daily prices and actions as traded.

    ``bars/SYM.parquet`` what is in force and what was before, ``quarantine/SYM.parquet`` what the last pull brought
    and a gate refused, ``log.jsonl`` every event. Any number of processes may read and write at once; a process that
    is killed at any moment leaves nothing half-written, and what `store` returned from is on the disk.
    """

    root: Path
    disk: Disk = field(default_factory=Disk)

    @property
    def log(self) -> Log:
        """Its append log."""
        return Log(self.root / NAME, self.disk)

    def symbols(self) -> tuple[str, ...]:
        """Return the symbols it holds bars of, sorted."""
        return _names(self.root / "bars")

    def quarantined(self) -> tuple[str, ...]:
        """Return the symbols of which something is in quarantine, sorted."""
        return _names(self.root / "quarantine")

    def read(self, symbol: str) -> Versions:
        """Return everything known of a symbol, and everything that was.

        Raises
        ------
        DataError
            If it has no bars, or its file is damaged or of a newer format.
        """
        return self._of(symbol, decode)

    def known(self, symbol: str, moment: datetime | None = None) -> Known:
        """Return what was known of a symbol at a moment (aware), None = now.

        Raises
        ------
        DataError
            As `read`.
        """
        stamp = None if moment is None else utc(moment)
        return self._of(symbol, lambda path: decode_known(path, stamp))

    def first_known(self, symbol: str) -> np.datetime64:
        """Return when the first of a symbol was stored: datetime64[us], UTC, NaT if it has no row.

        Raises
        ------
        DataError
            As `read`.
        """
        return self._of(symbol, first_known)

    def _of(self, symbol: str, look: Callable[[Path], Found]) -> Found:
        try:
            return look(self._bars(symbol))
        except FileNotFoundError:
            held = self.symbols()
            fix = did_you_mean(symbol, held) if held else "the catalog is empty"
            if symbol in self.quarantined():
                fix = "what was pulled is in quarantine: `plimsoll data check` says why"
            raise DataError(f"no bars of {symbol!r}; pull them first", where=str(self.root), fix=fix) from None

    def find(self, symbol: str) -> Versions | None:
        """Return everything known of a symbol, None if nothing is.

        Raises
        ------
        DataError
            If its file is damaged or of a newer format.
        """
        return self.read(symbol) if self._bars(symbol).exists() else None

    def refusal(self, symbol: str) -> Versions:
        """Return what of a symbol is in quarantine; its notes say why.

        Raises
        ------
        DataError
            If the file is damaged.
        """
        return decode(self.root / "quarantine" / f"{symbol}{_SUFFIX}")

    def store(
        self, kept: History, findings: Iterable[GateFinding], now: datetime, refused: History | None = None
    ) -> Merged:
        """Merge rows that passed every gate, and put the rows of the same pull that did not in quarantine.

        What a pull says settles what an earlier one said of the same span: its notes, and its rows in quarantine.

        Raises
        ------
        OutputError
            If it cannot be written; then the bars are as they were.
        """
        symbol, told = kept.symbol, tuple(findings)
        aside = kept.take(slice(0, 0)) if refused is None else refused
        with self.disk.locked(self.root):
            stored = self.find(symbol)
            first = min(str(one.session[0]) for one in (kept, aside) if len(one)) if len(kept) + len(aside) else ""
            held = self._still_held(symbol, first)
            merged, change = merge(stored, kept, now)
            notes = _of_before(stored.notes if stored else (), first) + tuple(n for n in told if n.severity == "note")
            since = {one.session: str(utc(now)) for one in notes if one.gate == "jump"}
            stood = {**since, **(stored.stood if stored else {})}
            data, digest = encode(replace(merged, notes=notes, stood=stood))
            session = merged.history.session
            facts = {
                "sources": sorted(set(kept.source.tolist())),
                "first": str(session[0]) if len(session) else None,
                "last": str(session[-1]) if len(session) else None,
                "refused": len(aside),
                **change._asdict(),
                **_untold(stored, kept, aside),
            }
            self._say("stored", symbol, now, digest, told, facts)
            reasons = held.notes + tuple(n for n in told if n.severity != "note")
            if reasons:
                self._hold(joined(held.history, aside) if len(held.history) else aside, reasons, now)
            self.disk.put(self._bars(symbol), data)
            if not reasons:
                self.disk.remove(self._held(symbol))
        return change

    def quarantine(self, refused: History, findings: Iterable[GateFinding], now: datetime) -> None:
        """Put a whole pull aside, with the reasons; the bars of the symbol stay as they are.

        Raises
        ------
        OutputError
            If it cannot be written.
        """
        notes = tuple(findings)
        with self.disk.locked(self.root):
            self._say("quarantined", refused.symbol, now, "", notes, {"rows": len(refused)})
            self._hold(refused, notes, now)

    def confirm(self, symbol: str, sessions: Iterable[date], now: datetime) -> None:
        """Remember that a person stands for what happened to a symbol on these sessions.

        Raises
        ------
        OutputError
            If it cannot be written.
        """
        with self.disk.locked(self.root):
            for session in sessions:
                self.log.append(at=now.isoformat(), event="confirmed", symbol=symbol, session=session.isoformat())

    def confirmed(self) -> dict[str, frozenset[date]]:
        """Return the sessions a person stands for, by symbol.

        Raises
        ------
        DataError
            If the log is damaged.
        """
        found: dict[str, set[date]] = {}
        for event in self.log.events():
            if event["event"] == "confirmed":
                found.setdefault(event["symbol"], set()).add(date.fromisoformat(event["session"]))
        return {symbol: frozenset(days) for symbol, days in found.items()}

    def _say(
        self,
        event: str,
        symbol: str,
        now: datetime,
        digest: str,
        notes: tuple[GateFinding, ...],
        facts: Mapping[str, object],
    ) -> None:
        gates = json.loads(json.dumps([note.plain() for note in notes]))
        self.log.append(at=now.isoformat(), event=event, symbol=symbol, digest=digest, gates=gates, **facts)

    def _hold(self, rows: History, reasons: tuple[GateFinding, ...], now: datetime) -> None:
        data, _ = encode(Versions(rows, np.full(len(rows), utc(now)), reasons))
        self.disk.put(self._held(rows.symbol), data)

    def _still_held(self, symbol: str, first: str) -> Versions:
        """Return single rows in quarantine from before `first`: the pull at hand says nothing about them."""
        if not self._held(symbol).exists():
            return Versions(_none(symbol), np.empty(0, dtype="datetime64[us]"))
        held = self.refusal(symbol)
        reasons = _of_before(tuple(one for one in held.notes if one.severity == "row"), first)
        days = np.array([one.session for one in reasons], dtype="datetime64[D]")
        rows = np.isin(held.history.session, days)
        return Versions(held.history.take(rows), held.known_at[rows], reasons)

    def _bars(self, symbol: str) -> Path:
        return self.root / "bars" / f"{symbol}{_SUFFIX}"

    def _held(self, symbol: str) -> Path:
        return self.root / "quarantine" / f"{symbol}{_SUFFIX}"


def utc(moment: datetime) -> np.datetime64:
    """Return an aware moment as the catalog writes it."""
    return np.datetime64(moment.astimezone(UTC).replace(tzinfo=None), "us")


def default_catalog(env: Mapping[str, str], home: Path) -> Path:
    """Return the folder of the user's catalog: what `PLIMSOLL_CATALOG` names, or one in the user's data."""
    given = env.get(VARIABLE)
    if given:
        return Path(given).expanduser()
    base = env.get("XDG_DATA_HOME")
    return (Path(base) if base else home / ".local" / "share") / "plimsoll" / "catalog"


def _untold(stored: Versions | None, kept: History, aside: History) -> dict[str, list[str]]:
    """Return the stored sessions that a pull of their span no longer tells, as a fact of the log; nothing if none."""
    told = np.concatenate([kept.session, aside.session])
    if stored is None or not len(told):
        return {}
    held = np.unique(stored.history.session)
    asked = held[(held >= told.min()) & (held <= told.max())]
    missing = asked[~np.isin(asked, told)]
    return {"untold": [str(day) for day in missing]} if len(missing) else {}


def _of_before(notes: tuple[GateFinding, ...], first: str) -> tuple[GateFinding, ...]:
    return tuple(note for note in notes if note.session and note.session < first)


def _none(symbol: str) -> History:
    empty = dict.fromkeys(VALUES, np.empty(0))
    return History(symbol, "traded", np.empty(0, dtype="datetime64[D]"), np.empty(0, dtype=np.str_), **empty)


def _names(folder: Path) -> tuple[str, ...]:
    try:
        found = [path.name.removesuffix(_SUFFIX) for path in folder.iterdir() if path.name.endswith(_SUFFIX)]
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise DataError(f"cannot be read: {error.strerror}", where=str(folder)) from error
    return tuple(sorted(name for name in found if not name.startswith(".")))
