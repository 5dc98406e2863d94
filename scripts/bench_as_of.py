"""Time opening a catalog of 500 symbols x 20 years x 250 versions as of a moment beside opening what is known today."""

import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from bench_catalog import FIRST, LAST, NAMES

N_VERSIONS, REVISED = 250, 20  # pulls, each with one new session and so many rows that are told anew
BEGAN = datetime(2024, 1, 2, tzinfo=UTC)
MOMENTS = ("1", "125", "240")  # days since then: early, when all that was superseded matters, in the middle, late


def make(folder: Path) -> None:
    """Write the files that so many daily pulls would have left, every version in them."""
    from plimsoll.engine.market.calendar import sessions
    from plimsoll.engine.market.catalog.table import encode
    from plimsoll.engine.market.catalog.versions import Versions
    from plimsoll.engine.market.history import History

    days, random = sessions(FIRST, LAST), np.random.default_rng(7)
    n_rows = len(days)
    (folder / "bars").mkdir(parents=True)
    pulls = np.arange(N_VERSIONS)
    told = np.concatenate([np.arange(n_rows), np.zeros(N_VERSIONS * REVISED, dtype=np.int64)])
    at = np.concatenate([np.maximum(np.arange(n_rows) - (n_rows - N_VERSIONS), 0), np.repeat(pulls, REVISED)])
    stamps = np.datetime64(BEGAN.replace(tzinfo=None), "us") + at * np.timedelta64(1, "D")
    for name in NAMES:
        told[n_rows:] = random.integers(0, n_rows - N_VERSIONS, N_VERSIONS * REVISED)
        stamp = stamps.copy()
        stamp[n_rows:] += random.permutation(N_VERSIONS * REVISED).astype("timedelta64[us]") + np.timedelta64(1, "h")
        order = np.lexsort((stamp, told))
        close = np.round(50.0 * np.exp(np.cumsum(random.normal(0.0, 0.01, n_rows))), 2)[told]
        close[n_rows:] += 0.01
        volume = np.floor(random.lognormal(13.0, 0.5, n_rows))[told]
        history = History(
            symbol=name, kind="traded", session=days[told], source=np.full(len(told), "made"), open=close,
            high=close + 0.05, low=close - 0.05, close=close, volume=volume, dividend=np.zeros(len(told)),
            split=np.ones(len(told)), gain=np.zeros(len(told)),
        )  # fmt: skip
        versions = Versions(history.take(order), stamp[order])
        (folder / "bars" / f"{name}.parquet").write_bytes(encode(replace(versions))[0])


def load(way: str, folder: Path) -> int:
    """Load the panel; return how many rows it has."""
    from plimsoll.engine.market.catalog.source import CatalogSource

    source = CatalogSource(folder)
    if way != "latest":
        source = source.as_known(BEGAN + timedelta(days=int(way)))
    return int(np.isfinite(source.load(NAMES).close).sum())


def timed(way: str, folder: Path) -> tuple[float, float, float, int]:
    """Return CPU seconds, wall seconds, MB at the highest, and rows, of one way in this process, imports apart."""
    for name in ("exchange_calendars", "pandas", "pyarrow.parquet"):
        import_module(name)
    wall, cpu = time.perf_counter(), time.process_time()
    rows = load(way, folder)
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    return cpu, wall, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, rows


def rows(repeat: int) -> Iterator[dict[str, Any]]:
    """Yield a row per moment; all ways take turns, each measurement in a process of its own, the fastest counts."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "catalog"
        make(folder)
        best: dict[str, tuple[float, ...]] = {}
        for _ in range(repeat):
            for way in ("latest", *MOMENTS):
                command = [sys.executable, __file__, way, str(folder)]
                done = subprocess.run(command, check=True, capture_output=True, text=True).stdout
                found = tuple(float(word) for word in done.split())
                best[way] = min(best.get(way, found), found)
    other, _, other_rss, _ = best["latest"]
    for way in MOMENTS:
        cpu, wall, rss, n_rows = best[way]
        yield {
            "work": "as-of", "mode": f"day {way} of {N_VERSIONS}", "cpu_s": round(cpu, 3), "wall_s": round(wall, 3),
            "rss_mb": round(rss), "latest_cpu_s": round(other, 3), "latest_rss_mb": round(other_rss),
            "ratio": round(cpu / other, 3), "budget_ratio": 1.5, "rows": int(n_rows),
        }  # fmt: skip


if __name__ == "__main__":
    print(*timed(sys.argv[1], Path(sys.argv[2])))
