"""A run through the compiled loop without its tables: what statistics need, at a fraction of the memory."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from plimsoll.engine.kernels import layout
from plimsoll.engine.portfolio.stages.s1_allocate import RUNGS
from plimsoll.engine.runtime.assemble import Setup
from plimsoll.engine.runtime.compiled.engine import Run, refuse_uncompiled, through
from plimsoll.engine.runtime.compiled.loop_state import (
    ALLOCATED,
    COSTS,
    FILLS,
    LOOP_RUINED,
    N_DECISIONS,
    N_ORDERS,
    TRADED,
)
from plimsoll.engine.sleeve.signals import Signal
from plimsoll.engine.types import Floats


@dataclass(frozen=True, slots=True)
class Brief:
    """A finished run; bars are the T traded ones.

    ret, gross : (T,) time-weighted return of each bar, exposure at its close over equity.
    traded, costs : sums over the bars of traded notional and trading costs over the equity the bar began with.
    allocated_by : decisions of a book by what their shares came from.
    """

    ret: Floats
    gross: Floats
    traded: float
    costs: float
    final_equity: float
    orders: int
    fills: int
    decisions: int
    margin_calls: int
    ruined: bool
    allocated_by: Mapping[str, int]


def run_brief(setup: Setup, signals: Sequence[Signal]) -> Brief:
    """Run signals through the compiled loop of a fresh setup.

    Raises
    ------
    ConfigError, StrategyError, DataError
        As `plimsoll.engine.runtime.compiled.engine.run_compiled`.
    """
    refuse_uncompiled(setup)
    return brief_of(Run.of(setup, full=False), signals)


def brief_of(run: Run, signals: Sequence[Signal]) -> Brief:
    """Take signals through a run that stands at its first bar and keeps no rows; see `run_brief`."""
    code = through(run, signals)
    span, scal, cursor = slice(run.setup.first, run.last(code) + 1), run.ledger.scal, run.cursor
    return Brief(
        ret=run.ledger.brief[0, span].copy(),
        gross=run.ledger.brief[1, span].copy(),
        traded=float(run.ledger.sums[TRADED]),
        costs=float(run.ledger.sums[COSTS]),
        final_equity=float(scal[layout.EQUITY]),
        orders=int(cursor[N_ORDERS]),
        fills=int(cursor[FILLS] + scal[layout.N_FILLS]),
        decisions=int(cursor[N_DECISIONS]),
        margin_calls=int(scal[layout.MARGIN_CALLS]),
        ruined=code == LOOP_RUINED,
        allocated_by={name: int(run.ledger.sums[ALLOCATED + k]) for k, name in enumerate(RUNGS)},
    )
