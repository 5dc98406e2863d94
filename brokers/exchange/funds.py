"""What the account is worth and what it may still buy, at the prices of a moment."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal

from plimsoll.brokers.exchange.amount import ZERO, value
from plimsoll.brokers.exchange.ledger import Ledger
from plimsoll.brokers.exchange.order import Order


@dataclass(frozen=True, slots=True)
class Funds:
    """Dollars, all of one moment.

    short_value <= 0. reserved : set aside for working orders that open or add.
    """

    cash: Decimal
    long_value: Decimal
    short_value: Decimal
    reserved: Decimal
    multiplier: int

    @property
    def equity(self) -> Decimal:
        """Cash and positions at market."""
        return self.cash + self.long_value + self.short_value

    @property
    def gross(self) -> Decimal:
        """Market value of all positions without their sign."""
        return self.long_value - self.short_value

    @property
    def buying_power(self) -> Decimal:
        """What may still be opened: equity times the multiplier, less what is held and what is reserved.

        With a multiplier of 2 this is Regulation T: half of everything opened is margin (12 CFR 220.12). With 1 it is
        the cash that is not spoken for.
        """
        return max(ZERO, self.multiplier * self.equity - self.gross - self.reserved)

    @property
    def regt_buying_power(self) -> Decimal:
        """Buying power with a multiplier of 2 at most."""
        return max(ZERO, min(self.multiplier, 2) * self.equity - self.gross - self.reserved)

    @property
    def free_cash(self) -> Decimal:
        """Cash that is neither reserved nor the proceeds of short sales."""
        return max(ZERO, self.cash + self.short_value - self.reserved)


def funds_of(
    ledger: Ledger, orders: Iterable[Order], mark: Callable[[str], Decimal], multiplier: int, ignoring: str = ""
) -> Funds:
    """Add up the account; `mark` is the last price of a symbol, `ignoring` an order whose reserve does not count."""
    longs, shorts = ZERO, ZERO
    for symbol, position in ledger.positions.items():
        worth = value(position.qty, mark(symbol))
        if worth > 0:
            longs += worth
        else:
            shorts += worth
    reserved = sum((order.reserved for order in orders if order.id != ignoring), ZERO)
    return Funds(ledger.cash, longs, shorts, reserved, multiplier)
