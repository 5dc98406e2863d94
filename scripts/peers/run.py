"""Run one peer on one job in this process and print a JSON line for each of its ways. Needs no part of the engine."""

import argparse
import importlib
import json
import os
import time
from collections.abc import Callable, Iterator
from importlib import metadata, util
from pathlib import Path
from typing import Any

ENOUGH_S = 20.0  # wall time after which a peer is not run again
WARM_UP_CELLS = 20_000


def main() -> None:
    """Print the rows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("peer", help="a library, one of the peer_*.py beside this file")
    parser.add_argument("job", type=Path, help=".npz with open and close, see job.py")
    parser.add_argument("--repeat", type=int, default=5, help="runs at most; the fastest counts [5]")
    parser.add_argument("--full", action="store_true", help="slow peers on all bars too, none scaled")
    arguments = parser.parse_args()
    os.environ["TQDM_DISABLE"] = "1"
    for row in rows(arguments.peer, arguments.job, arguments.repeat, arguments.full):
        print(json.dumps({"work": arguments.job.stem, "peer": arguments.peer} | row), flush=True)


def rows(peer: str, path: Path, repeat: int, full: bool) -> Iterator[dict[str, Any]]:
    """Yield what each way of a peer needs for a job; where it is not installed, one row that says so."""
    if util.find_spec(peer) is None:
        yield {"note": "not installed"}
        return
    import numpy as np
    from job import read

    whole = read(path)
    module = importlib.import_module(f"peer_{peer}")
    told = {"version": metadata.version(getattr(module, "DISTRIBUTION", peer))}
    for way in module.WAYS:
        cells = way.cells(whole) if callable(way.cells) else way.cells
        job = whole if full or cells is None else whole.part(cells)
        call = way.prepare(job)
        if call is None:
            yield told | {"note": way.note(job)}
            continue
        warm_up = way.prepare(job if cells is None else job.part(WARM_UP_CELLS))
        cpu, wall, equity = fastest(warm_up, call, repeat)
        times = whole.n_bars / job.n_bars
        yield told | {
            "cpu_s": round(cpu * times, 5), "wall_s": round(wall * times, 5), "bars": job.n_bars,
            "scaled": job.n_bars < whole.n_bars, "equity": float(np.mean(equity)), "equity_gap": job.gap(equity),
            "note": way.note(job),
        }  # fmt: skip


def fastest(warm_up: Callable[[], Any], call: Callable[[], Any], repeat: int) -> tuple[float, float, Any]:
    """Return (CPU, wall) seconds of the fastest of `repeat` calls, fewer if they are slow, and the last value."""
    warm_up()
    times: list[tuple[float, float]] = []
    value = None
    while len(times) < repeat and sum(wall for _, wall in times) < ENOUGH_S:
        value = None  # two results at once would count double in memory
        wall, cpu = time.perf_counter(), time.process_time()
        value = call()
        times.append((time.process_time() - cpu, time.perf_counter() - wall))
    return (*min(times), value)


if __name__ == "__main__":
    main()
