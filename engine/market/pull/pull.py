"""Pull symbols into a catalog: one after the other, each stored as soon as its gates are passed."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final, Literal, Protocol, TypeAlias

import numpy as np

from plimsoll.engine.market.calendar import FIRST_DAY
from plimsoll.engine.market.catalog.store import Catalog
from plimsoll.engine.market.catalog.versions import Versions
from plimsoll.engine.market.fetching import DeniedError, FetchError, UnreachableError, fetch_error
from plimsoll.engine.market.gates.finding import GateFinding
from plimsoll.engine.market.gates.judge import GateInputs, judge
from plimsoll.engine.market.gates.pair import fingerprint
from plimsoll.engine.market.history import History
from plimsoll.engine.market.instruments import instrument
from plimsoll.engine.market.pull.budget import Budget
from plimsoll.engine.market.pull.completed import last_completed
from plimsoll.engine.types import Floats

# Stored sessions that every pull asks for again: late corrections come within days.
OVERLAP: Final = 30
# Asked for beyond the first session wanted, since gates and gains look at the close before.
MARGIN: Final = timedelta(days=10)
SECOND_SPAN: Final = timedelta(days=20)

State: TypeAlias = Literal["stored", "current", "quarantined", "failed", "not_tried"]


class Client(Protocol):
    """A way to a source."""

    source: str

    def fetch(self, symbol: str, start: date | None) -> History:
        """Return a symbol's rows as traded from `start` to now; FetchError if there are none."""


class Second(Protocol):
    """A way to a second opinion."""

    source: str

    def recent(self, symbol: str, start: date) -> History:
        """Return a symbol's rows from `start` on, actions apart; FetchError if there are none."""


@dataclass(frozen=True, slots=True)
class PullOutcome:
    """What became of one symbol. error : why it failed, one line. findings : what the gates said."""

    symbol: str
    state: State
    source: str = ""
    added: int = 0
    revised: int = 0
    last: str = ""
    findings: tuple[GateFinding, ...] = ()
    error: str = ""


@dataclass(slots=True)
class Puller:
    """One pull. `start` : first session wanted, None = all there is, or what is new of what is stored.

    `stopped` is set when the rest was not tried: the source cannot be reached, or is better left alone.
    """

    catalog: Catalog
    client: Client
    budget: Budget
    now: Callable[[], datetime]
    second: Second | None = None
    second_budget: Budget | None = None
    start: date | None = None
    confirm: frozenset[date] = frozenset()
    stopped: FetchError | None = None
    _seen: dict[str, tuple[str, Floats]] = field(default_factory=dict)
    _confirmed: dict[str, frozenset[date]] = field(default_factory=dict)

    def run(self, symbols: Sequence[str]) -> Iterator[PullOutcome]:
        """Yield the outcome of each symbol as it is known. What is yielded as stored is on the disk.

        Raises
        ------
        DataError
            If something stored is damaged.
        OutputError
            If the catalog cannot be written.
        """
        if self.confirm:
            for symbol in symbols:
                self.catalog.confirm(symbol, sorted(self.confirm), self.now())
        self._confirmed = self.catalog.confirmed()
        for symbol in dict.fromkeys(symbols):
            if self.stopped is not None:
                yield PullOutcome(symbol, "not_tried", self.client.source, error=str(self.stopped))
                continue
            try:
                yield self._one(symbol)
            except FetchError as error:
                if isinstance(error, (UnreachableError, DeniedError)) or self.budget.broken:
                    self.stopped = error
                yield PullOutcome(symbol, "failed", self.client.source, error=str(error))

    def _one(self, symbol: str) -> PullOutcome:
        completed, stored = last_completed(self.now()), self.catalog.find(symbol)
        if stored is not None:
            self._check_source(symbol, stored)
            if self._is_current(symbol, stored, completed):
                self._remember(stored.current())
                return PullOutcome(symbol, "current", self.client.source, last=str(completed))
        first = self._first(stored)
        asked = None if first is None else max(FIRST_DAY, first - MARGIN)
        pulled = self.budget.ask(lambda: self.client.fetch(symbol, asked))
        current = stored.current() if stored is not None else None
        second, unheard = self._opinion(pulled, completed)
        inputs = GateInputs(
            completed=completed,
            stored=current,
            second=second,
            confirmed=self._confirmed.get(symbol, frozenset()),
            others=self._seen,
            underlying=self._underlying(symbol),
        )
        verdict = judge(pulled, inputs)
        kept, refused = (_from(rows, first) for rows in (verdict.kept, verdict.refused))
        findings = unheard + tuple(f for f in verdict.findings if _concerns(f, first))
        if not len(kept) and not len(refused):
            raise fetch_error("no_such_data", self.client.source, symbol, "not one row with a price")
        if not len(kept) or any(finding.severity == "symbol" for finding in findings):
            self.catalog.quarantine(refused, findings, self.now())
            return PullOutcome(symbol, "quarantined", self.client.source, findings=findings)
        change = self.catalog.store(kept, findings, self.now(), refused)
        self._remember(kept)
        state: State = "quarantined" if len(refused) else "stored"
        return PullOutcome(symbol, state, self.client.source, *change, str(kept.session[-1]), findings)

    def _first(self, stored: Versions | None) -> date | None:
        """Return the first session to store anew, None for all there is."""
        if stored is None or not len(stored.history):
            return self.start
        session = np.unique(stored.history.session)
        overlap: date = session[-min(OVERLAP, len(session))].astype(object)
        if self.start is None or self.start >= overlap:
            return overlap
        return self.start

    def _is_current(self, symbol: str, stored: Versions, completed: date) -> bool:
        session = stored.history.session
        reaches = self.start is None or (len(session) > 0 and session[0] <= np.datetime64(self.start))
        held = symbol in self.catalog.quarantined()
        return bool(len(session) and session[-1] == np.datetime64(completed) and reaches and not held)

    def _check_source(self, symbol: str, stored: Versions) -> None:
        kept = stored.history.source[0] if len(stored.history) else self.client.source
        if kept != self.client.source:
            what = f"{symbol} is kept from {kept}; rows of two sources are never mixed"
            fix = f"pull it with --source {kept}, or into another catalog with --catalog"
            raise FetchError(what, where=self.client.source, fix=fix)

    def _opinion(self, pulled: History, completed: date) -> tuple[History | None, tuple[GateFinding, ...]]:
        """Return another source's last sessions, None if there is no other; and a note if it was asked in vain."""
        second, budget = self.second, self.second_budget
        if second is None or budget is None or budget.broken or pulled.index:
            return None, ()
        try:
            return budget.ask(lambda: second.recent(pulled.symbol, completed - SECOND_SPAN)), ()
        except FetchError as error:
            if isinstance(error, (UnreachableError, DeniedError)):
                self.second = None  # it will not answer for the next symbol either
            return None, (GateFinding("no_second_source", "note", pulled.symbol, str(error)),)

    def _underlying(self, symbol: str) -> History | None:
        """Return what is stored of what a leveraged fund follows, None if it is none or nothing is."""
        name = instrument(symbol).underlying
        stored = self.catalog.find(name) if name else None
        return None if stored is None else stored.current()

    def _remember(self, history: History) -> None:
        mine = fingerprint(history)
        if mine is not None:
            self._seen[history.symbol] = mine


def _concerns(finding: GateFinding, first: date | None) -> bool:
    """Say whether a finding is about what is stored now; what refuses the pull always is, a row of the margin never."""
    return finding.severity == "symbol" or first is None or not finding.session or finding.session >= str(first)


def _from(history: History, first: date | None) -> History:
    return history if first is None else history.take(history.session >= np.datetime64(first))
