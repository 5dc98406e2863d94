"""Series beside the account: each has a span of its own, and is compared over that span alone.

A benchmark, a bill series or an indicator may begin after the run does, end before it, or have holes. Nothing is
padded: the account is compared with a benchmark over the stretches between its rows, both sides compounded.
"""

from dataclasses import dataclass

import numpy as np

from plimsoll.engine.market.panel import BarClock, Panel
from plimsoll.engine.types import Bools, Dates, Floats, Ints

SESSIONS_PER_YEAR = 252.0


@dataclass(frozen=True, slots=True)
class SpanReturns:
    """Returns of a series over the part of a run that it covers.

    start : position, among the run's sessions, of the one `values[0]` belongs to.
    values (k,) : simple return of each session from there on, NaN = no row; the next return spans the gap.
    """

    start: int
    values: Floats


@dataclass(frozen=True, slots=True)
class Beside:
    """The m stretches over which an account and a series are compared, in positions of the run's sessions.

    starts, ends (m,) : first and last session of each; one session wherever the series has no hole.
    theirs (m,) : return of the series over each.
    """

    starts: Ints
    ends: Ints
    theirs: Floats

    @property
    def covered(self) -> int:
        """Sessions from the first to the last stretch."""
        return int(self.ends[-1] - self.starts[0]) + 1 if len(self.ends) else 0

    @property
    def per_year(self) -> float:
        """Stretches in a year of 252 sessions."""
        return SESSIONS_PER_YEAR * len(self.ends) / self.covered if self.covered else SESSIONS_PER_YEAR

    def over(self, returns: Floats) -> Floats:
        """Return (m,) the account's session returns (n,) compounded over each stretch."""
        out: Floats = returns[self.ends].copy()  # a stretch of one session: the very same bits
        for k in np.flatnonzero(self.starts < self.ends):
            out[k] = np.prod(1.0 + returns[self.starts[k] : self.ends[k] + 1]) - 1.0
        return out


def stretches(series: SpanReturns) -> Beside:
    """Return the stretches between the rows of a series."""
    known = np.flatnonzero(~np.isnan(series.values))
    ends: Ints = (series.start + known).astype(np.int64)
    starts: Ints = np.concatenate(([series.start], ends[:-1] + 1)).astype(np.int64)[: len(ends)]
    return Beside(starts, ends, series.values[known])


@dataclass(frozen=True, slots=True)
class Span:
    """Where a series beside the account begins and ends.

    role : benchmark, bill or indicator. first, last : ISO dates of its first and last row, "" where it has none.
    sessions : sessions of the run with a row, `of` those of the run. held : sessions its last rate was held.
    by_default : the configuration names none, see `plimsoll.engine.runtime.by_default`.
    """

    role: str
    name: str
    first: str
    last: str
    sessions: int
    of: int
    held: int = 0
    by_default: bool = False

    @property
    def text(self) -> str:
        """The span in words."""
        if not self.first:
            return f"{self.role} {self.name}: no row"
        rows = "every session" if self.sessions == self.of else f"{self.sessions:,} of {self.of:,} sessions"
        held = f", its last rate held for {self.held}" if self.held else ""
        return f"{self.role} {self.name}: {self.first} to {self.last}, a row on {rows}{held}{self._default}"

    @property
    def _default(self) -> str:
        """How a series that was not asked for is left out, in words."""
        if not self.by_default:
            return ""
        if self.role == "bill":
            return '; by default, for returns over bills alone, cash earns nothing (report.risk_free = "none" without)'
        return f'; by default (run.{self.role} = "none" without)'


def span_of(role: str, name: str, known: Bools, clock: BarClock, run: slice, held: int = 0) -> Span:
    """Return the span of a series known (T,) at some bars of a panel in a run over a slice of them."""
    session = clock.session
    rows = np.flatnonzero(known)
    first, last = (str(session[rows[0]]), str(session[rows[-1]])) if len(rows) else ("", "")
    sessions: Dates = np.unique(session[run][known[run]])
    return Span(role, name, first, last, len(sessions), len(np.unique(session[run])), held)


def symbol_returns(panel: Panel, ret: Floats, symbol: str, run: slice) -> SpanReturns:
    """Return a symbol's total returns over the part of a run that it covers; no values where it covers none.

    ret (T, N) total returns per bar, NaN where there is no row. The first return is of the session after a row: the
    last session before the run, or, without a row there, the first one within it that has one.
    """
    column, clock = panel.column(symbol), panel.clock
    row: Bools = ~np.isnan(panel.close[:, column])
    index = clock.session_index[run]
    firsts = np.flatnonzero(np.concatenate(([True], index[1:] != index[:-1])))
    has: Bools = np.logical_or.reduceat(row[run], firsts)
    grown: Floats = np.multiply.reduceat(1.0 + np.nan_to_num(ret[run, column], nan=0.0), firsts) - 1.0
    before = np.flatnonzero(row[: run.start])
    within = np.flatnonzero(has)
    adjoins = len(before) > 0 and int(clock.session_index[before[-1]]) >= int(index[0]) - 1
    start = 0 if adjoins else (int(within[0]) + 1 if len(within) else len(has))
    stop = int(within[-1]) + 1 if len(within) else start
    return SpanReturns(start, np.where(has, grown, np.nan)[start:stop])
