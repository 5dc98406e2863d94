"""One session of a real account in the simulator: the ledger that a backtest moves, on the account's own holdings."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from plimsoll.engine.execution.legal_batch import legal_batch
from plimsoll.engine.execution.sim.book import Book, open_book
from plimsoll.engine.kernels import layout
from plimsoll.engine.kernels.account.fill import replace_working
from plimsoll.engine.kernels.account.ledger import account_step
from plimsoll.engine.kernels.cost import TRADE_COSTS
from plimsoll.engine.live.day_plan import Decided
from plimsoll.engine.market.panel import SPLIT
from plimsoll.engine.runtime.assemble import Setup
from plimsoll.engine.types import Floats

SLIPPED = [layout.F_COSTS + k for k, cost in enumerate(TRADE_COSTS) if cost.name in ("spread", "impact")]


@dataclass(frozen=True, slots=True)
class Simulated:
    """A session as the simulator has it. (N,) signed shares and dollars, in the panel's columns.

    equity : at the close. ordered, filled : shares sent and filled. price : dollars a share of what filled, spread and
    impact included; where nothing did, the price it would have filled at. charged : commission and fees.
    dividends : due on what was held before. carry : interest less financing and borrow. mark : the closes.
    """

    equity: float
    ordered: Floats
    filled: Floats
    price: Floats
    charged: Floats
    dividends: Floats
    carry: float
    mark: Floats


def simulate(setup: Setup, decided: Decided, held: Mapping[str, Decimal], cash: float, t: int) -> Simulated:
    """Move an account that holds `held` and `cash` at the close before bar t through it, with a decision's orders.

    held : in the share units of bar t, as its splits left them. cash : without the dividends of the session.
    """
    panel, n = setup.panel, setup.panel.n_symbols
    shares = np.array([float(held.get(symbol, 0)) for symbol in panel.symbols])
    book = open_book(1.0, setup.terms)
    acct, scal = book.acct, book.scal
    acct[layout.SHARES], acct[layout.MARK] = shares, last_closes(setup, t)
    scal[layout.CASH] = cash
    scal[layout.EQUITY] = cash + float(np.dot(shares, np.where(shares != 0.0, acct[layout.MARK], 0.0)))
    scal[layout.STARTED] = 1.0
    ordered = _send(setup, decided, book, t)
    block = np.ascontiguousarray(panel.block[:, t : t + 1])
    block[SPLIT] = 1.0  # what is held and sent is after them already
    daily = np.ascontiguousarray(setup.broker.daily[:, t : t + 1])
    daily[[layout.FLOW, layout.NEXT_OUT]] = 0.0  # money that comes and goes is the account's own
    fills, rec = np.zeros((layout.FILLS_PER_BAR * n + 1, layout.FILL)), np.zeros((1, layout.RECORD))
    status = np.ascontiguousarray(setup.feed.status[t : t + 1])
    account_step(0, block, status, daily, book.rules, acct, scal, 0, rec, np.zeros((0, n)), fills)
    done = fills[: int(scal[layout.N_FILLS])]
    filled, paid, charged = np.zeros(n), np.zeros(n), np.zeros(n)
    for row in done:
        i = int(row[layout.F_COLUMN])
        slipped = float(row[SLIPPED].sum())
        filled[i] += row[layout.F_QTY]
        paid[i] += row[layout.F_QTY] * row[layout.F_PRICE] + slipped
        charged[i] += float(row[layout.F_COSTS : layout.F_ORDER].sum()) - slipped
    auction = panel.close[t] if setup.config.execution.fill == "next_close" else panel.open[t]
    mark = np.where(np.isnan(panel.close[t]), acct[layout.MARK], panel.close[t])
    price = np.where(np.isnan(auction), mark, auction)
    np.divide(paid, filled, out=price, where=filled != 0.0)
    return Simulated(
        equity=float(scal[layout.EQUITY]),
        ordered=ordered,
        filled=filled,
        price=price,
        charged=charged,
        dividends=np.where(shares != 0.0, shares * panel.dividend[t], 0.0),
        carry=float(rec[0, layout.R_INTEREST] - rec[0, layout.R_FINANCING] - rec[0, layout.R_BORROW]),
        mark=mark,
    )


def _send(setup: Setup, decided: Decided, book: Book, t: int) -> Floats:
    """Put a decision's orders to work as the backtest does, and return their shares (N,)."""
    ordered = np.zeros(setup.panel.n_symbols)
    if decided.decision is None:
        return ordered
    orders = decided.decision.plan.orders
    if setup.desk is not None:
        margin = setup.terms.margin_account
        orders, _ = legal_batch(orders, setup.panel.symbols, decided.account, setup.desk, margin=margin)
    replace_working(0, len(orders), orders.rows, 0, book.acct, book.scal)
    book.acct[layout.ADV] *= setup.panel.split[t]
    np.add.at(ordered, orders.rows.col, orders.rows.qty)
    return ordered


def last_closes(setup: Setup, t: int) -> Floats:
    """Return (N,) the last known close before bar t in the share units of bar t, NaN where there is none."""
    panel = setup.panel
    last: Floats = np.full(panel.n_symbols, np.nan)
    for i in range(panel.n_symbols):
        b = t - 1
        while b >= 0 and np.isnan(panel.close[b, i]):
            b -= 1
        if b >= 0:
            last[i] = panel.close[b, i] / float(np.prod(panel.split[b + 1 : t + 1, i]))
    return last
