"""A reference market, so that a blueprint can say in numbers what its parameters lead to.

Volatilities and correlations are rounded, ours, and an illustration: nothing is traded on them.
"""

from collections.abc import Sequence
from types import MappingProxyType
from typing import Final

import numpy as np

from plimsoll.engine.types import Floats

VOLATILITY: Final = MappingProxyType(
    {
        "engine": 0.60,
        "managed_futures": 0.12,
        "gold": 0.16,
        "commodities": 0.16,
        "rate_hedge": 0.35,
        "duration": 0.45,
        "intermediate": 0.07,
        "short_volatility": 0.14,
        "tail": 0.12,
    }
)

_CORRELATION: Final = MappingProxyType(
    {
        frozenset(("engine", "managed_futures")): -0.20,
        frozenset(("engine", "gold")): 0.05,
        frozenset(("managed_futures", "gold")): 0.10,
        frozenset(("engine", "commodities")): 0.30,
        frozenset(("gold", "commodities")): 0.35,
        frozenset(("duration", "intermediate")): 0.90,
        frozenset(("rate_hedge", "duration")): -0.85,
        frozenset(("rate_hedge", "intermediate")): -0.80,
        frozenset(("engine", "short_volatility")): 0.75,
        frozenset(("engine", "tail")): -0.75,
        frozenset(("short_volatility", "tail")): -0.65,
    }
)


def reference_covariance(slots: Sequence[str]) -> Floats:
    """Return the yearly covariance (S, S) of slots by name; pairs that are not listed are uncorrelated."""
    sigma = np.array([VOLATILITY[name] for name in slots])
    corr = np.array([[1.0 if a == b else _CORRELATION.get(frozenset((a, b)), 0.0) for b in slots] for a in slots])
    return corr * np.outer(sigma, sigma)


def percent(value: float) -> str:
    """Return a fraction as a percentage."""
    return f"{100.0 * value:.1f}%"


def listing(names: Sequence[str], weights: Floats) -> str:
    """Return weights by name, and the cash that is left."""
    shown = [f"{name} {percent(w)}" for name, w in zip(names, weights, strict=True) if w > 0.0005]
    return ", ".join([*shown, f"cash {percent(1.0 - float(weights.sum()))}"])
