"""The published ranges of Hierarchical Adaptive v2.5's parameters."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

# Section 8 of "Hierarchical Adaptive v2.5"; `rebalance_threshold` from its section 7.3.
RANGES: Final[Mapping[str, tuple[float, float]]] = MappingProxyType(
    {
        "process_noise_1": (0.01, 0.01),
        "process_noise_2": (0.01, 0.01),
        "measurement_noise": (1000.0, 5000.0),
        "osc_smoothness": (10, 20),
        "strength_smoothness": (10, 20),
        "t_max": (50.0, 70.0),
        "k_long": (0.3, 0.6),
        "k_short": (0.2, 0.4),
        "e_min": (0.6, 0.8),
        "e_short": (-0.3, -0.1),
        "e_max": (1.5, 1.8),
        "sigma_lookback": (20, 60),
        "sigma_target_multiplier": (0.8, 1.0),
        "s_vol_min": (0.5, 0.5),
        "s_vol_max": (1.5, 1.5),
        "vix_ema_period": (50, 50),
        "alpha_vix": (0.5, 1.5),
        "dd_soft": (0.05, 0.10),
        "dd_hard": (0.20, 0.25),
        "p_min": (0.0, 0.3),
        "w_sqqq_max": (0.2, 0.3),
        "rebalance_threshold": (0.02, 0.03),
    }
)


def refuse_outside(values: Mapping[str, Any]) -> None:
    """Raise ValueError naming the first value outside its published range."""
    for name, (low, high) in RANGES.items():
        value = float(values[name])
        if not low <= value <= high:
            span = f"[{low:g}, {high:g}]" if low < high else f"{low:g}"
            raise ValueError(
                f"{name} {value:g} is outside its published range {span}; set allow_outside_ranges = true to use it"
            )
