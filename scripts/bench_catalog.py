"""Time loading 500 symbols x 20 years from a catalog beside pandas reading the same rows, a file a symbol and year."""

import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

N_SYMBOLS, FIRST, LAST = 500, date(2005, 1, 3), date(2024, 12, 31)
NAMES = tuple(f"S{k:03d}" for k in range(N_SYMBOLS))


def make(folder: Path) -> None:
    """Write the same synthetic rows as a catalog and, for pandas, as a Parquet file per symbol and year."""
    import pandas as pd

    from plimsoll.engine.market.calendar import sessions
    from plimsoll.engine.market.catalog.disk import Disk
    from plimsoll.engine.market.catalog.store import Catalog
    from plimsoll.engine.market.history import History

    days = sessions(FIRST, LAST)
    random, n_rows = np.random.default_rng(7), len(days)
    catalog = Catalog(folder / "catalog", Disk(fsync=lambda _: None))
    year = days.astype("datetime64[Y]").astype(int) + 1970
    for name in NAMES:
        close = np.round(50.0 * np.exp(np.cumsum(random.normal(0.0, 0.01, n_rows))), 2)
        open_ = np.round(close * (1.0 + random.normal(0.0, 0.002, n_rows)), 2)
        high, low = np.maximum(open_, close) + 0.05, np.minimum(open_, close) - 0.05
        volume = np.floor(random.lognormal(13.0, 0.5, n_rows))
        dividend = np.where(np.arange(n_rows) % 63 == 62, 0.25, 0.0)
        history = History(
            symbol=name, kind="traded", session=days, source=np.full(n_rows, "made"), open=open_, high=high, low=low,
            close=close, volume=volume, dividend=dividend, split=np.ones(n_rows), gain=np.zeros(n_rows),
        )  # fmt: skip
        catalog.store(history, (), datetime(2025, 1, 2, tzinfo=UTC))
        frame = pd.DataFrame(
            {"session": days, "open": open_, "high": high, "low": low, "close": close, "volume": volume,
             "dividend": dividend, "split": 1.0}
        )  # fmt: skip
        for one in np.unique(year):
            (folder / "years" / name).mkdir(parents=True, exist_ok=True)
            frame[year == one].to_parquet(folder / "years" / name / f"{one}.parquet", index=False)


def ours(folder: Path) -> int:
    """Load the panel; return how many rows it has."""
    from plimsoll.engine.market.catalog.source import CatalogSource

    return int(np.isfinite(CatalogSource(folder / "catalog").load(NAMES).close).sum())


def pandas_files(folder: Path) -> int:
    """Read the files a symbol and year with pandas, keep the frames; return how many rows they have."""
    import pandas as pd

    frames = [pd.read_parquet(path) for name in NAMES for path in sorted((folder / "years" / name).iterdir())]
    return sum(len(frame) for frame in frames)


WAYS: dict[str, Callable[[Path], int]] = {"catalog": ours, "pandas": pandas_files}


def timed(way: str, folder: Path) -> tuple[float, float, float, int]:
    """Return CPU seconds, wall seconds, MB at the highest, and rows, of one way in this process, imports apart."""
    for name in ("exchange_calendars", "pandas", "pyarrow.parquet"):
        import_module(name)
    wall, cpu = time.perf_counter(), time.process_time()
    rows = WAYS[way](folder)
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    return cpu, wall, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, rows


def rows(repeat: int) -> Iterator[dict[str, Any]]:
    """Yield the catalog's row; each measurement in a process of its own, the fastest counts."""
    with tempfile.TemporaryDirectory() as scratch:
        make(Path(scratch))
        best = {}
        for way in WAYS:
            command = [sys.executable, __file__, way, scratch]
            done = [subprocess.run(command, check=True, capture_output=True, text=True) for _ in range(repeat)]
            best[way] = min(tuple(float(word) for word in one.stdout.split()) for one in done)
    cpu, wall, rss, n_rows = best["catalog"]
    other, _, _, n_other = best["pandas"]
    if n_rows != n_other:
        raise ValueError(f"the catalog gave {n_rows:.0f} rows, pandas {n_other:.0f}")
    yield {
        "work": "catalog", "mode": "load", "cpu_s": round(cpu, 3), "wall_s": round(wall, 3), "rss_mb": round(rss),
        "budget_mb": 500, "pandas_cpu_s": round(other, 3), "ratio": round(cpu / other, 3), "budget_ratio": 0.5,
        "rows": int(n_rows),
    }  # fmt: skip


if __name__ == "__main__":
    print(*timed(sys.argv[1], Path(sys.argv[2])))
