"""Import files of other vendors and tools: into a folder of `<SYMBOL>.csv` files, or into the catalog."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Final, Literal

import numpy as np

from plimsoll.engine.errors import ConfigError, DataError
from plimsoll.engine.market.catalog.disk import Disk
from plimsoll.engine.market.catalog.store import Catalog, default_catalog
from plimsoll.engine.market.catalog.versions import Versions
from plimsoll.engine.market.gates.finding import GateFinding
from plimsoll.engine.market.gates.judge import GateInputs
from plimsoll.engine.market.gates.pair import fingerprint
from plimsoll.engine.market.history import History
from plimsoll.engine.market.imports.adjust import as_traded, undone
from plimsoll.engine.market.imports.draft import Draft, joined
from plimsoll.engine.market.imports.flags import ADJUSTMENTS, MARKS, ORDERS, STAMPS, Flags, chosen
from plimsoll.engine.market.imports.folder import csv_bytes, file_name, place
from plimsoll.engine.market.imports.registry import drafts_of
from plimsoll.engine.market.imports.sheet import files_in
from plimsoll.engine.market.imports.sift import Sifted, sift
from plimsoll.engine.market.instruments import instrument
from plimsoll.engine.market.pull.completed import last_completed
from plimsoll.engine.market.ticker import canonical
from plimsoll.engine.types import Floats
from plimsoll.engine.verbs.host import PROGRAM, Host

CATALOG: Final = "catalog"


@dataclass(frozen=True, slots=True)
class ImportOutcome:
    """What became of one symbol.

    layout : what its file was recognised as. said : what was assumed of it and how its rows are read, a line each.
    rows : kept. left_out : refused, or of a session that is not completed. added, revised : of the catalog's rows.
    """

    symbol: str
    state: Literal["stored", "checked", "quarantined", "refused"]
    layout: str
    where: str
    interval: str
    rows: int
    left_out: int
    first: str
    last: str
    added: int = 0
    revised: int = 0
    said: tuple[str, ...] = ()
    findings: tuple[GateFinding, ...] = ()


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of each symbol, in alphabetical order. out : where they are, "" if nothing was written."""

    outcomes: tuple[ImportOutcome, ...]
    out: str = ""

    @property
    def complete(self) -> bool:
        """Whether no gate kept anything out."""
        return all(one.state in ("stored", "checked") for one in self.outcomes)


def import_data(
    paths: Path | str | Iterable[Path | str],
    *,
    out: Path | str | None = None,
    symbol: str = "",
    only: Iterable[str] = (),
    date_order: str = "",
    zone: str = "",
    decimal: str = "",
    adjustment: str = "",
    stamp: str = "",
    extended: bool = False,
    no_dividends: bool = False,
    confirm: Iterable[date | str] = (),
    force: bool = False,
    catalog: Path | str | None = None,
    host: Host = PROGRAM,
) -> Imported:
    """Read files of any known layout, put them through the gates a pull goes through, and write what passes.

    Nothing is guessed: what a file and its vendor's documentation leave open is asked for. Files of one symbol, such as
    a file a day, are joined. Into a folder everything is written or nothing; into the catalog nothing unless every file
    could be read, then a symbol at a time like a pull, its refused rows into quarantine.

    Parameters
    ----------
    paths : path or iterable of paths
        Files (.csv, .txt, either gzipped, .zip) or folders of them.
    out : path or "catalog", optional
        A folder for `<SYMBOL>.csv` files, or the catalog; by default nothing is written, only checked.
    symbol : str
        Whose rows they are, if the files do not say (`--as`).
    only : iterable of str
        The symbols wanted of files that hold many.
    date_order : {"dmy", "mdy"}, zone : IANA name, decimal : {".", ","}
        Of dates such as 01/02/2024; of times without a zone; of numbers.
    adjustment : {"raw", "split", "all"}
        What prices contain: nothing, splits, or splits and dividends.
    stamp : {"start", "end"}
        What of its bar a time is.
    extended, no_dividends, force : bool
        Keep bars outside regular hours; it never paid any; replace files that are there.
    confirm : iterable of dates
        Sessions of the one symbol imported that the caller stands for, whatever a gate says.
    catalog : path, optional
        Its folder, where `out` is "catalog"; by default what PLIMSOLL_CATALOG names, or one in the user's data.

    Raises
    ------
    InputError
        If a file is of no known layout or cannot be read, something has to be asked, or nothing can be written.
    """
    flags = Flags(
        symbol=symbol,
        only=frozenset(canonical(one) for one in only),
        date_order=chosen(date_order, ORDERS, "--date-order"),
        zone=zone,
        decimal=chosen(decimal, MARKS, "--decimal"),
        adjustment=chosen(adjustment, ADJUSTMENTS, "--adjustment"),
        stamp=chosen(stamp, STAMPS, "--stamp"),
        extended=extended,
        pays_nothing=no_dividends,
    )
    given = [Path(one) for one in ((paths,) if isinstance(paths, (str, Path)) else paths)]
    stands = frozenset(_day(one) for one in confirm)
    store = None
    if out is not None and str(out) == CATALOG:
        store = Catalog(Path(catalog) if catalog is not None else default_catalog(host.env, Path.home()))
    sifted = _sifted(read_drafts(given, flags), flags, stands, store, host)
    if store is not None:
        return _stored(sifted, store, stands, host)
    if out is None or not all(one.passed for one in sifted):
        return Imported(tuple(outcome_of(one, "checked") for one in sifted))
    place(Path(out), {file_name(one): csv_bytes(one) for one in sifted}, Disk(), force=force)
    return Imported(tuple(outcome_of(one, "stored") for one in sifted), str(out))


