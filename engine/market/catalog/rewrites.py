"""What a source told anew: the steps from one version of a symbol's rows to the next, by kind."""

from collections.abc import Iterator
from typing import Final, Literal, NamedTuple, TypeAlias, get_args

import numpy as np

from plimsoll.engine.market.catalog.merge import differing
from plimsoll.engine.market.catalog.versions import Versions
from plimsoll.engine.market.history import PRICES, History
from plimsoll.engine.types import Bools, Dates, Floats, Ints

Kind: TypeAlias = Literal[
    "restated", "corrected_bar", "corrected_volume",
    "late_dividend", "corrected_dividend", "withdrawn_dividend",
    "late_split", "corrected_split", "withdrawn_split",
    "late_rows", "earlier_rows", "untold_row",
    "new_rows", "new_symbol",
]  # fmt: skip
KINDS: Final[tuple[str, ...]] = get_args(Kind)
# What there is more of, nothing that was stored before is another for it.
GROWTH: Final = frozenset(("new_rows", "new_symbol"))
_CASH: Final = ("dividend", "gain", "split")
_DIVIDEND: Final[tuple[Kind, Kind, Kind]] = ("late_dividend", "corrected_dividend", "withdrawn_dividend")
_SPLIT: Final[tuple[Kind, Kind, Kind]] = ("late_split", "corrected_split", "withdrawn_split")
# So many sessions in a row whose prices all change by one factor are a restatement, not corrections.
RESTATED_ROWS: Final = 3
# Restated prices are rounded to cents or to four decimals: factors that differ by less are the same.
SAME_FACTOR: Final = 2e-4


class Rewrite(NamedTuple):
    """One thing that was told anew, or more of.

    first, last : ISO sessions; rows : how many of them. known_at : when, ISO, UTC. fields : the columns that changed.
    before, after : of the field that changed most, None where there was nothing. size : of a price, a volume or a
    restatement after/before - 1; of a dividend dollars per share; of a split after/before - 1; None of rows.
    """

    symbol: str
    kind: Kind
    first: str
    last: str
    rows: int
    known_at: str
    fields: tuple[str, ...] = ()
    before: float | None = None
    after: float | None = None
    size: float | None = None


def rewrites(versions: Versions, since: np.datetime64 | None, until: np.datetime64 | None) -> list[Rewrite]:
    """Return what became known of a symbol after `since` and through `until` (UTC, None = no limit), oldest first."""
    session, known_at = versions.history.session, versions.known_at
    within: Bools = np.ones(len(known_at), dtype=np.bool_)
    if since is not None:
        within &= known_at > since
    if until is not None:
        within &= known_at <= until
    again = np.append(False, session[1:] == session[:-1])[: len(session)]
    found = [*_added(versions, within & ~again, ~again), *_changed(versions, np.flatnonzero(within & again))]
    return sorted(found, key=lambda one: (one.known_at, one.first, KINDS.index(one.kind)))


def _added(versions: Versions, added: Bools, first_told: Bools) -> Iterator[Rewrite]:
    """Yield the sessions that were told for the first time: new ones, and those that came late."""
    session, known_at = versions.history.session, versions.known_at
    all_sessions, stamps = session[first_told], known_at[first_told]
    for stamp in np.unique(known_at[added]):
        fresh, old = session[added & (known_at == stamp)], all_sessions[stamps < stamp]
        if not len(old):
            yield _rows(versions, "new_symbol", fresh, stamp)
            continue
        after, before = fresh > old[-1], fresh < old[0]
        parts: tuple[tuple[Kind, Bools], ...] = (
            ("new_rows", after), ("earlier_rows", before), ("late_rows", ~after & ~before)
        )  # fmt: skip
        for kind, mask in parts:
            if mask.any():
                yield _rows(versions, kind, fresh[mask], stamp)


