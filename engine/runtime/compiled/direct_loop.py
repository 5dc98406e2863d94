"""The compiled loop of preset `direct`: from answer to answer, coasting between them."""

from typing import NamedTuple

import numpy as np

from plimsoll.engine.kernels.account.coast import coast
from plimsoll.engine.kernels.account.leave import expel, must_leave
from plimsoll.engine.kernels.account.ledger import LEDGER_OK, MARGIN_CALL, OVERDRAWN, RUIN, going_out, mark_start
from plimsoll.engine.kernels.account.order import Orders
from plimsoll.engine.kernels.account.submit import SHORT_IN_CASH, plan_orders
from plimsoll.engine.kernels.jit import kernel
from plimsoll.engine.kernels.layout import CASH, EQUITY, SHARES
from plimsoll.engine.portfolio.direct import direct_target
from plimsoll.engine.runtime.compiled.loop_state import (
    BAR,
    DONE,
    LOOP_OVERDRAWN,
    LOOP_RUINED,
    N_DECISIONS,
    N_ORDERS,
    ROOM,
    SHORT,
    DecisionTable,
    Ledger,
    MarketArrays,
    Planning,
)
from plimsoll.engine.runtime.compiled.loop_step import hand_over, has_room, settle, value_held
from plimsoll.engine.types import Bools, Floats, Ints


class DirectTerms(NamedTuple):
    """Preset `direct`: its band, the maintenance rates (2, N) of longs and shorts."""

    band: float
    maintenance: Floats


@kernel
def next_answer(first: int, stop: int, answered: Bools) -> int:
    """Return the first bar from `first` on with an answer; `stop` if there is none before."""
    t = first
    while t < stop and not answered[t]:
        t += 1
    return t


@kernel
def direct_loop(
    stop: int, first: int, signal: Floats, answered: Bools, terms: DirectTerms, market: MarketArrays, ledger: Ledger,
    planning: Planning, table: DecisionTable, orders: Orders, cursor: Ints,
) -> int:  # fmt: skip
    """Run the bars from the cursor to `stop`; return one of the codes of `plimsoll.engine.runtime.compiled.loop_state`.

    signal (T, N) the sleeve's held weights in panel columns, answered (T,); first is the first bar traded.
    The steps of a bar are those of `plimsoll.engine.runtime.backtest.run_loop`.
    """
    block, close, status, event, daily = market.block, market.close, market.status, market.event, market.daily
    acct, scal, rules, rec, held = ledger.acct, ledger.scal, ledger.rules, ledger.rec, ledger.held
    fills, brief, sums, column, value = ledger.fills, ledger.brief, ledger.sums, ledger.column, ledger.value
    tape, work, maintenance, band = planning.tape, planning.work, terms.maintenance, terms.band
    full, row = brief.shape[1] == 0, 0
    weights, trade, trace, why = table.weights[0], table.trade[0], table.trace[0], table.why[0]
    room = np.array([orders.bar.shape[0], table.bar.shape[0]])
    t, due = max(cursor[BAR], first - 1), -1
    while t < stop:
        code = LEDGER_OK
        if not has_room(acct, scal, fills, brief, room, cursor):
            cursor[BAR] = t
            return ROOM
        if t >= first:
            if due < t:
                due = next_answer(t, stop, answered)
            end = min(due + 1, stop)
            reached = coast(t, end, block, status, event, daily, rules, acct, scal, column, rec, held, brief)
            t = min(reached, end - 1)
            if reached < end:
                code = settle(t, block, status, daily, rules, acct, scal, rec, held, fills, brief, sums, cursor)
                if code in (RUIN, OVERDRAWN):
                    cursor[BAR] = t
                    return LOOP_RUINED if code == RUIN else LOOP_OVERDRAWN
        else:
            mark_start(t, block, acct)
        asked, called = t == first - 1 or answered[t], code == MARGIN_CALL
        if asked or called or (t >= first and must_leave(t, status, acct)):
            if full:
                row = cursor[N_DECISIONS]
                weights, trade, trace, why = table.weights[row], table.trade[row], table.trace[row], table.why[row]
            value_held(acct, value)
            out = going_out(t, daily, scal)
            cash, equity = scal[CASH] - out, scal[EQUITY] - out
            direct_target(asked, t, signal, value, equity, called, maintenance, band, weights, trade, trace)
            expel(t, status, value, weights, weights, trade, trace[1])
            phi, n = plan_orders(
                t, cash, equity, acct[SHARES], value, weights, trade, close[t], rules, daily,
                planning.min_notional, planning.at_close, tape, work, why, orders, cursor[N_ORDERS] if full else 0,
            )  # fmt: skip
            if phi == SHORT_IN_CASH:
                cursor[BAR] = t
                return SHORT
            hand_over(n, full, not asked, called, orders, acct, scal, rules, cursor)
            table.bar[row], table.phi[row], table.ticket[row], table.forced[row] = t, phi, 0.0, called
            table.first[row + 1] = cursor[N_ORDERS]
        t += 1
    cursor[BAR] = t
    return DONE
