"""The compiled loop of preset `book`: every bar through all nine stages."""

from typing import NamedTuple

import numpy as np

from plimsoll.engine.kernels.account.leave import expel, must_leave
from plimsoll.engine.kernels.account.ledger import LEDGER_OK, MARGIN_CALL, OVERDRAWN, RUIN, going_out, mark_start
from plimsoll.engine.kernels.account.order import Orders
from plimsoll.engine.kernels.account.submit import SHORT_IN_CASH, plan_orders
from plimsoll.engine.kernels.jit import kernel
from plimsoll.engine.kernels.layout import CASH, EQUITY, NAV, SHARES
from plimsoll.engine.portfolio.book_decide import TURNED, AccountView, CostTerms, Out, Prices, Rules, decide
from plimsoll.engine.portfolio.book_facts import RUNG
from plimsoll.engine.portfolio.book_memory import Memory
from plimsoll.engine.portfolio.book_observe import Watch, observe_bar, observe_session
from plimsoll.engine.runtime.compiled.loop_state import (
    ALLOCATED,
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


class BookTerms(NamedTuple):
    """Preset `book`: what its kernels are told and remember; last_bar (T,) of a session, ret, close (T, N)."""

    watch: Watch
    rules: Rules
    memory: Memory
    prices: Prices
    terms: CostTerms
    last_bar: Bools
    ret: Floats
    close: Floats
    indicator: Floats


@kernel
def book_loop(
    stop: int, first: int, weight: Floats, b: BookTerms, market: MarketArrays, ledger: Ledger, planning: Planning,
    table: DecisionTable, orders: Orders, cursor: Ints,
) -> int:  # fmt: skip
    """Run the bars from the cursor to `stop`; return one of the codes of `plimsoll.engine.runtime.compiled.loop_state`.

    weight (T, S, N) the sleeves' held weights at each close; first is the first bar traded. The steps of a bar are
    those of `plimsoll.engine.runtime.backtest.run_loop`.
    """
    block, close, status, daily = market.block, market.close, market.status, market.daily
    acct, scal, rules, rec, held = ledger.acct, ledger.scal, ledger.rules, ledger.rec, ledger.held
    fills, brief, sums, value = ledger.fills, ledger.brief, ledger.sums, ledger.value
    full, row = brief.shape[1] == 0, 0
    room = np.array([orders.bar.shape[0], table.bar.shape[0]])
    nothing_skipped = int(np.int64(0))  # a literal 0 in the call would have everything below compiled once more
    alone = stop < 0  # never: a book decides on everything
    square = np.empty(value.shape[0] * value.shape[0])
    for t in range(cursor[BAR], stop):
        cursor[BAR] = t
        code = LEDGER_OK
        if not has_room(acct, scal, fills, brief, room, cursor):
            return ROOM
        if t >= first:
            code = settle(t, block, status, daily, rules, acct, scal, rec, held, fills, brief, sums, cursor)
            if code in (RUIN, OVERDRAWN):
                return LOOP_RUINED if code == RUIN else LOOP_OVERDRAWN
        elif t == first - 1:
            mark_start(t, block, acct)
        adopt, called = t == first - 1, code == MARGIN_CALL
        observe_bar(t, weight[t], b.ret, status, b.watch, b.memory)
        if b.last_bar[t]:
            nav = scal[NAV] if adopt or t >= first else np.nan
            observe_session(t, b.close, b.indicator, nav, scal[EQUITY], b.watch, b.memory)
        if adopt or (t >= first and (b.last_bar[t] or called or must_leave(t, status, acct))):
            row = cursor[N_DECISIONS] if full else 0
            value_held(acct, value)
            leaves = going_out(t, daily, scal)
            cash, equity = scal[CASH] - leaves, scal[EQUITY] - leaves
            out = Out(
                table.weights[row], table.goal[row], table.trade[row], table.trace[row], table.facts[row],
                table.parts[row], square,
            )  # fmt: skip
            holdings = AccountView(value, equity, called, 0.0, adopt)
            ticket = decide(t, weight[t], nothing_skipped, b.rules, b.memory, b.prices, b.terms, holdings, out)
            expel(t, status, value, out.target, out.goal, out.trade, out.trace[TURNED])
            sums[ALLOCATED + int(out.facts[RUNG])] += 1.0
            phi, n = plan_orders(
                t, cash, equity, acct[SHARES], value, out.goal, out.trade, close[t], rules, daily,
                max(planning.min_notional, ticket), planning.at_close, planning.tape, planning.work, table.why[row],
                orders, cursor[N_ORDERS] if full else 0,
            )  # fmt: skip
            if phi == SHORT_IN_CASH:
                return SHORT
            hand_over(n, full, alone, called, orders, acct, scal, rules, cursor)
            table.bar[row], table.phi[row], table.ticket[row], table.forced[row] = t, phi, ticket, called
            table.first[row + 1] = cursor[N_ORDERS]
    cursor[BAR] = max(stop, cursor[BAR])
    return DONE
