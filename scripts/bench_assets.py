"""The book made broad: what a session costs at 100, 300, 1,000 and 2,000 assets, and in how much memory."""

import resource
import time
from collections.abc import Iterator
from datetime import date
from typing import Any

from workloads import book_of, cut, random_panel

from plimsoll.engine.market.calendar import build_clock
from plimsoll.engine.runtime.assemble import assemble
from plimsoll.engine.runtime.compiled.engine import run_compiled
from plimsoll.engine.runtime.prepare import make_strategies, prepare

# assets, sleeves, sessions
SHAPES = ((30, 8, 1000), (100, 8, 1000), (300, 8, 1000), (1000, 8, 1000), (300, 4, 1000), (2000, 4, 5040))


def rows(repeat: int) -> Iterator[dict[str, Any]]:
    """Yield a row for each breadth; `ratio` is what it takes of the one before."""
    before = None
    for n, sleeves, sessions in SHAPES:
        cpu, wall, decisions = min(once(n, sleeves, sessions) for _ in range(repeat if n < 1000 else 1))
        yield {
            "work": "book-assets", "assets": n, "sleeves": sleeves, "sessions": sessions, "cpu_s": round(cpu, 3),
            "wall_s": round(wall, 3), "decisions": decisions, "cpu_ms_per_session": round(1e3 * cpu / sessions, 3),
            "ratio": None if before is None else round(cpu / sessions / before, 2),
            "rss_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        }  # fmt: skip
        before = cpu / sessions


def once(n: int, sleeves: int, sessions: int) -> tuple[float, float, int]:
    """Return CPU and wall seconds of a compiled book, and its decisions."""
    clock = build_clock(date(2000, 1, 3), date(2024, 11, 22), "1d")
    config, panel = book_of(random_panel(cut(clock, sessions), n, 4, 0.01), sleeves, rows=64)  # drawn once, not timed
    setup = assemble(config, prepare(config, panel, make_strategies(config, {})))
    cpu, wall = time.process_time(), time.perf_counter()
    track = run_compiled(setup)
    return time.process_time() - cpu, time.perf_counter() - wall, len(track.decisions)
