"""Time the engine's workloads: CPU seconds, compile cache warm, each in a process of its own."""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import peer_rows

HERE = Path(__file__).resolve().parent
# DESIGN's budgets in seconds of CPU; wall seconds and MB where said.
BUDGETS = {"W1": 0.08, "W2": 6.0, "W3": 0.3, "book": 0.6}
EXTRA = (
    "W2-real", "W4", "W4-many", "book-assets", "W3-folder", "catalog", "as-of", "import", "plan", "validate", "venue",
    "help", "level61", "kernels",
)  # fmt: skip


def main() -> None:
    """Run the asked workloads, each in a fresh process, and print a JSON line each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("work", nargs="*", help=f"of {', '.join([*BUDGETS, *EXTRA])}; all if left out")
    parser.add_argument("--repeat", type=int, default=5, help="runs of each; the fastest counts [5]")
    parser.add_argument("--peers", nargs="?", const="all", metavar="A,B", help="other libraries beside ours [all]")
    parser.add_argument("--full", action="store_true", help="slow peers on all bars, none scaled: an hour or more")
    parser.add_argument("--inside", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    try:
        names = peer_rows.chosen(arguments.peers) if arguments.peers else []
        if arguments.inside:
            for row in inside(arguments.inside, arguments.repeat, names):
                print(json.dumps(row), flush=True)
            return
        failed = run(arguments, names)
    except ValueError as error:
        parser.error(str(error))
    sys.exit(int(failed))


def run(arguments: argparse.Namespace, names: list[str]) -> bool:
    """Run each workload, ours and then its peers; return whether a peer failed."""
    failed = False
    ours = (*BUDGETS, *EXTRA)
    for work in arguments.work or dict.fromkeys([*ours, *(peer_rows.WORKS if names else ())]):
        if work in ours or not names:  # the peers have workloads and files of their own
            command = [sys.executable, __file__, "--inside", work, "--repeat", str(arguments.repeat)]
            done = subprocess.run(command + (["--peers", ",".join(names)] if names else []), check=False)
            if done.returncode:
                sys.exit(done.returncode)
        for row in peer_rows.rows(work, names, arguments.repeat, arguments.full):
            failed |= "failed" in row
            print(json.dumps(row), flush=True)
    return failed


def inside(work: str, repeat: int, names: list[str]) -> Iterator[dict[str, Any]]:
    """Yield the rows of one workload; those of the kernels with the named peers'."""
    sys.path.insert(0, str(HERE))
    if work == "help":
        yield start_up(["--help"], "help", 0.3, repeat)
    elif work == "level61":
        with tempfile.TemporaryDirectory() as scratch:
            out = str(Path(scratch) / "run")
            command = ["backtest", "config/level61.toml", "--out", out, "--force", "-q", "--trials", "off"]
            yield start_up(command, work, 3.0, repeat)
    elif work == "kernels":
        import bench_kernels

        yield from bench_kernels.rows(names)
    elif work == "venue":
        import bench_venue

        yield from bench_venue.rows(repeat)
    elif work == "as-of":
        import bench_as_of

        yield from bench_as_of.rows(repeat)
    elif work == "catalog":
        import bench_catalog

        yield from bench_catalog.rows(repeat)
    elif work == "import":
        import bench_import

        yield from bench_import.rows(repeat)
    elif work == "plan":
        import bench_plan

        yield from bench_plan.rows(repeat)
    elif work == "validate":
        import bench_validate

        yield from bench_validate.rows(repeat)
    elif work == "W4-many":
        hide_scipy()
        import bench_settings

        yield from bench_settings.rows()
    elif work == "book-assets":
        hide_scipy()
        import bench_assets

        yield from bench_assets.rows(repeat)
    elif work in ("W4", "W2-real"):
        yield from compiled(work, repeat)
    elif work == "book":
        yield nine_stages(repeat)
        yield from compiled(work, repeat)
    elif work == "W3-folder":
        yield folder(repeat)
    else:
        yield loop(work, repeat)
        yield from compiled(work, repeat)


def best(call: Callable[[], Any], repeat: int) -> tuple[float, float, Any]:
    """Return (CPU, wall) seconds of the fastest of `repeat` runs after one that warms up, and the last value."""
    value = call()
    times = []
    for _ in range(repeat):
        value = None  # two results at once would count double in memory
        wall, cpu = time.perf_counter(), time.process_time()
        value = call()
        times.append((time.process_time() - cpu, time.perf_counter() - wall))
    return (*min(times), value)


