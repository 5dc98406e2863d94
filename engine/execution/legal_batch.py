"""A batch of the planner's orders under a venue's rules: in a backtest the same as in front of a real account."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal

import numpy as np

from plimsoll.engine.config.live import LiveSection
from plimsoll.engine.config.schema import Config
from plimsoll.engine.execution.broker import Account
from plimsoll.engine.execution.legalise import NEEDS, Change, Desk, Legalised, Wish, afford, legalise, rules_on
from plimsoll.engine.execution.order import OrderBatch

ZERO = Decimal(0)


def exact(value: float) -> Decimal:
    """Return a float as the shortest decimal that reads back as it."""
    return Decimal(repr(float(value)))


def desk_of(config: Config) -> Desk | None:
    """Return the desk of the configured venue for a backtest: all that its rules allow."""
    if config.execution.venue is None:
        return None
    live = config.live or LiveSection()
    collar = exact(live.collar) if config.execution.limits else None
    return Desk(
        rules_on(config.execution.venue, config.run.end or date.max), collar=collar, buffer=exact(live.cash_buffer)
    )


def wishes_of(batch: OrderBatch, symbols: tuple[str, ...], held: Mapping[str, Decimal]) -> list[Wish]:
    """Return a batch as wishes; a second leg starts from what the first one leaves."""
    orders, left, wishes = batch.rows, dict(held), []
    for row in range(len(batch)):
        symbol, qty = symbols[int(orders.col[row])], exact(orders.qty[row])
        before = left.get(symbol, ZERO)
        wishes.append(Wish(row, symbol, qty, exact(orders.price[row]), before, int(orders.wave[row])))
        left[symbol] = before + qty
    return wishes


def legal_batch(
    batch: OrderBatch, symbols: tuple[str, ...], account: Account, desk: Desk, *, margin: bool
) -> tuple[OrderBatch, tuple[Change, ...]]:
    """Return what of a batch a venue takes, in the order of the plan, and what was changed or refused."""
    held = {symbols[i]: exact(account.shares[i]) for i in np.flatnonzero(account.shares)}
    legal = legalise(wishes_of(batch, symbols, held), desk)
    if not margin:
        legal = afford(legal, money(legal, exact(account.cash), exact(account.equity), desk), desk)
    kept = sorted(legal.orders, key=lambda order: order.row)
    rows = np.array([order.row for order in kept], dtype=np.int64)
    signed = [order.qty if order.side == "buy" else -order.qty for order in kept]
    taken = batch.rows._replace(**{name: column[rows] for name, column in batch.rows._asdict().items()})
    qty = np.array([float(value) for value in signed], dtype=np.float64)
    limit = np.array([np.nan if order.limit is None else float(order.limit) for order in kept], dtype=np.float64)
    return replace(batch, rows=taken._replace(qty=qty, limit=limit)), legal.changes


def money(legal: Legalised, cash: Decimal, equity: Decimal, desk: Desk) -> Decimal:
    """Return the dollars there are for purchases: cash, what the first wave brings, less the buffer that is kept."""
    first = [one.notional if one.side == "sell" else -one.notional for one in legal.orders if one.wave != NEEDS]
    return cash + sum(first, ZERO) - desk.buffer * equity