def read_drafts(paths: Sequence[Path], flags: Flags) -> list[Draft]:
    """Return a draft for every symbol of the files, sorted; one for each interval that there are bars of.

    Raises
    ------
    DataError
        If a file cannot be read, or none of them holds a symbol that was asked for.
    """
    found: dict[tuple[str, str], list[Draft]] = {}
    for given in paths:
        for path in files_in(given):
            for draft in drafts_of(path, flags):
                found.setdefault((draft.symbol, draft.interval), []).append(draft)
    if flags.symbol and len({symbol for symbol, _ in found}) > 1:
        raise ConfigError(f"it would name {len(found)} symbols", where="--as", fix="import one file with it")
    if not found:
        where = ", ".join(str(one) for one in paths)
        raise DataError("none of the symbols asked for is in it", where=where, fix="check --only")
    return [joined(found[key]) for key in sorted(found)]


def sift_one(draft: Draft, flags: Flags, inputs: GateInputs, *, for_catalog: bool = False) -> Sifted:
    """Return what of a draft passes the gates, in units as traded where they can be had.

    for_catalog : prices that contain listed splits are put back as traded even where our own files may keep them.

    Raises
    ------
    DataError
        If the rows cannot be read as bars, or something has to be asked.
    """
    traded, kind = as_traded(draft, flags)
    done = sift(traded, kind, inputs, extended=flags.extended)
    listed = traded.columns.get("split")
    if not for_catalog or kind is not None or listed is None or done.history is None:
        return done
    if (np.nan_to_num(listed, nan=1.0)[1:] != 1.0).any() and (done.history.split[1:] == 1.0).all():
        return sift(undone(replace(traded, columns={**traded.columns, "split": _ones(listed)})), "raw", inputs)
    return done


def _ones(split: Floats) -> Floats:
    return np.where(np.isnan(split), 1.0, split)


