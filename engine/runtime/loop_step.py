"""One bar of an account and one decision's orders, as the compiled loops take them."""

from engine.kernels.fill import replace_working
from engine.kernels.jit import kernel
from engine.kernels.layout import (
    CASH,
    EQUITY,
    FLOW,
    MARK,
    N_FILLS,
    R_COMMISSION,
    R_FEES,
    R_IMPACT,
    R_LONG,
    R_RET,
    R_SHORT,
    R_SPREAD,
    R_TRADED,
    SHARES,
)
from engine.kernels.ledger import OVERDRAWN, account_step
from engine.kernels.submit import SHORT_IN_CASH, Orders, plan_orders
from engine.runtime.loop_state import (
    COSTS,
    FILLS,
    N_DECISIONS,
    N_ORDERS,
    TRADED,
    TRADES,
    Ledger,
    Market,
    Planning,
    Table,
)
from engine.types import Floats, Ints


@kernel
def has_room(ledger: Ledger, orders: Orders, table: Table, cursor: Ints) -> bool:
    """Return whether a bar's fills and a decision's orders still fit; in brief they always do."""
    n = ledger.acct.shape[1]
    if ledger.rec.shape[0] == 0:
        return True
    return bool(
        ledger.scal[N_FILLS] + 3 * n <= ledger.fills.shape[0]
        and cursor[N_ORDERS] + 2 * n <= orders.bar.shape[0]
        and cursor[N_DECISIONS] < table.bar.shape[0]
    )


@kernel
def settle(t: int, market: Market, ledger: Ledger, cursor: Ints) -> int:
    """Run `account_step` for bar t and keep what is to be kept of it; return its code."""
    scal, brief, sums = ledger.scal, ledger.brief, ledger.sums
    full = ledger.rec.shape[0] > 0
    base = scal[EQUITY] + market.daily[t, FLOW]
    line = ledger.rec[t] if full else ledger.line
    weight = ledger.weight[t] if full else ledger.value[:0]
    if not full:
        cursor[FILLS] += int(scal[N_FILLS])
        scal[N_FILLS] = 0.0
    code = account_step(
        t, market.block, market.status, market.daily, ledger.rules, ledger.acct, scal, line, weight, ledger.fills
    )
    if code != OVERDRAWN and not full:
        equity = scal[EQUITY]
        brief[t, 0] = line[R_RET]
        brief[t, 1] = (line[R_LONG] + line[R_SHORT]) / equity if equity > 0.0 else 0.0
        sums[TRADED] += line[R_TRADED] / base
        sums[COSTS] += (line[R_COMMISSION] + line[R_SPREAD] + line[R_IMPACT] + line[R_FEES]) / base
        sums[TRADES] += 1.0 if line[R_TRADED] > 0.0 else 0.0
    return code


@kernel
def value_held(ledger: Ledger) -> None:
    """Write the market value (N,) of what is held to `ledger.value`."""
    for i in range(ledger.value.shape[0]):
        shares = ledger.acct[SHARES, i]
        ledger.value[i] = shares * ledger.acct[MARK, i] if shares != 0.0 else 0.0


@kernel
def send(
    t: int, row: int, goal: Floats, ticket: float, market: Market, ledger: Ledger, planning: Planning, table: Table,
    orders: Orders, cursor: Ints,
) -> bool:  # fmt: skip
    """Plan the orders of the decision in `row` of the table and put them to work; False if they would be illegal."""
    acct, scal = ledger.acct, ledger.scal
    full = ledger.rec.shape[0] > 0
    at = cursor[N_ORDERS] if full else 0
    least = max(planning.min_notional, ticket)
    phi, n = plan_orders(
        t, scal[CASH], scal[EQUITY], acct[SHARES], ledger.value, goal, table.trade[row], market.close[t], ledger.rules,
        market.daily, least, planning.tape, planning.work, table.why[row], orders, at,
    )  # fmt: skip
    if phi == SHORT_IN_CASH:
        return False
    stop = at + n
    replace_working(
        orders.col[at:stop], orders.leg[at:stop], orders.qty[at:stop], orders.target[at:stop], orders.sigma[at:stop],
        orders.adv[at:stop], planning.at_close, cursor[N_ORDERS], acct, scal,
    )  # fmt: skip
    table.bar[row] = t
    table.phi[row] = phi
    table.ticket[row] = ticket
    cursor[N_DECISIONS] += 1
    cursor[N_ORDERS] += n
    table.first[row + 1] = cursor[N_ORDERS]
    return True
