"""What the account holds: cash and positions, changed by fills, splits and payments and by nothing else."""

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from plimsoll.brokers.exchange.amount import GRAIN, ZERO, times, value


@dataclass(slots=True)
class Position:
    """Shares of one symbol, short negative; cost is what they were bought (sold short) for, signed alike."""

    symbol: str
    qty: Decimal = ZERO
    cost: Decimal = ZERO

    @property
    def avg_entry_price(self) -> Decimal:
        """Cost per share."""
        return self.cost / self.qty


class Ledger:
    """Cash in dollars and positions by symbol; a flat symbol has no position.

    touched : the symbols whose position has changed since whoever values them last cleared it.
    """

    def __init__(self, cash: Decimal) -> None:
        self.cash = cash
        self.positions: dict[str, Position] = {}
        self.touched: set[str] = set()

    def qty(self, symbol: str) -> Decimal:
        """Return the shares held, short negative."""
        position = self.positions.get(symbol)
        return ZERO if position is None else position.qty

    def trade(self, symbol: str, qty: Decimal, price: Decimal) -> Decimal:
        """Book a trade of `qty` shares (sells negative) and return the cash it moved.

        Shares that leave take their average cost with them; trades never cross zero.
        """
        self.touched.add(symbol)
        position = self.positions.setdefault(symbol, Position(symbol))
        paid = value(qty, price)
        if position.qty * qty >= 0:
            position.cost += paid
        else:
            position.cost -= (position.cost * (-qty) / position.qty).quantize(GRAIN)
        position.qty += qty
        self.cash -= paid
        if position.qty == 0:
            del self.positions[symbol]
        return -paid

    def split(self, symbol: str, ratio: Fraction, *, fractions: bool) -> Decimal:
        """Turn a position into new shares and return the new shares that had to go, signed as the position.

        What goes is the part of a share that may not be held: all of it, or with `fractions` only what lies beyond
        nine decimals. The caller pays it out.
        """
        self.touched.add(symbol)
        position = self.positions[symbol]
        whole = times(position.qty, ratio)
        kept = whole if fractions else Decimal(int(whole))
        rest = whole - kept
        position.qty = kept
        if rest != 0:
            position.cost -= (position.cost * rest / whole).quantize(GRAIN)
        if kept == 0:
            del self.positions[symbol]
        return rest

    def pay(self, dollars: Decimal) -> None:
        """Book a payment into (negative: out of) the account."""
        self.cash += dollars
