"""What holds after every step of any random life: money, shares, reservations, states."""

from collections import defaultdict
from datetime import timedelta
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.panels import make_panel
from support.venue import make_exchange

from plimsoll.brokers.exchange.activity import Fill
from plimsoll.brokers.exchange.matching import Exchange
from plimsoll.brokers.exchange.order import TERMINAL, Order
from plimsoll.brokers.exchange.refusal import Refusal
from plimsoll.brokers.exchange.settings import Behaviour, Handling
from plimsoll.brokers.exchange.ticket import Ticket, check_ticket
from plimsoll.engine.market.panel import Panel

CASH = Decimal(20_000)
SYMBOLS = ("A", "B", "C")


def random_market(seed: int) -> Panel:
    """Six sessions of three symbols with many splits and dividends and a few missing rows."""
    rng = np.random.default_rng(seed)
    shape = (6, 3)
    closes = np.round(rng.uniform(20, 200, 3) * np.exp(np.cumsum(rng.normal(0, 0.05, shape), axis=0)), 2)
    split = np.where(rng.random(shape) < 0.12, rng.choice([2.0, 1.5, 0.2, 1 / 3], shape), 1.0)
    split[0] = 1.0
    closes[1:][rng.random((5, 3)) < 0.05] = np.nan
    dividend = np.where(rng.random(shape) < 0.15, 0.37, 0.0)
    return make_panel(closes, split=split, dividend=dividend, symbols=SYMBOLS)


class Witness:
    """Follows one exchange from outside: recomputes what it says from what it did."""

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange
        self.ended: dict[str, tuple[str, Decimal, Decimal]] = {}
        self.reserve: dict[str, Decimal] = {}
        self.noted: dict[str, Decimal | None] = {}

    def funds(self) -> tuple[Decimal, Decimal]:
        """Return equity and buying power from cash, positions, marks and the prices noted at acceptance."""
        equity, gross = self.exchange.ledger.cash, Decimal(0)
        for symbol, position in self.exchange.ledger.positions.items():
            worth = position.qty * self.exchange.mark(symbol)
            equity, gross = equity + worth, gross + abs(worth)
        reserved = sum((self._rest(order) for order in self.exchange.working()), Decimal(0))
        return equity, self.exchange.settings.multiplier * equity - gross - reserved

    def _rest(self, order: Order) -> Decimal:
        if order.id not in self.reserve:
            return Decimal(0)
        if order.ticket.notional is not None:
            return order.ticket.notional - order.filled_value
        assert order.ticket.qty is not None
        return (order.ticket.qty - order.filled_qty) * self.reserve[order.id]

    def submit(self, ticket: Ticket) -> None:
        """Submit, and check that what opens a position was affordable by the account's own prices."""
        position = self.exchange.ledger.qty(ticket.symbol)
        quote = self.exchange.tape.quote(ticket.symbol, self.exchange.now)
        power = self.funds()[1]
        order = self.exchange.submit(ticket)
        sign = 1 if ticket.side == "buy" else -1
        if position * sign >= 0:
            assert quote is not None
            price = ticket.limit_price if ticket.limit_price is not None else quote.ask
            price = price if sign > 0 else max(price, quote.ask * Decimal("1.03"))
            cost = ticket.notional if ticket.qty is None else ticket.qty * price
            assert cost is not None
            # a split rescales an open order and its reserve; the price noted here stays behind
            split = any(self.exchange.orders[known].ticket.qty != qty for known, qty in self.noted.items())
            assert split or cost <= max(power, Decimal(0)) + Decimal("1e-6")
            self.reserve[order.id] = price
            self.noted[order.id] = ticket.qty

    def check(self) -> None:
        """Assert everything that must hold."""
        exchange = self.exchange
        cash = CASH
        shares: defaultdict[str, Decimal] = defaultdict(Decimal)
        by_order: defaultdict[str, Decimal] = defaultdict(Decimal)
        for one in exchange.activities:
            if isinstance(one, Fill):
                sign = 1 if one.side == "buy" else -1
                cash -= (sign * one.qty * one.price).quantize(Decimal("1e-9"), ROUND_HALF_EVEN)
                shares[one.symbol] += sign * one.qty
                by_order[one.order_id] += one.qty
                assert one.qty > 0
                assert one.price > 0
            else:
                cash += one.net_amount
                shares[one.symbol] += one.qty if one.kind == "SPLIT" else 0
        assert cash == exchange.ledger.cash
        assert {s: q for s, q in shares.items() if q} == {s: p.qty for s, p in exchange.ledger.positions.items()}
        for symbol in SYMBOLS:
            assert 0 <= exchange.held(symbol) <= abs(exchange.ledger.qty(symbol))
        assert exchange.funds().equity == pytest.approx(self.funds()[0])
        for order in exchange.orders.values():
            self._check_order(order, by_order[order.id])

    def _check_order(self, order: Order, filled: Decimal) -> None:
        assert order.working == (order.status not in TERMINAL) == (order in self.exchange.working())
        assert order.held >= 0
        now = (order.status, order.filled_qty, filled)
        if order.id in self.ended:
            assert self.ended[order.id] == now
        elif not order.working:
            self.ended[order.id] = now
            assert (order.held, order.reserved, order.due) == (0, 0, None)
        if order.ticket.qty is not None:
            assert order.filled_qty <= order.ticket.qty
            assert order.status != "filled" or order.filled_qty == order.ticket.qty
        elif order.purpose == "open":
            assert order.filled_value <= (order.ticket.notional or 0) + Decimal("1e-6")


