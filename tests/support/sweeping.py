"""Small sweeps of the gated strategy."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from support.data_folder import write_data

from plimsoll.engine.config.schema import Config, load_config
from plimsoll.engine.research.sweep.grid import axes_of
from plimsoll.engine.research.sweep.plan import SweepPlan, plan_sweep

ROOT = Path(__file__).resolve().parents[2]
EVERY = "sleeve.s.params.every"
SHARE = "sleeve.s.params.share"
# What has to be the same whoever ran the sweep.
SAME = ("sweep.csv", "sweep.parquet", "returns.parquet", "summary.json", "sweep.json", "config.toml", "report.html")


def gated_values(folder: Path, **params: Any) -> dict[str, Any]:
    """Return a configuration of the gated strategy on a small data folder, made if missing."""
    if not (folder / "data").is_dir():
        write_data(folder / "data")
    return {
        "run": {"name": "gated", "benchmark": "SPY"},
        "data": {"source": "csv", "path": str(folder / "data")},
        "sleeve": [{"name": "s", "strategy": "support.gated:Gated", "params": params}],
    }


def gated_config(folder: Path, **params: Any) -> Config:
    """Return it validated."""
    return load_config(gated_values(folder, **params))


def gated_plan(folder: Path, every: Sequence[int] = range(1, 13), **params: Any) -> SweepPlan:
    """Return a plan that varies `every`, one setting a block."""
    return plan_sweep(gated_config(folder, **params), axes_of({EVERY: every}, random=False))


def same_bytes(folder: Path) -> dict[str, bytes]:
    """Return the content of every file of a finished sweep that must not depend on how it was run."""
    best = {f"best/{path.name}": path.read_bytes() for path in (folder / "best").iterdir()}
    return {name: (folder / name).read_bytes() for name in SAME} | best


def environment(**more: str) -> dict[str, str]:
    """Return the environment of a process that can import the engine and these helpers."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join((str(ROOT / "src"), str(ROOT / "tests"))), **more}


@contextmanager
def started_command(folder: Path, *arguments: str) -> "Iterator[subprocess.Popen[str]]":
    """Start `plimsoll` in a process group of its own; nothing of the group is left when the block is."""
    with subprocess.Popen(
        [sys.executable, "-c", f"from plimsoll.engine.cli.main import main; main({list(arguments)!r})"],
        cwd=folder,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            yield process
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
