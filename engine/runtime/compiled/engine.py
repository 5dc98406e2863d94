"""The compiled engine: signals first, then one compiled loop over the whole span; the same results to the bit."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from plimsoll.engine.core import Decision
from plimsoll.engine.errors import ConfigError, StrategyError
from plimsoll.engine.execution.order import OrderBatch
from plimsoll.engine.execution.planner import Plan
from plimsoll.engine.kernels import layout
from plimsoll.engine.kernels.account.ledger import is_margin_call
from plimsoll.engine.kernels.account.order import Orders, empty_orders
from plimsoll.engine.portfolio.book import Pipeline
from plimsoll.engine.portfolio.direct import Direct
from plimsoll.engine.portfolio.integrator import Target
from plimsoll.engine.runtime.assemble import Setup
from plimsoll.engine.runtime.backtest import Progress, Track, overdrawn
from plimsoll.engine.runtime.compiled.book_loop import BookTerms, book_loop
from plimsoll.engine.runtime.compiled.direct_loop import DirectTerms, direct_loop
from plimsoll.engine.runtime.compiled.loop_state import (
    BAR,
    CURSOR,
    LOOP_OVERDRAWN,
    LOOP_RUINED,
    N_DECISIONS,
    ROOM,
    SHORT,
    SUMS,
    DecisionTable,
    Ledger,
    MarketArrays,
    Planning,
    empty_table,
)
from plimsoll.engine.sleeve.signals import Signal, first_failure, on_panel, signal_of, stacked, standing
from plimsoll.engine.types import Ints

# Calls the span is cut into where somebody watches the progress.
PIECES = 50


def refusal(setup: Setup) -> str:
    """Return why a run has no compiled loop, or ""."""
    if setup.desk is not None:
        return f"execution.venue = {setup.config.execution.venue!r} has no compiled form"
    integrator = setup.system.integrator
    if isinstance(integrator, Direct):
        return ""
    if not isinstance(integrator, Pipeline):
        return f"preset {setup.config.integrator.preset!r} has no compiled loop"
    return "integrator.vol_target.covariance = 'factor' has no compiled form" if integrator.settings.factors else ""


def run_compiled(setup: Setup, progress: Progress | None = None) -> Track:
    """Run a backtest through the compiled loop; what `run_loop` leaves behind, this leaves behind, to the bit.

    Raises
    ------
    ConfigError
        If the configuration has no compiled form.
    StrategyError, DataError
        As `run_loop`.
    """
    refuse_uncompiled(setup)
    return run_signals(setup, signals_of(setup), progress)


def signals_of(setup: Setup) -> tuple[Signal, ...]:
    """Return the signals of a setup's sleeves over the whole span."""
    system, n_bars = setup.system, setup.panel.n_bars
    return tuple(signal_of(sleeve, system.cursor, n_bars) for sleeve in system.sleeves)


def run_signals(setup: Setup, signals: Sequence[Signal], progress: Progress | None = None) -> Track:
    """Run a backtest on its sleeves' signals; see `run_compiled`."""
    run = Run.of(setup, full=True)
    code = through(run, signals, progress)
    decisions = run.decisions()
    run.leave(signals, code, decisions)
    return Track(decisions, run.last(code), code == LOOP_RUINED, [decision.t for decision in decisions])


def through(run: "Run", signals: Sequence[Signal], progress: Progress | None = None) -> int:
    """Take signals through the loop to the last bar, or to the first failing sleeve's; return the loop's code.

    Raises
    ------
    StrategyError, DataError
        As `run_compiled`.
    """
    failure = first_failure(signals)
    code = run.go(signals, run.setup.panel.n_bars if failure is None else failure.bar + 1, progress)
    if failure is not None and failure.error is not None and code != LOOP_RUINED and run.cursor[BAR] >= failure.bar:
        # sleeves are asked before anything is decided; signals are shared, so what is raised holds on to no run
        raise failure.error.with_traceback(None)
    if code == SHORT:
        raise run.short_in_cash()
    return code


def refuse_uncompiled(setup: Setup) -> None:
    """Raise ConfigError for a run that has no compiled loop."""
    why = refusal(setup)
    if why:
        raise ConfigError(why, where="engine", fix="use --engine python")


