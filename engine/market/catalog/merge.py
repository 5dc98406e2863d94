"""Lay what a source tells now over what is stored: rows are added and revised, none is ever lost."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Final, NamedTuple

import numpy as np

from plimsoll.engine.market.catalog.versions import Versions
from plimsoll.engine.market.history import PRICES, History, joined
from plimsoll.engine.types import Bools, Dates

# Yahoo tells single-precision numbers divided by later splits: what differs by less is the same number told twice.
SAME_PRICE: Final = 1e-6
SAME_CASH: Final = 1e-4
# Shares divided by later splits are rounded to whole ones.
SAME_VOLUME: Final = 1e-4
SAME_SHARES: Final = 100.0


class Merged(NamedTuple):
    """How many sessions a pull added and how many it revised."""

    added: int
    revised: int


def merge(stored: Versions | None, pulled: History, now: datetime) -> tuple[Versions, Merged]:
    """Return the stored versions and, known from `now`, every row of `pulled` that they lack or that differs.

    A session that the source no longer tells keeps its row. What is stored becomes known after everything that was
    stored before, whatever the clock says: no later pull changes what was known at an earlier moment.
    """
    stamp = np.datetime64(now.astimezone(UTC).replace(tzinfo=None), "us")
    if stored is None:
        return Versions(pulled, np.full(len(pulled), stamp)), Merged(len(pulled), 0)
    if len(stored.known_at):
        stamp = max(stamp, stored.known_at.max() + np.timedelta64(1, "us"))
    new, differs = changes(stored.current(), pulled)
    fresh = pulled.take(new | differs)
    both = joined(stored.history, fresh)
    known_at = np.concatenate([stored.known_at, np.full(len(fresh), stamp)])
    order = np.argsort(np.concatenate([stored.history.session, fresh.session]), kind="stable")
    merged = replace(stored, history=replace(both, kind=pulled.kind), known_at=known_at[order])
    return merged, Merged(int(new.sum()), int(differs.sum()))


def changes(current: History, pulled: History) -> tuple[Bools, Bools]:
    """Return which rows of `pulled` (R,) `current` has no session for, and which differ from it."""
    at = positions(current.session, pulled.session)
    new: Bools = at < 0
    differs: Bools = np.zeros(len(pulled), dtype=np.bool_)
    old, now = current.take(at[~new]), pulled.take(~new)
    differs[~new] = np.any(list(differing(old, now).values()), axis=0)
    return new, differs


def positions(session: Dates, asked: Dates) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Return where in `session` (ascending) each of `asked` stands, -1 where it does not."""
    if not len(session):
        return np.full(len(asked), -1)
    at = np.minimum(np.searchsorted(session, asked), len(session) - 1)
    return np.where(session[at] == asked, at, -1)


def differing(old: History, now: History) -> dict[str, Bools]:
    """Return by column which rows (R,) tell something else than before: more than the same number told twice."""
    found = {}
    for name in (*PRICES, "split"):
        found[name] = ~np.isclose(old.column(name), now.column(name), rtol=SAME_PRICE, atol=0.0, equal_nan=True)
    for name in ("dividend", "gain"):
        found[name] = ~np.isclose(old.column(name), now.column(name), rtol=SAME_CASH, atol=1e-6)
    found["volume"] = ~np.isclose(old.volume, now.volume, rtol=SAME_VOLUME, atol=SAME_SHARES, equal_nan=True)
    return found
