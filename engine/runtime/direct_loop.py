"""The compiled loop of preset `direct`: from answer to answer, coasting between them."""

from typing import NamedTuple

from engine.kernels.coast import coast
from engine.kernels.jit import kernel
from engine.kernels.layout import EQUITY
from engine.kernels.ledger import LEDGER_OK, MARGIN_CALL, RUIN, mark_start
from engine.kernels.ledger import OVERDRAWN as LEDGER_OVERDRAWN
from engine.kernels.submit import Orders
from engine.portfolio.direct import direct_target
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
    stop: int, first: int, signal: Floats, answered: Bools, terms: DirectTerms, market: Market, ledger: Ledger,
    planning: Planning, table: Table, orders: Orders, cursor: Ints,
) -> int:  # fmt: skip
    """Run the bars from the cursor to `stop`; return one of the codes of `engine.runtime.loop_state`.

    signal (T, N) the sleeve's held weights in panel columns, answered (T,); first is the first bar traded.
    The steps of a bar are those of `engine.runtime.backtest.run_loop`.
    """
    full = ledger.rec.shape[0] > 0
    t, due = max(cursor[BAR], first - 1), -1
    while t < stop:
        code = LEDGER_OK
        if not has_room(ledger, orders, table, cursor):
            cursor[BAR] = t
            return ROOM
        if t >= first:
            if due < t:
                due = next_answer(t, stop, answered)
            end = min(due + 1, stop)
            reached = coast(
                t, end, market.block, market.status, market.action, market.daily, ledger.rules, ledger.acct,
                ledger.scal, ledger.column, ledger.rec, ledger.weight, ledger.brief,
            )  # fmt: skip
            t = min(reached, end - 1)
            if reached < end:
                code = settle(t, market, ledger, cursor)
                if code in (RUIN, LEDGER_OVERDRAWN):
                    cursor[BAR] = t
                    return RUINED if code == RUIN else OVERDRAWN
        else:
            mark_start(t, market.block, ledger.acct)
        adopt = t == first - 1
        if adopt or answered[t] or code == MARGIN_CALL:
            row = cursor[N_DECISIONS] if full else 0
            value_held(ledger)
            direct_target(
                adopt or answered[t], signal[t], ledger.value, ledger.scal[EQUITY], code == MARGIN_CALL,
                terms.maintenance, terms.band, table.weights[row], table.trade[row], table.trace[row],
            )  # fmt: skip
            table.forced[row] = code == MARGIN_CALL
            if not send(t, row, table.weights[row], 0.0, market, ledger, planning, table, orders, cursor):
                cursor[BAR] = t
                return SHORT
        t += 1
    cursor[BAR] = t
    return DONE
