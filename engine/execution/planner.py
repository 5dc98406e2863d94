"""From a decision to legal orders."""

from dataclasses import dataclass

import numpy as np

from engine.errors import StrategyError
from engine.execution.book import Book
from engine.execution.broker import Account, OrderBatch
from engine.kernels.cost import IMPACT_Y
from engine.kernels.layout import ADV, MARGIN_ACCOUNT, MARK, SHARES, SIGMA, SIZE_AT_FILL
from engine.kernels.liquidity import VOLUME_SESSIONS, volatility_at, volume_at
from engine.kernels.plan import plan_legs
from engine.market.feed import Feed
from engine.types import Bools, Codes, Floats, Ints


@dataclass(frozen=True, slots=True)
class Plan:
    """The orders of one decision and why they are what they are.

    phi : factor that scaled the purchases to the money there was (1 = all of them).
    why : (N,) codes of `engine.kernels.plan`.
    """

    orders: OrderBatch
    phi: float
    why: Codes


class Planner:
    """Sizes, rounds and legalises; changes nothing that outlives the call.

    Quantities are fixed at decision prices; purchases share one affordability factor; shorts are whole shares; a
    position is flattened before it is reversed; what is smaller than `min_notional` is left, exits excepted.
    """

    def __init__(
        self, feed: Feed, daily: Floats, book: Book, *, min_notional: float, at_close: bool, symbols: tuple[str, ...]
    ) -> None:
        self._feed = feed
        self._daily = daily
        self._min_notional = min_notional
        self._at_close = at_close
        self._symbols = symbols
        self._rules = book.rules
        self._terms = book.acct.copy()  # half-spreads and margin rates; holdings are overwritten at each call
        self._legs = np.zeros((2, len(symbols)))
        self._buffer = np.zeros(VOLUME_SESSIONS)

    def plan(
        self, t: int, account: Account, target: Floats, trade: Bools, price: Floats, min_ticket: float = 0.0
    ) -> Plan:
        """Return the orders that take `account` to `target` weights where `trade` says so.

        An order below `min_ticket` dollars, or below the planner's own minimum, is left unless it closes a position.

        Raises
        ------
        StrategyError
            If a cash account would have to sell short.
        """
        if not self._rules[MARGIN_ACCOUNT] and target.min(initial=0.0) < 0.0:
            symbol = self._symbols[int(target.argmin())]
            raise StrategyError(
                f"target {target.min():.4f} in {symbol} is short",
                where=str(self._feed.panel.clock.session[t]),
                cause="account.type = 'cash' cannot sell short",
                fix="use account.type = 'reg_t' or a long-only strategy",
            )
        why = np.zeros(len(target), dtype=np.int8)
        terms = self._terms
        terms[SHARES] = account.shares
        np.divide(account.value, account.shares, out=terms[MARK], where=account.shares != 0.0)
        terms[SIGMA], terms[ADV] = self.liquidity(t, trade)
        if self._rules[SIZE_AT_FILL]:
            col = np.flatnonzero(trade & ~np.isnan(price))
            return Plan(self._batch(np.zeros_like(col), col, np.zeros(len(col)), target, price), 1.0, why)
        phi = plan_legs(
            t, account.cash, account.equity, target, trade, price, terms, self._rules, self._daily,
            max(self._min_notional, min_ticket), self._legs, why,
        )  # fmt: skip
        col, leg = np.nonzero(self._legs.T)
        return Plan(self._batch(leg, col, self._legs[leg, col], target, price), phi, why)

    def _batch(self, leg: Ints, col: Ints, qty: Floats, target: Floats, price: Floats) -> OrderBatch:
        sigma, adv = self._terms[SIGMA, col], self._terms[ADV, col]
        return OrderBatch(col, leg, qty, target[col], price[col], sigma, adv, self._at_close)

    def liquidity(self, t: int, trade: Bools) -> tuple[Floats, Floats]:
        """Return daily volatility and average daily volume (N,), NaN where unknown or not needed."""
        n = len(self._symbols)
        sigma, adv = np.full(n, np.nan), np.full(n, np.nan)
        if self._rules[IMPACT_Y]:
            bars = self._feed.panel.clock.bars_per_session
            volume, factor = self._feed.panel.volume, self._feed.factor
            for i in np.flatnonzero(trade).tolist():
                sigma[i] = volatility_at(t, i, self._feed.ret) * np.sqrt(bars)
                adv[i] = volume_at(t, i, volume, factor, self._buffer) * bars
        return sigma, adv
