"""Lay what a source tells now over what is stored: rows are added and revised, none is ever lost."""

from dataclasses import replace
from datetime import datetime
from typing import Final, NamedTuple

import numpy as np

from plimsoll.engine.market.catalog.table import Versions
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

    A session that the source no longer tells keeps its row.
    """
    stamp = np.datetime64(now.replace(tzinfo=None), "us")
    if stored is None:
        return Versions(pulled, np.full(len(pulled), stamp)), Merged(len(pulled), 0)
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
    differs[~new] = ~_same(old, now)
    return new, differs


def positions(session: Dates, asked: Dates) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Return where in `session` (ascending) each of `asked` stands, -1 where it does not."""
    if not len(session):
        return np.full(len(asked), -1)
    at = np.minimum(np.searchsorted(session, asked), len(session) - 1)
    return np.where(session[at] == asked, at, -1)


def _same(old: History, now: History) -> Bools:
    same: Bools = np.ones(len(now), dtype=np.bool_)
    for name in (*PRICES, "split"):
        same &= np.isclose(old.column(name), now.column(name), rtol=SAME_PRICE, atol=0.0, equal_nan=True)
    for name in ("dividend", "gain"):
        same &= np.isclose(old.column(name), now.column(name), rtol=SAME_CASH, atol=1e-6)
    same &= np.isclose(old.volume, now.volume, rtol=SAME_VOLUME, atol=SAME_SHARES, equal_nan=True)
    return same
