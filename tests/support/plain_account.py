"""An account kept by hand: dictionaries, loops, one session after the other.

Written from the design's rules of money and time, to be read beside them. It shares no code with the engine.

    session   deposits; splits; dividends to those who held at the last close; delistings; the auction; interest; mark
    auction   see `support.plain_auction`; a withdrawal is paid there, out of what was sold for it
    decision  at the close, see `support.plain_desk`
"""

import math

from support.market_lists import Market, Row
from support.plain_auction import auction, in_lieu
from support.plain_desk import Order, Terms, frees, plan
from support.plain_fees import charged


class PlainAccount:
    """Money, shares and wishes; `rows` gets one entry per bar, `fills` one per fill, `targets` one per decision."""

    def __init__(self, market: Market, terms: Terms) -> None:
        self.market = market
        self.terms = terms
        self.cash = terms.cash
        self.equity = terms.cash
        self.shares: dict[str, float] = dict.fromkeys(market.symbols, 0.0)
        self.price: dict[str, float] = {}  # last known close
        self.orders: dict[str, Order] = {}
        self.rows: list[Row] = []
        self.held: list[Row] = []
        self.fills: list[tuple[int, str, float, float, float, bool | None]] = []  # last: answers an order; None: either
        self.due = 0.0  # dollars to be paid out at the next session
        self.raising: Row = {}  # dollars of each position to be sold for that
        self.targets: dict[int, Row] = {}
        self.counts = dict.fromkeys(("negative_cash_closes", "margin_calls", "expired_orders", "delisted"), 0)
        self.ruined = False
        self.today: list[tuple[float, float]] = []  # trades of this session
        self.index, self.peak = 1.0, 1.0

    def run(self, answers: dict[int, Row], first: int, standing: Row) -> None:
        """Adopt `standing` at the close before bar `first`, then follow the answers."""
        for symbol in self.market.symbols:
            known = [p for p in self.market.close[symbol][:first] if not math.isnan(p)]
            if known:
                self.price[symbol] = known[-1]
        self.due = max(-self.market.flow.get(first, 0.0), 0.0)
        self.decide(first - 1, standing, called=False)
        self.raise_money(first - 1)
        for t in range(first, len(self.market)):
            called = self.session(t)
            if self.ruined:
                return
            if t in answers or called:
                self.decide(t, answers.get(t), called=called)
            self.raise_money(t)

    def session(self, t: int) -> bool:
        """Live through bar t; return whether the broker calls for margin."""
        market, terms = self.market, self.terms
        start, carried = self.equity, self.cash
        short_value = -sum(q * self.price[s] for s, q in self.shares.items() if q < 0.0)
        row: Row = dict.fromkeys(
            ("dividends", "interest", "financing", "borrow", "commission", "spread", "impact", "fees", "traded"), 0.0
        )
        row["flow"] = max(market.flow.get(t, 0.0), 0.0)
        self.cash += row["flow"]
        gain = 0.0
        before = {s: q * market.split[s][t] for s, q in self.shares.items()}
        done: list[tuple[str, float, float]] = []
        for symbol in market.symbols:
            if market.split[symbol][t] != 1.0:
                done += in_lieu(self, t, symbol, market.split[symbol][t])
            paid = before[symbol] * market.dividend[symbol][t]
            row["dividends"] += paid
            self.cash += paid
            if market.delisted(symbol, t):
                self.orders.pop(symbol, None)
                if self.shares[symbol] != 0.0:
                    self.counts["delisted"] += 1
                    self.fills.append((t, symbol, -self.shares[symbol], self.price[symbol], 0.0, False))
                    self.cash += self.shares[symbol] * self.price[symbol]
                    self.shares[symbol] = before[symbol] = 0.0
        carry = self.accrue(t, carried, short_value, row)
        arrived = self.at_open(t)
        traded = auction(self, t, row, min(carried, 0.0), max(carry, 0.0))
        done += traded
        if terms.fees:
            today = [] if market.opening[t] else self.today
            self.today = today + [(size, price) for _, size, price in traded]
            row["fees"] = charged(market.date[t], self.today) - charged(market.date[t], today)
            self.cash -= row["fees"]
        self.cash -= carry
        for symbol in market.symbols:
            last = self.price.get(symbol, 0.0)
            now = market.close[symbol][t] if market.trades(symbol, t) else last
            gain += before[symbol] * (now - last)
            gain += sum(q * (now - p) for s, q, p in done if s == symbol)
            if market.trades(symbol, t):
                self.price[symbol] = now
        row["price_pnl"] = gain
        row["long"] = sum(q * self.price[s] for s, q in self.shares.items() if q > 0.0)
        row["short"] = -sum(q * self.price[s] for s, q in self.shares.items() if q < 0.0)
        row["cash"] = self.cash
        self.equity = row["equity"] = self.cash + row["long"] - row["short"]
        row["ret"] = max(self.growth(start, arrived - row["raised"], row["flow"]) - 1.0, -1.0)
        self.index *= 1.0 + row["ret"]
        self.peak = max(self.peak, self.index)
        row["drawdown"] = self.index / self.peak - 1.0
        row["maintenance"] = self.required()
        self.rows.append(row)
        self.held.append({s: q * self.price[s] / self.equity if q != 0.0 else 0.0 for s, q in self.shares.items()})
        self.counts["negative_cash_closes"] += self.cash < 0.0
        if self.equity <= 0.0:
            self.ruined = True
            self.fills += [(t, s, -q, self.price[s], 0.0, False) for s, q in self.shares.items() if q != 0.0]
            return False
        self.due += max(-market.flow.get(t + 1, 0.0), 0.0)
        called = terms.margin and self.equity < row["maintenance"]
        self.counts["margin_calls"] += called
        return called

    def accrue(self, t: int, carried: float, short: float, row: Row) -> float:
        """Note interest, financing and borrow on what was carried from the last close; return what is to be paid."""
        market, terms = self.market, self.terms
        if len(self.rows) > 0:  # the first session accrues nothing
            day = 1.0 / 252.0 if market.opening[t] else 0.0
            own = carried - short
            row["interest"] = max(own, 0.0) * market.bill[t] + terms.rebate * short * market.bill[t]
            row["financing"] = max(-own, 0.0) * (market.bill[t] + terms.margin_spread * day)
            row["borrow"] = short * terms.borrow * day
        return row["financing"] + row["borrow"] - row["interest"]

    def at_open(self, t: int) -> float:
        """Equity at the opens of bar t."""
        worth = 0.0
        for symbol, shares in self.shares.items():
            if shares != 0.0:
                there = self.market.trades(symbol, t)
                worth += shares * (self.market.open[symbol][t] if there else self.price[symbol])
        return self.cash + worth

    def growth(self, start: float, arrived: float, flow: float) -> float:
        """Time-weighted growth of a session: a deposit is there at its start, a withdrawal leaves at the open.

        arrived : equity there, less what it cost to raise the money.
        """
        if flow >= 0.0:
            return self.equity / (start + flow)
        return arrived / start * self.equity / (arrived + flow)

    def required(self) -> float:
        """Maintenance margin in dollars."""
        total = 0.0
        for symbol, shares in self.shares.items():
            if shares > 0.0:
                total += shares * self.price[symbol] * self.terms.maintenance_long.get(symbol, 0.25)
            elif shares < 0.0:
                total -= shares * self.price[symbol] * self.terms.maintenance_short.get(symbol, 0.30)
        return total

    def decide(self, t: int, answer: Row | None, *, called: bool) -> None:
        """Turn target weights (None: what is held) into orders at bar t's closes."""
        terms, left = self.terms, self.equity - self.due
        held = {s: q * self.price[s] / left if q != 0.0 else 0.0 for s, q in self.shares.items()}
        target = {s: (held if answer is None else answer).get(s, 0.0) for s in self.market.symbols}
        if called:
            need = sum(
                w * terms.maintenance_long.get(s, 0.25) if w > 0.0 else -w * terms.maintenance_short.get(s, 0.30)
                for s, w in target.items()
            )
            if need > 1.0:
                target = {s: w / need for s, w in target.items()}
        self.targets[t] = target
        new = plan(self, t, target, held, called)
        if answer is None and called:
            on_the_way = {s: order for s, order in self.orders.items() if frees(self.shares[s], order.first)}
            for symbol, order in on_the_way.items():
                order.second = 0.0
                if symbol in new and abs(new[symbol].first) < abs(order.first):
                    new[symbol].first = order.first
            self.orders = on_the_way | new
        else:
            self.orders = new if answer is not None else self.orders | new

    def raise_money(self, t: int) -> None:
        """Have every position that this close's decision did not size anew sold in proportion to what is to be paid."""
        part = self.due / self.equity
        moved = {s for s, order in self.orders.items() if order.day == t}
        self.raising = {
            s: abs(q) * self.price[s] * part for s, q in self.shares.items() if part > 0.0 and q and s not in moved
        }
