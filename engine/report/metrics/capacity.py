"""How costs grow with the money that trades: what one run can say about its own capacity."""

from dataclasses import dataclass

import numpy as np

from plimsoll.engine.report.metrics import returns as m
from plimsoll.engine.report.metrics.returns import Figures
from plimsoll.engine.runtime.record import Record
from plimsoll.engine.types import Floats


@dataclass(frozen=True, slots=True)
class CostGrowth:
    """Costs a year as a fraction of assets A: `fixed + slope sqrt(A)`, A in USD.

    drag : what the run itself paid a year, impact : the part of it that grows.
    """

    fixed: float
    slope: float
    drag: float
    impact: float

    def assets_at(self, cost: float) -> float | None:
        """Return the assets at which costs are `cost` a year; 0 where they always are, None without any impact."""
        if not self.slope > 0.0:
            return None
        room = cost - self.fixed
        return (room / self.slope) ** 2 if room > 0.0 else 0.0


def cost_growth(costs: Floats, impact: Floats, begun: Floats) -> CostGrowth:
    """Return how costs grow, from what each session cost.

        drag(A) = c + k sqrt(A),   c = sum (cost_t - impact_t) 252 / n,   k = sum (impact_t / sqrt(E_t-1)) 252 / n

    costs, impact (n,) : of each session over the equity that it began with, begun (n,) in USD, E_t-1 above. Impact is
    the cost model's square-root law: the same trades in an account of A dollars pay sqrt(A / E) times as much of it.
    Source: the square-root law, Toth et al. (2011).
    """
    n = len(costs)
    year = m.SESSIONS_PER_YEAR / n if n else m.NAN
    fixed = float(np.sum(costs - impact)) * year
    scaled = np.divide(impact, np.sqrt(begun), out=np.zeros(n), where=begun > 0.0)
    slope, drag = float(np.sum(scaled)) * year, float(np.sum(costs)) * year
    return CostGrowth(fixed, slope, drag, float(np.sum(impact)) * year)


def capacity_of(record: Record) -> Figures | None:
    """Return the assets at which impact, and costs in all, are twice what they are; None where nothing was traded.

    `impact_doubles_usd` is four times the equity that the impact paid refers to, for the law is a square root;
    `costs_double_usd` has spreads and fees in it, which do not grow. Both are None where the cost model has no impact.
    Trades stay as they are: caps on participation and the tiers of capital are left out. None for fewer sessions than
    a figure a year takes.
    """
    base = record.base
    of = {
        name: record.session_sum(np.divide(record.column(name), base, out=np.zeros(len(base)), where=base > 0.0))
        for name in ("costs", "impact")
    }
    if len(record.rows) < m.FEWEST_SESSIONS or not record.column("traded").any():
        return None
    first = np.concatenate(([0], record.rows[:-1] + 1)).astype(np.int64)
    growth = cost_growth(of["costs"], of["impact"], base[first])
    return {
        "impact": growth.impact,
        "costs": growth.drag,
        "equity_mean": float(np.mean(base[first])),
        "impact_doubles_usd": growth.assets_at(growth.fixed + 2.0 * growth.impact),
        "costs_double_usd": growth.assets_at(2.0 * growth.drag),
    }
