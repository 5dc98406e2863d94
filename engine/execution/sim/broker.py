"""The order simulator: a broker whose exchange is a panel."""

import numpy as np

from plimsoll.engine.errors import EngineError
from plimsoll.engine.execution.broker import Account, OrderState
from plimsoll.engine.execution.order import OrderBatch
from plimsoll.engine.execution.sim.book import Book
from plimsoll.engine.execution.sim.order_table import STATUSES, OrderTable, order_table
from plimsoll.engine.kernels import layout
from plimsoll.engine.kernels.account.fill import add_under_call, add_working, replace_working
from plimsoll.engine.kernels.account.leave import must_leave
from plimsoll.engine.kernels.account.ledger import MARGIN_CALL, account_step, going_out, mark_start
from plimsoll.engine.market.feed import Feed
from plimsoll.engine.types import Floats


class SimBroker:
    """Fills orders at the next open or close of a panel; books dividends, splits, interest, costs.

    Records a row per bar (`rec`, laid out in `engine.kernels.layout`), the weights held at each close (`held`), every
    order and every fill.
    """

    def __init__(self, feed: Feed, daily: Floats, book: Book, *, id_prefix: str) -> None:
        panel = feed.panel
        self._feed = feed
        self._panel = panel
        self._status = feed.status
        self.daily = daily
        self._block = panel.block
        self._rules, self._acct, self._scal = book.rules, book.acct, book.scal
        self.book = book
        self.rec: Floats = np.zeros((panel.n_bars, layout.RECORD))
        self.held: Floats = np.zeros((panel.n_bars, panel.n_symbols))
        self._fills: Floats = np.zeros((max(256, 8 * panel.n_symbols), layout.FILL))
        self._room = len(self._fills) - layout.FILLS_PER_BAR * panel.n_symbols
        self.batches: list[OrderBatch] = []
        self._n_orders = 0
        self.prefix = id_prefix
        self._t = -1
        self._margin_call = False

    def advance(self, t: int) -> int:
        """Move the account to the close of bar t; return a code of `plimsoll.engine.kernels.account.ledger`."""
        while self._scal[layout.N_FILLS] > self._room:
            self._fills = np.concatenate((self._fills, np.zeros_like(self._fills)))
            self._room = len(self._fills) - layout.FILLS_PER_BAR * self._acct.shape[1]
        code = account_step(
            t, self._block, self._status, self.daily, self._rules, self._acct, self._scal, t, self.rec, self.held,
            self._fills,
        )  # fmt: skip
        self._t = t
        self._margin_call = code == MARGIN_CALL
        return code

    def take_over(self, fills: Floats, batches: list[OrderBatch], t: int, *, margin_call: bool) -> None:
        """Take over what a compiled loop booked on this account's arrays up to the close of bar t."""
        self._fills = fills
        self._room = len(fills) - layout.FILLS_PER_BAR * self._panel.n_symbols
        self.batches = batches
        self._n_orders = sum(len(batch) for batch in batches)
        self._t = t
        self._margin_call = margin_call

    def mark_start(self, t: int) -> None:
        """Take bar t's closes as marks: the account opens after that close."""
        self._t = t
        mark_start(t, self._block, self._acct)

    def account(self) -> Account:
        """Return the account at the last close, less what is to be paid out of it at the next bar."""
        scal, shares = self._scal, self._acct[layout.SHARES].copy()
        out = float(going_out(self._t, self.daily, scal))
        return Account(
            cash=float(scal[layout.CASH]) - out,
            equity=float(scal[layout.EQUITY]) - out,
            maintenance=float(scal[layout.MAINTENANCE]),
            shares=shares,
            value=np.where(shares != 0.0, shares * self._acct[layout.MARK], 0.0),
            margin_call=self._margin_call,
        )

    def mark(self) -> tuple[float, float]:
        """Return equity in dollars and the time-weighted index at the last close."""
        return float(self._scal[layout.EQUITY]), float(self._scal[layout.NAV])

    def positions(self) -> dict[str, float]:
        """Return signed shares of every symbol held."""
        shares = self._acct[layout.SHARES]
        return {self._panel.symbols[i]: float(shares[i]) for i in np.flatnonzero(shares)}

    def must_leave(self) -> bool:
        """Return whether anything is held that is outside the universe and that no working order sells."""
        return bool(must_leave(self._t, self._status, self._acct))

    def submit(self, batch: OrderBatch, *, alone: bool = False, called: bool = False) -> None:
        """Take orders for the next bar; whatever was still working is cancelled first, unless they come alone.

        called : they come of a margin call; alone then, what opens or adds is cancelled, what reduces works on.

        Raises
        ------
        EngineError
            If they were decided at another bar than the last one.
        """
        if (batch.rows.bar != self._t).any():
            raise EngineError(f"orders of bars {sorted(set(batch.rows.bar.tolist()))} were sent at bar {self._t}")
        where = 0, len(batch), batch.rows, self._n_orders, self._acct, self._scal
        if alone and called:
            add_under_call(*where, self.book.rules)
        elif alone:
            add_working(*where)
        else:
            replace_working(*where)
        self.batches.append(batch)
        self._n_orders += len(batch)

    def cancel(self, client_id: str) -> bool:
        """Cancel a working order; False if it is not working. A leg that waits for a cancelled one goes with it."""
        for row, state in self._working():
            if state.id == client_id:
                acct = self._acct
                acct[layout.LEG1, (acct[layout.ORDER0] == row) | (acct[layout.ORDER1] == row)] = 0.0
                acct[layout.LEG0, acct[layout.ORDER0] == row] = 0.0
                idle = (self._acct[layout.LEG0] == 0.0) & (self._acct[layout.LEG1] == 0.0)
                self._acct[layout.ORDER0 : layout.ORDER1 + 1, idle] = -1.0
                self._scal[layout.N_WORKING] = float(np.count_nonzero(self._acct[layout.ORDER0] >= 0.0))
                return True
        return False

    def orders(self) -> list[OrderState]:
        """Return the working orders."""
        return [state for _, state in self._working()]

    def lookup(self, client_id: str) -> OrderState | None:
        """Return any order ever sent, by its client id."""
        table = self.order_table()
        for row, known in enumerate(table.ids):
            if known == client_id:
                return table.state(row)
        return None

    def clock(self) -> np.datetime64:
        """Return the stamp of the last completed bar."""
        stamp: np.datetime64 = self._panel.clock.stamp[self._t]
        return stamp

    @property
    def fills(self) -> Floats:
        """(n, FILL) every fill so far."""
        return self._fills[: int(self._scal[layout.N_FILLS])]

    def order_table(self) -> OrderTable:
        """Return every order so far with what became of it."""
        return order_table(self._feed, self.batches, self.fills, self.book, self.prefix)

    def _working(self) -> list[tuple[int, OrderState]]:
        table = self.order_table()
        return [(row, table.state(row)) for row in np.flatnonzero(table.status == STATUSES.index("working")).tolist()]
