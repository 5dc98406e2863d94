"""From a decision to legal orders."""

from dataclasses import dataclass

import numpy as np

from plimsoll.engine.errors import StrategyError
from plimsoll.engine.execution.broker import Account, OrderBatch
from plimsoll.engine.execution.terms import Terms
from plimsoll.engine.kernels.account.submit import SHORT_IN_CASH, Orders, Tape, Work, empty_orders, plan_orders
from plimsoll.engine.kernels.estimate.liquidity import VOLUME_SESSIONS
from plimsoll.engine.market.feed import Feed
from plimsoll.engine.types import Bools, Codes, Floats


@dataclass(frozen=True, slots=True)
class Plan:
    """The orders of one decision and why they are what they are.

    phi : factor that scaled the purchases to the money there was (1 = all of them).
    why : (N,) codes of `plimsoll.engine.kernels.account.plan`.
    """

    orders: OrderBatch
    phi: float
    why: Codes


class Planner:
    """Sizes, rounds and legalises; changes nothing that outlives the call.

    Quantities are fixed at decision prices; purchases share one affordability factor; shorts are whole shares; a
    position is flattened before it is reversed; what is smaller than `min_notional` is left, exits excepted.

    min_notional : dollars. at_close : orders fill at closes, else at opens. tape, work : what the kernel works with.
    """

    def __init__(
        self, feed: Feed, daily: Floats, terms: Terms, *, min_notional: float, at_close: bool, symbols: tuple[str, ...]
    ) -> None:
        n, panel = len(symbols), feed.panel
        self.min_notional = min_notional
        self.at_close = at_close
        self.tape = Tape(
            feed.ret, panel.volume, feed.factor if terms.impact else np.empty((0, n)),
            panel.clock.bars_per_session,
        )  # fmt: skip
        # holdings are overwritten at each call
        self.work = Work(terms.columns(), np.zeros((2, n)), np.zeros(VOLUME_SESSIONS))
        self._session = panel.clock.session
        self._daily = daily
        self._symbols = symbols
        self._rules = terms.rules()
        self._orders = empty_orders(2 * n)

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
        why = np.zeros(len(target), dtype=np.int8)
        phi, n = plan_orders(
            t, account.cash, account.equity, account.shares, account.value, target, trade, price, self._rules,
            self._daily, max(self.min_notional, min_ticket), self.tape, self.work, why, self._orders, 0,
        )  # fmt: skip
        if phi == SHORT_IN_CASH:
            raise self.short_in_cash(t, target)
        return Plan(batch_of(self._orders, 0, n, at_close=self.at_close), phi, why)

    def short_in_cash(self, t: int, target: Floats) -> StrategyError:
        """Return the error of a cash account that would have to sell short."""
        symbol = self._symbols[int(target.argmin())]
        return StrategyError(
            f"target {target.min():.4f} in {symbol} is short",
            where=str(self._session[t]),
            cause="account.type = 'cash' cannot sell short",
            fix="use account.type = 'reg_t' or a long-only strategy",
        )


def batch_of(orders: Orders, first: int, stop: int, *, at_close: bool) -> OrderBatch:
    """Return rows [first, stop) of an order table as a batch, copies."""
    rows = slice(first, stop)
    return OrderBatch(
        col=orders.col[rows].copy(),
        leg=orders.leg[rows].copy(),
        qty=orders.qty[rows].copy(),
        target=orders.target[rows].copy(),
        price=orders.price[rows].copy(),
        sigma=orders.sigma[rows].copy(),
        adv=orders.adv[rows].copy(),
        at_close=at_close,
    )
