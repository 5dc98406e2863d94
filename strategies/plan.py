"""What follows from a blueprint's parameters, in words and numbers, without any data."""

from collections.abc import Callable, Sequence

import numpy as np

from plimsoll.engine.types import Floats
from plimsoll.strategies.blueprint import BlueprintParams
from plimsoll.strategies.reference import VOLATILITY, listing, percent, reference_covariance


def reference_weights(p: BlueprintParams, names: Sequence[str], mix: Callable[[Floats], Floats]) -> str:
    """Return the weights by slot, after the volatility cap, that `mix` makes of the reference covariance."""
    cov = reference_covariance(names)
    w = mix(cov)
    sigma = float(np.sqrt(w @ cov @ w))
    w = w * min(p.risk_target / max(sigma, p.vol_floor), 1.0)
    w[0] = min(w[0], p.engine_max)
    return f"{listing(names, w)}; volatility {percent(float(np.sqrt(w @ cov @ w)))}"


def common_plan(p: BlueprintParams) -> dict[str, str]:
    """Return target, bands and triggers that all blueprints share."""
    cut = p.risk_target / VOLATILITY["engine"]
    return {
        "reference market": ", ".join(f"{name} {percent(sigma)}" for name, sigma in VOLATILITY.items()),
        "risk target": f"{percent(p.risk_target)} a year, a cap: the risky part is scaled down to it, never up",
        "most of the engine alone": f"{percent(min(cut, p.engine_max))} at its reference volatility",
        "rebalance": f"on schedule {p.rebalance!r} (decided at that close, filled next session), and on any session "
        f"when a holding is more than {100.0 * p.drift_band:g} points off its target",
        "scalar": f"moves when it would change by more than {percent(p.scalar_band)}",
        "limits": f"look-through {p.look_through_max:g}, beta {p.beta_max:g}, {p.engine} {percent(p.engine_max)}",
        "guard": f"up when the correlation of {p.guard_equity} and {p.guard_bond} exceeds {p.guard_threshold:g}, down "
        f"below {-p.guard_threshold:g}, for at least {p.guard_dwell_bars} sessions, over {p.guard_ramp_bars}; moves "
        f"{percent(p.guard_shift)} of risk from levered duration to gold and managed futures, lets no duration rise",
        "cash": f"first listed of {', '.join((*p.cash_funds, 'ledger cash'))}",
    }
