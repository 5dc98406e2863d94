"""What the account is worth and what it may still buy, at the prices of a moment."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
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


class Valuation:
    """Market values of the positions, added up once a minute and then kept up to date trade by trade.

    Sums of amounts in whole `GRAIN`s are exact, so it does not matter in which order they were made.
    """

    def __init__(self) -> None:
        self._minute: datetime | None = None
        self._worth: dict[str, Decimal] = {}
        self._longs = self._shorts = ZERO

    def totals(self, ledger: Ledger, mark: Callable[[str], Decimal], at: datetime) -> tuple[Decimal, Decimal]:
        """Return the market value of the longs and of the shorts (<= 0); `mark` is the last price of a symbol."""
        minute = at.replace(second=0, microsecond=0)
        stale = set(ledger.touched)
        if minute != self._minute:
            self._minute = minute
            stale = {*self._worth, *ledger.positions}
        for symbol in stale:
            self._move(self._worth.pop(symbol, ZERO), -1)
            if symbol in ledger.positions:
                self._worth[symbol] = value(ledger.positions[symbol].qty, mark(symbol))
                self._move(self._worth[symbol], 1)
        ledger.touched.clear()
        return self._longs, self._shorts

    def _move(self, worth: Decimal, sign: int) -> None:
        if worth > 0:
            self._longs += sign * worth
        else:
            self._shorts += sign * worth


def funds_of(
    cash: Decimal, worth: tuple[Decimal, Decimal], orders: Iterable[Order], multiplier: int, ignoring: str
) -> Funds:
    """Add up the account; `worth` is of longs and shorts, `ignoring` an order whose reserve does not count."""
    reserved = sum((order.reserved for order in orders if order.id != ignoring), ZERO)
    return Funds(cash, *worth, reserved, multiplier)