def _changed(versions: Versions, rows: Ints) -> Iterator[Rewrite]:
    """Yield what changed from the versions before `rows` to these."""
    if not len(rows):
        return
    old, now = versions.history.take(rows - 1), versions.history.take(rows)
    known_at, other = versions.known_at[rows], differing(old, now)
    order = np.unique(versions.history.session)
    restated: Bools = np.zeros(len(rows), dtype=np.bool_)
    for stamp in np.unique(known_at):
        for run in _restatements(old, now, np.flatnonzero(known_at == stamp), order):
            restated[run] = True
            factor = float(np.median(now.close[run] / old.close[run]))
            ends = float(old.close[run[-1]]), float(now.close[run[-1]])
            yield _rows(versions, "restated", now.session[run], stamp, PRICES)._replace(
                before=ends[0], after=ends[1], size=factor - 1.0
            )
    for at in range(len(rows)):
        changed = [name for name, mask in other.items() if mask[at]]
        yield from _of_row(versions, old, now, at, known_at[at], [n for n in changed if not restated[at] or n in _CASH])


def _of_row(
    versions: Versions, old: History, now: History, at: int, stamp: np.datetime64, changed: list[str]
) -> Iterator[Rewrite]:
    base = _rows(versions, "corrected_bar", now.session[at : at + 1], stamp)
    values = {name: (float(old.column(name)[at]), float(now.column(name)[at])) for name in changed}
    bar = tuple(name for name in (*PRICES, "volume") if name in values)
    if bar:
        kind: Kind = "corrected_volume" if bar == ("volume",) else "corrected_bar"
        prices = tuple(name for name in bar if name != "volume") or bar
        most = max(prices, key=lambda name: _extent(*values[name]))
        before, after = values[most]
        yield base._replace(kind=kind, fields=bar, before=_told(before), after=_told(after), size=_ratio(before, after))
    for name, none in (("dividend", 0.0), ("split", 1.0)):
        if name not in values:
            continue
        before, after = values[name]
        size = after - before if name == "dividend" else after / before - 1.0
        yield base._replace(
            kind=_action(name, before == none, after == none), fields=(name,), before=before, after=after, size=size
        )
    if "gain" in values and "dividend" not in values:
        before, after = values["gain"]
        kind = "corrected_dividend"
        yield base._replace(kind=kind, fields=("gain",), before=before, after=after, size=after - before)


def _action(name: str, none_before: bool, none_after: bool) -> Kind:
    at = 0 if none_before else 2 if none_after else 1
    return (_DIVIDEND if name == "dividend" else _SPLIT)[at]


def _restatements(old: History, now: History, rows: Ints, order: Dates) -> Iterator[Ints]:
    """Yield the runs of `rows` next to each other in `order` whose prices all changed by one factor."""
    factor: Floats = now.close[rows] / old.close[rows]
    whole = np.abs(factor - 1.0) > SAME_FACTOR / 2.0
    for name in PRICES:
        of_price = now.column(name)[rows] / old.column(name)[rows]
        whole &= ~(np.abs(of_price / factor - 1.0) > SAME_FACTOR)  # a price that is not known contradicts nothing
    at = np.searchsorted(order, now.session[rows])
    follows = (np.diff(at) == 1) & (np.abs(factor[1:] / factor[:-1] - 1.0) < SAME_FACTOR) & whole[1:] & whole[:-1]
    starts = np.flatnonzero(~np.append(False, follows)[: len(rows)])
    for start, stop in zip(starts, np.append(starts[1:], len(rows)), strict=True):
        if stop - start >= RESTATED_ROWS:
            yield rows[start:stop]


def _rows(versions: Versions, kind: Kind, days: Dates, stamp: np.datetime64, fields: tuple[str, ...] = ()) -> Rewrite:
    return Rewrite(versions.history.symbol, kind, str(days[0]), str(days[-1]), len(days), f"{stamp}Z", fields)


def _ratio(before: float, after: float) -> float | None:
    """Return the relative change, None where one of the two is not known or there was none."""
    return after / before - 1.0 if before and np.isfinite(before) and np.isfinite(after) else None


def _extent(before: float, after: float) -> float:
    ratio = _ratio(before, after)
    return np.inf if ratio is None else abs(ratio)


def _told(value: float) -> float | None:
    return value if np.isfinite(value) else None
