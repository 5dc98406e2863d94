"""A system built, stepped and asked for orders by an account that is written down: no broker anywhere."""

import json
import sys

import numpy as np
from support.panels import make_panel

from plimsoll.engine.config.schema import load_config
from plimsoll.engine.execution.broker import Account
from plimsoll.engine.execution.terms import terms_of
from plimsoll.engine.market.panel import Panel
from plimsoll.engine.portfolio.integrator import Mark
from plimsoll.engine.runtime.prepare import make_strategies, prepare
from plimsoll.engine.runtime.system import make_system

EQUITY = 250_000.0


def orders(preset: str, panel: Panel) -> dict[str, float]:
    """Return the shares that an account of nothing but cash would be sent to buy at the close of the last bar."""
    params = {"symbols": list(panel.symbols), "weights": [0.6, 0.4]}
    values = {
        "sleeve": [{"name": "s", "strategy": "buy_and_hold", "params": params}],
        "integrator": {"preset": preset},
        "costs": {"preset": "none"},
    }
    config = load_config(values)
    market = prepare(config, panel, make_strategies(config))
    system = make_system(config, market, terms_of(config, market.feed.panel.symbols))
    for t in range(market.feed.panel.n_bars):
        system.observe(t, Mark(EQUITY, 1.0))
    n = market.feed.panel.n_symbols
    account = Account(cash=EQUITY, equity=EQUITY, maintenance=0.0, shares=np.zeros(n), value=np.zeros(n))
    rows = system.decide(account, adopt=True).plan.orders.rows
    return {market.feed.panel.symbols[i]: float(qty) for i, qty in zip(rows.col, rows.qty, strict=True)}


def flat() -> Panel:
    """Return two symbols that cost 100 and 50 dollars at every bar."""
    return make_panel(np.tile([100.0, 50.0], (40, 1)))


def moving() -> Panel:
    """Return two symbols that move."""
    steps = np.random.default_rng(0).normal(0.0, 0.01, (120, 2))
    return make_panel(100.0 * np.cumprod(1.0 + steps, axis=0))


if __name__ == "__main__":
    found = {"direct": orders("direct", flat()), "book": orders("book", moving()), "legacy": orders("legacy", moving())}
    simulator = sorted(name for name in sys.modules if name.startswith("plimsoll.engine.execution.sim"))
    print(json.dumps({"orders": found, "simulator": simulator}))
