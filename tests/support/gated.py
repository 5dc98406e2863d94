"""A strategy that a test can hold at a door: it says that it came, and waits until it is let through."""

import os
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from pydantic import Field

from engine.strategy import Context, Strategy, StrategyParams
from engine.types import Weights

# Nobody waits longer than this for a test that has gone wrong.
PATIENCE_SECONDS = 60.0


class Gated(Strategy):
    """Turns its weights over every `every` sessions; the one whose `every` is `held` waits at the door in `gate`."""

    class Params(StrategyParams):
        every: int = Field(5, ge=1)
        share: float = Field(0.5, ge=0, le=1)
        gate: str = ""
        held: int = 0
        broken: int = 0

    universe = ("GLD", "SPY", "TLT")

    def on_bar(self, ctx: Context) -> Weights | None:
        p = self.params
        if p.every == p.broken and ctx.bar_index == 40:
            raise ValueError("this one is broken")
        if p.every == p.held and ctx.bar_index == 20:
            wait_at(Path(p.gate))
        if ctx.bar_index % p.every:
            return None
        answer = np.zeros(3)
        answer[ctx.bar_index // p.every % 3] = p.share
        return answer


def wait_at(gate: Path) -> None:
    """Leave this process's number at the gate and wait until it is open."""
    (gate / f"came-{os.getpid()}").touch()
    until((gate / "open").exists)


def until(happened: Callable[[], object], seconds: float = PATIENCE_SECONDS) -> None:
    """Look again and again until something has happened, but not for ever."""
    last = time.monotonic() + seconds
    while not happened():
        if time.monotonic() > last:
            raise TimeoutError(f"nothing happened in {seconds} seconds")
        time.sleep(0.01)
