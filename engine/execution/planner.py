"""From a decision to legal orders."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from plimsoll.engine.errors import EngineError, StrategyError
from plimsoll.engine.execution.broker import Account
from plimsoll.engine.execution.order import OrderBatch
from plimsoll.engine.execution.terms import Terms
from plimsoll.engine.kernels import layout
from plimsoll.engine.kernels.account.order import empty_orders
from plimsoll.engine.kernels.account.plan import affordable, drop_small
from plimsoll.engine.kernels.account.submit import SHORT_IN_CASH, Tape, Work, plan_orders
from plimsoll.engine.kernels.estimate.liquidity import VOLUME_SESSIONS
from plimsoll.engine.kernels.jit import entry_for
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
            feed.ret, feed.status, panel.volume, feed.factor if terms.impact else np.empty((0, n)),
            panel.clock.bars_per_session,
        )  # fmt: skip
        # holdings are overwritten at each call
        self.work = Work(terms.columns(), np.zeros((2, n)), np.zeros(VOLUME_SESSIONS))
        self._session = panel.clock.session
        self._daily = daily
        self._symbols = symbols
        self._rules = terms.rules()
        self._orders = empty_orders(2 * n)
        self._plan_orders: Callable[..., tuple[float, int]] | None = None  # for its arguments, found once

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
        shares, value, goal, at = (
            np.ascontiguousarray(each, dtype=np.float64) for each in (account.shares, account.value, target, price)
        )
        given = (
            t, float(account.cash), float(account.equity), shares, value, goal,
            np.ascontiguousarray(trade, dtype=np.bool_), at, self._rules, self._daily,
            float(max(self.min_notional, min_ticket)), self.at_close, self.tape, self.work, why, self._orders, 0,
        )  # fmt: skip
        if self._plan_orders is None:
            self._plan_orders = entry_for(plan_orders, *given)
        phi, n = self._plan_orders(*given)
        if phi == SHORT_IN_CASH:
            raise self.short_in_cash(t, target)
        return Plan(OrderBatch(self._orders).where(slice(0, n)), phi, why)

    def affordable(
        self, t: int, account: Account, orders: OrderBatch, price: Floats, min_ticket: float = 0.0
    ) -> tuple[float, OrderBatch]:
        """Return the factor that scales purchases to the money there is now, and the orders so scaled.

        For orders that were planned earlier, on what `account` holds now: sales done since have brought their money,
        or less of it than was planned. What frees money is left as it is, like what sells short; a purchase of which
        no lot or less than `min_ticket` dollars (or the planner's own minimum) is left goes out.

        Parameters
        ----------
        t : int
            The bar whose fees apply.
        price : (N,) array
            What is reckoned with in dollars, NaN = unknown.

        Raises
        ------
        EngineError
            If the price of a symbol that has an order is unknown: nobody could say what the order costs.
        """
        rows, terms, legs = orders.rows, self.work.terms, self.work.legs
        if np.isnan(price[rows.col]).any():
            symbol = self._symbols[int(rows.col[np.isnan(price[rows.col]).argmax()])]
            raise EngineError(f"an order for {symbol} has no price to be afforded at")
        held = terms[layout.SHARES]
        held[:] = account.shares
        np.divide(account.value, held, out=terms[layout.MARK], where=held != 0.0)
        terms[layout.SIGMA, rows.col], terms[layout.ADV, rows.col] = rows.sigma, rows.adv
        legs[:] = 0.0
        legs[rows.leg, rows.col] = rows.qty
        phi = affordable(t, account.cash, account.equity, held, price, terms, self._rules, self._daily, legs)
        if phi < 1.0:
            least = max(self.min_notional, min_ticket)
            drop_small(held, price, least, legs, np.zeros(len(held), dtype=np.int8))
        scaled = OrderBatch(rows._replace(qty=legs[rows.leg, rows.col]))
        return phi, scaled.where((scaled.rows.qty != 0.0) | (rows.qty == 0.0))

    def short_in_cash(self, t: int, target: Floats) -> StrategyError:
        """Return the error of a cash account that would have to sell short."""
        symbol = self._symbols[int(target.argmin())]
        return StrategyError(
            f"target {target.min():.4f} in {symbol} is short",
            where=str(self._session[t]),
            cause="account.type = 'cash' cannot sell short",
            fix="use account.type = 'reg_t' or a long-only strategy",
        )
