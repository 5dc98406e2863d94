"""Save everything each registered strategy and two books leave behind; run in a process of its own."""

import sys

import numpy as np
from battery.witness import LIVES, witness_book, witness_panel

from plimsoll.engine.config.schema import load_config
from plimsoll.engine.research.proof.battery import refusal
from plimsoll.engine.research.proof.trail import run_trail
from plimsoll.engine.research.proof.trial_market import trial_panel
from plimsoll.engine.runtime.resolve import make_strategy, registered
from plimsoll.engine.types import Floats

CONFIG = {"sleeve": [{"name": "s", "strategy": "x:X"}]}


def leavings(n_bars: int) -> dict[str, Floats]:
    """Return every output of runs over `n_bars` bars beyond each warm-up, by run and output."""
    trails = {}
    for name in registered():
        strategy = make_strategy(name, {}, where="s")
        symbols = tuple(strategy.universe)
        lives = dict(zip(symbols, list(LIVES.values()) * len(symbols), strict=False))
        panel = trial_panel(symbols, strategy.indicators, n_bars=strategy.warmup_bars + n_bars, seed=4, lives=lives)
        if not refusal(strategy, panel):
            trails[name] = run_trail(load_config(CONFIG), panel, {"s": strategy})
    for preset in ("book", "legacy"):
        config, strategies = witness_book(preset)
        trails[preset] = run_trail(config, witness_panel(n_bars), strategies)
    return {f"{run}: {name}": rows.values for run, trail in trails.items() for name, rows in trail.rows.items()}


if __name__ == "__main__":
    np.savez(sys.argv[1], **leavings(int(sys.argv[2])))
