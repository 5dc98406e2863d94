"""Time the day's plan beside a backtest of the same configuration to the same session, as whole verbs."""

import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

CONFIG = "config/book.toml"
SETS = ("data.source=sample",)
RATIO = 1.15  # the most that a plan may cost of a backtest


def rows(repeat: int) -> Iterator[dict[str, Any]]:
    """Yield the row of `plan`: CPU seconds of plan and backtest, fastest of `repeat`, and their ratio."""
    from plimsoll import backtest
    from plimsoll.engine.verbs.plan import plan

    with tempfile.TemporaryDirectory() as scratch:
        held = Path(scratch) / "held.csv"
        held.write_text("symbol,qty\nSPY,10\nCASH,100000\n")
        folder = Path(scratch) / "run"
        runs = least(lambda: backtest(CONFIG, sets=SETS, trials="off", out=folder, force=True), repeat)
        end = str(backtest(CONFIG, sets=SETS, trials="off").sessions[-1])
        plans = least(lambda: plan(CONFIG, positions=held, sets=SETS, end=end), repeat)
    yield {
        "work": "plan", "mode": "book", "cpu_s": round(plans, 4), "backtest_s": round(runs, 4),
        "ratio": round(plans / runs, 3), "budget_ratio": RATIO,
    }  # fmt: skip


def least(call: Callable[[], Any], repeat: int) -> float:
    """Return the CPU seconds of the fastest of `repeat` calls after one that warms up."""
    call()
    times = []
    for _ in range(repeat):
        began = time.process_time()
        call()
        times.append(time.process_time() - began)
    return min(times)
