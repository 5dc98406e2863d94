"""The compiled loop of preset `book`: every bar through all nine stages."""

from typing import NamedTuple

import numpy as np

from engine.kernels.jit import kernel
from engine.kernels.layout import EQUITY, NAV
from engine.kernels.ledger import LEDGER_OK, MARGIN_CALL, RUIN, mark_start
from engine.kernels.ledger import OVERDRAWN as LEDGER_OVERDRAWN
from engine.kernels.submit import Orders
from engine.portfolio.book_decide import Holdings, Out, Prices, Rules, Terms, decide
from engine.portfolio.book_memory import Memory
from engine.portfolio.book_observe import Watch, observe_bar, observe_session
from engine.runtime.loop_state import (
    BAR,
    DONE,
    N_DECISIONS,
    OVERDRAWN,
    ROOM,
    RUINED,
    SHORT,
    Ledger,
    Market,
    Planning,
    Table,
)
from engine.runtime.loop_step import has_room, send, settle, value_held
from engine.types import Bools, Floats, Ints


class BookTerms(NamedTuple):
    """Preset `book`: what its kernels are told and remember; last_bar (T,) of a session, ret, close (T, N)."""

    watch: Watch
    rules: Rules
    memory: Memory
    prices: Prices
    terms: Terms
    last_bar: Bools
    ret: Floats
    close: Floats
    indicator: Floats


@kernel
def book_loop(
    stop: int, first: int, weight: Floats, b: BookTerms, market: Market, ledger: Ledger, planning: Planning,
    table: Table, orders: Orders, cursor: Ints,
) -> int:  # fmt: skip
    """Run the bars from the cursor to `stop`; return one of the codes of `engine.runtime.loop_state`.

    weight (T, S, N) the sleeves' held weights at each close; first is the first bar traded. The steps of a bar are
    those of `engine.runtime.backtest.run_loop`.
    """
    full, nothing = ledger.rec.shape[0] > 0, np.empty(0)
    for t in range(cursor[BAR], stop):
        cursor[BAR] = t
        code = LEDGER_OK
        if not has_room(ledger, orders, table, cursor):
            return ROOM
        if t >= first:
            code = settle(t, market, ledger, cursor)
            if code in (RUIN, LEDGER_OVERDRAWN):
                return RUINED if code == RUIN else OVERDRAWN
        elif t == first - 1:
            mark_start(t, market.block, ledger.acct)
        adopt = t == first - 1
        known = adopt or t >= first
        observe_bar(t, weight[t], b.ret, b.watch, b.memory)
        if b.last_bar[t]:
            nav = ledger.scal[NAV] if known else np.nan
            observe_session(t, b.ret, b.close, b.indicator, nav, ledger.scal[EQUITY], nothing, b.watch, b.memory)
        if adopt or (t >= first and (b.last_bar[t] or code == MARGIN_CALL)):
            row = cursor[N_DECISIONS] if full else 0
            value_held(ledger)
            out = Out(table.weights[row], table.goal[row], table.trade[row], table.trace[row], table.facts[row])
            holdings = Holdings(ledger.value, ledger.scal[EQUITY], code == MARGIN_CALL)
            ticket = decide(t, weight[t], 0, b.rules, b.memory, b.prices, b.terms, holdings, out)
            table.forced[row] = code == MARGIN_CALL
            if not send(t, row, out.goal, ticket, market, ledger, planning, table, orders, cursor):
                return SHORT
    cursor[BAR] = max(stop, cursor[BAR])
    return DONE