def _sifted(
    drafts: Sequence[Draft], flags: Flags, stands: frozenset[date], store: Catalog | None, host: Host
) -> list[Sifted]:
    if stands and len(drafts) > 1:
        raise ConfigError(f"it would speak of {len(drafts)} symbols", where="--confirm", fix="import one with it")
    seen: dict[str, tuple[str, Floats]] = {}
    told: dict[str, History] = {}
    completed = last_completed(host.clock())
    agreed = store.confirmed() if store is not None else {}
    found = []
    for draft in sorted(drafts, key=lambda one: bool(instrument(one.symbol).underlying)):  # after what it follows
        stored = None
        if store is not None:
            if draft.interval != "1d":
                fix = "give --out a folder for them"
                raise DataError(f"{draft.symbol}: the catalog holds daily bars only", where=draft.where, fix=fix)
            stored = _kept(store, draft)
        inputs = GateInputs(
            completed=completed,
            stored=None if stored is None else stored.current(),
            confirmed=stands | agreed.get(draft.symbol, frozenset()),
            others=seen,
            underlying=_underlying(draft.symbol, told, store),
        )
        done = sift_one(draft, flags, inputs, for_catalog=store is not None)
        mine = fingerprint(done.history) if done.history is not None else None
        if mine is not None:
            seen[draft.symbol] = mine
        if done.history is not None:
            told[draft.symbol] = done.history
        found.append(done)
    last = max((str(one.session[-1]) for one in told.values()), default="")
    return sorted((_ending(one, last) for one in found), key=lambda one: one.draft.symbol)


def _underlying(symbol: str, told: Mapping[str, History], store: Catalog | None) -> History | None:
    name = instrument(symbol).underlying
    if name in told or not name or store is None:
        return told.get(name)
    stored = store.find(name)
    return None if stored is None else stored.current()


def _ending(one: Sifted, last: str) -> Sifted:
    """Return it with a note if other symbols of the import go on after its last row."""
    if one.history is None or str(one.history.session[-1]) == last:
        return one
    text = f"its last row; others of this import end on {last}"
    note = GateFinding("ends_early", "note", one.draft.symbol, text, str(one.history.session[-1]))
    return replace(one, findings=(*one.findings, note))


def _kept(store: Catalog, draft: Draft) -> Versions | None:
    stored = store.find(draft.symbol)
    if stored is not None and len(stored.history) and stored.history.source[0] != draft.layout.source:
        what = f"{draft.symbol} is kept from {stored.history.source[0]}; rows of two sources are never mixed"
        raise DataError(what, where=draft.where, fix="import it into another catalog with --catalog")
    return stored


def _stored(sifted: Sequence[Sifted], store: Catalog, stands: frozenset[date], host: Host) -> Imported:
    outcomes = []
    for one in sifted:
        if stands:
            store.confirm(one.draft.symbol, sorted(stands), host.clock())
        if not one.passed or one.history is None:
            store.quarantine(one.refused, one.findings, host.clock())
            outcomes.append(outcome_of(one, "quarantined"))
            continue
        change = store.store(one.history, one.findings, host.clock(), one.refused)
        state: Literal["stored", "quarantined"] = "quarantined" if len(one.refused) else "stored"
        outcomes.append(replace(outcome_of(one, state), added=change.added, revised=change.revised))
    return Imported(tuple(outcomes), str(store.root) if any(one.passed for one in sifted) else "")


def outcome_of(one: Sifted, state: Literal["stored", "checked", "quarantined"]) -> ImportOutcome:
    """Return what became of a symbol, in figures and words."""
    stamp = one.draft.stamp[one.kept] if one.passed else one.draft.stamp[:0]
    refused = not one.passed or any(finding.severity == "row" for finding in one.findings)
    return ImportOutcome(
        symbol=one.draft.symbol,
        state="refused" if not one.passed and state != "quarantined" else "quarantined" if refused else state,
        layout=one.draft.layout.title,
        where=one.draft.where,
        interval=one.draft.interval,
        rows=len(stamp),
        left_out=len(one.draft.stamp) - len(stamp),
        first=str(stamp[0])[:10] if len(stamp) else "",
        last=str(stamp[-1])[:10] if len(stamp) else "",
        said=tuple(dict.fromkeys((*one.draft.said[1:], *one.said))),
        findings=one.findings,
    )


def _day(day: date | str) -> date:
    if isinstance(day, date):
        return day
    try:
        return date.fromisoformat(day)
    except ValueError:
        raise ConfigError(f"{day!r} is not a date", where="--confirm", fix="write YYYY-MM-DD") from None
