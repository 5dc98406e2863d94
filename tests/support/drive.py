"""A small driver: a system's decisions at the close, sent to a venue in the first minute of the next session."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any

import numpy as np

from plimsoll.brokers.exchange.hours import session_on
from plimsoll.engine.execution.legal_batch import exact, money, wishes_of
from plimsoll.engine.execution.legalise import FREES, NEEDS, LegalOrder, afford, legalise
from plimsoll.engine.execution.venue import Acked, Intent, Venue
from plimsoll.engine.live.account import account_of
from plimsoll.engine.portfolio.integrator import Mark
from plimsoll.engine.runtime.assemble import Setup

Sent = tuple[str, Decimal]
PATIENCE_MINUTES = 10


@dataclass
class Driven:
    """What was sent after each bar that decided, and what the account was worth at each close."""

    sent: dict[int, list[Sent]] = field(default_factory=dict)
    equity: dict[int, Decimal] = field(default_factory=dict)
    shares: dict[str, Decimal] = field(default_factory=dict)


def day_of(setup: Setup, t: int) -> date:
    """Return the session of bar t."""
    day: date = setup.panel.clock.session[t].astype("datetime64[D]").item()
    return day


def after_close(setup: Setup, t: int) -> datetime:
    """Return a moment after the close of bar t."""
    return session_on(day_of(setup, t)).close + timedelta(minutes=30)


def drive(setup: Setup, venue: Venue, move: Callable[[datetime], None]) -> Driven:
    """Trade a system over its panel on `venue`, whose clock `move` sets; it stands after the close of first - 1.

    Raises AssertionError where the venue refuses an order, or loses one.
    """
    made = Driven()
    legal: tuple[LegalOrder, ...] = ()
    for t in range(setup.panel.n_bars):
        if t >= setup.first:
            send(setup, venue, move, legal, t)
            move(after_close(setup, t))
        legal = ()
        if t < setup.first - 1:
            setup.system.observe(t, None)
            continue
        held = venue.snapshot()
        shares = {one.symbol: one.qty for one in held.positions}
        made.equity[t], made.shares = held.equity, shares
        adopt = t == setup.first - 1
        worth = float(held.equity)
        setup.system.observe(
            t, Mark(worth, worth / setup.config.run.cash) if setup.system.integrator.needs_mark else None
        )
        account = account_of(shares, held.cash, setup.panel.symbols, marks(setup, t), setup.terms)
        if adopt or setup.system.due() or account.margin_call:
            legal = decided(setup, setup.system.decide(account, adopt=adopt), shares, account)
            made.sent[t] = [(one.symbol, one.qty if one.side == "buy" else -one.qty) for one in legal]
    return made


def marks(setup: Setup, t: int) -> Any:
    """Return (N,) the last close of each symbol, in the shares of bar t."""
    close, split = setup.panel.close, setup.panel.split
    last = close[0].copy()
    for row in range(1, t + 1):
        last = np.where(np.isnan(close[row]), last / split[row], close[row])
    return last


def decided(setup: Setup, decision: Any, shares: Mapping[str, Decimal], account: Any) -> tuple[LegalOrder, ...]:
    """Return what the configured desk makes of a decision."""
    assert setup.desk is not None
    legal = legalise(wishes_of(decision.plan.orders, setup.panel.symbols, shares), setup.desk)
    if not setup.terms.margin_account:
        legal = afford(legal, money(legal, exact(account.cash), exact(account.equity), setup.desk), setup.desk)
    return legal.orders


def send(setup: Setup, venue: Venue, move: Callable[[datetime], None], legal: tuple[LegalOrder, ...], t: int) -> None:
    """Send orders in the first minute of bar t's session: what frees money, and soon after that the rest.

    What opens the other side of a position waits for the order that ends it; where that one did not fill it is not
    sent.
    """
    session = session_on(day_of(setup, t))
    now = session.open
    move(now)
    for wave in (FREES, NEEDS):
        working = {one.symbol for one in venue.open_orders()}
        for number, one in enumerate(legal):
            if one.wave == wave and one.symbol not in working:
                answer = venue.submit(intent_of(setup, t, number, one))
                assert isinstance(answer, Acked), (t, one, answer)
        for _ in range(PATIENCE_MINUTES):
            if venue.open_orders():
                now += timedelta(minutes=1)
                move(now)


def intent_of(setup: Setup, t: int, number: int, one: LegalOrder) -> Intent:
    """Return an order of last night in the shares of this morning."""
    split = exact(setup.panel.split[t, setup.panel.symbols.index(one.symbol)])
    limit = one.limit
    if limit is not None:
        rounding = ROUND_FLOOR if one.side == "buy" else ROUND_CEILING
        limit = (limit / split).quantize(Decimal("0.01"), rounding=rounding)
    return Intent(f"d{t}-{number}-{one.symbol}", one.symbol, one.side, one.qty * split, one.kind, limit=limit)
