"""Every version of a symbol's rows, and which of them were in force at a moment."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from plimsoll.engine.market.gates.finding import GateFinding
from plimsoll.engine.market.history import VALUES, History
from plimsoll.engine.types import Bools, Dates, Ints

# A moment before any: when what is older than its own record became known.
ALWAYS = "0001-01-01T00:00:00"


@dataclass(frozen=True, slots=True, eq=False)
class Versions:
    """Every version of every session of a symbol.

    history : V rows, sessions not descending; of those with one session the last is in force.
    known_at : (V,) datetime64[us], UTC, ascending within a session. notes : what the gates said about the last pull,
    nothing that was refused. stood : ISO session -> since when (ISO, UTC) its extraordinary move is stood for.
    digest : names this content.
    """

    history: History
    known_at: Dates
    notes: tuple[GateFinding, ...] = ()
    digest: str = ""
    stood: Mapping[str, str] = field(default_factory=dict)

    @property
    def in_force(self) -> Bools:
        """(V,) which versions are in force."""
        session = self.history.session
        return np.append(session[1:] != session[:-1], True) if len(session) else np.empty(0, dtype=np.bool_)

    def current(self) -> History:
        """Return the version in force of every session."""
        mask = self.in_force
        return self.history if mask.all() else self.history.take(mask)


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """What was known of a symbol at a moment.

    history : R rows, one a session. stood : sessions whose extraordinary moves were stood for by then.
    first : when its first row was stored; last : when the newest of these versions was; datetime64[us], UTC, NaT where
    there is none.
    """

    history: History
    stood: frozenset[str]
    first: np.datetime64
    last: np.datetime64


def in_force_at(
    now: History, known_at: Dates, past: History, past_known_at: Dates, moment: np.datetime64
) -> tuple[History, Dates]:
    """Return the rows in force at a moment, and when each became known: no version younger than `moment` is looked at.

    now : R rows in force, one a session; past : P versions they took the place of, by session, then by when they
    became known. Every session of `past` is one of `now`.
    """
    seen: Bools = known_at <= moment
    older = np.flatnonzero(past_known_at <= moment)
    session = past.session[older]
    newest = older[np.append(session[1:] != session[:-1], True)] if len(older) else older
    at: Ints = np.searchsorted(now.session, past.session[newest])
    newest, at = newest[~seen[at]], at[~seen[at]]
    whole = seen.copy()
    whole[at] = True
    columns = {}
    for name in ("source", *VALUES):
        column = getattr(now, name).copy()
        column[at] = getattr(past, name)[newest]
        columns[name] = column[whole]
    stamps = known_at.copy()
    stamps[at] = past_known_at[newest]
    history = History(now.symbol, now.kind, now.session[whole], **columns)
    return history, stamps[whole]
