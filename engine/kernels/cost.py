"""What one trade costs: the components and the only formulas, used by ledger, planner, tables and report.

A component is a line in one of the two lists below and a term of the function that returns their amounts in the same
order; with a rate of its own, also a name in `RATES`. Everything else follows from the lists.
"""

from typing import Final, NamedTuple

import numpy as np

from plimsoll.engine.kernels.jit import kernel
from plimsoll.engine.types import Floats


class Cost(NamedTuple):
    """One component: its column in the fill table, and the column of record and run folder that it is added to."""

    name: str
    column: str


# Paid at each fill; the amounts are those of `trade_costs`.
TRADE_COSTS: Final = (Cost("commission", "commission"), Cost("spread", "spread"), Cost("impact", "impact"))
# Regulatory fees, summed over a session and rounded up to the cent; the amounts are those of `raw_fees`.
SESSION_FEES: Final = (Cost("sec", "fees"), Cost("taf", "fees"), Cost("cat", "fees"))
COSTS: Final = TRADE_COSTS + SESSION_FEES
N_TRADE_COSTS: Final = len(TRADE_COSTS)
N_SESSION_FEES: Final = len(SESSION_FEES)
COST_COLUMNS: Final = tuple(dict.fromkeys(cost.column for cost in COSTS))

# First entries of the rules vector (RULES,), fields of `plimsoll.engine.execution.terms.Terms`.
RATES: Final = ("flat_rate", "per_share", "impact", "fees")
FLAT_RATE: Final = RATES.index("flat_rate")  # commission per dollar traded
PER_SHARE: Final = RATES.index("per_share")  # commission per share
IMPACT_Y: Final = RATES.index("impact")  # coefficient of the square-root law, 0 = off
FEES_ON: Final = RATES.index("fees")  # 1 = dated sell-side fees

# First rows of `daily` (DAILY, T): the fee schedule in force on each bar.
FEE_RATES: Final = ("sec", "taf", "taf_cap", "cat")
SEC: Final = FEE_RATES.index("sec")  # per dollar sold
TAF: Final = FEE_RATES.index("taf")  # per share sold
TAF_CAP: Final = FEE_RATES.index("taf_cap")  # most per trade, dollars
CAT: Final = FEE_RATES.index("cat")  # per share, both sides

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
def trade_costs(
    qty: float, price: float, half_spread: float, sigma: float, adv: float, rules: Floats
) -> tuple[float, ...]:
    """Return the amounts of `TRADE_COSTS` in dollars for one fill of signed `qty` shares."""
    shares = abs(qty)
    notional = shares * price
    return (
        commission_cost(notional, shares, rules),
        spread_cost(notional, half_spread),
        impact_cost(notional, shares, sigma, adv, rules[IMPACT_Y]),
    )


@kernel
def raw_fees(t: int, qty: float, price: float, daily: Floats) -> tuple[float, ...]:
    """Return the amounts of `SESSION_FEES` in dollars for one fill of signed `qty` shares, before rounding.

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
def trade_cost(qty: float, price: float, half_spread: float, sigma: float, adv: float, rules: Floats) -> float:
    """Return the sum of `trade_costs` in dollars: what a fill costs at once, before the day's fees."""
    total, paid = 0.0, trade_costs(qty, price, half_spread, sigma, adv, rules)
    for k in range(N_TRADE_COSTS):
        total += paid[k]
    return total


@kernel
def estimate_cost(
    t: int, qty: float, price: float, half_spread: float, sigma: float, adv: float, rules: Floats, daily: Floats
) -> float:
    """Return the expected cost in dollars of trading signed `qty` at `price`, fees of session `t` unrounded."""
    total = trade_cost(qty, price, half_spread, sigma, adv, rules)
    if rules[FEES_ON] != 0.0:
        fees, charged = 0.0, raw_fees(t, qty, price, daily)
        for k in range(N_SESSION_FEES):
            fees += charged[k]
        total += fees
    return total
