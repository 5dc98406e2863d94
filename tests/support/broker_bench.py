"""A simulator on a bench: orders go in by hand, bar after bar."""

from typing import Any

import numpy as np

from plimsoll.engine.execution.fees import fee_schedule
from plimsoll.engine.execution.order import OrderBatch
from plimsoll.engine.execution.sim.book import Book, open_book
from plimsoll.engine.execution.sim.broker import SimBroker
from plimsoll.engine.execution.terms import Terms
from plimsoll.engine.kernels import layout
from plimsoll.engine.kernels.account.order import Orders, wave_of
from plimsoll.engine.market.feed import Feed
from plimsoll.engine.market.panel import Panel
from plimsoll.engine.types import Floats


class Bench:
    """One account on one panel. Orders are (column, signed shares), filled at the next bar's open."""

    def __init__(self, panel: Panel, cash: float = 100_000.0, bill: float = 0.0, first: int = 1, **terms: Any) -> None:
        n = panel.n_symbols
        per_symbol = {"half_spread": 0.0, "maintenance_long": 0.25, "maintenance_short": 0.30, "fractional": True}
        rates = per_symbol | terms
        arrays = {name: np.broadcast_to(rates.pop(name), n) for name in per_symbol}
        self.panel = panel
        self.book: Book = open_book(cash, Terms(**arrays, **rates))
        self.daily: Floats = np.zeros((layout.DAILY, panel.n_bars))
        self.daily[layout.BILL] = bill
        self.daily[layout.DAY] = np.where(panel.clock.first_bar, 1.0 / 252.0, 0.0)
        fee_schedule(panel.clock.session, self.daily)
        self.broker = SimBroker(Feed(panel), self.daily, self.book, id_prefix="t")
        self.broker.mark_start(first - 1)
        self.t = first - 1

    def send(self, *orders: tuple[int, float], leg: tuple[int, ...] | None = None, at_close: bool = False,
             sigma: float = np.nan, adv: float = np.nan, limit: tuple[float, ...] | None = None) -> None:  # fmt: skip
        """Submit orders at the current close; the weight behind them is the one they lead to."""
        n = len(orders)
        col = np.array([c for c, _ in orders], dtype=np.int64)
        led_to = self.shares.copy()
        np.add.at(led_to, col, [q for _, q in orders])
        rows = Orders(
            bar=np.full(n, self.t),
            col=col,
            qty=np.array([q for _, q in orders], dtype=np.float64),
            at_close=np.full(n, at_close),
            leg=np.array(leg or (0,) * n, dtype=np.int64),
            wave=np.array([wave_of(self.shares[c], q) for c, q in orders], dtype=np.int64),
            price=self.panel.close[self.t, col],
            target=led_to[col] * self.panel.close[self.t, col] / self.equity,
            sigma=np.full(n, sigma),
            adv=np.full(n, adv),
            limit=np.full(n, np.nan) if limit is None else np.array(limit, dtype=np.float64),
        )
        self.broker.submit(OrderBatch(rows))

    def step(self, bars: int = 1) -> int:
        """Go on by some bars; return the code of the last one."""
        code = 0
        for _ in range(bars):
            self.t += 1
            assert self.t < self.panel.n_bars, "no such bar"
            code = self.broker.advance(self.t)
        return code

    @property
    def shares(self) -> Floats:
        """(N,) held."""
        return self.book.acct[layout.SHARES]

    @property
    def cash(self) -> float:
        """Dollars."""
        return float(self.book.scal[layout.CASH])

    @property
    def equity(self) -> float:
        """Dollars at the last close."""
        return float(self.book.scal[layout.EQUITY])

    def count(self, row: int) -> int:
        """A counter of the account."""
        return int(self.book.scal[row])

    def fees(self) -> float:
        """Regulatory fees of all fills so far, as booked to each."""
        kinds = [layout.FILL_COLUMNS.index(kind) for kind in ("sec", "taf", "cat")]
        return float(self.broker.fills[:, kinds].sum())

    def row(self, name: str) -> float:
        """A figure of the last bar's record."""
        return float(self.broker.rec[self.t, layout.RECORD_COLUMNS.index(name)])
