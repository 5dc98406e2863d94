"""Stage 7: trade only what is worth trading.

    trade i iff |W_i - held_i| > band, or W_i = 0 and held_i != 0, or a reduction of i is forced
    and, with a cost gate, iff 0.5 (0.5/sigma_P) Sigma_ii (W_i - held_i)^2 h/252 >= edge_ratio * cost_i

Forced are all reductions on a margin call and where the multiplier m of stage 5 has fallen by more than 0.005 since a
decision last brought them down to it, or, to the letter (`below_one`), all the while m < 1: in a long drawdown that is
no band at all. Forced are also those that a cap asks for, see `s4_caps.held_over`.

A trade goes all the way to its target, never to the edge of the band, and the band is compared with drifted held
weights, never with the last target. Dust (a target too small to hold) goes to zero before the band, `max_names`
keeps the largest names without renormalising, and a ticket below the minimum is not sent; exits are exempt.
Source: portfolio integration layer, stage 7.
"""

from typing import NamedTuple

import numpy as np

from plimsoll.engine.kernels.derive import TRADING
from plimsoll.engine.kernels.jit import inline_kernel, kernel
from plimsoll.engine.types import Bools, Codes, Floats

HORIZON_SESSIONS = 21.0


class Params(NamedTuple):
    """Band and parking band as fractions of equity, Kelly fraction, cost gate, parking, capacity of daily volume.

    below_one : the band is lifted all the while m < 1, not where it falls. any_net : it is lifted where held net is
    over its cap by whatever it is, not by more than the band.
    """

    band: float
    kelly: float
    edge_ratio: float
    park_cash: bool
    park_band: float
    capacity: float
    below_one: bool
    any_net: bool


@inline_kernel
def trades(target: float, held: float, band: float, forced: bool) -> bool:
    """Return whether a name trades; `forced` exempts the reduction of a position."""
    gap = abs(target - held)
    exits = target == 0.0 and held != 0.0
    reduces = forced and abs(target) < abs(held) and target * held >= 0.0
    return gap > band or exits or (reduces and gap > 0.0)


@kernel
def no_trade_band(target: Floats, held: Floats, band: float, forced: Bools, trade: Bools) -> None:
    """Write which names trade.

    target, held (N,) signed weights of equity; band is a fraction of equity; forced (N,) exempts reductions of a
    position; trade (N,) written.
    """
    for i in range(target.shape[0]):
        trade[i] = trades(target[i], held[i], band, forced[i])


@kernel
def drop_dust(dust: float, max_names: int, is_cash: Bools, w: Floats, work: Floats) -> None:
    """Zero targets smaller than `dust` (fraction of equity) and all but the `max_names` largest (0 = no limit).

    is_cash (N,) symbols are exempt; work (N,) scratch.
    """
    names = 0
    for i in range(w.shape[0]):
        if not is_cash[i] and w[i] != 0.0:
            if abs(w[i]) < dust:
                w[i] = 0.0
            else:
                work[names] = abs(w[i])
                names += 1
    if max_names == 0 or names <= max_names:
        return
    work[:names].sort()
    least = work[names - max_names]
    left = max_names
    for i in range(w.shape[0]):
        if not is_cash[i] and abs(w[i]) > least:
            left -= 1
    for i in range(w.shape[0]):
        if is_cash[i] or w[i] == 0.0 or abs(w[i]) > least:
            continue
        if abs(w[i]) == least and left > 0:
            left -= 1
        else:
            w[i] = 0.0


@kernel
def limit_capacity(capacity: float, adv: Floats, price: Floats, equity: float, target: Floats, held: Floats) -> int:
    """Pull targets (N,) towards held so that no trade exceeds `capacity` of a day's volume; return how many.

    adv (N,) shares a day, price (N,) and equity in dollars; an unknown volume or price does not bind.
    """
    count = 0
    for i in range(target.shape[0]):
        gap = target[i] - held[i]
        limit = capacity * adv[i] * price[i] / equity
        if abs(gap) > limit:
            target[i] = held[i] + (limit if gap > 0.0 else -limit)
            count += 1
    return count


@kernel
def cost_gate(
    target: Floats, held: Floats, variance: Floats, cost: Floats, sigma_p: float, edge_ratio: float, forced: Bools,
    trade: Bools,
) -> int:  # fmt: skip
    """Withdraw trades whose gain in utility is below edge_ratio times their cost; return how many.

    variance (N,) per year; cost (N,) fraction of equity; exits stay, and reductions that are forced (N,).
    The risk aversion 0.5 / sigma_P is that of an investor who holds the target volatility at a Sharpe ratio of one
    half.
    """
    count = 0
    for i in range(target.shape[0]):
        reduces = forced[i] and abs(target[i]) < abs(held[i]) and target[i] * held[i] >= 0.0
        if trade[i] and target[i] != 0.0 and not reduces:
            gap = target[i] - held[i]
            edge = 0.5 * (0.5 / sigma_p) * variance[i] * gap * gap * HORIZON_SESSIONS / 252.0
            if not np.isnan(edge) and edge < edge_ratio * cost[i]:
                trade[i] = False
                count += 1
    return count


@kernel
def cash_band(goal: Floats, held: Floats, is_cash: Bools, band: float, status: Codes, trade: Bools) -> None:
    """Give cash equivalents a band of their own; what does not trade now is not traded."""
    for i in range(goal.shape[0]):
        if is_cash[i]:
            outside = abs(goal[i] - held[i]) > band or (goal[i] == 0.0 and held[i] != 0.0)
            trade[i] = outside and status[i] == TRADING


@kernel
def withdraw_halted(status: Codes, trade: Bools) -> None:
    """Withdraw trades (N,) in what does not trade now: it is held, not sold on paper."""
    for i in range(trade.shape[0]):
        if status[i] != TRADING:
            trade[i] = False
