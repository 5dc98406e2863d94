"""The cost gate of stage 7 with the one cost model."""

import numpy as np

from engine.kernels import moments
from engine.kernels.cost import estimate_cost
from engine.portfolio.stages.s7_turnover import cost_gate
from engine.types import Bools, Floats


def gate_by_cost(
    t: int, goal: Floats, held: Floats, equity: float, price: Floats, adv: Floats, pair: Floats, half_spread: Floats,
    rules: Floats, daily: Floats, sigma_p: float, edge_ratio: float, bars_per_year: float, forced: Bools, trade: Bools,
) -> int:  # fmt: skip
    """Withdraw trades that are not worth their cost; return how many.

    goal, held (N,) weights; price, adv (N,) decision prices and shares a day; pair (7, N, N) moments of returns;
    half_spread (N,), rules, daily as in `engine.kernels.layout`; reductions that are forced (N,) stay; trade (N,) is
    changed in place.
    """
    weight = pair[moments.WEIGHT].diagonal()
    second = pair[moments.M20].diagonal()
    variance = np.divide(second, weight, out=np.full(len(goal), np.nan), where=weight > 0.0) * bars_per_year
    cost = np.zeros(len(goal))
    for i in np.flatnonzero(trade).tolist():
        qty = (goal[i] - held[i]) * equity / price[i]
        sigma = np.sqrt(variance[i] / 252.0)
        cost[i] = estimate_cost(t, qty, price[i], half_spread[i], sigma, adv[i], rules, daily) / equity
    return int(cost_gate(goal, held, variance, cost, sigma_p, edge_ratio, forced, trade))
