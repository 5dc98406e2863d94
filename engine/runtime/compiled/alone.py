"""Many settings of one symbol in one call: each goes by the short way, and by the general loop where that is closed."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from plimsoll.engine.kernels.account.order import Orders
from plimsoll.engine.kernels.jit import kernel
from plimsoll.engine.kernels.layout import EQUITY, MARGIN_CALLS, N_FILLS
from plimsoll.engine.portfolio.direct import Direct
from plimsoll.engine.portfolio.stages.s1_allocate import RUNGS
from plimsoll.engine.runtime.compiled.brief import Brief
from plimsoll.engine.runtime.compiled.direct_loop import DirectTerms, direct_loop
from plimsoll.engine.runtime.compiled.engine import Run
from plimsoll.engine.runtime.compiled.loop_state import (
    BAR,
    COSTS,
    DONE,
    FILLS,
    LOOP_RUINED,
    N_DECISIONS,
    N_ORDERS,
    TRADED,
    DecisionTable,
    Ledger,
    MarketArrays,
    Planning,
)
from plimsoll.engine.runtime.compiled.one_symbol import goes_alone, one_symbol
from plimsoll.engine.types import Bools, Floats, Ints

# Columns of what `alone_block` tells of each setting.
CODE: Final = 0
AT: Final = 1
TOLD_TRADED: Final = 2
TOLD_COSTS: Final = 3
TOLD_EQUITY: Final = 4
TOLD_ORDERS: Final = 5
TOLD_FILLS: Final = 6
TOLD_DECISIONS: Final = 7
TOLD_CALLS: Final = 8
TOLD: Final = 9


@kernel
def alone_block(
    first: Ints, held: Floats, answered: Bools, terms: DirectTerms, market: MarketArrays, ledger: Ledger,
    planning: Planning, table: DecisionTable, orders: Orders, cursor: Ints, acct: Floats, scal: Floats, brief: Floats,
    told: Floats,
) -> None:  # fmt: skip
    """Run B settings one after the other from their first bar traded, first (B,), to the last, each as `direct_loop`.

    held (B, T, 1), answered (B, T) their signals; acct, scal the account they all begin with; brief (B, 2, T) and told
    (B, TOLD) written. For runs that `one_symbol.goes_alone` allows.
    """
    block, status, event, daily = market.block, market.status, market.event, market.daily
    now, sums, rules, stop = ledger.scal, ledger.sums, ledger.rules, held.shape[1]
    for b in range(first.shape[0]):
        own = Ledger(
            ledger.acct, now, rules, ledger.rec, ledger.held, ledger.fills, brief[b], sums, ledger.column, ledger.value
        )
        begin(ledger.acct, now, sums, cursor, acct, scal)
        code, cursor[BAR] = DONE, first[b] - 1
        while code == DONE and cursor[BAR] < stop:
            t = cursor[BAR]
            if t >= first[b]:
                t = one_symbol(
                    t, stop, held[b], answered[b], block, status, event, daily, rules, own.acct, now, own.brief, sums,
                    cursor, terms.band, planning.min_notional, planning.tape, planning.work,
                )  # fmt: skip
                cursor[BAR] = t
            if t < stop:
                code = direct_loop(
                    t + 1, first[b], held[b], answered[b], terms, market, own, planning, table, orders, cursor
                )
        told[b, CODE], told[b, AT] = code, cursor[BAR]
        told[b, TOLD_TRADED], told[b, TOLD_COSTS] = sums[TRADED], sums[COSTS]
        told[b, TOLD_EQUITY], told[b, TOLD_CALLS] = now[EQUITY], now[MARGIN_CALLS]
        told[b, TOLD_ORDERS], told[b, TOLD_DECISIONS] = cursor[N_ORDERS], cursor[N_DECISIONS]
        told[b, TOLD_FILLS] = cursor[FILLS] + now[N_FILLS]


@kernel
def begin(now: Floats, now_scal: Floats, sums: Floats, cursor: Ints, acct: Floats, scal: Floats) -> None:
    """Put an account of one symbol, what is summed of it and the cursor where they stand before the first bar."""
    for k in range(acct.shape[0]):
        now[k, 0] = acct[k, 0]
    for k in range(scal.shape[0]):
        now_scal[k] = scal[k]
    for k in range(sums.shape[0]):
        sums[k] = 0.0
    for k in range(cursor.shape[0]):
        cursor[k] = 0


@dataclass(frozen=True, slots=True)
class Alone:
    """A run of one symbol that settings take the short way through; acct, scal: the account they begin with."""

    run: Run
    terms: DirectTerms
    acct: Floats
    scal: Floats

    @classmethod
    def of(cls, run: Run) -> "Alone | None":
        """Return it for a brief run of preset `direct` that stands at its first bar; None if there is no short way."""
        integrator, ledger = run.setup.system.integrator, run.ledger
        brief = ledger.brief.shape[1] > 0
        if not (
            isinstance(integrator, Direct)
            and brief
            and goes_alone(ledger.acct, ledger.rules, at_close=run.planning.at_close)
        ):
            return None
        terms = DirectTerms(integrator.band, integrator.maintenance)
        return cls(run, terms, ledger.acct.copy(), ledger.scal.copy())

    def briefs(self, first: Ints, held: Floats, answered: Bools) -> list[Brief | None]:
        """Return what B settings came to: first (B,), held (B, T, 1), answered (B, T); None where one cannot go on."""
        run = self.run
        brief, told = np.empty((len(first), 2, held.shape[1])), np.empty((len(first), TOLD))
        alone_block(
            first, held, answered, self.terms, run.market, run.ledger, run.planning, run.table, run.orders, run.cursor,
            self.acct, self.scal, brief, told,
        )  # fmt: skip
        starts = first.tolist()
        return [_brief(start, rows, one) for start, rows, one in zip(starts, brief, told.tolist(), strict=True)]


def _brief(first: int, rows: Floats, told: list[float]) -> Brief | None:
    code = told[CODE]
    if code not in (DONE, LOOP_RUINED):
        return None
    span = slice(first, int(told[AT]) + (code == LOOP_RUINED))
    return Brief(
        ret=rows[0, span],
        gross=rows[1, span],
        traded=told[TOLD_TRADED],
        costs=told[TOLD_COSTS],
        final_equity=told[TOLD_EQUITY],
        orders=int(told[TOLD_ORDERS]),
        fills=int(told[TOLD_FILLS]),
        decisions=int(told[TOLD_DECISIONS]),
        margin_calls=int(told[TOLD_CALLS]),
        ruined=code == LOOP_RUINED,
        allocated_by=dict.fromkeys(RUNGS, 0),
    )
