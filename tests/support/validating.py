"""A choice between two assets, in markets where it matters and in markets where it does not."""

from typing import Any

import numpy as np
from support.panels import make_panel

from plimsoll.engine.config.schema import Config, load_config
from plimsoll.engine.market.panel import Panel
from plimsoll.engine.sleeve.strategy import Context, Strategy, StrategyParams
from plimsoll.engine.types import Weights

LEAN = "sleeve.s.params.lean"
SIZE = "sleeve.s.params.size"
N = 1400


class Leaning(Strategy):
    """Holds `size` of equity, `lean` of it in AAA and the rest in BBB; answers every 21 bars."""

    class Params(StrategyParams):
        lean: float = 0.5
        size: float = 0.5

    universe = ("AAA", "BBB")

    def on_bar(self, ctx: Context) -> Weights | None:
        if ctx.bar_index % 21:
            return None
        return np.array([self.params.lean, 1.0 - self.params.lean]) * self.params.size


def two_assets(drift: tuple[float, float], seed: int = 0, n: int = N, vol: float = 0.01) -> Panel:
    """Return prices of AAA and BBB with independent normal returns of these means a session."""
    moves = np.random.default_rng(seed).normal(drift, vol, (n, 2))
    return make_panel(100.0 * np.cumprod(1.0 + moves, axis=0), symbols=("AAA", "BBB"))


def leaning_values(**sections: Any) -> dict[str, Any]:
    """Return a configuration that chooses how much to lean; a year to train on, half a year to hold."""
    validate = {
        "train_sessions": 252,
        "test_sessions": 126,
        "sensitivity": [SIZE],
        "grid": {LEAN: [0.5, 0.6, 0.7, 0.85, 1.0], SIZE: [0.4, 0.5]},
    }
    values: dict[str, Any] = {
        "run": {"name": "leaning"},
        "sleeve": [{"name": "s", "strategy": "support.validating:Leaning", "params": {"lean": 1.0}}],
        "validate": validate,
    }
    for name, section in sections.items():
        values[name] = {**values.get(name, {}), **section}
    return values


def leaning(**sections: Any) -> Config:
    """Return it validated."""
    return load_config(leaning_values(**sections))
