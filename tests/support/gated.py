"""A strategy that a test can hold at a door, break, or have kill its own process."""

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from pydantic import Field

from plimsoll.engine.sleeve.strategy import Context, Strategy, StrategyParams
from plimsoll.engine.types import Weights

# Nobody waits longer than this for a test that has gone wrong; a loaded machine may need minutes to start a process.
PATIENCE_SECONDS = 600.0


class Gated(Strategy):
    """Turns its weights over every `every` sessions.

    gate : a folder; in it `came-<pid>` says who waits, `ran-<every>-<pid>` who has run; `open` lets all through,
        `open-<every>` one.
    held : from this `every` on it waits at the gate. broken : at this one it raises.
    deadly : at this one it kills its process, `deaths` times.
    """

    class Params(StrategyParams):
        every: int = Field(5, ge=1)
        share: float = Field(0.5, ge=0, le=1)
        gate: str = ""
        held: int = 1_000_000
        broken: int = 0
        deadly: int = 0
        deaths: int = 0

    universe = ("GLD", "SPY", "TLT")

    def on_bar(self, ctx: Context) -> Weights | None:
        p = self.params
        if ctx.bar_index == 20 and p.gate:
            self._at_gate(Path(p.gate))
        if ctx.bar_index == 40 and p.every == p.broken:
            raise ValueError("this one is broken")
        if ctx.bar_index % p.every:
            return None
        answer = np.zeros(3)
        answer[ctx.bar_index // p.every % 3] = p.share
        return answer

    def _at_gate(self, gate: Path) -> None:
        p = self.params
        if p.every == p.deadly and len(list(gate.glob("died-*"))) < p.deaths:
            (gate / f"died-{os.getpid()}").touch()
            os.kill(os.getpid(), signal.SIGKILL)
        if p.every >= p.held:
            (gate / f"came-{os.getpid()}").touch()
            until(lambda: (gate / "open").exists() or (gate / f"open-{p.every}").exists())
        (gate / f"ran-{p.every}-{os.getpid()}").touch()


def until(happened: Callable[[], object], seconds: float = PATIENCE_SECONDS) -> None:
    """Look again and again until something has happened, but not for ever."""
    last = time.monotonic() + seconds
    while not happened():
        if time.monotonic() > last:
            raise TimeoutError(f"nothing happened in {seconds} seconds")
        time.sleep(0.01)
