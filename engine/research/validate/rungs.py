"""The ladder of ways to share a book, on the same sessions and net of costs, the path before it among them."""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from plimsoll.engine.report.metrics import returns as m
from plimsoll.engine.report.metrics.bootstrap import BLOCK_SESSIONS, DRAWS
from plimsoll.engine.report.metrics.ladder import BEATS, JUDGED, LOSES, RULE, compared
from plimsoll.engine.research.sweep.block import BlockRows
from plimsoll.engine.research.sweep.figures import FIGURES
from plimsoll.engine.research.validate.runs import Ran
from plimsoll.engine.research.validate.trials import FORMER, ValidationPlan
from plimsoll.engine.runtime.rung import BENCHMARK, TITLES
from plimsoll.engine.types import Floats

FORMER_TITLE: Final = "the path before"
_COPIED: Final = ("cagr", "vol_ann", "sharpe_excess", "max_drawdown", "turnover", "cost_bps")


def rungs_block(
    plan: ValidationPlan, ran: Ran, former: BlockRows | None, bill: Floats, span: slice
) -> dict[str, Any] | None:
    """Return the ladder over a span of sessions as `metrics.ladder` tells it; None for what is no book.

    span : the sessions that the walk was held on, so that no rung is judged where the walk could still choose.
    """
    if not plan.rungs:
        return None
    series = {name: ran.matrix[span, number] for name, number in plan.rungs.items()}
    costs = {name: ran.figures[number] for name, number in plan.rungs.items()}
    why = {name: ran.reasons[number] for name, number in plan.rungs.items()}
    if former is not None:
        series[FORMER] = _former(former, ran)[span]
        costs[FORMER], why[FORMER] = former.figures[0], former.reasons[0]
    own = next((name for name, number in plan.rungs.items() if number == plan.configured), "")
    seed = plan.config.run.seed
    found = {name: _rung(name, values, series, costs[name], why[name], bill[span], seed)
             for name, values in series.items()}  # fmt: skip
    sure = [name for name, block in found.items() if block.get("verdict") in (BEATS, LOSES)]
    judged = [name for name in dict.fromkeys(("hrp", own, *sure)) if "verdict" in found.get(name, {})]
    hrp = found["hrp"].get("verdict")
    return {
        "own": own or BENCHMARK,
        "configured": own,
        "why": "",
        "rule": RULE,
        "block_sessions": BLOCK_SESSIONS,
        "draws": DRAWS,
        "seed": seed,
        "rungs": list(found.values()),
        "verdicts": [{key: found[name][key] for key in JUDGED} for name in judged],
        "ships": None if hrp is None else "hrp" if hrp == BEATS else BENCHMARK,
    }


def _former(rows: BlockRows, ran: Ran) -> Floats:
    out = np.full(len(ran.matrix), np.nan)
    for _, first, values in rows.each():
        start = first - ran.first
        low, high = max(start, 0), min(start + len(values), len(out))
        out[low:high] = values[low - start : high - start]
    return out


def _rung(
    name: str, values: Floats, series: Mapping[str, Floats], costs: Floats, why: str, free: Floats, seed: int
) -> dict[str, Any]:
    head: dict[str, Any] = {"name": name, "title": TITLES.get(name, FORMER_TITLE)}
    if why or not np.isfinite(values).all():
        return head | {"why": why or "it has no return on some of the sessions"}
    figures = {
        "cagr": m.cagr(values),
        "vol_ann": m.vol_ann(values),
        "sharpe_excess": m.sharpe(values, free),
        "max_drawdown": m.max_drawdown(values),
    }
    # what was traded is kept for the whole run only
    figures |= {key: float(costs[FIGURES.index(key)]) for key in _COPIED if key not in figures}
    block = head | figures
    if name != BENCHMARK and np.isfinite(series[BENCHMARK]).all():
        block |= compared(values - free, series[BENCHMARK] - free, seed)
    return m.annualised(block, len(values))
