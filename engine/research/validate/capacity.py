"""With how much money the configuration still earns something: costs grow with the square root of it."""

from typing import Any

import numpy as np

from plimsoll.engine.report.metrics import returns as m
from plimsoll.engine.report.metrics.capacity import cost_growth
from plimsoll.engine.research.validate.path import Path


def capacity_block(path: Path, share: float) -> dict[str, Any]:
    """Return the assets at which costs eat `share` of what is earned over bills before costs.

        drag(A) = c + k sqrt(A),   c = sum (cost_t - impact_t) 252 / n,   k = sum (impact_t / sqrt(E_t-1)) 252 / n
        capacity = ((share * (mean(r - bill) 252 + drag of the run) - c) / k)^2

    cost_t, impact_t over the equity E_t-1 that the session began with. Impact is the cost model's square-root law, so
    the same trades in an account of A dollars throughout pay sqrt(A / E) times as much of it; spread, commission and
    fees go with the trades alone. That holds the trades as they are: a cap on participation, which would delay some of
    them, and the tiers of capital, which allow more or less, are left out. `capacity_usd` is None where the model has
    no impact, 0 where costs eat more than their share whatever the assets.
    Source: the square-root law, Toth et al. (2011); the break-even reading, Novy-Marx & Velikov (2016).
    """
    n = len(path.returns)
    growth = cost_growth(path.costs, path.impact, path.begun)
    earned = float(np.mean(path.returns - path.bill)) * m.SESSIONS_PER_YEAR + growth.drag if n else m.NAN
    return {
        "capacity_usd": growth.assets_at(share * earned),
        "cost_share": share,
        "earned_before_costs": earned,
        "drag": growth.drag,
        "fixed": growth.fixed,
        "impact": growth.impact,
        "equity_mean": float(np.mean(path.begun)) if n else m.NAN,
    }
