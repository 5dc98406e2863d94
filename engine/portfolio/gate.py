"""The cost gate of stage 7 with the one cost model."""

import numpy as np

from plimsoll.engine.kernels.cost import estimate_cost
from plimsoll.engine.kernels.estimate import moments
from plimsoll.engine.kernels.jit import kernel
from plimsoll.engine.portfolio.stages.s7_turnover import cost_gate
from plimsoll.engine.types import Bools, Floats


@kernel
def gate_by_cost(
    t: int, goal: Floats, held: Floats, equity: float, price: Floats, adv: Floats, pair: Floats, half_spread: Floats,
    rules: Floats, daily: Floats, sigma_p: float, edge_ratio: float, bars_per_year: float, forced: Bools, trade: Bools,
) -> int:  # fmt: skip
    """Withdraw trades that are not worth their cost; return how many.

    goal, held (N,) weights; price, adv (N,) decision prices and shares a day; pair (9, N, N) moments of returns;
    half_spread (N,), rules, daily as in `engine.kernels.layout`; reductions that are forced (N,) stay; trade (N,) is
    changed in place.
    """
    n = goal.shape[0]
    variance, cost = np.empty(n), np.zeros(n)
    for i in range(n):
        weight = pair[moments.WEIGHT, i, i]
        variance[i] = pair[moments.M20, i, i] / weight * bars_per_year if weight > 0.0 else np.nan
        if trade[i]:
            qty = (goal[i] - held[i]) * equity / price[i]
            sigma = np.sqrt(variance[i] / 252.0)
            cost[i] = estimate_cost(t, qty, price[i], half_spread[i], sigma, adv[i], rules, daily) / equity
    return cost_gate(goal, held, variance, cost, sigma_p, edge_ratio, forced, trade)
