"""From target weights to order quantities that an account can afford and a broker accepts."""

from typing import Final

import numpy as np

from plimsoll.engine.kernels.account.auction import requirement
from plimsoll.engine.kernels.account.fill import trim
from plimsoll.engine.kernels.cost import FEES_ON, N_SESSION_FEES, estimate_cost
from plimsoll.engine.kernels.jit import inline_kernel, kernel
from plimsoll.engine.kernels.layout import ADV, HALF_SPREAD, LOT, MARGIN_ACCOUNT, MARK, SHARES, SIGMA
from plimsoll.engine.types import Bools, Codes, Floats

# Why a symbol got the order it got (or none).
UNTOUCHED: Final = 0
ORDERED: Final = 1
NO_PRICE: Final = 2  # halted at decision time: held, never sold on paper
BELOW_MINIMUM: Final = 3  # smaller than min_notional and not an exit
ROUNDED_AWAY: Final = 4  # less than one lot


@kernel
def wanted_legs(
    target: Floats, trade: Bools, price: Floats, equity: float, held: Floats, legs: Floats, why: Codes
) -> None:
    """Write the unrounded legs (2, N) that take each traded symbol from `held` to its target weight.

    q = W E / p - held;  leg 0 reduces, or flattens before a change of sign; leg 1 opens the other side
    """
    for i in range(target.shape[0]):
        legs[0, i] = 0.0
        legs[1, i] = 0.0
        why[i] = UNTOUCHED
        if not trade[i]:
            continue
        if np.isnan(price[i]):
            why[i] = NO_PRICE
            continue
        legs[0, i], legs[1, i] = legs_to(target[i], price[i], equity, held[i])


@inline_kernel
def legs_to(target: float, price: float, equity: float, held: float) -> tuple[float, float]:
    """Return the unrounded legs that take one symbol from `held` shares to its target weight; see `wanted_legs`."""
    aim = target * equity / price
    if aim * held < 0.0:
        return -held, aim
    if target == 0.0:
        return -held, 0.0
    return aim - held, 0.0


@kernel
def round_legs(held: Floats, lot: Floats, legs: Floats) -> None:
    """Cut legs toward zero to what can be traded: multiples of lot (N,) for longs.

    A short position is always a whole number of shares (brokers lend no fractions). A full exit keeps its exact size.
    """
    for i in range(held.shape[0]):
        for leg in range(2):
            qty = legs[leg, i]
            if qty == 0.0 or (leg == 0 and qty == -held[i]):
                continue
            legs[leg, i] = scaled(held[i] if leg == 0 else 0.0, qty, 1.0, lot[i])


@kernel
def affordable(
    t: int, cash: float, equity: float, held: Floats, price: Floats, acct: Floats, rules: Floats, daily: Floats,
    legs: Floats,
) -> float:  # fmt: skip
    """Scale what opens or adds, long or short, by one common factor to what there is for it; return the factor.

        cash account    phi = clip((cash + proceeds net of costs) / (purchases + costs), 0, 1)
        under margin    phi = clip((equity - costs of what frees - kept) / (added + costs), 0, 1)

    with kept and added the initial margin, see `auction.requirement`, of what stays and of what opens or adds, at
    decision prices. Legs come in as they can be traded, so that no purchase counts on proceeds that rounding took away;
    scaled ones are rounded anew. Sales that reduce a long, and covers, are never scaled.
    """
    margin, spare, needed = rules[MARGIN_ACCOUNT] != 0.0, 0.0, 0.0
    spare = equity if margin else cash
    if rules[FEES_ON] != 0.0:
        spare -= 0.01 * N_SESSION_FEES  # each kind of fee is rounded up to the cent
    for i in range(held.shape[0]):
        kept = held[i]
        for leg in range(2):
            qty = legs[leg, i]
            if qty == 0.0:
                continue
            cost = estimate_cost(t, qty, price[i], acct[HALF_SPREAD, i], acct[SIGMA, i], acct[ADV, i], rules, daily)
            if leg == 0 and qty * held[i] < 0.0:
                kept += qty
                spare -= cost if margin else qty * price[i] + cost
            else:
                value = qty * price[i]
                needed += (requirement(value, i, acct) if margin else value) + cost
        if margin and kept != 0.0:
            spare -= requirement(kept * (acct[MARK, i] if np.isnan(price[i]) else price[i]), i, acct)
    spare = max(spare, 0.0)
    if needed <= spare:
        return 1.0
    phi = spare / needed
    for i in range(held.shape[0]):
        if legs[0, i] * held[i] >= 0.0:
            legs[0, i] = scaled(held[i], legs[0, i], phi, acct[LOT, i])
        legs[1, i] = scaled(0.0, legs[1, i], phi, acct[LOT, i])
    return phi


@inline_kernel
def scaled(before: float, qty: float, phi: float, lot: float) -> float:
    """Return a quantity that opens or adds to `before` shares, scaled and cut to what can be traded."""
    if before + qty < 0.0:
        return trim(before + qty * phi, 1.0) - before
    return trim(qty * phi, lot)


@kernel
def drop_small(held: Floats, price: Floats, min_notional: float, legs: Floats, why: Codes) -> None:
    """Drop legs worth less than `min_notional` dollars; full exits are exempt."""
    for i in range(held.shape[0]):
        for leg in range(2):
            leaves = leg == 0 and legs[0, i] == -held[i]
            if legs[leg, i] != 0.0 and not leaves and abs(legs[leg, i]) * price[i] < min_notional:
                legs[leg, i] = 0.0
                why[i] = BELOW_MINIMUM


@kernel
def plan_legs(
    t: int, cash: float, equity: float, target: Floats, trade: Bools, price: Floats, acct: Floats, rules: Floats,
    daily: Floats, min_notional: float, legs: Floats, why: Codes,
) -> float:  # fmt: skip
    """Write order legs (2, N) in shares and the reason (N,) for each symbol; return the affordability factor.

    target (N,) weights of equity; trade (N,) which symbols may trade; price (N,) decision prices, NaN = halted.
    """
    held = acct[SHARES]
    wanted_legs(target, trade, price, equity, held, legs, why)
    round_legs(held, acct[LOT], legs)
    drop_small(held, price, min_notional, legs, why)
    phi = affordable(t, cash, equity, held, price, acct, rules, daily, legs)
    if phi < 1.0:
        drop_small(held, price, min_notional, legs, why)
    for i in range(target.shape[0]):
        if not trade[i] or why[i] == NO_PRICE:
            continue
        if legs[0, i] != 0.0 or legs[1, i] != 0.0:
            why[i] = ORDERED
        elif why[i] == UNTOUCHED:
            why[i] = ROUNDED_AWAY
    return phi
