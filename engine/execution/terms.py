"""What an account and its trades are charged and allowed, known before there is an account."""

from dataclasses import dataclass

import numpy as np

from plimsoll.engine.kernels import layout
from plimsoll.engine.kernels.account import cost
from plimsoll.engine.types import Floats


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

    def rules(self) -> Floats:
        """Return what holds for all symbols alike, (RULES,), as `engine.kernels.layout` lays it out."""
        rules = np.zeros(layout.RULES)
        rules[cost.FLAT_RATE] = self.flat_rate
        rules[cost.PER_SHARE] = self.per_share
        rules[cost.IMPACT_Y] = self.impact
        rules[cost.FEES_ON] = self.fees
        rules[layout.MAX_PARTICIPATION] = self.max_participation
        rules[layout.FRACTIONAL] = self.fractional
        rules[layout.CARRY] = self.carry
        rules[layout.SIZE_AT_FILL] = self.size_at_fill
        rules[layout.MARGIN_ACCOUNT] = self.margin_account
        rules[layout.MARGIN_SPREAD] = self.margin_spread
        rules[layout.BORROW_RATE] = self.borrow_rate
        rules[layout.QTY_STEP] = self.qty_step
        return rules

    def columns(self) -> Floats:
        """Return an account (ACCT_ROWS, N) that holds nothing, with the rates of each symbol in place."""
        acct = np.zeros((layout.ACCT_ROWS, len(self.half_spread)))
        acct[layout.MARK] = np.nan
        acct[layout.ORDER0 : layout.ORDER1 + 1] = -1.0
        acct[layout.SIGMA : layout.ADV + 1] = np.nan
        acct[layout.HALF_SPREAD] = self.half_spread
        acct[layout.MAINT_LONG] = self.maintenance_long
        acct[layout.MAINT_SHORT] = self.maintenance_short
        return acct

    @property
    def maintenance(self) -> Floats:
        """(2, N) maintenance rates of longs and shorts."""
        return np.stack((self.maintenance_long, self.maintenance_short))