def hide_scipy() -> None:
    """Hide what only tests use: numba would load it, a user has none."""
    sys.modules["scipy"] = None  # type: ignore[assignment]  # how an import is made to fail


def loop(work: str, repeat: int) -> dict[str, Any]:
    """Time a workload with `on_bar` in Python beside its floor, and check that both reach the same equity."""
    hide_scipy()
    import numpy as np
    import workloads

    make, cls = workloads.OURS[work]
    config, panel = make()
    cpu, wall, setup = best(lambda: workloads.run_on_bar(config, panel, cls), repeat)
    rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    floor_cpu, _, reference = best(workloads.floor(work, panel), repeat)
    ours = setup.broker.rec[-1, 0]
    return {
        "work": work, "mode": "on_bar", "cpu_s": round(cpu, 5), "wall_s": round(wall, 5), "budget_s": BUDGETS.get(work),
        "floor_s": round(floor_cpu, 5), "rate": round(panel.n_bars / cpu), "rss_mb": round(rss),
        "fills": len(setup.broker.fills), "equity": float(ours),
        "equity_gap": float(np.abs(reference[-1] / ours - 1.0)),
    }  # fmt: skip


def compiled(work: str, repeat: int) -> Iterator[dict[str, Any]]:
    """Yield the rows of the compiled loop; for the real minutes a line that says so where they are absent."""
    hide_scipy()
    import bench_compiled

    try:
        if work == "W2-real":
            import workloads

            config, panel = bench_compiled.minutes()
            workloads.OURS[work] = (lambda: (config, panel), workloads.KalmanLongFlat)
            yield loop(work, repeat)
        yield from bench_compiled.rows(work, repeat, best)
    except FileNotFoundError as error:
        yield {"work": work, "mode": "compiled", "skipped": str(error)}


def nine_stages(repeat: int) -> dict[str, Any]:
    """Time a book through all nine stages with `on_bar` in Python; nobody else has a floor for it."""
    hide_scipy()
    import workloads

    config, panel = workloads.book()
    cpu, wall, setup = best(lambda: workloads.run_book(config, panel), repeat)
    rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {
        "work": "book", "mode": "on_bar", "cpu_s": round(cpu, 4), "wall_s": round(wall, 4), "budget_s": BUDGETS["book"],
        "rate": round(panel.n_bars / cpu), "rss_mb": round(rss), "fills": len(setup.broker.fills),
        "equity": float(setup.broker.rec[-1, 0]),
    }  # fmt: skip


def folder(repeat: int) -> dict[str, Any]:
    """Time collecting and writing W3's run folder."""
    import workloads

    from plimsoll.engine.report.result import result_of
    from plimsoll.engine.runtime.assemble import build
    from plimsoll.engine.runtime.backtest import run_loop
    from plimsoll.engine.runtime.collect import collect
    from plimsoll.engine.runtime.prepare import make_strategies

    make, cls = workloads.OURS["W3"]
    config, panel = make()
    setup = build(
        config, panel, make_strategies(config, {"w3": cls(cls.Params.model_validate(config.sleeve[0].params))})
    )
    track = run_loop(setup)
    with tempfile.TemporaryDirectory() as scratch:
        cpu, wall, _ = best(lambda: result_of(collect(setup, track)).save(Path(scratch) / "run", force=True), repeat)
        size = sum(file.stat().st_size for file in Path(scratch).rglob("*") if file.is_file()) / 1e6
    rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {
        "work": "W3-folder", "mode": "write", "cpu_s": round(cpu, 3), "wall_s": round(wall, 3), "budget_s": 5.0,
        "size_mb": round(size, 1), "rss_mb": round(rss),
    }  # fmt: skip


def start_up(arguments: list[str], work: str, budget: float, repeat: int) -> dict[str, Any]:
    """Time the installed command as a whole process."""
    command = [str(Path(sys.executable).parent / "plimsoll"), *arguments]
    walls = []
    for _ in range(repeat + 1):
        began = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=HERE.parent, env=os.environ)
        walls.append(time.perf_counter() - began)
    return {"work": work, "mode": "process", "wall_s": round(min(walls[1:]), 3), "budget_s": budget}


if __name__ == "__main__":
    main()
