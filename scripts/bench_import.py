"""Time importing a year of one-minute bars beside pandas reading the same file: in our own layout, and a vendor's."""

import gzip
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

MINUTES = Path(__file__).resolve().parents[2] / "shared" / "data" / "minute" / "SPY_1min_2024-2025.csv.gz"


def own(_scratch: Path) -> Path:
    """Return the file as it is."""
    return MINUTES


def firstrate(scratch: Path) -> Path:
    """Return the same rows as FirstRate sells them: plain text without a header."""
    path = scratch / "SPY_1min_firstrate.txt"
    if not path.exists():
        path.write_bytes(gzip.decompress(MINUTES.read_bytes()).split(b"\n", 1)[1])
    return path


LAYOUTS: dict[str, Callable[[Path], Path]] = {"own": own, "firstrate": firstrate}


def ours(path: Path, scratch: Path, k: int) -> int:
    """Import into a new folder: recognised, every gate, written; return how many rows were."""
    from plimsoll.engine.verbs.data_import import import_data

    said = {} if path == MINUTES else {"symbol": "SPY", "adjustment": "raw"}
    return import_data(path, out=scratch / str(k), extended=True, **said).outcomes[0].rows


def pandas_reads(path: Path, _scratch: Path, _k: int) -> int:
    """Read the file into a frame, its dates as texts; return how many rows it has."""
    import pandas as pd

    return len(pd.read_csv(path, header="infer" if path == MINUTES else None))


WAYS: dict[str, Callable[[Path, Path, int], int]] = {"import": ours, "pandas": pandas_reads}


def timed(way: str, layout: str, repeat: int) -> tuple[float, float, int]:
    """Return CPU and wall seconds of the fastest of `repeat` runs after one that warms up, and the rows."""
    for name in ("exchange_calendars", "pandas", "pyarrow.csv", "pyarrow.compute"):
        import_module(name)
    with tempfile.TemporaryDirectory() as scratch:
        path = LAYOUTS[layout](Path(scratch))
        rows, times = WAYS[way](path, Path(scratch), 0), []
        for k in range(1, repeat + 1):
            wall, cpu = time.perf_counter(), time.process_time()
            rows = WAYS[way](path, Path(scratch), k)
            times.append((time.process_time() - cpu, time.perf_counter() - wall))
    return (*min(times), rows)


def rows(repeat: int) -> Iterator[dict[str, Any]]:
    """Yield a row per layout; either way in a process of its own."""
    if not MINUTES.exists():
        yield {"work": "import", "mode": "minutes", "skipped": f"{MINUTES} is absent"}
        return
    for layout in LAYOUTS:
        best = {}
        for way in WAYS:
            command = [sys.executable, __file__, way, layout, str(max(repeat, 5))]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            best[way] = tuple(float(word) for word in done.stdout.split())
        cpu, wall, n_rows = best["import"]
        other, _, n_other = best["pandas"]
        if n_rows != n_other:
            raise ValueError(f"the import gave {n_rows:.0f} rows, pandas {n_other:.0f}")
        yield {
            "work": "import", "mode": f"minutes, {layout}", "cpu_s": round(cpu, 4), "wall_s": round(wall, 4),
            "pandas_cpu_s": round(other, 4), "ratio": round(cpu / other, 2), "rows": int(n_rows),
            "budget_ratio": 2.0 if layout == "own" else 5.0,  # the vendor's is written anew, that alone is two
        }  # fmt: skip


if __name__ == "__main__":
    print(*timed(sys.argv[1], sys.argv[2], int(sys.argv[3])))
