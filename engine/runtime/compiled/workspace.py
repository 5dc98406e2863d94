"""One account and one sleeve, used over and over for settings that differ in the strategy's parameters alone."""

from dataclasses import replace

import numpy as np

from plimsoll.engine.portfolio.direct import Direct
from plimsoll.engine.runtime.assemble import Setup
from plimsoll.engine.runtime.compiled.brief import Brief, brief_of
from plimsoll.engine.runtime.compiled.engine import Run
from plimsoll.engine.runtime.first_bar import begins_at, first_bar
from plimsoll.engine.sleeve.scan import Scan
from plimsoll.engine.sleeve.signals import Signal, scanned
from plimsoll.engine.sleeve.sleeve import memory_of
from plimsoll.engine.sleeve.strategy import Strategy, scan_of


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

    @staticmethod
    def fits(setup: Setup) -> bool:
        """Return whether settings like this one can be run here."""
        alone = isinstance(setup.system.integrator, Direct) and setup.config.account.flows is None
        return alone and scan_of(setup.system.sleeves[0].strategy) is not None

    def takes(self, strategy: Strategy) -> bool:
        """Return whether a strategy fits this sleeve's market."""
        return tuple(strategy.universe) == self._universe

    def run(self, strategy: Strategy) -> tuple[Brief, int] | None:
        """Return what the setting with this strategy came to, and the first bar it traded; None if its scan raises.

        Raises
        ------
        DataError, StrategyError
            As `run_compiled`.
        """
        setup, n = self._setup, self._notional
        first = first_bar(setup.config, setup.panel, [(self._begins, strategy.warmup_bars)])
        np.copyto(n.weight, self._start[0])
        np.copyto(n.scal, self._start[1])
        n.answered.fill(False)
        n.at.fill(0)
        n.fault.fill(-1)
        sleeve = self._sleeve
        sleeve.strategy, sleeve.failure = strategy, ""
        sleeve.state = memory_of(sleeve.name, strategy, len(self._universe))
        scan = Scan(setup.feed, tuple(sleeve.columns.tolist()), self._universe, sleeve.state, sleeve.notes, n)
        signal = scanned(sleeve, scan, first)
        if not isinstance(signal, Signal):
            return None
        if first != self._run.setup.first:
            self._run.setup = replace(setup, first=first)
        setup.broker.book.restore(self._fresh)
        self._run.ledger.sums.fill(0.0)
        self._run.cursor.fill(0)
        return brief_of(self._run, [signal]), first