SIZES = st.one_of(st.integers(1, 60).map(Decimal), st.integers(1, 40_000).map(lambda n: Decimal(n) / 1000))
ACTIONS = st.one_of(
    st.tuples(
        st.just("send"), st.sampled_from(SYMBOLS), st.sampled_from(["buy", "sell"]), SIZES,
        st.sampled_from(["", "limit", "notional"]), st.sampled_from(["day", "day", "gtc", "opg", "cls"]),
        st.integers(90, 110),
    ),
    st.tuples(st.just("reduce"), st.sampled_from(SYMBOLS), st.integers(20, 100), st.booleans()),
    st.tuples(st.just("cancel"), st.integers(0, 30)),
    st.tuples(st.just("wait"), st.sampled_from([0.05, 1, 30, 200, 390, 1440, 2880])),
)  # fmt: skip


def act(witness: Witness, action: tuple[Any, ...]) -> None:
    exchange = witness.exchange
    if action[0] == "wait":
        exchange.advance(exchange.now + timedelta(minutes=action[1]))
    elif action[0] == "cancel":
        working = exchange.working()
        if working:
            exchange.cancel(working[action[1] % len(working)])
    elif action[0] == "reduce":
        _, symbol, percent, resting = action
        held = exchange.ledger.qty(symbol)
        qty = (abs(held) * percent / 100).quantize(Decimal("1e-9"), ROUND_DOWN)
        if qty > 0:
            away = Decimal("1.02") if held > 0 else Decimal("0.98")
            limit = (exchange.mark(symbol) * away).quantize(Decimal("0.01")) if resting else None
            kind = "limit" if resting else "market"
            witness.submit(Ticket(symbol, "sell" if held > 0 else "buy", kind, "day", qty, limit_price=limit))
    else:
        _, symbol, side, size, form, tif, percent = action
        price = (exchange.mark(symbol) * percent / 100).quantize(Decimal("0.01"))
        qty, notional, limit = size, None, price if form == "limit" else None
        if form == "notional":
            qty, notional = None, (size * 10).quantize(Decimal("0.01"))
        ticket = Ticket(symbol, side, "limit" if limit else "market", tif, qty, notional, limit)
        check_ticket(ticket)
        witness.submit(ticket)


@settings(max_examples=60)
@given(
    st.integers(0, 2**16),
    st.sampled_from(["open", "path"]),
    st.sampled_from([1, 2, 4]),
    st.sampled_from([Handling(), Handling(delay_s=70, parts=("0.3", "0.3"), cancel_delay_s=100)]),
    st.lists(ACTIONS, min_size=5, max_size=40),
)
def test_the_account_adds_up_at_every_step(
    seed: int, prices: str, multiplier: int, handling: Handling, actions: list[tuple[Any, ...]]
) -> None:
    exchange = make_exchange(
        random_market(seed), "2019-01-03T10:00", cash=CASH, prices=prices, multiplier=multiplier,
        half_spread_bps=Decimal(5), cash_in_lieu=bool(seed % 2),
    )  # fmt: skip
    exchange.behaviour = Behaviour(handling=handling)
    witness = Witness(exchange)
    for action in actions:
        before = len(exchange.activities), len(exchange.orders), exchange.ledger.cash
        try:
            act(witness, action)
        except Refusal:
            assert (len(exchange.activities), len(exchange.orders), exchange.ledger.cash) == before
        witness.check()


@settings(max_examples=20)
@given(st.integers(0, 2**16), st.lists(st.integers(1, 300), min_size=1, max_size=12))
def test_how_often_one_looks_changes_nothing(seed: int, steps: list[int]) -> None:
    lives = []
    for looks in (steps, []):
        exchange = make_exchange(random_market(seed), "2019-01-03T10:00", cash=CASH, prices="path")
        exchange.behaviour = Behaviour(handling=Handling(delay_s=45, parts=("0.4",)))
        for symbol, signed in (("A", 5), ("B", 7), ("C", -3)):
            mark = exchange.mark(symbol)
            limit = (mark * (Decimal("0.99") if signed > 0 else Decimal("1.01"))).quantize(Decimal("0.01"))
            qty = Decimal(abs(signed))
            try:
                exchange.submit(Ticket(symbol, "buy" if signed > 0 else "sell", "limit", "gtc", qty, limit_price=limit))
            except Refusal:  # the symbol has no row yet
                continue
        end = exchange.now + timedelta(days=4)
        for look in looks:
            exchange.advance(min(exchange.now + timedelta(minutes=look), end))
        exchange.advance(end)
        lives.append((exchange.activities, exchange.events, exchange.ledger.cash))
    assert lives[0] == lives[1]
