"""Time importing a year of one-minute bars beside pandas reading the same file."""

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

MINUTES = Path(__file__).resolve().parents[2] / "shared" / "data" / "minute" / "SPY_1min_2024-2025.csv.gz"


def ours(scratch: Path, k: int) -> int:
    """Import into a new folder: recognised, every gate, written; return how many rows were."""
    from plimsoll.engine.verbs.data_import import import_data

    return import_data(MINUTES, out=scratch / str(k)).outcomes[0].rows


def pandas_reads(_scratch: Path, _k: int) -> int:
    """Read the file into a frame, its dates as texts; return how many rows it has."""
    import pandas as pd

    return len(pd.read_csv(MINUTES))


WAYS: dict[str, Callable[[Path, int], int]] = {"import": ours, "pandas": pandas_reads}


def timed(way: str, repeat: int) -> tuple[float, float, int]:
    """Return CPU and wall seconds of the fastest of `repeat` runs after one that warms up, and the rows."""
    for name in ("exchange_calendars", "pandas", "pyarrow.csv", "pyarrow.compute"):
        import_module(name)
    with tempfile.TemporaryDirectory() as scratch:
        rows, times = WAYS[way](Path(scratch), 0), []
        for k in range(1, repeat + 1):
            wall, cpu = time.perf_counter(), time.process_time()
            rows = WAYS[way](Path(scratch), k)
            times.append((time.process_time() - cpu, time.perf_counter() - wall))
    return (*min(times), rows)


def rows(repeat: int) -> Iterator[dict[str, Any]]:
    """Yield the import's row; either way in a process of its own."""
    if not MINUTES.exists():
        yield {"work": "import", "mode": "minutes", "skipped": f"{MINUTES} is absent"}
        return
    best = {}
    for way in WAYS:
        command = [sys.executable, __file__, way, str(max(repeat, 5))]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        best[way] = tuple(float(word) for word in done.stdout.split())
    cpu, wall, n_rows = best["import"]
    other, _, n_other = best["pandas"]
    if n_rows != n_other:
        raise ValueError(f"the import gave {n_rows:.0f} rows, pandas {n_other:.0f}")
    yield {
        "work": "import", "mode": "minutes", "cpu_s": round(cpu, 4), "wall_s": round(wall, 4),
        "pandas_cpu_s": round(other, 4), "ratio": round(cpu / other, 2), "budget_ratio": 2.0, "rows": int(n_rows),
    }  # fmt: skip


if __name__ == "__main__":
    print(*timed(sys.argv[1], int(sys.argv[2])))
