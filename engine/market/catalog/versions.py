"""Every version of a symbol's rows, and which of them were in force at a moment."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from plimsoll.engine.market.gates.finding import GateFinding
from plimsoll.engine.market.history import VALUES, History
from plimsoll.engine.types import Bools, Dates, Floats, Ints, Words

# A moment before any: when what is older than its own record became known.
ALWAYS = "0001-01-01T00:00:00"


class Superseded(NamedTuple):
    """P versions that something took the place of.

    session (P,) dates. known_at, until (P,) datetime64[us], UTC: a version was in force from the one up to before the
    other. values (P, 8) float64: the columns of a history, in the order of VALUES.
    """

    session: Dates
    known_at: Dates
    until: Dates
    values: Floats


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

    def superseded(self) -> tuple[History, Superseded]:
        """Return the versions that others took the place of, by when these came: as rows, and as what is looked for."""
        rows = np.flatnonzero(~self.in_force)
        rows = rows[np.argsort(self.known_at[rows + 1], kind="stable")]
        history, stamps = self.history.take(rows), self.known_at.astype("datetime64[us]")
        values = np.stack([history.column(name) for name in VALUES], axis=1)
        return history, Superseded(history.session, stamps[rows], stamps[rows + 1], values)


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


def in_force_at(now: History, known_at: Dates, past: Superseded, moment: np.datetime64) -> tuple[History, Dates]:
    """Return the rows in force at a moment, who told them apart, and when each became known.

    now : R rows in force, one a session. known_at : (R,) since when. past : what they took the place of, in any order,
    what ceased to be in force by `moment` may be left out. Every session of `past` is one of `now`.
    """
    then = np.flatnonzero((past.known_at <= moment) & (moment < past.until))
    at: Ints = np.searchsorted(now.session, past.session[then])
    whole: Bools = known_at <= moment
    whole[at] = True  # of a session at most one version is in force: none of these is one that is seen already
    into = (np.cumsum(whole) - 1)[at]
    values = past.values[then]
    columns = {}
    for k, name in enumerate(VALUES):
        columns[name] = getattr(now, name)[whole]
        columns[name][into] = values[:, k]
    stamps = known_at[whole]
    stamps[into] = past.known_at[then]
    return History(now.symbol, now.kind, now.session[whole], untold(len(stamps)), **columns), stamps


def untold(n_rows: int) -> Words:
    """Return (R,) empty words for who told rows whose prices alone are asked for."""
    return np.broadcast_to(np.str_(""), (n_rows,))
