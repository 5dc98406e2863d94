"""An account kept by hand: dictionaries, loops, one session after the other.

Written from the design's rules of money and time, to be read beside them. It shares no code with the engine.

    session   deposits; splits; dividends to those who held at the last close; delistings; fills; interest; the mark
    decision  at the close, see `support.plain_desk`
"""

import math

from support.market_lists import Market, Row
from support.plain_desk import OUTRIGHT, Order, Terms, charges, cut, plan, sum_of
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
        self.fills: list[tuple[int, str, float, float, float]] = []
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
        self.decide(first - 1, standing, called=False)
        for t in range(first, len(self.market)):
            called = self.session(t)
            if self.ruined:
                return
            if t in answers or called:
                self.decide(t, answers.get(t), called=called)

    def session(self, t: int) -> bool:
        """Live through bar t; return whether the broker calls for margin."""
        market, terms = self.market, self.terms
        start, carried = self.equity, self.cash
        short_value = -sum(q * self.price[s] for s, q in self.shares.items() if q < 0.0)
        row: Row = dict.fromkeys(
            ("dividends", "interest", "financing", "borrow", "commission", "spread", "impact", "fees", "traded"), 0.0
        )
        row["flow"] = market.flow.get(t, 0.0)
        self.cash += row["flow"]
        gain = 0.0
        for symbol in market.symbols:
            ratio = market.split[symbol][t]
            if ratio != 1.0:
                self.shares[symbol] *= ratio
                if symbol in self.price:
                    self.price[symbol] /= ratio
                if symbol in self.orders:
                    order = self.orders[symbol]
                    order.first, order.second, order.adv = order.first * ratio, order.second * ratio, order.adv * ratio
            paid = self.shares[symbol] * market.dividend[symbol][t]
            row["dividends"] += paid
            self.cash += paid
            if market.delisted(symbol, t):
                self.orders.pop(symbol, None)
                if self.shares[symbol] != 0.0:
                    self.counts["delisted"] += 1
                    self.fills.append((t, symbol, -self.shares[symbol], self.price[symbol], 0.0))
                    self.cash += self.shares[symbol] * self.price[symbol]
                    self.shares[symbol] = 0.0
        before = dict(self.shares)
        done: list[tuple[str, float, float]] = []
        for symbol in list(self.orders):
            done += self.match(t, symbol, row)
        if terms.fees:
            today = [] if market.opening[t] else self.today
            self.today = today + [(size, price) for _, size, price in done]
            row["fees"] = charged(market.date[t], self.today) - charged(market.date[t], today)
            self.cash -= row["fees"]
        if len(self.rows) > 0:  # the first session accrues nothing
            day = 1.0 / 252.0 if market.opening[t] else 0.0
            if carried >= 0.0:
                row["interest"] = carried * market.bill[t]
            else:
                row["financing"] = -carried * (market.bill[t] + terms.margin_spread * day)
            row["borrow"] = short_value * terms.borrow * day
            self.cash += row["interest"] - row["financing"] - row["borrow"]
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
        row["ret"] = max(self.equity / (start + row["flow"]) - 1.0, -1.0)
        self.index *= 1.0 + row["ret"]
        self.peak = max(self.peak, self.index)
        row["drawdown"] = self.index / self.peak - 1.0
        row["maintenance"] = self.required()
        self.rows.append(row)
        self.held.append({s: q * self.price[s] / self.equity if q != 0.0 else 0.0 for s, q in self.shares.items()})
        self.counts["negative_cash_closes"] += self.cash < 0.0
        if self.equity <= 0.0:
            self.ruined = True
            return False
        called = terms.margin and self.equity < row["maintenance"]
        self.counts["margin_calls"] += called
        return called

    def required(self) -> float:
        """Maintenance margin in dollars."""
        total = 0.0
        for symbol, shares in self.shares.items():
            if shares > 0.0:
                total += shares * self.price[symbol] * self.terms.maintenance_long.get(symbol, 0.25)
            elif shares < 0.0:
                total -= shares * self.price[symbol] * self.terms.maintenance_short.get(symbol, 0.30)
        return total

    def match(self, t: int, symbol: str, row: Row) -> list[tuple[str, float, float]]:
        """Fill what bar t gives of one symbol's order; what is left expires or works on."""
        terms, order = self.terms, self.orders[symbol]
        done = []
        if self.market.trades(symbol, t):
            price = (self.market.close if terms.at_close else self.market.open)[symbol][t]
            volume = self.market.volume[symbol][t]
            room = math.inf
            if volume == 0.0:
                room = 0.0
            elif terms.participation > 0.0 and not math.isnan(volume):
                room = terms.participation * volume
            for leg in ("first", "second"):
                if leg == "second" and order.first != 0.0:
                    break
                wish = getattr(order, leg)
                size = wish
                if abs(wish) > room:
                    opens_short = self.shares[symbol] < 0.0 or (self.shares[symbol] == 0.0 and wish < 0.0)
                    size = math.copysign(cut(room, 1.0 if opens_short or not terms.fractional else OUTRIGHT), wish)
                if size != 0.0:
                    done.append((symbol, size, price))
                    self.trade(t, symbol, size, price, order, row)
                    setattr(order, leg, wish - size)
                    room -= abs(size)
        if order.first == 0.0 and order.second == 0.0:
            del self.orders[symbol]
        elif not terms.carry:
            self.counts["expired_orders"] += 1
            del self.orders[symbol]
        return done

    def trade(self, t: int, symbol: str, size: float, price: float, order: Order, row: Row) -> None:
        """Exchange shares for cash, and pay for it."""
        commission, spread, impact = charges(self.terms, symbol, size, price, order)
        self.shares[symbol] = sum_of(self.shares[symbol], size)
        self.cash -= size * price + commission + spread + impact
        self.fills.append((t, symbol, size, price, commission + spread + impact))
        row["commission"] += commission
        row["spread"] += spread
        row["impact"] += impact
        row["traded"] += abs(size) * price

    def decide(self, t: int, answer: Row | None, *, called: bool) -> None:
        """Turn target weights (None: what is held) into orders at bar t's closes."""
        terms = self.terms
        held = {s: q * self.price[s] / self.equity if q != 0.0 else 0.0 for s, q in self.shares.items()}
        target = {s: (held if answer is None else answer).get(s, 0.0) for s in self.market.symbols}
        if called:
            need = sum(
                w * terms.maintenance_long.get(s, 0.25) if w > 0.0 else -w * terms.maintenance_short.get(s, 0.30)
                for s, w in target.items()
            )
            if need > 1.0:
                target = {s: w / need for s, w in target.items()}
        self.targets[t] = target
        self.orders = plan(self, t, target, held, called)
