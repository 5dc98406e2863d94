"""The compiled column of scripts/bench: what one more setting of a sweep costs, on a market that is prepared once."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import workloads
from workload_grid import w4

from plimsoll.engine.config.schema import Config
from plimsoll.engine.kernels import layout
from plimsoll.engine.kernels.estimate import kalman_level
from plimsoll.engine.market.panel import Panel
from plimsoll.engine.research.sweep.block import block_size
from plimsoll.engine.runtime.assemble import assemble
from plimsoll.engine.runtime.compiled.brief import run_brief
from plimsoll.engine.runtime.compiled.engine import run_compiled
from plimsoll.engine.runtime.compiled.workspace import Workspace
from plimsoll.engine.runtime.prepare import make_strategies, prepare
from plimsoll.engine.sleeve.signals import signal_of
from plimsoll.engine.sleeve.strategy import Strategy
from plimsoll.engine.types import Floats

# DESIGN's budgets in seconds of CPU.
BUDGETS = {"W1": 0.002, "W2": 0.04, "W2-real": 0.04, "W3": 0.06, "W4": 0.08, "book": 0.2}
MINUTES = Path(__file__).resolve().parents[2] / "shared" / "data" / "minute"

Best = Callable[[Callable[[], Any], int], tuple[float, float, Any]]


def rows(work: str, repeat: int, best: Best) -> Iterator[dict[str, Any]]:
    """Yield the rows of a workload: brief (returns and what statistics need), and with every table's rows kept."""
    if work == "W4":
        yield sweep(repeat, best)
        return
    config, panel, given = inputs(work)
    began = time.process_time()
    market = prepare(config, panel, make_strategies(config, given))
    assemble(config, market)
    prepared = time.process_time() - began
    equity: Floats | None = None
    if work in workloads.OURS or work == "W2-real":
        floor_cpu, _, equity = best(workloads.floor(work, panel), repeat)
    space = Workspace(assemble(config, market)) if work != "book" else None

    def brief() -> Any:
        if space is not None:
            return space.run(next(iter(make_strategies(config, given).values())))[0]
        setup = assemble(config, market)
        signals = [signal_of(sleeve, setup.system.cursor, panel.n_bars) for sleeve in setup.system.sleeves]
        return run_brief(setup, signals)

    cpu, wall, found = best(brief, repeat)
    row = {
        "work": work, "mode": "compiled", "cpu_s": round(cpu, 5), "wall_s": round(wall, 5), "budget_s": BUDGETS[work],
        "rate": round(panel.n_bars / cpu), "fills": found.fills, "equity": found.final_equity,
        "prepare_s": round(prepared, 4),
    }  # fmt: skip
    if equity is not None:
        row |= {"floor_s": round(floor_cpu, 5), "equity_gap": float(np.abs(equity[-1] / found.final_equity - 1.0))}
    yield row

    def whole() -> Any:
        setup = assemble(config, market)
        run_compiled(setup)
        return setup

    cpu, wall, setup = best(whole, repeat)
    yield {
        "work": work, "mode": "compiled, all rows kept", "cpu_s": round(cpu, 5), "wall_s": round(wall, 5),
        "rate": round(panel.n_bars / cpu), "fills": len(setup.broker.fills),
        "equity": float(setup.broker.rec[-1, layout.R_EQUITY]),
    }  # fmt: skip


def inputs(work: str) -> tuple[Config, Panel, dict[str, Strategy]]:
    """Return configuration, panel and the strategies that come as objects."""
    if work == "book":
        return (*workloads.book(), {})
    make, cls = (minutes, workloads.KalmanLongFlat) if work == "W2-real" else workloads.OURS[work]
    config, panel = make()
    return config, panel, {config.sleeve[0].name: cls(cls.Params.model_validate(config.sleeve[0].params))}


def minutes() -> tuple[Config, Panel]:
    """W2 on the real SPY minute file; FileNotFoundError where it is absent."""
    from plimsoll.engine.runtime.load import load_data

    if not MINUTES.is_dir():
        raise FileNotFoundError(f"no minute data in {MINUTES}")
    found = load_data(MINUTES, ["SPY"], interval="1min")
    panel = Panel(found.clock, ("AAA",), found.block, found.high, found.low)
    config = workloads.configured("w2-real", "workloads:KalmanLongFlat", {}, None)
    # as the peers fill: whatever the volume, and at the next bar there is
    execution = config.execution.model_copy(update={"max_participation": 0.0, "unfilled": "carry"})
    return config.model_copy(update={"execution": execution}), panel


def sweep(repeat: int, best: Best) -> dict[str, Any]:
    """W4: 1,000 settings of W2's strategy, block after block in one thread, strategies made beforehand."""
    panel, grid = w4()
    config = workloads.configured("w4", "workloads:KalmanLongFlat", {}, None)
    cls = workloads.KalmanLongFlat
    made = [cls(cls.Params(q_level=q, q_slope=s, noise=r)) for q, s, r in grid.tolist()]
    space = Workspace(assemble(config, prepare(config, panel, {"w4": made[0]})))

    def run() -> list[float]:
        blocks = (made[at : at + size] for at in range(0, len(made), size))
        return [done[0].final_equity for block in blocks for done in space.run_all(block) if done is not None]

    size = block_size(len(made))  # as a sweep hands them to its workers
    one = [np.ascontiguousarray(panel.block[k, :, 0]) for k in (0, 1)]
    settings = [kalman_level.params(q_level=q, q_slope=s, noise=r) for q, s, r in grid.tolist()]

    def floor() -> list[float]:
        equity, ends = np.empty(panel.n_bars), []
        for p in settings:
            workloads.floor_kalman(one[0], one[1], p.q_level, p.q_slope, p.noise, equity)
            ends.append(float(equity[-1]))
        return ends

    cpu, wall, found = best(run, repeat)
    floor_cpu, _, ends = best(floor, repeat)
    gap = float(np.abs(np.array(ends) / np.array(found) - 1.0).max())
    return {
        "work": "W4", "mode": "compiled", "cpu_s": round(cpu, 5), "wall_s": round(wall, 5), "budget_s": BUDGETS["W4"],
        "floor_s": round(floor_cpu, 5), "rate": round(len(made) * panel.n_bars / cpu), "settings": len(made),
        "equity": float(np.mean(found)), "equity_gap": gap,
    }  # fmt: skip
