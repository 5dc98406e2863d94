"""The book: the sum of an account's facts, as arrays that kernels move by one bar."""

from dataclasses import dataclass

import numpy as np

from plimsoll.engine.errors import ConfigError
from plimsoll.engine.kernels import layout
from plimsoll.engine.kernels.account import cost
from plimsoll.engine.types import Floats


@dataclass(frozen=True, slots=True)
class Book:
    """Holdings, cash and working orders; laid out in `plimsoll.engine.kernels.layout`.

    acct : (ACCT_ROWS, N); scal : (SCALARS,); rules : (RULES,).
    """

    acct: Floats
    scal: Floats
    rules: Floats

    def save(self) -> dict[str, Floats]:
        """Return copies of everything that changes."""
        return {"acct": self.acct.copy(), "scal": self.scal.copy()}

    def restore(self, saved: dict[str, Floats]) -> None:
        """Put back what `save` returned."""
        np.copyto(self.acct, saved["acct"])
        np.copyto(self.scal, saved["scal"])


@dataclass(frozen=True, slots=True)
class Terms:
    """What an account and its trades are charged and allowed, per symbol and in all.

    half_spread, maintenance_long, maintenance_short : (N,) fractions of price or market value.
    flat_rate per dollar, per_share dollars, impact coefficient, fees on or off; margin_spread and borrow_rate per
    year; max_participation of volume, 0 = none; qty_step the smallest tradable fraction of a share.
    """

    half_spread: Floats
    maintenance_long: Floats
    maintenance_short: Floats
    flat_rate: float = 0.0
    per_share: float = 0.0
    impact: float = 0.0
    fees: bool = False
    max_participation: float = 0.0
    fractional: bool = True
    qty_step: float = 1e-9
    carry: bool = False
    size_at_fill: bool = False
    margin_account: bool = True
    margin_spread: float = 0.0
    borrow_rate: float = 0.0


def open_book(n_symbols: int, cash: float, terms: Terms) -> Book:
    """Return a book of `cash` dollars and nothing else.

    Raises
    ------
    ConfigError
        If cash is not positive.
    """
    if not cash > 0.0:
        raise ConfigError(f"starting cash {cash!r} is not above zero", where="run.cash")
    acct = np.zeros((layout.ACCT_ROWS, n_symbols))
    acct[layout.MARK] = np.nan
    acct[layout.ORDER0 : layout.ORDER1 + 1] = -1.0
    acct[layout.SIGMA : layout.ADV + 1] = np.nan
    acct[layout.HALF_SPREAD] = terms.half_spread
    acct[layout.MAINT_LONG] = terms.maintenance_long
    acct[layout.MAINT_SHORT] = terms.maintenance_short
    scal = np.zeros(layout.SCALARS)
    scal[[layout.CASH, layout.EQUITY]] = cash
    scal[[layout.NAV, layout.PEAK, layout.GROSS_NAV]] = 1.0
    rules = np.zeros(layout.RULES)
    rules[cost.FLAT_RATE] = terms.flat_rate
    rules[cost.PER_SHARE] = terms.per_share
    rules[cost.IMPACT_Y] = terms.impact
    rules[cost.FEES_ON] = terms.fees
    rules[layout.MAX_PARTICIPATION] = terms.max_participation
    rules[layout.FRACTIONAL] = terms.fractional
    rules[layout.CARRY] = terms.carry
    rules[layout.SIZE_AT_FILL] = terms.size_at_fill
    rules[layout.MARGIN_ACCOUNT] = terms.margin_account
    rules[layout.MARGIN_SPREAD] = terms.margin_spread
    rules[layout.BORROW_RATE] = terms.borrow_rate
    rules[layout.QTY_STEP] = terms.qty_step
    return Book(acct, scal, rules)
