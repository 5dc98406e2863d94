"""Time a book's validation beside its back-tests alone, both in one process."""

import resource
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

CONFIG = "config/book.toml"
REAL = Path(__file__).resolve().parents[2] / "shared" / "data" / "daily"
RATIO = 1.5  # the most that a validation may cost of its back-tests


def rows(repeat: int) -> Iterator[dict[str, Any]]:
    """Yield the row of `validate`: CPU seconds of the whole and of its back-tests, fastest of at most two.

    Back-tests are what the same settings over the same span take in a sweep's evaluator that begins with nothing kept,
    one after the other. The former path has no compiled form: it is shown by itself, and `ratio` leaves it out of both.
    """
    from plimsoll.engine.research.sweep.compiled_evaluator import CompiledEvaluator
    from plimsoll.engine.research.sweep.evaluate import PythonEvaluator
    from plimsoll.engine.runtime.load import configured
    from plimsoll.engine.verbs.validate import validated, validation_plan

    config, _ = configured(CONFIG, data=REAL if REAL.is_dir() else None)
    plan = validation_plan(config)
    configs = [setting.config for setting in plan.sweep.settings]
    CompiledEvaluator(plan.panel).evaluate(configs[:2])  # compiled by now
    tests = least(lambda: CompiledEvaluator(plan.panel).evaluate(configs), repeat)
    former = least(lambda: PythonEvaluator(plan.panel).evaluate([plan.former]), repeat)
    whole = least(lambda: validated(validation_plan(config), trials="off"), repeat)
    rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    yield {
        "work": "validate", "mode": "book", "real": REAL.is_dir(), "settings": len(configs),
        "cpu_s": round(whole, 2), "backtests_s": round(tests, 2), "former_s": round(former, 2),
        "ratio": round((whole - former) / tests, 3), "ratio_with_former": round(whole / (tests + former), 3),
        "budget_ratio": RATIO, "rss_mb": round(rss),
    }  # fmt: skip


def least(call: Callable[[], Any], repeat: int) -> float:
    """Return the CPU seconds of the fastest call."""
    times = []
    for _ in range(min(repeat, 2)):
        began = time.process_time()
        call()
        times.append(time.process_time() - began)
    return min(times)
