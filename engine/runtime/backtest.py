"""The loop: one bar after the other through simulator, core and simulator again."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from plimsoll.engine.core import Decision
from plimsoll.engine.errors import DataError
from plimsoll.engine.execution.legal_batch import legal_batch
from plimsoll.engine.kernels.account.ledger import MARGIN_CALL, OVERDRAWN, RUIN
from plimsoll.engine.portfolio.integrator import Mark
from plimsoll.engine.runtime.assemble import Setup

Progress = Callable[[int, int], None]


# Bar and simulated mark -> the mark that the system sees.
MarkOf = Callable[[int, Mark], Mark]


def as_simulated(_: int, mark: Mark) -> Mark:
    """Return the simulated mark."""
    return mark


@dataclass(slots=True)
class Track:
    """What a loop leaves behind beside the simulator's own record.

    decisions : every decision in order, or the last ones. last : the last bar reached. ruined : equity fell to zero
    there. due : the bars that decided, all of them.
    """

    decisions: list[Decision] = field(default_factory=list)
    last: int = -1
    ruined: bool = False
    due: list[int] = field(default_factory=list)


def run_loop(
    setup: Setup,
    progress: Progress | None = None,
    *,
    begin: int = 0,
    stop_at: int | None = None,
    before_bar: Callable[[int], None] | None = None,
    mark_of: MarkOf = as_simulated,
    keep: int | None = None,
) -> Track:
    """Run a backtest bar by bar.

    Each bar: the simulator fills what was decided at the previous close and marks the account at this one; the core
    observes; if something is due it decides, and the orders go to the simulator for the next bar. The loop begins with
    bar `begin`, before which the system has been taken already. With `stop_at` it
    ends after that bar's decision and leaves the system as it then was. `before_bar` is called with each bar
    before anything happens at it; `mark_of` is asked what the account was worth at its close. `keep` is how many of the
    last decisions are kept; None = all.

    Raises
    ------
    StrategyError
        If a strategy fails, with the sleeve and the session.
    DataError
        If a withdrawal exceeds the account.
    """
    system, broker, track = setup.system, setup.broker, Track()
    observe, due, advance = system.observe, system.due, broker.advance
    first, n_bars, needs_mark = setup.first, setup.panel.n_bars, system.integrator.needs_mark
    every = max(n_bars // 100, 1)
    for t in range(begin, n_bars if stop_at is None else stop_at + 1):
        code = 0
        if before_bar is not None:
            before_bar(t)
        if t >= first:
            code = advance(t)
            track.last = t
            if code == RUIN:
                track.ruined = True
                break
            if code == OVERDRAWN:
                raise overdrawn(setup, t)
        elif t == first - 1:
            broker.mark_start(t)
        adopt = t == first - 1
        observe(t, mark_of(t, Mark(*broker.mark())) if needs_mark and (adopt or t >= first) else None)
        if adopt or (t >= first and (due() or code == MARGIN_CALL or broker.must_leave())):
            decision = decided(setup, system.decide(broker.account(), adopt=adopt))
            broker.submit(decision.plan.orders, alone=decision.target.alone, called=decision.target.forced)
            track.due.append(t)
            track.decisions.append(decision)
            if keep is not None:
                del track.decisions[: -keep or None]
        if progress is not None and t % every == 0:
            progress(t, n_bars)
    return track


def decided(setup: Setup, decision: Decision) -> Decision:
    """Return a decision with the orders that the configured venue takes of it."""
    if setup.desk is None:
        return decision
    account, symbols = setup.broker.account(), setup.panel.symbols
    orders, _ = legal_batch(decision.plan.orders, symbols, account, setup.desk, margin=setup.terms.margin_account)
    return replace(decision, plan=replace(decision.plan, orders=orders))


def overdrawn(setup: Setup, t: int) -> DataError:
    """Return the error of a withdrawal at bar t that the account cannot pay."""
    session = setup.panel.clock.session[t]
    return DataError(f"the withdrawal on {session} exceeds the account's equity", where="account.flows")
