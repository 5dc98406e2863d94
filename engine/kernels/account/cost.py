"""What one trade costs: the only formula, used by the simulator, the planner and the report."""

from typing import Final

import numpy as np

from plimsoll.engine.kernels.jit import kernel
from plimsoll.engine.types import Floats

# Layout of the cost part of the rules vector (see `plimsoll.engine.kernels.account.ledger`).
FLAT_RATE: Final = 0  # commission per dollar traded
PER_SHARE: Final = 1  # commission per share
IMPACT_Y: Final = 2  # coefficient of the square-root law, 0 = off
FEES_ON: Final = 3  # 1 = dated sell-side fees
COST_RULES: Final = 4

# Columns of the session table that hold the fee schedule in force.
SEC: Final = 2  # per dollar sold
TAF: Final = 3  # per share sold
TAF_CAP: Final = 4  # most per trade, dollars
CAT: Final = 5  # per share, both sides

AVERAGE_OF_PEAK: Final = 2.0 / 3.0


@kernel
def spread_cost(notional: float, half_spread: float) -> float:
    """Return half the quoted spread on `notional` dollars; `half_spread` is a fraction of the price."""
    return notional * half_spread


@kernel
def commission_cost(notional: float, shares: float, rules: Floats) -> float:
    """Return the broker's commission in dollars: a flat rate per dollar plus a rate per share."""
    return notional * rules[FLAT_RATE] + shares * rules[PER_SHARE]


@kernel
def impact_cost(notional: float, shares: float, sigma: float, adv: float, coefficient: float) -> float:
    """Return market impact in dollars; 0 where volatility or volume is unknown.

    sigma is daily volatility, adv shares a day, shares the size of the order's fill.

        cost = notional * (2/3) * Y * sigma * sqrt(Q / ADV)

    The square-root law gives the peak; the average price paid along the way moves two thirds as far.
    Source: Toth et al. (2011), "Anomalous price impact", Phys. Rev. X 1, 021006.
    """
    if coefficient == 0.0 or not (sigma > 0.0) or not (adv > 0.0):
        return 0.0
    return notional * AVERAGE_OF_PEAK * coefficient * sigma * np.sqrt(shares / adv)


@kernel
def raw_fees(t: int, qty: float, price: float, daily: Floats) -> tuple[float, float, float]:
    """Return (SEC, TAF, CAT) in dollars for one fill of signed `qty` shares, before rounding.

    Source: SEC Section 31 and FINRA TAF on sells (TAF capped per trade), CAT on both sides; dated rates in
    `plimsoll.engine.execution.fees`.
    """
    shares = abs(qty)
    cat = shares * daily[CAT, t]
    if qty >= 0.0:
        return 0.0, 0.0, cat
    return shares * price * daily[SEC, t], min(shares * daily[TAF, t], daily[TAF_CAP, t]), cat


@kernel
def round_up_cent(amount: float) -> float:
    """Return `amount` rounded up to the cent, as a broker charges a day's sum of one fee."""
    return np.ceil(amount * 100.0 - 1e-7) / 100.0


@kernel
def estimate_cost(
    t: int, qty: float, price: float, half_spread: float, sigma: float, adv: float, rules: Floats, daily: Floats
) -> float:
    """Return the expected cost in dollars of trading signed `qty` at `price`, fees of session `t` unrounded."""
    shares = abs(qty)
    notional = shares * price
    total = spread_cost(notional, half_spread) + commission_cost(notional, shares, rules)
    total += impact_cost(notional, shares, sigma, adv, rules[IMPACT_Y])
    if rules[FEES_ON] != 0.0:
        sec, taf, cat = raw_fees(t, qty, price, daily)
        total += sec + taf + cat
    return total
