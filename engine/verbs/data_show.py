"""Everything there is to see of one symbol: its bars, its actions, its holes, what gates said, what was revised."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from plimsoll.engine.config.interval import canonical_interval
from plimsoll.engine.errors import DataError
from plimsoll.engine.market.bars import RawBars
from plimsoll.engine.market.calendar import FIRST_DAY, sessions
from plimsoll.engine.market.catalog.store import Catalog, default_catalog
from plimsoll.engine.market.gates.finding import GateFinding
from plimsoll.engine.market.gates.judge import GateInputs
from plimsoll.engine.market.history import History
from plimsoll.engine.market.imports.flags import FlagError, Flags
from plimsoll.engine.market.imports.own import own_file, own_interval
from plimsoll.engine.market.instruments import instrument
from plimsoll.engine.market.pull.completed import last_completed
from plimsoll.engine.market.ticker import canonical
from plimsoll.engine.report.prices.sight import Sight
from plimsoll.engine.types import Dates
from plimsoll.engine.verbs.data import SHOWN
from plimsoll.engine.verbs.data_import import CATALOG, read_drafts, sift_one
from plimsoll.engine.verbs.host import PROGRAM, Host


def see_data(
    symbol: str,
    *,
    data: Path | str | None = None,
    interval: str = "",
    catalog: Path | str | None = None,
    host: Host = PROGRAM,
) -> Sight:
    """Return what a folder, or the catalog, has of a symbol. data : the folder, None or "catalog" = the catalog.

    A folder's file is read and goes through the gates as an import would; nothing is written. interval : of its bars;
    by default that of SPY.csv, else the one that the names of the symbol's files tell.

    Raises
    ------
    DataError
        If it is not there, or its file is damaged or cannot be read, or it has bars of several intervals.
    """
    if data is not None and str(data) != CATALOG:
        return _of_folder(Path(data), symbol, canonical_interval(interval) or own_interval(Path(data), symbol), host)
    if interval and canonical_interval(interval) != "1d":
        raise DataError(f"the catalog has daily bars only, not {interval!r}", fix="name a folder with --data")
    store = Catalog(Path(catalog) if catalog is not None else default_catalog(host.env, Path.home()))
    name = canonical(symbol)
    versions = store.read(name)
    current, every = versions.current(), versions.history.session
    held = store.refusal(name).notes if name in store.quarantined() else ()
    sight = _of_history(current, str(store.root), every[1:][every[1:] == every[:-1]], (*held, *versions.notes), ())
    return replace(sight, source=str(versions.history.source[-1]) if len(every) else "")


def _of_folder(folder: Path, symbol: str, interval: str, host: Host) -> Sight:
    flags = Flags(symbol=symbol)
    inputs = GateInputs(last_completed(host.clock()), underlying=_underlying(folder, symbol, interval, host))
    try:
        (draft,) = read_drafts([own_file(folder, symbol, interval)], flags)
        done = sift_one(draft, flags, inputs)
    except FlagError as error:
        raise error.elsewhere() from error
    none = np.empty(0, dtype="datetime64[D]")
    if done.history is not None:
        return _of_history(done.history, draft.where, none, done.findings, done.said)
    return _of_raw(done.raw, draft.where, done.findings, done.said)


def _underlying(folder: Path, symbol: str, interval: str, host: Host) -> History | None:
    """Return what a leveraged fund follows, if the folder has it; it only explains."""
    name = instrument(symbol).underlying
    if not name or interval != "1d":
        return None
    try:
        (draft,) = read_drafts([own_file(folder, name)], Flags(symbol=name))
        return sift_one(draft, Flags(symbol=name), GateInputs(last_completed(host.clock()))).history
    except DataError:
        return None


def _of_history(
    history: History, where: str, revised: Dates, findings: tuple[GateFinding, ...], said: tuple[str, ...]
) -> Sight:
    flat = history.kind != "traded"
    return Sight(
        symbol=history.symbol,
        where=where,
        interval="1d",
        stamp=history.session.astype("datetime64[s]"),
        open=history.close if flat else history.open,
        low=history.close if flat else history.low,
        high=history.close if flat else history.high,
        close=history.close,
        volume=history.volume,
        dividend=history.dividend,
        split=history.split,
        missing=_missing(history.session),
        revised=np.unique(revised),
        findings=findings,
        said=said,
    )


def _of_raw(raw: RawBars, where: str, findings: tuple[GateFinding, ...], said: tuple[str, ...]) -> Sight:
    n_rows = len(raw.stamp)
    dividend = np.zeros(n_rows) if raw.dividend is None else np.nan_to_num(raw.dividend)
    split = np.ones(n_rows) if raw.split is None else np.where(np.isnan(raw.split), 1.0, raw.split)
    days = np.unique(raw.stamp.astype("datetime64[D]"))
    none = np.empty(0, dtype="datetime64[D]")
    return Sight(
        raw.symbol, where, raw.interval, raw.stamp, raw.open, raw.low, raw.high, raw.close, raw.volume, dividend, split,
        _missing(days), none, findings, said,
    )  # fmt: skip


def _missing(days: Dates) -> Dates:
    if not len(days):
        return days
    first, last = (day.astype(object) for day in (days[0], days[-1]))
    every = sessions(max(first, FIRST_DAY), last) if last >= FIRST_DAY else days[:0]
    absent: Dates = every[~np.isin(every, days)]
    return absent


def rows_of(sight: Sight, count: int) -> list[dict[str, Any]]:
    """Return the last rows as plain values, None where not known."""
    daily = sight.interval == "1d"
    key, length = ("session", 10) if daily else ("bar", 16)
    return [
        {
            key: str(sight.stamp[at])[:length].replace("T", " "),
            **{name: _known(getattr(sight, name)[at]) for name in SHOWN},
        }
        for at in range(max(0, len(sight.stamp) - count), len(sight.stamp))
    ]


def _known(value: np.float64) -> float | None:
    return None if np.isnan(value) else float(value)
