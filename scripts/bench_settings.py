"""W4 made large: whether 100 times the settings take 100 times as long, and no more memory."""

import resource
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import workloads
from workload_grid import w4

from plimsoll.engine.research.sweep.block import LARGEST_BLOCK
from plimsoll.engine.research.sweep.grid import axes_of
from plimsoll.engine.research.sweep.plan import plan_sweep
from plimsoll.engine.research.sweep.sweep import Ranking, Workers, run_sweep
from plimsoll.engine.runtime.assemble import assemble
from plimsoll.engine.runtime.compiled.workspace import Workspace
from plimsoll.engine.runtime.prepare import prepare

FEW, MANY = 1_000, 100_000


def rows() -> Iterator[dict[str, Any]]:
    """Yield a row for few and for many settings: through the engine alone, then as a whole sweep with its tables.

    Peak memory only ever rises within a process, so that each row's is that of the largest so far.
    """
    for mode, run in (("blocks", through_the_engine), ("whole sweep", whole)):
        run(FEW)  # compiled, and imported
        few = None
        for n in (FEW, MANY):
            cpu, wall = time.process_time(), time.perf_counter()
            run(n)
            cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
            rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            few = few or (cpu, rss)
            yield {
                "work": "W4-many", "mode": mode, "settings": n, "cpu_s": round(cpu, 3), "wall_s": round(wall, 3),
                "cpu_ms_per_setting": round(1e3 * cpu / n, 4), "rss_mb": round(rss),
                "cpu_ratio_per_setting": round(cpu / n * FEW / few[0], 2), "rss_ratio": round(rss / few[1], 2),
            }  # fmt: skip


def axes(n: int) -> dict[str, list[float]]:
    """Return a grid of n settings over W4's ranges."""
    spans = {"q_level": (1e-3, 1e-1, 10), "q_slope": (1e-5, 1e-3, 10), "noise": (5.0, 500.0, n // 100)}
    return {name: np.geomspace(low, high, count).tolist() for name, (low, high, count) in spans.items()}


def through_the_engine(n: int) -> float:
    """Take n settings through signals and account, block after block, each made when its turn comes."""
    panel, _ = w4()
    config, cls = workloads.configured("w4", "workloads:KalmanLongFlat", {}, None), workloads.KalmanLongFlat
    space = Workspace(assemble(config, prepare(config, panel, {"w4": cls()})))
    columns = axes(n)
    grid = np.stack(np.meshgrid(*columns.values(), indexing="ij"), axis=-1).reshape(-1, len(columns))
    best = 0.0
    for at in range(0, n, LARGEST_BLOCK):
        made = [
            cls(cls.Params(**dict(zip(columns, one, strict=True)))) for one in grid[at : at + LARGEST_BLOCK].tolist()
        ]
        best = max(best, *(done[0].final_equity for done in space.run_all(made) if done is not None))
    return best


def whole(n: int) -> float:
    """Plan, run and write a sweep of n settings, in this thread."""
    panel, _ = w4()
    config = workloads.configured("w4", "workloads:KalmanLongFlat", {}, None)
    grid = {f"sleeve.w4.params.{name}": values for name, values in axes(n).items()}
    plan = plan_sweep(config, axes_of(grid, random=False), load=lambda *_: panel)
    return float(run_sweep(plan, None, Workers(count=1), Ranking()).table["final_equity"].max())
