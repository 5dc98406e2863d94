"""One account and one sleeve, used over and over for settings that differ in the strategy's parameters alone."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from plimsoll.engine.errors import InputError
from plimsoll.engine.kernels.account.track import Answers, follow_block
from plimsoll.engine.portfolio.direct import Direct
from plimsoll.engine.runtime.assemble import Setup
from plimsoll.engine.runtime.compiled.alone import Alone
from plimsoll.engine.runtime.compiled.brief import Brief, brief_of
from plimsoll.engine.runtime.compiled.engine import Run
from plimsoll.engine.runtime.first_bar import begins_at, first_bar
from plimsoll.engine.sleeve.scan import Scan, empty_answers
from plimsoll.engine.sleeve.signals import Signal, scanned
from plimsoll.engine.sleeve.sleeve import memory_of
from plimsoll.engine.sleeve.strategy import Strategy, block_scan_of, scan_of
from plimsoll.engine.types import Ints

# Settings in one pass over the market: enough for arithmetic on several at a time, few enough for the fast memory.
BLOCK: Final = 32
# Bytes of what a block of settings writes: a long span has fewer of them.
BLOCK_BYTES: Final = 32 * 2**20


class Workspace:
    """What `run_brief` would allocate for each setting is made once and wiped between them.

    For preset `direct` and a strategy with a scan; not for two threads at once.
    """

    def __init__(self, setup: Setup) -> None:
        sleeve, book = setup.system.sleeves[0], setup.broker.book
        self._setup = setup
        self._sleeve = sleeve
        self._universe = tuple(sleeve.strategy.universe)
        self._begins = begins_at(setup.feed, sleeve.columns)
        self._notional = sleeve.tracker.notional()
        self._run = Run.of(setup, full=False)
        self._fresh = book.save()
        self._start = (self._notional.weight.copy(), self._notional.scal.copy())
        self._alone = Alone.of(self._run)
        bars, k = self._notional.ret.shape
        self._width = max(1, min(BLOCK, BLOCK_BYTES // (8 * bars * (k + 2))))
        self._answers: Answers | None = None
        self._firsts: dict[int, int] = {}  # by the bars a strategy needs

    @staticmethod
    def fits(setup: Setup) -> bool:
        """Return whether settings like this one can be run here."""
        alone = isinstance(setup.system.integrator, Direct) and setup.config.account.flows is None
        return alone and scan_of(setup.system.sleeves[0].strategy) is not None

    def takes(self, strategy: Strategy) -> bool:
        """Return whether a strategy fits this sleeve's market."""
        return tuple(strategy.universe) == self._universe

    @property
    def blocks(self) -> bool:
        """Whether `run_all` takes settings through the market together."""
        return block_scan_of(self._sleeve.strategy) is not None and self._width > 1

    def run(self, strategy: Strategy) -> tuple[Brief, int] | None:
        """Return what the setting with this strategy came to, and the first bar it traded; None if its scan raises.

        Raises
        ------
        DataError, StrategyError
            As `run_compiled`.
        """
        first = self._first(strategy)
        signal = self._signal(strategy, first)
        if not isinstance(signal, Signal):
            return None
        if self._alone is not None and signal.failure is None:
            done = self._alone.briefs(np.array([first]), signal.held[None], signal.answered[None])[0]
            if done is not None:
                return done, first
        return self._account(signal, first), first

    def run_all(self, strategies: Sequence[Strategy]) -> list[tuple[Brief, int] | None]:
        """Return what `run` returns for each of several strategies of one class; they share passes over the market.

        None for one to be asked for by itself: the class has no `scan_block`, or something about this one is amiss.
        """
        done: list[tuple[Brief, int] | None] = []
        for start in range(0, len(strategies), self._width):
            done += self._block(strategies[start : start + self._width])
        return done

    def _block(self, strategies: Sequence[Strategy]) -> list[tuple[Brief, int] | None]:
        found: list[tuple[Brief, int] | None] = [None] * len(strategies)
        scan, n = block_scan_of(strategies[0]), self._notional
        firsts = {at: first for at, one in enumerate(strategies) if (first := self._first_or_none(one)) is not None}
        if scan is None or len(firsts) < 2:
            return found
        answers = self._room(len(firsts))
        try:
            scan([strategies[at] for at in firsts], self._sleeve.block_scan(answers))
        except Exception:  # noqa: BLE001  (whose it is, and what it says, is found out one by one)
            return found
        starts: Ints = np.array(list(firsts.values()), dtype=np.int64)
        follow_block(starts, n.ret, n.bill, answers, n.weight, n.scal, n.path)
        if self._alone is not None:
            briefs = self._alone.briefs(starts, answers.held, answers.answered)
        else:
            briefs = [self._account_or_none(answers, b, start) for b, start in enumerate(firsts.values())]
        for b, ((at, start), brief) in enumerate(zip(firsts.items(), briefs, strict=True)):
            found[at] = None if brief is None or answers.fault[b] else (brief, start)
        return found

    def _first(self, strategy: Strategy) -> int:
        bars = strategy.warmup_bars
        if bars not in self._firsts:
            self._firsts[bars] = first_bar(self._setup.config, self._setup.panel, [(self._begins, bars)])
        return self._firsts[bars]

    def _first_or_none(self, strategy: Strategy) -> int | None:
        try:
            return self._first(strategy)
        except InputError:
            return None

    def _room(self, n_settings: int) -> Answers:
        """Return room for the answers of so many settings; nothing is answered yet."""
        n = self._notional
        if self._answers is None or len(self._answers.held) < n_settings:
            self._answers = empty_answers(n_settings, n.status)
        whole = self._answers
        part = Answers(n.status, whole.held[:n_settings], whole.answered[:n_settings], whole.fault[:n_settings])
        part.answered.fill(False)
        part.fault.fill(False)
        return part

    def _signal(self, strategy: Strategy, first: int) -> Signal | Exception | None:
        """Return the signals of one strategy's own scan."""
        n, sleeve = self._notional, self._sleeve
        np.copyto(n.weight, self._start[0])
        np.copyto(n.scal, self._start[1])
        n.answered.fill(False)
        n.at.fill(0)
        n.fault.fill(-1)
        sleeve.strategy, sleeve.failure = strategy, ""
        sleeve.state = memory_of(sleeve.name, strategy, len(self._universe))
        scan = Scan(self._setup.feed, tuple(sleeve.columns.tolist()), self._universe, sleeve.state, sleeve.notes, n)
        return scanned(sleeve, scan, first)

    def _account(self, signal: Signal, first: int) -> Brief:
        """Take signals through the account."""
        if first != self._run.setup.first:
            self._run.setup = replace(self._setup, first=first)
        self._setup.broker.book.restore(self._fresh)
        self._run.ledger.sums.fill(0.0)
        self._run.cursor.fill(0)
        return brief_of(self._run, [signal])

    def _account_or_none(self, answers: Answers, b: int, first: int) -> Brief | None:
        """Take the answers of setting b of a block through the account; None if that ends in an error."""
        if answers.fault[b]:
            return None
        try:
            return self._account(Signal(self._sleeve.columns, answers.held[b], answers.answered[b], None), first)
        except InputError:
            return None