@dataclass(slots=True)
class Run:
    """One account's way through the compiled loop."""

    setup: Setup
    market: MarketArrays
    ledger: Ledger
    planning: Planning
    table: DecisionTable
    orders: Orders
    cursor: Ints

    @classmethod
    def of(cls, setup: Setup, *, full: bool) -> "Run":
        """Return a run at its first bar; `full` keeps every row, else only what a sweep's statistics need."""
        panel, feed, broker, system = setup.panel, setup.feed, setup.broker, setup.system
        n_bars, n = panel.n_bars, panel.n_symbols
        integrator, planner, book = system.integrator, system.planner, broker.book
        ledger = Ledger(
            acct=book.acct,
            scal=book.scal,
            rules=book.rules,
            rec=broker.rec if full else np.empty((1, layout.RECORD)),
            held=broker.held if full else np.empty((0, n)),
            fills=np.zeros((max(256, 8 * n), layout.FILL)),
            brief=np.empty((2, 0)) if full else np.zeros((2, n_bars)),
            sums=np.zeros(SUMS),
            column=np.zeros(n, dtype=np.int64),
            value=np.zeros(n),
        )
        parts = len(system.sleeves) if isinstance(integrator, Pipeline) else 0
        table = empty_table(n_bars + 1 if full else 1, n, len(integrator.stages), len(integrator.facts), parts)
        event = feed.action
        if setup.config.account.flows is not None:
            event = event | (broker.daily[layout.FLOW] != 0.0)
        if isinstance(integrator, Direct):
            table = table._replace(goal=table.weights)  # the target itself is what its orders aim at
        return cls(
            setup,
            MarketArrays(panel.block, panel.close, feed.status, event, broker.daily),
            ledger,
            Planning(planner.min_notional, planner.at_close, planner.tape, planner.work),
            table,
            empty_orders(max(64, 8 * n)),
            np.zeros(CURSOR, dtype=np.int64),
        )

    def go(self, signals: Sequence[Signal], last: int, progress: Progress | None = None) -> int:
        """Run to bar `last` (exclusive); return the loop's code.

        Raises
        ------
        DataError
            If a withdrawal exceeds the account.
        """
        n_bars = self.setup.panel.n_bars
        piece = n_bars if progress is None else max(n_bars // PIECES, 1)
        step = self._loop(signals)
        while True:
            code = step(min((int(self.cursor[BAR]) // piece + 1) * piece, last))
            t = int(self.cursor[BAR])
            if code == ROOM:
                self._enlarge()
            elif code == LOOP_OVERDRAWN:
                raise overdrawn(self.setup, t)
            elif code in (LOOP_RUINED, SHORT) or t >= last:
                return code
            if progress is not None:
                progress(t, n_bars)

    def _loop(self, signals: Sequence[Signal]) -> Callable[[int], int]:
        """Return what runs the loop from the cursor to a bar."""
        integrator, n, first = self.setup.system.integrator, self.setup.panel.n_symbols, self.setup.first
        if isinstance(integrator, Pipeline):
            integrator.memory.failed_at[:] = [-1 if s.failure is None else s.failure.bar for s in signals]
            weight, book = stacked(signals, n), book_terms(self.setup, integrator)
            return lambda stop: int(book_loop(stop, first, weight, book, *self._arrays()))
        if isinstance(integrator, Direct):
            held, answered = on_panel(signals[0], n), signals[0].answered
            terms = DirectTerms(integrator.band, integrator.maintenance)
            return lambda stop: int(direct_loop(stop, first, held, answered, terms, *self._arrays()))
        raise ConfigError(refusal(self.setup), where="engine")

    def _arrays(self) -> tuple[MarketArrays, Ledger, Planning, DecisionTable, Orders, Ints]:
        return self.market, self.ledger, self.planning, self.table, self.orders, self.cursor

    def _enlarge(self) -> None:
        fills = self.ledger.fills
        self.ledger = self.ledger._replace(fills=np.concatenate((fills, np.zeros_like(fills))))
        doubled: list[Any] = [np.concatenate((column, np.empty_like(column))) for column in self.orders]
        self.orders = Orders(*doubled)

    def short_in_cash(self) -> StrategyError:
        """Return the error of a cash account that would have to sell short at the cursor's bar."""
        row = int(self.cursor[N_DECISIONS]) if self.ledger.brief.size == 0 else 0
        return self.setup.system.planner.short_in_cash(int(self.cursor[BAR]), self.table.goal[row])

    def last(self, code: int) -> int:
        """Return the last bar that was settled."""
        return int(self.cursor[BAR]) - (code != LOOP_RUINED)

    def decisions(self) -> list[Decision]:
        """Return every decision, as the bar-by-bar loop would have made it."""
        table, orders, made = self.table, OrderBatch(self.orders), []
        for row in range(int(self.cursor[N_DECISIONS])):
            target = Target(
                table.weights[row], table.goal[row], table.trade[row], table.trace[row].T, table.facts[row],
                float(table.ticket[row]), bool(table.forced[row]),
                table.parts[row] if table.parts.shape[1] else None,
            )  # fmt: skip
            own = orders.between(int(table.first[row]), int(table.first[row + 1]))
            plan = Plan(own, float(table.phi[row]), table.why[row])
            made.append(Decision(int(table.bar[row]), target, plan))
        return made

    def leave(self, signals: Sequence[Signal], code: int, decisions: Sequence[Decision]) -> None:
        """Leave simulator, sleeves and integrator as a bar-by-bar run leaves them."""
        system, broker = self.setup.system, self.setup.broker
        stop = int(self.cursor[BAR])  # of what was observed: a bar that ruins is not
        scal, ruined = self.ledger.scal, code == LOOP_RUINED
        called = is_margin_call(scal[layout.EQUITY], scal[layout.MAINTENANCE], self.ledger.rules[layout.MARGIN_ACCOUNT])
        batches = [decision.plan.orders for decision in decisions]
        broker.take_over(self.ledger.fills, batches, self.last(code), margin_call=bool(called and not ruined))
        for sleeve, signal in zip(system.sleeves, signals, strict=True):
            if ruined or signal.failure is not None:
                # a scan has gone on to the end of the span, or has stopped in the middle of a bar
                sleeve.restart()
                for t in range(stop):
                    system.cursor.t = t
                    sleeve.observe(t)
            else:
                sleeve.answered = bool(signal.answered[stop - 1])
        system.cursor.t = stop - 1
        if isinstance(system.integrator, Pipeline):
            failed_at = system.integrator.memory.failed_at
            failed_at[failed_at >= stop] = -1  # never reached
            system.integrator.take_over(stop - 1, standing(signals, self.setup.panel.n_symbols, stop - 1))


def book_terms(setup: Setup, integrator: Pipeline) -> BookTerms:
    """Return what the loop of preset `book` is given."""
    panel, settings = setup.panel, integrator.settings
    return BookTerms(
        settings.watch, settings.rules, integrator.memory, integrator.prices, integrator.terms, panel.clock.last_bar,
        setup.feed.ret, integrator.close, panel.indicator,
    )  # fmt: skip
